"""Codes, signs and distances: every variant equals the serial oracle, and the oracle equals numpy."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys

import numpy as np
import pytest

from neuraltrade.core import hnsw, quant, wal
from neuraltrade.errors import InputError

DIMENSIONS = (64, 128, 256, 320, 512, 576, 768, 1024, 4096)
FAST = [name for name in quant.variants() if name != "serial"]


@pytest.fixture(autouse=True)
def restore_kernels():
    before = quant.variant()
    yield
    quant.use(before)


def with_kernels(name, call):
    quant.use(name)
    return call()


def adversarial_codes(dimension: int, seed: int) -> np.ndarray:
    """Extremes in every combination, -128 included, then random codes."""
    rng = np.random.default_rng(seed)
    constant = [np.full(dimension, v) for v in (-128, -127, -1, 0, 1, 127)]
    alternating = np.where(np.arange(dimension) % 2, 127, -128)
    single = np.zeros(dimension)
    single[-1] = -1
    rows = [*constant, alternating, single, *rng.integers(-128, 128, (13, dimension))]
    return np.array(rows, np.int8)


def reference_codes(vectors: np.ndarray) -> np.ndarray:
    scale = np.float32(127) / np.abs(vectors).max(axis=1, keepdims=True)
    return np.rint(vectors * scale).astype(np.int8)


def vectors_of(count: int, dimension: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)


@pytest.mark.parametrize("name", quant.variants())
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_quantize_is_half_even_of_the_scaled_value(name, dimension):
    quant.use(name)
    vectors = vectors_of(11, dimension, dimension)
    vectors[3] *= 1e-25
    vectors[4] *= 1e30
    vectors[5] = 0
    vectors[5, -1] = -3e38
    vectors[6] = np.resize(np.arange(-127, 128) / 2, dimension).astype(np.float32)  # exact halves
    vectors[6, 0] = 127
    codes, inverse_norm = quant.quantize(vectors)
    assert codes.dtype == np.int8 and np.array_equal(codes, reference_codes(vectors))
    assert np.abs(codes.astype(int)).max(axis=1).tolist() == [127] * 11
    norms = np.sqrt((codes.astype(np.int64) ** 2).sum(axis=1).astype(np.float64))
    assert np.array_equal(inverse_norm, (1 / norms).astype(np.float32))
    one_codes, one_norm = quant.quantize(vectors[2])
    assert np.array_equal(one_codes, codes[2]) and one_norm == inverse_norm[2] and one_norm.dtype == np.float32


def test_halves_round_to_even():
    vector = np.zeros(64, np.float32)
    vector[:8] = [127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5]
    for name in quant.variants():
        codes, _ = with_kernels(name, lambda: quant.quantize(vector))
        assert codes[:8].tolist() == [127, 0, 2, 2, 0, -2, -2, 126]


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_variants_equal_serial(name, dimension):
    codes = adversarial_codes(dimension, 3)
    inverse_norm = np.linspace(0.001, 1, len(codes), dtype=np.float32)
    listed = np.random.default_rng(4).integers(0, len(codes), 37)
    for shift in (0, 1, 17):  # rows off every alignment
        block = np.zeros(codes.nbytes + shift, np.int8)
        moved = block[shift:].reshape(codes.shape)
        moved[:] = codes

        def everything(moved=moved):
            found = [quant.signs(moved)]
            for query in range(len(codes)):
                found += [
                    quant.distances(moved, inverse_norm, codes[query], 0.01),
                    quant.distances(moved, inverse_norm, codes[query], 0.01, listed),
                ]
            return found

        for fast, slow in zip(with_kernels(name, everything), with_kernels("serial", everything), strict=True):
            assert fast.tobytes() == slow.tobytes()


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_serial_distances_equal_integer_arithmetic(dimension):
    quant.use("serial")
    codes = adversarial_codes(dimension, 5)
    inverse_norm = np.linspace(0.001, 1, len(codes), dtype=np.float32)
    for query in codes:
        dots = (codes.astype(np.int64) @ query.astype(np.int64)).astype(np.float32)
        assert np.array_equal(
            quant.distances(codes, inverse_norm, query, 0.5), np.float32(1) - dots * inverse_norm * np.float32(0.5)
        )


@pytest.mark.parametrize("name", quant.variants())
def test_signs_are_the_negative_codes(name):
    quant.use(name)
    vectors = vectors_of(9, 320, 6)
    codes, _ = quant.quantize(vectors)
    bits = quant.signs(codes)
    assert bits.shape == (9, 5) and bits.dtype == np.uint64
    unpacked = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")
    assert np.array_equal(unpacked.astype(bool), codes < 0)
    assert np.array_equal(quant.signs(vectors), bits)
    assert np.array_equal(quant.signs(codes[4]), bits[4])


def test_distance_is_close_to_float_cosine():
    vectors = vectors_of(200, 512, 7)
    codes, inverse_norm = quant.quantize(vectors)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for row in range(0, 200, 37):
        exact = 1 - unit @ unit[row]
        assert np.abs(quant.distances(codes, inverse_norm, codes[row], inverse_norm[row]) - exact).max() < 0.01
    back = quant.dequantize(codes, inverse_norm)
    assert back.dtype == np.float32 and np.allclose(np.linalg.norm(back, axis=1), 1, atol=1e-6)
    assert np.abs(back - unit).max() < 0.003


def test_outputs_of_the_caller():
    vectors = vectors_of(5, 128, 8)
    codes, inverse_norm = quant.aligned_empty((9, 128), "i1"), np.empty(9, np.float32)
    codes[:] = 1
    given = quant.quantize(vectors, codes[2:7], inverse_norm[2:7])
    assert given[0].base is not None and np.array_equal(codes[2:7], quant.quantize(vectors)[0])
    assert (codes[:2] == 1).all() and (codes[7:] == 1).all()
    out = np.empty((9, 2), np.uint64)
    assert np.array_equal(quant.signs(codes, out), out)
    for wrong in (codes, codes[2:7].astype(np.uint8), np.asfortranarray(codes[2:7]), list(range(5))):
        with pytest.raises(InputError, match="codes"):
            quant.quantize(vectors, wrong, inverse_norm[2:7])
    codes.flags.writeable = False
    with pytest.raises(InputError, match="read-only"):
        quant.quantize(vectors, codes[2:7], inverse_norm[2:7])


@pytest.mark.parametrize("name", quant.variants())
@pytest.mark.parametrize(
    ("value", "what"),
    [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")],
)
def test_nan_and_infinity_are_refused_wherever_they_stand(name, value, what):
    quant.use(name)
    for place in (0, 63, 64, 127, 200, 255):
        vectors = vectors_of(4, 256, 9)
        vectors[2, place] = value
        with pytest.raises(InputError, match=rf"vectors\[2\] has an? {what}"):
            quant.quantize(vectors)


@pytest.mark.parametrize("name", quant.variants())
def test_vectors_without_direction_are_refused(name):
    quant.use(name)
    for value in (0.0, -0.0, 1e-31, 1e-45):
        with pytest.raises(InputError, match=r"vectors\[0\] has no magnitude"):
            quant.quantize(np.full((1, 64), value, np.float32))
    codes, _ = quant.quantize(np.full((1, 64), 2e-30, np.float32))
    assert (codes == 127).all()


def test_wrong_vectors():
    good = vectors_of(4, 64, 10)
    for wrong in (
        good.astype(np.float64),
        good[:, ::2],
        good.T,
        np.empty((4, 100), np.float32),
        np.empty((4, 0), np.float32),
        np.empty((1, 8192), np.float32),
        np.empty((2, 2, 64), np.float32),
        good.tolist(),
        None,
        "vectors",
        np.frombuffer(bytearray(4 * 64 + 1), np.uint8)[1:].view(np.float32).reshape(1, 64),
    ):
        with pytest.raises(InputError):
            quant.quantize(wrong)
    with pytest.raises(InputError, match="codes"):
        quant.dequantize(good, np.ones(4))
    with pytest.raises(InputError, match="inverse_norm"):
        quant.dequantize(good.astype(np.int8), np.ones(3))
    with pytest.raises(InputError, match="vectors"):
        quant.signs(good.astype(np.int16))
    assert quant.quantize(np.empty((0, 64), np.float32))[0].shape == (0, 64)


def test_aligned_empty():
    for shape, dtype in (((3, 5), "f4"), (7, "i1"), ([2, 3, 4], np.uint16)):
        array = quant.aligned_empty(shape, dtype)
        assert array.ctypes.data % 64 == 0 and array.flags.c_contiguous and array.flags.writeable
        assert array.dtype == np.dtype(dtype) and array.shape == np.empty(shape, dtype).shape
    assert quant.aligned_empty((0, 64), "u8").shape == (0, 64)
    with pytest.raises(InputError, match="shape"):
        quant.aligned_empty((-1, 3), "f4")
    with pytest.raises(InputError, match="objects"):
        quant.aligned_empty(3, object)


def test_choice_of_kernels():
    assert quant.use("serial") in quant.VARIANTS and quant.variant() == "serial"
    with pytest.raises(InputError, match="kernels must be one of"):
        quant.use("sse9")
    assert quant.variant() == "serial"


def test_choice_of_kernels_by_environment():
    command = [sys.executable, "-c", "from neuraltrade.core import quant; print(quant.variant())"]
    for name in quant.variants():
        environment = {**os.environ, "NEURALTRADE_KERNELS": name}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == name
    environment = {**os.environ, "NEURALTRADE_KERNELS": "nothing"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "kernels must be one of" in done.stderr


@pytest.mark.parametrize("module", [quant, hnsw, wal])
def test_examples_in_docstrings(module):
    outcome = doctest.testmod(module)
    assert outcome.failed == 0 and outcome.attempted > 3
