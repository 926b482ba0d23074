"""Compiled arithmetic gives CPython's results, bit for bit."""

from __future__ import annotations

import math
import random
import struct

import pytest
from numba import njit

from neuraltrade.strategy import arithmetic, shared_math

SEED = 20240808


def bits(x: float) -> bytes:
    return struct.pack("<d", x)


@njit
def divide(a, b):
    return arithmetic.true_divide(a, b)


@njit
def floor_divide(a, b):
    return a // b


@njit
def modulo(a, b):
    return a % b


def integers(rng: random.Random, count: int) -> list[int]:
    """All magnitudes of 63 bits, both signs, without zero."""
    return [rng.choice((-1, 1)) * rng.randrange(1, 1 << rng.randrange(1, 63)) for _ in range(count)]


def test_integer_division_rounds_once():
    rng = random.Random(SEED)
    pairs = list(zip(integers(rng, 20_000), integers(rng, 20_000), strict=True))
    beyond = sum(max(abs(a), abs(b)) > 2**53 for a, b in pairs)
    naive = sum(bits(float(a) / float(b)) != bits(a / b) for a, b in pairs)
    assert beyond > 2_000 and naive > 100, "the generator must reach where rounding twice differs"
    for a, b in pairs:
        assert bits(divide(a, b)) == bits(a / b), (a, b)


def test_division_by_zero_raises():
    for a, b in ((1, 0), (1.0, 0.0), (1, 0.0)):
        with pytest.raises(ZeroDivisionError):
            divide(a, b)


def test_floor_division_and_modulo_follow_cpython():
    rng = random.Random(SEED + 1)
    for _ in range(20_000):
        a, b = rng.uniform(-1e3, 1e3), rng.choice((-1, 1)) * 10 ** rng.uniform(-3, 3)
        assert bits(modulo(a, b)) == bits(a % b), (a, b)
        assert bits(floor_divide(a, b)) == bits(a // b), (a, b)
    for a, b in zip(integers(rng, 5_000), integers(rng, 5_000), strict=True):
        assert (modulo(a, b), floor_divide(a, b)) == (a % b, a // b)


@pytest.mark.parametrize(
    ("name", "python"),
    [("to_int", int), ("floor", math.floor), ("ceil", math.ceil), ("round_half_even", round)],
)
def test_rounding_to_integers(name, python):
    function = getattr(arithmetic, name)

    @njit
    def call(x):
        return function(x)

    rng = random.Random(SEED + 2)
    values = [rng.uniform(-10, 10) for _ in range(1_000)] + [0.5, 1.5, 2.5, -0.5, -1.5, 1e18, -1e18, 7]
    assert [call(x) for x in values] == [python(x) for x in values]
    for wrong, error in ((math.nan, ValueError), (math.inf, OverflowError), (1e19, OverflowError)):
        with pytest.raises(error):
            call(wrong)


def test_square_root_below_zero_raises():
    @njit
    def call(x):
        return arithmetic.sqrt(x)

    assert call(2.0) == math.sqrt(2.0)
    with pytest.raises(ValueError, match="math domain error"):
        call(-1.0)


def test_minimum_and_maximum_keep_cpythons_order():
    @njit
    def low(a, b):
        return arithmetic.minimum(a, b)

    @njit
    def high(a, b):
        return arithmetic.maximum(a, b)

    values = [1.0, 2.0, math.nan, 0.0, -0.0, math.inf]
    for a in values:
        for b in values:
            assert bits(low(a, b)) == bits(min(a, b))
            assert bits(high(a, b)) == bits(max(a, b))


def test_shared_functions_are_c():
    assert shared_math.pow(2, 0.5) == pytest.approx(math.sqrt(2.0), rel=1e-15)
    assert math.isnan(shared_math.log(-1.0)) and shared_math.log(0.0) == -math.inf
    assert shared_math.exp(1e4) == math.inf
    assert shared_math.square(3) == 9 and type(shared_math.square(3)) is int
    for name in ("exp", "log", "sin", "cos", "tan", "tanh"):
        assert getattr(shared_math, name)(0.7) == pytest.approx(getattr(math, name)(0.7), rel=1e-15)
