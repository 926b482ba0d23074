"""Cells: every row in the nearest cell, the same with any kernels; looking at all of them is the scan of signs."""

import threading

import numpy as np
import pytest

from neuraltrade.core import quant
from neuraltrade.core.cells import Cells, assign, train
from neuraltrade.errors import InputError

ROWS, DIMENSION, CELLS = 3_000, 128, 24


def market_like(rows: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((rows, 8))
    for row in range(1, rows):
        latent[row] = 0.95 * latent[row - 1] + 0.3 * rng.standard_normal(8)
    return np.tanh(latent @ np.random.default_rng(5).standard_normal((8, DIMENSION))).astype(np.float32)


@pytest.fixture(scope="module")
def rows():
    codes = quant.aligned_empty((ROWS, DIMENSION), np.int8)
    norms = np.empty(ROWS, np.float32)
    quant.quantize(market_like(ROWS, 1), codes, norms)
    return codes, norms, quant.signs(codes)


@pytest.fixture(scope="module")
def cells(rows):
    return Cells.build(*rows, CELLS)


def question(seed: int):
    codes, norm = quant.quantize(market_like(40, seed)[-1])
    return codes, float(norm), quant.signs(codes[None, :])[0]


def test_every_row_stands_in_its_nearest_cell(rows, cells):
    codes, _, signs = rows
    arrays = cells.arrays
    assert np.array_equal(np.sort(arrays["order"]), np.arange(ROWS)) and cells.count == CELLS and len(cells) == ROWS
    assert np.array_equal(arrays["signs"], signs[arrays["order"]])
    dots = codes.astype(np.float32) @ arrays["centres"].astype(np.float32).T
    nearest = np.argmax(dots * arrays["centre_norms"], axis=1)
    sizes = []
    for cell in range(CELLS):
        members = arrays["order"][arrays["start"][cell] : arrays["start"][cell + 1]]
        assert (nearest[members] == cell).all() and (np.diff(members.astype(np.int64)) > 0).all()
        sizes.append(len(members))
    assert sum(sizes) == ROWS and max(sizes) < ROWS // 4


@pytest.mark.parametrize("kernels", quant.variants())
def test_kernels_agree(rows, cells, kernels):
    before = quant.use(kernels)
    try:
        again = Cells.build(*rows, CELLS)
        found = [cells.search(*question(seed), 10, probe=600, rerank=50) for seed in range(3)]
    finally:
        quant.use(before)
    for name, array in cells.arrays.items():
        assert np.array_equal(array, again.arrays[name]), name
    for seed, (ids, distances, looked) in enumerate(found):
        expected = cells.search(*question(seed), 10, probe=600, rerank=50)
        assert np.array_equal(ids, expected[0]) and np.array_equal(distances, expected[1]) and looked == expected[2]


@pytest.mark.parametrize("case", ["all", "mask", "stop", "both"])
def test_all_cells_are_all_rows(rows, cells, case):
    """With every row looked at and reranked, the answer is the exact scan of what the filter admits."""
    codes, norms, _ = rows
    mask = np.random.default_rng(3).random(ROWS) < 0.3 if case in ("mask", "both") else None
    stop = 1_700 if case in ("stop", "both") else None
    for seed in range(4):
        query, norm, bits = question(seed)
        ids, distances, looked = cells.search(query, norm, bits, 12, probe=ROWS, rerank=ROWS, mask=mask, stop=stop)
        truth = quant.scan(codes, norms, query, norm, 12, mask=mask, stop=stop)
        assert np.array_equal(ids, truth[0]) and np.array_equal(distances, truth[1])
        allowed = np.ones(ROWS, bool) if mask is None else mask
        assert looked == np.count_nonzero(allowed[:stop])


def test_few_cells_find_most_and_distances_are_those_of_the_codes(rows, cells):
    codes, norms, _ = rows
    hit = 0
    for seed in range(30):
        query, norm, bits = question(seed)
        ids, distances, looked = cells.search(query, norm, bits, 10, probe=900)
        assert 900 <= looked < 1_500
        assert np.array_equal(distances, quant.distances(codes, norms, query, norm, ids))
        hit += len(np.intersect1d(ids, quant.scan(codes, norms, query, norm, 10)[0]))
    assert hit >= 285


def test_a_filter_far_from_the_query_is_reached(rows, cells):
    """Only the cell farthest from the query may answer: cells that hold nothing of it do not end the search."""
    codes, norms, _ = rows
    query, norm, bits = question(1)
    order = np.argsort(quant.distances(codes, norms, query, norm), kind="stable")
    mask = np.zeros(ROWS, np.uint8)
    mask[order[-60:]] = 1
    ids, _, looked = cells.search(query, norm, bits, 5, probe=60, rerank=60, mask=mask)
    assert ids.tolist() == order[-60:-55].tolist() and looked == 60


def test_cancelled(rows):
    cancel = threading.Event()
    cancel.set()
    codes, norms, signs = rows
    assert Cells.build(codes, norms, signs, CELLS, cancel=cancel) is None
    assert train(codes, norms, CELLS, cancel=cancel) is None


def test_wrong_input_is_named(rows, cells):
    codes, norms, signs = rows
    arrays = cells.arrays
    bent = arrays["start"].copy()
    bent[3] = bent[4] + 1
    cases = [
        (lambda: Cells.build(codes, norms, signs, 0), "cells must be an int in 1"),
        (lambda: Cells.build(codes, norms, signs, ROWS + 1), "cells must be an int in 1"),
        (lambda: assign(arrays["centres"][:, :64].copy(), arrays["centre_norms"], codes, np.arange(3)), "centres must"),
        (lambda: Cells(codes, norms, **{**arrays, "start": bent}), "start must ascend"),
        (lambda: Cells(codes, norms, **{**arrays, "start": arrays["start"][:-1].copy()}), "start"),
        (lambda: Cells(codes, norms, **{**arrays, "order": arrays["order"] + 1}), "3000"),
        (lambda: Cells(codes, norms, **{**arrays, "signs": signs[:5]}), "signs must be"),
        (lambda: cells.search(*question(1), 0, probe=10), "k must be an int in 1"),
        (lambda: cells.search(*question(1), 1, probe=0), "probe must be an int in 1"),
        (lambda: cells.search(*question(1), 1, probe=1, mask=np.ones(5, bool)), "mask must"),
    ]
    for call, words in cases:
        with pytest.raises(InputError, match=words):
            call()
