"""Forecasters: trailing windows only, and what each of them answers, against slow counts."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.errors import DependencyMissing
from neuraltrade.strategy import EstimatorForecaster, Forecaster, NearestNeighbours, OnnxForecaster
from neuraltrade.strategy.forecasting import FEATURES, features_of, walk

AAPL = nt.datasets.load("AAPL")[-600:]
Forecast = nt.strategy.library.Forecast


class Watched:
    """Keeps what it was given; expects what is written in the first feature."""

    def __init__(self):
        self.fits, self.rows = [], []

    def fit(self, features, outcomes):
        self.fits.append((features, outcomes))

    def predict(self, features):
        self.rows.append(features)
        return features[:, 0]


def test_it_learns_from_what_was_known_and_nothing_else():
    count, horizon, window, refit = 300, 7, 90, 25
    close = 50.0 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.01, count)))
    features = np.column_stack([np.arange(count, dtype=float), np.ones(count)])
    features[:20] = np.nan
    model = Watched()
    out = walk(model, features, close, horizon=horizon, window=window, refit=refit, least=40)
    starts = [start for start in range(0, count, refit) if start - horizon - 20 + 1 >= 40]
    assert len(model.fits) == len(starts) == len(model.rows) > 5
    for start, (rows, outcomes), asked in zip(starts, model.fits, model.rows, strict=True):
        known = rows[:, 0].astype(int)
        assert known[-1] == start - horizon, "its outcome is the close of the bar at hand"
        assert len(known) == min(window, start - horizon + 1 - 20)
        assert np.array_equal(outcomes, np.log(close[known + horizon] / close[known]))
        assert asked[0, 0] == start
    assert np.isnan(out[: starts[0]]).all()
    assert np.array_equal(out[starts[0] :], np.arange(starts[0], count))


def test_features_see_no_further_than_their_bar():
    whole = features_of(AAPL)
    assert whole.shape == (len(AAPL), len(FEATURES))
    assert np.isfinite(whole[80:]).all()
    for cut in (81, 200, 433):
        assert np.array_equal(features_of(AAPL[:cut]), whole[:cut], equal_nan=True)


def test_neighbours_against_a_slow_count():
    rng = np.random.default_rng(8)
    rows, outcomes, asked = rng.normal(size=(60, 3)) * [1.0, 20.0, 0.1], rng.normal(size=60), rng.normal(size=(9, 3))
    model = NearestNeighbours(5)
    model.fit(rows, outcomes)
    for one, answer in zip(asked, model.predict(asked), strict=True):
        scaled = [(row - rows.mean(0)) / rows.std(0) for row in (*rows, one)]
        near = sorted((float(np.sqrt(((row - scaled[-1]) ** 2).sum())), k) for k, row in enumerate(scaled[:-1]))[:5]
        weights = [1.0 / (distance + near[2][0]) for distance, _ in near]
        expected = sum(w * outcomes[k] for w, (_, k) in zip(weights, near, strict=True)) / sum(weights)
        assert answer == pytest.approx(expected, rel=1e-12)
    model.fit(rows[:4], outcomes[:4])
    assert np.isnan(model.predict(asked)).all(), "fewer than k situations are no basis"
    model.fit(np.ones((6, 1)), np.arange(6.0))
    assert np.isfinite(model.predict(np.ones((1, 1)))).all(), "a feature that never varied"
    for wrong in (0, 2.5, True):
        with pytest.raises(nt.InputError, match="k must be"):
            NearestNeighbours(wrong)


class Estimator:
    """What scikit-learn's estimators look like."""

    def __init__(self):
        self.fitted = 0

    def fit(self, rows, y):
        self.fitted += 1
        self.mean = float(np.mean(y))
        return self

    def predict(self, rows):
        return np.full((len(rows), 1), self.mean)

    def predict_proba(self, rows):
        return np.column_stack([np.full(len(rows), 1.0 - self.mean), np.full(len(rows), self.mean)])


