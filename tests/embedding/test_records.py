"""Vectors of signals, orders and traces; the hash encoder."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade import embedding as em

GOOG = nt.datasets.load("GOOG")
STATES = em.MarketState().encode(GOOG)
NOW = STATES[-1]


def length(vectors):
    return np.linalg.norm(np.asarray(vectors, dtype=float), axis=-1)


def test_shapes_types_and_lengths():
    signal = em.signal_vector(NOW, "long", 0.8, [0.1, 0.2])
    order = em.order_vector(NOW, "sell", "stop", 5, 790.0, 806.0, equity=10_000)
    trace = em.trace_vector(signal, 0.5, 0.01, 0.02)
    for vector, dimension in ((signal, 768), (order, 256), (trace, 1024)):
        assert vector.shape == (dimension,) and vector.dtype == np.float32 and abs(length(vector) - 1) < 1e-6


def test_many_at_once_equal_one_by_one():
    directions = ["long", "short", "neutral", "close"] * 5
    confidence, numbers = np.linspace(0, 1, 20), np.arange(60.0).reshape(20, 3)
    many = em.signal_vector(STATES[-20:], directions, confidence, numbers)
    sides, prices = np.array([1, -1] * 10), np.linspace(700, 900, 20)
    orders = em.order_vector(STATES[-20:], sides, "limit", np.arange(20), prices, 800.0, 1e5)
    traces = em.trace_vector(many, confidence, 0.0, prices / 1e4)
    for k in range(20):
        one = em.signal_vector(STATES[k - 20], directions[k], confidence[k], numbers[k])
        assert one.tobytes() == many[k].tobytes()
        order = em.order_vector(STATES[k - 20], float(sides[k]), "limit", k, prices[k], 800.0, 1e5)
        assert order.tobytes() == orders[k].tobytes()
        assert em.trace_vector(one, confidence[k], 0.0, prices[k] / 1e4).tobytes() == traces[k].tobytes()


def test_alike_decisions_are_near():
    base = em.signal_vector(NOW, "long", 0.8)
    near, far, opposite = (
        em.signal_vector(NOW, side, trust) for side, trust in (("long", 0.75), ("long", 0.1), ("short", 0.8))
    )
    assert base @ near > base @ far > base @ opposite
    other_time = em.signal_vector(STATES[500], "long", 0.8)
    assert base @ near > base @ other_time
    buy, sell = (em.order_vector(NOW, side, "market", 1, np.nan, 800.0) for side in ("buy", "sell"))
    close = em.order_vector(NOW, "buy", "limit", 1, 799.0, 800.0)
    assert buy @ close > buy @ sell
    good, better, bad = (em.trace_vector(base, score, 0.0, 0.0) for score in (0.6, 0.7, -0.6))
    assert good @ better > good @ bad


def test_missing_numbers_are_neutral():
    assert np.array_equal(em.signal_vector(NOW, 0, 0.5, [np.nan, 1.0]), em.signal_vector(NOW, 0, 0.5, [0.0, 1.0]))
    assert np.isfinite(em.order_vector(NOW, "buy", "market", 1, np.nan, 5.0)).all()
    assert np.isfinite(em.trace_vector(em.signal_vector(NOW, 1, 1.0), np.nan, np.nan, np.inf)).all()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: em.signal_vector(NOW[:10], "long", 0.5), r"market must be float32\[512\] or \[n, 512\], is float32\[10\]"),
    (lambda: em.signal_vector(None, "long", 0.5), r"market must be float32\[512\]"),
    (lambda: em.signal_vector(NOW * np.nan, "long", 0.5), "market must be finite"),
    (lambda: em.signal_vector(STATES[:0], "long", 0.5), "market must be"),
    (lambda: em.signal_vector(NOW, "up", 0.5), "direction must be one of long, short, neutral, close, was 'up'"),
    (lambda: em.signal_vector(NOW, 2, 0.5), "direction must be in -1..1"),
    (lambda: em.signal_vector(NOW, "long", 1.5), "confidence in 0..1"),
    (lambda: em.signal_vector(NOW, "long", np.nan), "confidence in 0..1"),
    (lambda: em.signal_vector(NOW, "long", "high"), "confidence must be one number or 1, was 'high'"),
    (lambda: em.signal_vector(STATES[:3], "long", [0.5, 0.5]), "confidence must be one number or 3"),
    (lambda: em.signal_vector(NOW, "long", 0.5, ["a"]), "features must be numbers"),
    (lambda: em.signal_vector(NOW, "long", 0.5, np.zeros(257)), "features must be at most 256"),
    (lambda: em.order_vector(NOW, "hold", "market", 1, 1.0, 1.0), "side must be one of buy, sell, was 'hold'"),
    (lambda: em.order_vector(NOW, "buy", "iceberg", 1, 1.0, 1.0), "order_type must be one of market, limit"),
    (lambda: em.order_vector(NOW, "buy", "market", 1, 1.0, 0.0), "reference_price must be positive"),
    (lambda: em.order_vector(NOW, "buy", "market", None, 1.0, 1.0), "quantity must be one number"),
    (lambda: em.trace_vector(NOW, 0.0, 0.0, 0.0), r"signal must be float32\[768\]"),
])  # fmt: skip
def test_wrong_input(call, message):
    with pytest.raises(nt.InputError, match=message):
        call()


def test_hashes_of_equal_content_are_equal_and_of_other_content_unrelated():
    encoder = em.HashEncoder(256)
    vectors = encoder.encode(GOOG)
    assert vectors.shape == (2148, 256) and np.abs(length(vectors) - 1).max() < 1e-6
    assert np.array_equal(encoder.encode(GOOG[100:200]), vectors[100:200])
    alike = vectors[:300] @ vectors[:300].T
    assert np.abs(alike[~np.eye(300, dtype=bool)]).max() < 0.4
    ts_ns, *values = GOOG[:5].columns()
    assert not np.array_equal(encoder.encode(nt.Bars("GOOGL", ts_ns, *values)), vectors[:5])


@pytest.mark.parametrize(("call", "message"), [
    (lambda: em.HashEncoder(0), "dimension must be a multiple of 16 in 16..65536, was 0"),
    (lambda: em.HashEncoder(100), "was 100"),
    (lambda: em.HashEncoder(2**20), "was 1048576"),
    (lambda: em.HashEncoder("512"), "dimension must be an integer, was '512'"),
    (lambda: em.HashEncoder().encode([1]), "bars must be Bars"),
    (lambda: em.HashEncoder().encode_bytes([]), "contents is empty"),
    (lambda: em.HashEncoder().encode_bytes(b"x"), "contents must be several bytes objects, was one bytes"),
    (lambda: em.HashEncoder().encode_bytes(["x"]), "contents must be bytes objects"),
])  # fmt: skip
def test_wrong_hash_input(call, message):
    with pytest.raises(nt.InputError, match=message):
        call()
