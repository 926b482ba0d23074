"""The projection kernel: against NumPy, and the same bits in any batch."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core import projection


def inputs(n=300, f=7, a=96, b=32, seed=3):
    rng = np.random.default_rng(seed)
    shapes = ((n, f), (f, a), (f, b), (b,))
    return [rng.normal(0, 1, shape).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize(("a", "b"), [(96, 32), (1, 15), (256, 256), (64, 64), (100, 12)])
def test_against_numpy(a, b):
    x, linear, turns, phase = inputs(a=a, b=b)
    wide = [array.astype(np.float64) for array in (x, linear, turns, phase)]
    want = np.hstack([wide[0] @ wide[1], 0.3 * np.cos(2 * np.pi * (wide[0] @ wide[2] + wide[3]))])
    want /= np.linalg.norm(want, axis=1, keepdims=True)
    got = projection.project(x, linear, turns, phase, 0.3)
    assert got.dtype == np.float32 and np.abs(got - want).max() < 2e-6


def test_batches_give_the_same_bytes():
    x, *maps = inputs(f=32, a=256, b=256)
    whole = projection.project(x, *maps, 0.5)
    for step in (1, 3, 64, 65, 299):
        parts = [projection.project(x[k : k + step], *maps, 0.5) for k in range(0, 300, step)]
        assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_serial_float32_reference_is_met_to_the_bit():
    x, linear, turns, phase = inputs(n=3, f=5, a=16, b=16)
    zero = np.zeros_like(turns)
    for row, got in zip(x, projection.project(x, linear, zero, phase * 0, 0.0), strict=True):
        sums = np.zeros(16, dtype=np.float32)
        for f in range(5):
            sums = sums + row[f] * linear[f]
        squares = np.float64(0)
        for value in sums:
            squares += np.float64(value * value)
        assert np.array_equal(got[:16], sums * np.float32(1 / np.sqrt(squares)))


def test_unit():
    rows = np.random.default_rng(1).normal(size=(5, 48)).astype(np.float32)
    rows[2] = 0
    got = projection.unit(rows)
    assert np.abs(np.linalg.norm(got, axis=1) - [1, 1, 0, 1, 1]).max() < 1e-6


def test_cosines_over_many_turns():
    x = np.linspace(-500, 500, 2001, dtype=np.float32)[:, None]
    one, zero = np.ones((1, 8), dtype=np.float32), np.zeros(8, dtype=np.float32)
    got = projection.project(x, one * 0, one, zero, 1.0)[:, 8]
    assert np.abs(np.abs(got) - 8**-0.5 * (np.cos(2 * np.pi * x[:, 0].astype(float)) != 0)).max() < 1e-6


@pytest.mark.parametrize(("change", "message"), [
    (lambda x, a, b, p: (x.astype(np.float64), a, b, p), "rows must be a float32 matrix, has dtype float64"),
    (lambda x, a, b, p: (x[0], a, b, p), r"rows must be a float32 matrix, has dtype float32 and shape \(7,\)"),
    (lambda x, a, b, p: (x[:0], a, b, p), "rows must not be empty"),
    (lambda x, a, b, p: (x[:, :5], a, b, p), "rows have 5 columns, linear 7 rows"),
    (lambda x, a, b, p: (x, a[:5], b, p), "linear 5 rows"),
    (lambda x, a, b, p: (x, a, b, p[:5]), "phase 5, cosines 32"),
    (lambda x, a, b, p: (x, a[:, :90], b, p), "multiple of 16 columns together, have 90 and 32"),
    (lambda x, a, b, p: (np.vstack([x[:7], x[:1] * np.float32("nan")]), a, b, p), "rows row 7: not finite"),
])  # fmt: skip
def test_wrong_input(change, message):
    with pytest.raises(nt.InputError, match=message):
        projection.project(*change(*inputs()), 1.0)


@pytest.mark.parametrize("shape", [(0, 16), (3, 0), (3, 15)])
def test_wrong_unit_input(shape):
    with pytest.raises(nt.InputError, match="rows must have a multiple of 16 columns"):
        projection.unit(np.zeros(shape, dtype=np.float32))
