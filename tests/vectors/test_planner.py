"""Who may answer, through the indexes: the same rows as comparing each one, whatever the filter."""

import numpy as np
import pytest

from neuraltrade.vectors import CollectionSpec, Field, Filter, Store
from neuraltrade.vectors.block import LATEST, matches
from neuraltrade.vectors.planner import Scope, candidates

SPEC = CollectionSpec(
    name="things", dimension=64,
    fields=(Field("symbol", "text"), Field("score", "float"), Field("step", "int"), Field("plain", "float", False)),
)  # fmt: skip
ROWS = 500
SYMBOLS = ("A", "B", "C", "D")


@pytest.fixture(scope="module")
def block(tmp_path_factory):
    rng = np.random.default_rng(1)
    score = np.where(rng.random(ROWS) < 0.1, np.nan, rng.integers(0, 20, ROWS) / 4.0)
    with Store(tmp_path_factory.mktemp("plan") / "s", [SPEC]) as store:
        things = store.collections["things"]
        things.add(
            rng.standard_normal((ROWS, 64)).astype(np.float32), ts_ns=np.sort(rng.integers(0, 300, ROWS)),
            known_ns=300 + np.arange(ROWS), symbol=rng.choice(SYMBOLS, ROWS).tolist(), score=score,
            step=rng.integers(-5, 5, ROWS), plain=rng.random(ROWS),
        )  # fmt: skip
        for id_ in things.range(limit=None).ids[::17]:
            things.update(int(id_), known_ns=2_000, step=3)
        store.freeze([things])
        store.optimize()
        (segment,) = things.state.segments
        yield segment.block


def some_filter(rng, depth: int = 0) -> Filter:
    kind = rng.integers(0, 10 if depth < 3 else 7)
    if kind < 2:
        some = [str(one) for one in rng.choice([*SYMBOLS, "none"], rng.integers(0, 4))]
        return Filter.eq("symbol", some[0]) if kind == 0 and some else Filter.in_("symbol", some)
    if kind == 2:
        return Filter.in_("step", [int(one) for one in rng.integers(-7, 7, 3)])
    if kind == 3:
        low = float(rng.integers(-1, 22)) / 4.0
        return Filter.between("score", low, low + float(rng.random() * 6))
    if kind < 7:
        op = str(rng.choice(["eq", "ne", "gt", "gte", "lt", "lte"]))
        field, value = [("score", rng.integers(-1, 22) / 4.0), ("step", rng.integers(-7, 7)), ("plain", rng.random()),
                        ("ts_ns", rng.integers(-10, 310))][rng.integers(0, 4)]  # fmt: skip
        return getattr(Filter, op)(field, float(value) if field != "ts_ns" else int(value))
    if kind == 7:
        return ~some_filter(rng, depth + 1)
    parts = [some_filter(rng, depth + 1) for _ in range(rng.integers(1, 4))]
    return Filter.and_(*parts) if kind == 8 else Filter.or_(*parts)


@pytest.mark.parametrize("gather_max", [0, 60, ROWS * 2])
def test_indexes_say_what_comparing_says(block, gather_max):
    rng = np.random.default_rng(gather_max)
    totals = []
    for _ in range(400):
        where = some_filter(rng)
        start, end = sorted(rng.integers(-10, 310, 2).tolist())
        as_of = [LATEST, 2_000, 600, 299][rng.integers(0, 4)]
        scope = Scope(where, int(start), int(end), as_of) if rng.random() < 0.5 else Scope(where, as_of=as_of)
        expected = matches(where, block, slice(0, block.count)) & (block.known_ns <= as_of) & (block.until_ns > as_of)
        if scope.has_interval:
            expected &= (block.ts_ns >= start) & (block.ts_ns < end)
        found = candidates(block, scope, gather_max)
        rows = found.rows if found.rows is not None else np.arange(found.stop)
        if found.mask is not None:
            rows = np.flatnonzero(found.mask)
        if not found.total:
            rows = rows[:0]
        assert rows.tolist() == np.flatnonzero(expected).tolist(), (where, scope)
        assert found.total == len(rows)
        totals.append(found.total)
    assert len(set(totals)) > 60 and min(totals) == 0 and max(totals) > ROWS // 2


def test_bounds_of_one_field_meet_in_one_slice(block):
    """Each bound leaves about half of the rows; both together few enough to gather."""
    where = Filter.between("score", 2.5, 2.75)
    found = candidates(block, Scope(where), 60)
    assert found.rows is not None and found.mask is None and 0 < found.total < 60
