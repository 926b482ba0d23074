"""Exact scans against sorting, with ties, choices of rows, and two stages."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from neuraltrade.core import quant
from neuraltrade.errors import InputError


@pytest.fixture(params=quant.variants())
def kernels(request):
    before = quant.use(request.param)
    yield request.param
    quant.use(before)


def tied_vectors(count: int, dimension: int, seed: int) -> np.ndarray:
    """Few distinct rows, so that equal distances abound."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((7, dimension)).astype(np.float32)[rng.integers(0, 7, count)]


def random_vectors(count: int, dimension: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)


def by_sorting(codes, inverse_norm, query_codes, query_inverse_norm, k, rows):
    distances = quant.distances(codes, inverse_norm, query_codes, query_inverse_norm, rows)
    order = np.lexsort((rows, distances))[:k]
    return np.asarray(rows)[order], distances[order]


def check(found, expected):
    assert found[0].dtype == np.int64 and found[1].dtype == np.float32
    assert np.array_equal(found[0], expected[0]) and np.array_equal(found[1], expected[1])


@pytest.mark.parametrize("make", [tied_vectors, random_vectors])
@pytest.mark.parametrize("count", [0, 1, 7, 511, 512, 513, 2000])
def test_scan_equals_sorting(kernels, make, count):
    codes, inverse_norm = quant.quantize(make(count, 128, count))
    query_codes, query_inverse_norm = quant.quantize(random_vectors(1, 128, 99)[0])
    rng = np.random.default_rng(1)
    mask = (rng.random(count) < 0.3).astype(np.uint8)
    listed = rng.integers(0, count, 700) if count else np.empty(0, np.int64)
    query = (codes, inverse_norm, query_codes, query_inverse_norm)
    for k in (1, 10, 300, 5000):
        every = np.arange(count)
        check(quant.scan(*query, k), by_sorting(*query, k, every))
        check(quant.scan(*query, k, stop=count // 2), by_sorting(*query, k, every[: count // 2]))
        check(quant.scan(*query, k, stop=count + 5), by_sorting(*query, k, every))
        check(quant.scan(*query, k, mask=mask), by_sorting(*query, k, every[mask > 0]))
        check(quant.scan(*query, k, mask=mask.astype(bool)), by_sorting(*query, k, every[mask > 0]))
        check(quant.scan(*query, k, rows=listed), by_sorting(*query, k, listed))
        narrowed = listed[(listed < count // 2) & (mask[listed] > 0)]
        both = quant.scan(*query, k, rows=listed.astype(np.uint32), mask=mask, stop=count // 2)
        check(both, by_sorting(*query, k, narrowed))


def by_two_sorts(signs, codes, inverse_norm, query_signs, query_codes, query_inverse_norm, k, rerank, rows):
    differing = np.unpackbits((signs[rows] ^ query_signs).view(np.uint8), axis=1).sum(axis=1)
    kept = np.sort(np.asarray(rows)[np.lexsort((np.arange(len(rows)), differing))[: max(k, rerank)]])
    return by_sorting(codes, inverse_norm, query_codes, query_inverse_norm, k, kept)


@pytest.mark.parametrize("dimension", [64, 192, 512, 1024])
@pytest.mark.parametrize("make", [tied_vectors, random_vectors])
def test_two_stages_equal_two_sorts(kernels, make, dimension):
    for count in (0, 1, 100, 9000):
        vectors = make(count, dimension, count)
        if make is random_vectors:  # ever nearer to the query, so that candidates are cut down again and again
            vectors += np.linspace(0, 3, count, dtype=np.float32)[:, None]
        codes, inverse_norm = quant.quantize(vectors)
        signs = quant.signs(codes)
        query_codes, query_inverse_norm = quant.quantize(np.ones(dimension, np.float32))
        query = (signs, codes, inverse_norm, quant.signs(query_codes), query_codes, query_inverse_norm)
        mask = (np.random.default_rng(2).random(count) < 0.5).astype(np.uint8)
        every = np.arange(count)
        for k, rerank in ((1, 1), (10, 200), (300, 20)):
            check(quant.scan_signs(*query, k, rerank=rerank), by_two_sorts(*query, k, rerank, every))
            narrowed = every[: count // 2][mask[: count // 2] > 0]
            found = quant.scan_signs(*query, k, rerank=rerank, mask=mask, stop=count // 2)
            check(found, by_two_sorts(*query, k, rerank, narrowed))
            if count:
                found = quant.scan_signs(*query, k, rerank=rerank, rows=every[::3])
                check(found, by_two_sorts(*query, k, rerank, every[::3]))


def test_reranking_everything_is_exact(kernels):
    codes, inverse_norm = quant.quantize(random_vectors(3000, 256, 3))
    query_codes, query_inverse_norm = quant.quantize(random_vectors(1, 256, 4)[0])
    exact = quant.scan(codes, inverse_norm, query_codes, query_inverse_norm, 20)
    signs = quant.signs(codes)
    query_signs = quant.signs(query_codes)
    query = (query_signs, query_codes, query_inverse_norm)
    check(quant.scan_signs(signs, codes, inverse_norm, *query, 20, rerank=3000), exact)


def test_rows_without_a_norm_are_never_found(kernels):
    codes, inverse_norm = quant.quantize(random_vectors(50, 64, 5))
    inverse_norm[[3, 10]] = np.nan
    inverse_norm[20] = -np.inf
    found, _ = quant.scan(codes, inverse_norm, codes[3], 0.01, 50)
    assert set(range(50)) - set(found.tolist()) >= {3, 10}


def test_threads_get_the_same_answers(kernels):
    codes, inverse_norm = quant.quantize(random_vectors(5000, 128, 6))
    expected = [quant.scan(codes, inverse_norm, codes[i], inverse_norm[i], 10) for i in range(40)]
    failures = []

    def work():
        for i in range(40):
            rows, distances = quant.scan(codes, inverse_norm, codes[i], inverse_norm[i], 10)
            if not (np.array_equal(rows, expected[i][0]) and np.array_equal(distances, expected[i][1])):
                failures.append(i)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("codes", np.zeros((4, 64), np.uint8)),
        ("codes", np.zeros((4, 65), np.int8)),
        ("codes", np.zeros((8, 64), np.int8)[::2]),
        ("codes", np.zeros(64, np.int8)),
        ("codes", None),
        ("inverse_norm", np.ones(3, np.float32)),
        ("inverse_norm", np.ones(4, np.float64)),
        ("query_codes", np.zeros(128, np.int8)),
        ("query_codes", np.zeros(64, np.float32)),
        ("query_codes", None),
        ("query_inverse_norm", np.nan),
        ("query_inverse_norm", 0.0),
        ("query_inverse_norm", np.inf),
        ("query_inverse_norm", "one"),
        ("k", 0),
        ("k", -1),
        ("k", 1.5),
        ("k", True),
        ("stop", -1),
        ("stop", 2.0),
        ("mask", np.ones(3, np.uint8)),
        ("mask", np.ones(4, np.float32)),
        ("rows", [0, 4]),
        ("rows", [-1]),
        ("rows", np.array([4], np.uint32)),
        ("rows", [0.5]),
        ("rows", [[1, 2]]),
        ("rerank", 0),
        ("signs", np.zeros((4, 2), np.uint64)),
        ("signs", np.zeros((4, 1), np.int64)),
        ("query_signs", np.zeros(2, np.uint64)),
    ],
)
def test_bad_arguments_are_named(name, value):
    good = {
        "codes": np.ones((4, 64), np.int8),
        "inverse_norm": np.full(4, 0.125, np.float32),
        "query_codes": np.ones(64, np.int8),
        "query_inverse_norm": 0.125,
        "k": 2,
    }
    two_stages = {**good, "signs": np.zeros((4, 1), np.uint64), "query_signs": np.zeros(1, np.uint64)}
    assert quant.scan(**good)[0].tolist() == [0, 1]
    assert quant.scan_signs(**two_stages)[0].tolist() == [0, 1]
    with pytest.raises(InputError, match=rf"^{name} must"):
        quant.scan_signs(**{**two_stages, name: value})
    if name not in ("rerank", "signs", "query_signs"):
        with pytest.raises(InputError, match=rf"^{name} must"):
            quant.scan(**{**good, name: value})


def test_mark_rows_sets_what_is_listed_and_there() -> None:
    rng = np.random.default_rng(4)
    for value in (True, False):
        mask = rng.random(300) < 0.5
        rows = rng.integers(0, 400, 200).astype(np.uint32)
        expected = mask.copy()
        expected[rows[rows < 300]] = value
        quant.mark_rows(mask, rows, value)
        assert np.array_equal(mask, expected)
    frozen = np.zeros(3, bool)
    frozen.flags.writeable = False
    rows = np.zeros(1, np.uint32)
    for wrong, listed in ((np.zeros(3), rows), (frozen, rows), (np.zeros(3, bool), rows.astype(np.int64))):
        with pytest.raises(InputError, match="mask must be"):
            quant.mark_rows(wrong, listed)
