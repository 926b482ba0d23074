"""Segments in cells: what they find stands beside an exact scan, within the filter, and never from the future."""

import numpy as np
import pytest

from neuraltrade.core.cells import Cells
from neuraltrade.errors import LogCorrupt
from neuraltrade.vectors import CollectionSpec, Field, Filter, Plan, Store
from neuraltrade.vectors.segment import read_rows

SPEC = CollectionSpec(name="things", dimension=128, fields=(Field("group", "int"),))
ROWS = 6_000
PLAN = Plan(exact_rows=50, gather_rows=100, cells_gain=1.0)


def market_like(rows: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((rows, 8))
    for row in range(1, rows):
        latent[row] = 0.95 * latent[row - 1] + 0.3 * rng.standard_normal(8)
    return np.tanh(latent @ np.random.default_rng(5).standard_normal((8, SPEC.dimension)) * 0.5).astype(np.float32)


QUERIES = market_like(ROWS, 2)[60::60]


def fill(path, **given) -> Store:
    store = Store(
        path, [SPEC], seal_rows=3_000, cell_rows=1_000, graph_rows=1 << 20, plan=PLAN, cache_queries=0, **given
    )
    store.collections["things"].add(market_like(ROWS, 1), ts_ns=np.arange(ROWS), group=np.arange(ROWS) % 10)
    store.optimize()
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with fill(tmp_path_factory.mktemp("cells") / "s") as store:
        yield store


@pytest.mark.parametrize(
    "scope",
    [
        {},
        {"where": Filter.lt("group", 5)},
        {"where": Filter.in_("group", [1, 4]) | ~Filter.lt("group", 8)},
        {"as_of": 4_500},
        {"where": Filter.ne("group", 3), "start": 1_000, "as_of": 5_500},
    ],
)
def test_cells_find_what_an_exact_scan_finds(store, scope):
    things = store.collections["things"]
    hit = total = 0
    for query in QUERIES:
        hits, truth = things.search(query, 10, **scope), things.search(query, 10, exact=True, **scope)
        assert [step.how for step in hits.plan] == ["cells"] and hits.plan[0].candidates == truth.plan[0].candidates
        assert (hits.known_ns <= scope.get("as_of", ROWS)).all() and (hits.ts_ns >= scope.get("start", 0)).all()
        known = dict(zip(truth.ids.tolist(), truth.distances.tolist(), strict=True))
        for id_, distance in zip(hits.ids.tolist(), hits.distances.tolist(), strict=True):
            assert known.get(id_, distance) == distance  # those of the codes, whatever found the row
        hit, total = hit + len(np.intersect1d(hits.ids, truth.ids)), total + 10
    assert hit >= 0.95 * total
    allowed = set(things.range(limit=None, **scope).ids.tolist())
    assert all(set(things.search(query, 10, **scope).ids.tolist()) <= allowed for query in QUERIES[:20])


def test_equal_rows_give_equal_files_and_an_opened_store_answers_alike(store, tmp_path):
    with fill(tmp_path / "again") as again:
        files = [next(iter(sorted(one.path.glob("*.seg")))).read_bytes() for one in (store, again)]
        assert files[0] == files[1]
        entry = again.manifest.collections["things"].segments[0]
        assert 0 < entry.probe < ROWS
    with Store(tmp_path / "again", [SPEC], read_only=True, plan=PLAN) as opened:
        for query in QUERIES[:10]:
            one, other = (each.collections["things"].search(query, 10) for each in (store, opened))
            assert other.plan[0].how == "cells" and one.ids.tolist() == other.ids.tolist()
            assert one.distances.tolist() == other.distances.tolist()


def test_the_future_and_what_was_deleted_never_surface(tmp_path):
    """A copy of each query, known later, lies in the cell that is looked at first."""
    with fill(tmp_path / "s") as store:
        things = store.collections["things"]
        canaries = things.add(QUERIES, ts_ns=np.full(len(QUERIES), ROWS), group=np.full(len(QUERIES), 99))
        store.optimize()
        for query, canary in zip(QUERIES, canaries.tolist(), strict=True):
            past = things.search(query, 10, as_of=ROWS - 1)
            assert [step.how for step in past.plan] == ["cells"] and canary not in past.ids.tolist()
            assert past.plan[0].candidates == past.plan[0].rows == ROWS
            assert things.search(query, 1).ids.tolist() == [canary]
        things.delete(canaries[::2])
        for query, canary in zip(QUERIES[::2], canaries[::2].tolist(), strict=True):
            hits = things.search(query, 10)
            assert hits.plan[0].how == "cells" and canary not in hits.ids.tolist()


def test_cells_of_other_rows_are_refused(store):
    segment = store.collections["things"].state.segments[0]
    content = bytearray(segment.mapping)
    order = segment.block.grouped.arrays["order"]
    at = bytes(content).index(order[:64].tobytes())
    content[at : at + 4] = np.uint32(ROWS).tobytes()
    with pytest.raises(LogCorrupt, match=r"\.seg: cells: "):
        read_rows(SPEC, segment.entry, memoryview(content))
    assert isinstance(read_rows(SPEC, segment.entry, memoryview(bytes(segment.mapping))).grouped, Cells)