def test_an_estimator_is_copied_and_asked():
    given = Estimator()
    rows = np.zeros((4, 2))
    model = EstimatorForecaster(given)
    assert isinstance(model, Forecaster)
    assert np.isnan(model.predict(rows)).all()
    model.fit(rows, np.array([1.0, 2.0, 3.0, 6.0]))
    assert given.fitted == 0
    assert model.predict(rows).tolist() == [3.0] * 4
    classes = EstimatorForecaster(given, classifies=True)
    classes.fit(rows, np.array([0.1, 0.3, 0.1, -0.1]))
    assert classes.predict(rows[:1]).tolist() == pytest.approx([(2 * 0.75 - 1) * 0.15])
    classes.fit(rows, np.array([0.1, 0.3, 0.1, 0.1]))
    assert classes.predict(rows[:1]).tolist() == pytest.approx([0.15])
    for wrong, flag in ((3, False), (object(), True)):
        with pytest.raises(nt.InputError, match="must have a method"):
            EstimatorForecaster(wrong, classifies=flag)


def test_scikit_learn_behind_the_protocol():
    linear = pytest.importorskip("sklearn.linear_model")
    model = Forecast.using(EstimatorForecaster(linear.Ridge()), window=200, least=100, threshold=0.002)
    runs = [nt.backtest(AAPL, each, cash=1e5) for each in (model, nt.compiled(model))]
    assert runs[0].digest == runs[1].digest
    assert len(runs[0].fills) > 3


class Rising:
    def fit(self, features, outcomes):
        self.seen = len(features)

    def predict(self, features):
        return np.full(len(features), 0.05)


def test_the_strategy_trades_what_is_expected_with_a_copy_for_each_run():
    model = Rising()
    run = nt.backtest(AAPL, Forecast.using(model, least=100, stop_rate=0.9), cash=1e5)
    assert not hasattr(model, "seen")
    assert run.orders["side"].tolist()[0] == 1
    assert (run.orders["role"] == "entry").sum() == 1
    assert run.orders["created_bar"][0] % Forecast.refit == 0


class Wrong(Rising):
    def predict(self, features):
        return np.zeros(3)


@pytest.mark.parametrize("forecaster", [3, Rising, object()])
def test_no_forecaster(forecaster):
    with pytest.raises(nt.InputError, match="forecaster must have fit"):
        Forecast.using(forecaster)


def test_wrong_answers_and_numbers():
    with pytest.raises(nt.InputError, match="one a row, returned shape"):
        nt.backtest(AAPL, Forecast.using(Wrong(), least=100))
    with pytest.raises(nt.InputError, match=r"Forecast\.refit must be in 1\.\."):
        nt.backtest(AAPL, Forecast(refit=0))


# ---- ONNX, assembled by hand: the few messages of the format that a sum of features needs ----------------------------


def field(number, payload):
    """A protobuf field: bytes with their length, or a varint."""
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def tensor_type(name, columns):
    shape = field(1, field(2, b"rows")) + field(1, field(1, columns))
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


def linear_model(weights):
    """An ONNX model: rows x features of floats times `weights`, [features, 1]."""
    count = len(weights)
    initial = (
        field(1, count)
        + field(1, 1)
        + field(2, 1)
        + field(8, b"weights")
        + field(9, np.array(weights, "<f4").tobytes())
    )
    node = field(1, b"rows") + field(1, b"weights") + field(2, b"expected") + field(4, b"MatMul")
    graph = field(1, node) + field(2, b"g") + field(5, initial)
    graph += field(11, tensor_type(b"rows", count)) + field(12, tensor_type(b"expected", 1))
    return field(1, 8) + field(7, graph) + field(8, field(2, 13))


def test_a_frozen_model_through_onnx_runtime(tmp_path):
    weights = [0.0, 0.0, 0.02, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    file = tmp_path / "model.onnx"
    file.write_bytes(linear_model(weights))
    pytest.importorskip("onnxruntime")
    model = OnnxForecaster(file)
    rows = np.random.default_rng(1).normal(size=(7, 9))
    model.fit(rows, rows[:, 0])
    assert model.predict(rows) == pytest.approx(0.02 * rows[:, 2], rel=1e-5)
    assert np.array_equal(OnnxForecaster(linear_model(weights)).predict(rows), model.predict(rows))
    strategy = Forecast.using(model, least=100)
    assert len(nt.backtest(AAPL, strategy, cash=1e5).fills) > 5
    for wrong in (b"nothing", tmp_path / "absent.onnx"):
        with pytest.raises(nt.InputError, match="model must be an ONNX model"):
            OnnxForecaster(wrong)


def test_without_onnx_runtime_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DependencyMissing, match=r"neuraltrade\[onnx\]"):
        OnnxForecaster(linear_model([1.0]))
