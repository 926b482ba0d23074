"""MarketState: unit rows, point in time, the same bytes in any batch and process; what is missing is neutral."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade import ports
from neuraltrade.embedding import features, market_state, stream

GOOG = nt.datasets.load("GOOG")
ENCODER = nt.embedding.MarketState()
# Vectors are stored for years: this may only change together with the encoder's name.
GOLDEN = "bb709c6fc9e7defd43c50c7691846e9c68166e8d40ad242ed8df186023a54c8f"


def bars_of(close, volume=None, step=60 * 10**9):
    close = np.asarray(close, dtype=float)
    volume = np.ones(len(close)) if volume is None else volume
    return nt.Bars("X", (np.arange(len(close)) + 1) * step, close, close * 1.001, close * 0.999, close, volume)


def walk(count, seed=7):
    return bars_of(100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, count))))


def test_it_is_an_encoder():
    assert isinstance(ENCODER, ports.Encoder)
    assert (ENCODER.name, ENCODER.dimension, len(ENCODER.feature_names)) == ("market-state-v1", 512, 32)


def test_rows_are_float32_of_length_one():
    vectors = ENCODER.encode(GOOG)
    assert vectors.dtype == np.float32 and vectors.shape == (2148, 512) and vectors.flags.c_contiguous
    assert np.abs(np.linalg.norm(vectors.astype(float), axis=1) - 1).max() < 1e-6


def test_the_bytes_of_this_version_are_fixed():
    assert hashlib.sha256(ENCODER.encode(GOOG[:600]).tobytes()).hexdigest() == GOLDEN


def test_another_process_gives_the_same_bytes():
    program = (
        "import hashlib, neuraltrade as nt;"
        "print(hashlib.sha256(nt.embedding.MarketState().encode(nt.datasets.load('GOOG')[:600]).tobytes()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == GOLDEN


@pytest.mark.parametrize(
    "stop", [1, 2, 4, 5, 6, 13, 14, 20, 21, 22, 26, 33, 34, 62, 63, 64, 65, 127, 252, 253, 254, 1999]
)
def test_a_prefix_gives_the_same_bytes(stop):
    assert ENCODER.encode(GOOG[:stop]).tobytes() == ENCODER.encode(GOOG)[:stop].tobytes()


@pytest.mark.parametrize("now", [1, 30, 100, 700])
def test_the_future_changes_nothing(now):
    rng = np.random.default_rng(now)
    ts_ns, o, h, low, c, v = (column.copy() for column in GOOG[:900].columns())
    factor = rng.uniform(0.2, 5.0, 900 - now)
    for column in (o, h, low, c, v):
        column[now:] *= factor
    ts_ns[now:] += rng.integers(1, 10**9) + np.arange(900 - now)
    changed = nt.Bars("GOOG", ts_ns, o, h, low, c, v)
    got, want = ENCODER.encode(changed), ENCODER.encode(GOOG[:900])
    assert got[:now].tobytes() == want[:now].tobytes()
    assert not np.array_equal(got[now:], want[now:])


def test_the_symbol_and_scale_of_price_do_not_matter():
    ts_ns, o, h, low, c, v = GOOG.columns()
    scaled = nt.Bars("OTHER", ts_ns, o * 4, h * 4, low * 4, c * 4, v)
    assert np.abs(ENCODER.encode(scaled) - ENCODER.encode(GOOG)).max() < 1e-5


def test_missing_features_are_neutral():
    assert (ENCODER.standardised(bars_of([5.0])) == 0).all()
    standing = ENCODER.standardised(bars_of(np.full(400, 5.0), volume=np.zeros(400)))
    still = [k for k, name in enumerate(ENCODER.feature_names) if "sine" not in name]
    assert np.isfinite(standing).all() and (standing[:, still] == 0).all()
    quiet = ENCODER.standardised(bars_of(walk(400).close, volume=np.zeros(400)))
    volume = [ENCODER.feature_names.index(name) for name in ("volume_score", "volume_ratio")]
    assert (quiet[:, volume] == 0).all() and np.isfinite(ENCODER.encode(walk(400))).all()


def test_features_are_what_they_say():
    found = dict(zip(ENCODER.feature_names, ENCODER.features(GOOG).T, strict=True))
    returns = np.r_[np.nan, np.diff(np.log(GOOG.close))]
    row = 1500
    month = np.sqrt(np.mean(returns[row - 20 : row + 1] ** 2))
    assert np.isclose(found["return_5"][row], np.log(GOOG.close[row] / GOOG.close[row - 5]) / month / 5**0.5)
    assert np.isclose(found["volatility_21"][row], np.log(month))
    assert np.isclose(found["range_1"][row], np.log(np.log(GOOG.high[row] / GOOG.low[row])))
    assert np.isclose(found["drawdown_252"][row], np.log(GOOG.close[row] / GOOG.close[row - 251 : row + 1].max()))
    assert np.isclose(found["trend_63"][row], np.corrcoef(np.log(GOOG.close[row - 62 : row + 1]), np.arange(63))[0, 1])
    assert np.isclose(found["gap"][row], np.log(GOOG.open[row] / GOOG.close[row - 1]) / month)
    assert list(found) == list(features.WEIGHTS)


def test_standardised_uses_the_past_only_and_is_clipped():
    scores = ENCODER.standardised(GOOG)
    assert np.abs(scores).max() == 4.0 and (scores[:18] == 0).all()
    raw, column = ENCODER.features(GOOG), ENCODER.feature_names.index("range_1")
    past = raw[:1001, column]
    assert np.isclose(scores[1000, column], (past[-1] - past.mean()) / past.std())


def test_like_situations_are_nearer_than_others():
    calm, wild = np.random.default_rng(1).normal(0, 0.002, 2000), np.random.default_rng(2).normal(0, 0.03, 2000)
    regime = np.repeat([0, 1] * 5, 200)
    vectors = ENCODER.encode(bars_of(100 * np.exp(np.cumsum(np.where(regime, wild, calm)))))
    settled = np.flatnonzero((np.arange(2000) % 200 >= 70) & (np.arange(2000) >= 600))
    alike = vectors[settled] @ vectors[settled].T
    same = regime[settled][:, None] == regime[settled][None, :]
    assert alike[same].mean() > alike[~same].mean() + 0.3


def test_seeds_give_other_vectors_with_the_same_distances():
    other = nt.embedding.MarketState(seed=5)
    a, b = ENCODER.encode(GOOG)[500:], other.encode(GOOG)[500:]
    assert other.name == "market-state-v1-seed-5" and abs(float((a * b).sum(axis=1).mean())) < 0.2
    assert np.corrcoef((a[::7] @ a[::7].T).ravel(), (b[::7] @ b[::7].T).ravel())[0, 1] > 0.98


@pytest.mark.parametrize("seed", [-1, 2**63, 1.0, "1", None, True])
def test_wrong_seeds(seed):
    with pytest.raises(nt.InputError, match="seed must be an integer in 0"):
        nt.embedding.MarketState(seed=seed)


@pytest.mark.parametrize("given", [None, 5, [1.0], nt.Panel([GOOG]), GOOG.close])
@pytest.mark.parametrize("method", ["encode", "features", "standardised"])
def test_only_bars_are_encoded(given, method):
    with pytest.raises(nt.InputError, match="bars must be Bars"):
        getattr(ENCODER, method)(given)


def test_the_fixed_matrices():
    basis = stream.orthonormal("test", 20, 64)
    assert np.abs(basis @ basis.T - np.eye(20)).max() < 1e-14
    normal = stream.normals("test", 100, 100)
    assert abs(normal.mean()) < 0.03 and abs(normal.std() - 1) < 0.03 and abs(normal).max() < 6
    assert np.array_equal(stream.normals("test", 10, 100), normal[:10])
    level = stream.uniforms("test", 10_000)
    assert level.min() >= 0 and level.max() < 1 and abs(level.mean() - 0.5) < 0.01
    linear, turns, phase = market_state._maps(0)
    assert linear.shape == turns.shape == (32, 256) and phase.shape == (256,)
