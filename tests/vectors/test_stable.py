"""A stable search: the same answer however the rows are cut into blocks, and that of a plain one written down here."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core import quant, signs
from neuraltrade.vectors import CollectionSpec, Field, Filter, Store
from neuraltrade.vectors.search import Plan

SPEC = CollectionSpec(name="things", dimension=64, fields=(Field("symbol", "text"),))
ROWS = 900
SYMBOLS = np.array(["A", "B", "C"])
FEW = 40  # rows compared, whatever k


def rows_of(seed: int):
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((ROWS, 64)).astype(np.float32)
    vectors[rng.integers(0, ROWS, ROWS // 3)] = vectors[rng.integers(0, 9, ROWS // 3)]  # many ties of every kind
    return rng, vectors, SYMBOLS[rng.integers(0, 3, ROWS)], np.sort(rng.integers(0, 500, ROWS))


def filled(path, vectors, symbols, times, cuts, plan) -> Store:
    """A store of the rows, frozen into a segment at each cut."""
    store = Store(path, [SPEC], plan=plan)
    things = store.collections["things"]
    for start, stop in zip([0, *cuts], [*cuts, ROWS], strict=True):
        things.add(vectors[start:stop], ts_ns=times[start:stop], symbol=symbols[start:stop].tolist())
        if stop < ROWS:
            store.freeze([things])
    store.optimize()
    return store


def plainly(vectors, query, allowed, k, few):
    """Places and distances of the k nearest among those that differ in as few signs as the few-th of all, or fewer."""
    codes, norms = quant.quantize(vectors)
    own, norm = quant.quantize(query[None, :])
    apart = np.unpackbits((quant.signs(codes) ^ quant.signs(own[0])).view(np.uint8), axis=1).sum(axis=1)
    places = np.flatnonzero(allowed)
    if len(places) > few:
        places = places[apart[places] <= np.sort(apart[places])[few - 1]]
    distances = np.maximum(quant.distances(codes, norms, own[0], float(norm[0]), places), 0.0)
    order = np.lexsort((places, distances))[:k]
    return places[order], distances[order]


@pytest.mark.parametrize("seed", range(2))
def test_the_blocks_decide_nothing(tmp_path, seed) -> None:
    rng, vectors, symbols, times = rows_of(seed)
    plan = Plan(stable_rows=0, rerank=FEW, exact_rows=100, gather_rows=300)
    cuts = ([], [450], np.sort(rng.choice(np.arange(1, ROWS), 5, replace=False)).tolist())
    stores = [filled(tmp_path / str(n), vectors, symbols, times, one, plan) for n, one in enumerate(cuts)]
    queries = [*vectors[:4], *rng.standard_normal((12, 64)).astype(np.float32)]
    for number, query in enumerate(queries):
        as_of = None if number % 2 else int(rng.integers(0, 500))
        where = (None, Filter.eq("symbol", "B"), Filter.ne("symbol", "A"))[number % 3]
        allowed = np.ones(ROWS, bool) if as_of is None else times <= as_of
        allowed &= (True, symbols == "B", symbols != "A")[number % 3]
        places, distances = plainly(vectors, query, allowed, 5, FEW)
        for store in stores:
            hits = store.collections["things"].search(query, 5, as_of=as_of, where=where, stable=True)
            assert np.array_equal(hits.distances, distances)
            assert np.array_equal(vectors[(hits.ids - hits.ids.dtype.type(1)).astype(int)], vectors[places])
            assert hits.ids.tolist() == (places + 1).tolist()
            assert {step.how for step in hits.plan} <= {"stable", "none"}
    for store in stores:
        store.close()


def test_few_rows_are_all_compared(tmp_path) -> None:
    rng, vectors, symbols, times = rows_of(9)
    with filled(tmp_path / "s", vectors, symbols, times, [300], Plan(stable_rows=ROWS, rerank=3)) as store:
        things = store.collections["things"]
        for query in rng.standard_normal((8, 64)).astype(np.float32):
            exact, stable = things.search(query, 7, exact=True), things.search(query, 7, stable=True)
            assert exact.ids.tolist() == stable.ids.tolist()
            assert np.array_equal(exact.distances, stable.distances)


def test_differences_count_bits() -> None:
    rng = np.random.default_rng(2)
    rows = rng.integers(0, 2**63, (257, 3)).astype(np.uint64)
    query = rng.integers(0, 2**63, 3).astype(np.uint64)
    mask = rng.random(257) < 0.7
    plain = np.unpackbits((rows ^ query).view(np.uint8), axis=1).sum(axis=1)
    apart, counts = signs.differences(rows, query)
    assert np.array_equal(apart, plain) and np.array_equal(counts, np.bincount(plain, minlength=193))
    apart, counts = signs.differences(rows, query, mask)
    assert np.array_equal(apart, np.where(mask, plain, 65_535)) and counts.sum() == mask.sum()
    empty, none = signs.differences(rows[:0], query)
    assert len(empty) == 0 and not none.any()
    for wrong in ((rows.astype(np.int32), query), (rows, query[:2]), (rows, query, mask[:5])):
        with pytest.raises(nt.InputError):
            signs.differences(*wrong)
