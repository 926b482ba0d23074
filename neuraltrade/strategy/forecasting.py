"""Forecasters: what learns from situations and what followed them, behind one small protocol, and three of them.

A forecaster sees numbers only: rows of features and, to learn from, the outcome of each. Who calls it (see `walk`)
gives it trailing windows: rows whose outcome was known by the bar at hand, and never a later one.
"""

from __future__ import annotations

import copy
import os
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..core import indicators, neighbours
from ..errors import DependencyMissing, InputError

FEATURES = ("return 1", "return 5", "return 20", "return 60", "volatility", "trend", "rsi", "range", "volume")


@runtime_checkable
class Forecaster(Protocol):
    """Learns outcomes from features. Equal calls must give equal numbers: seed what is random.

    >>> import numpy as np
    >>> from neuraltrade.strategy import Forecaster, NearestNeighbours
    >>> isinstance(NearestNeighbours(), Forecaster)
    True
    """

    def fit(self, features: np.ndarray, outcomes: np.ndarray) -> Any:
        """Learn from float64[m, d] and float64[m], m >= 1, all finite, oldest first; what was learned before is
        void.
        """
        ...

    def predict(self, features: np.ndarray) -> np.ndarray:
        """float64[q]: the outcome expected of each row of float64[q, d]; NaN where it has no opinion."""
        ...


class NearestNeighbours:
    """Forecasts by memory: the mean outcome of the k nearest situations, nearer ones counting more.

    k : neighbours. Features are scaled by their own mean and deviation over the window; distance is Euclidean, weights
    are 1 / (distance + the median distance of the k). Ties go to the older row. Cost: O(m d) a row.
    Source: Fix, Hodges (1951); Farmer, Sidorowich, PRL 59 (1987). Raises InputError for k < 1.

    >>> import numpy as np
    >>> model = NearestNeighbours(k=2)
    >>> model.fit(np.array([[0.0], [1.0], [10.0]]), np.array([1.0, 3.0, 9.0]))
    >>> model.predict(np.array([[0.5]])).tolist()
    [2.0]
    """

    def __init__(self, k: int = 25) -> None:
        if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
            raise InputError(f"k must be an int of at least 1, was {k!r}")
        self.k = int(k)
        self._rows = np.zeros((0, 0))

    def fit(self, features: np.ndarray, outcomes: np.ndarray) -> None:
        self._middle = features.mean(axis=0)
        spread = features.std(axis=0)
        self._scale = np.where(spread > 0.0, spread, 1.0)
        self._rows = (features - self._middle) / self._scale
        self._columns, self._outcomes = np.ascontiguousarray(self._rows.T), np.array(outcomes, np.float64)

    def predict(self, features: np.ndarray) -> np.ndarray:
        if len(self._rows) < self.k:
            return np.full(len(features), np.nan)
        asked = (features - self._middle) / self._scale
        return neighbours.forecast(self._columns, self._outcomes, asked, self.k)


class EstimatorForecaster:
    """A scikit-learn estimator, or anything with its `fit(X, y)` and `predict(X)`, as a Forecaster.

    estimator : a regressor, or with `classifies` a classifier of whether the outcome is above 0 (`predict_proba`),
    whose forecast is then (2 p - 1) x the mean absolute outcome it learned from. It is copied at each fit, so the one
    given stays as it is; give it a `random_state` where it draws. scikit-learn is not imported here. Raises InputError
    where a method is missing.

    >>> import numpy as np
    >>> class Mean:
    ...     def fit(self, X, y):
    ...         self.mean = y.mean()
    ...     def predict(self, X):
    ...         return np.full(len(X), self.mean)
    >>> model = EstimatorForecaster(Mean())
    >>> model.fit(np.zeros((2, 1)), np.array([1.0, 2.0]))
    >>> model.predict(np.zeros((1, 1))).tolist()
    [1.5]
    """

    def __init__(self, estimator: Any, classifies: bool = False) -> None:
        for name in ("fit", "predict_proba" if classifies else "predict"):
            if not callable(getattr(estimator, name, None)):
                raise InputError(f"estimator must have a method {name}, was {estimator!r}")
        self.estimator, self.classifies = estimator, bool(classifies)
        self._fitted: Any = None
        self._only: float | None = None

    def fit(self, features: np.ndarray, outcomes: np.ndarray) -> None:
        fitted = copy.deepcopy(self.estimator)
        self._only = None
        if self.classifies:
            above = outcomes > 0.0
            self._size = float(np.abs(outcomes).mean())
            if above.all() or not above.any():  # a class that was never seen cannot be learned
                self._only = self._size if above.any() else -self._size
                return
            fitted.fit(features, above.astype(np.int64))
        else:
            fitted.fit(features, outcomes)
        self._fitted = fitted

    def predict(self, features: np.ndarray) -> np.ndarray:
        if self._only is not None:
            return np.full(len(features), self._only)
        if self._fitted is None:
            return np.full(len(features), np.nan)
        if self.classifies:
            chances = np.asarray(self._fitted.predict_proba(features), np.float64)[:, 1]
            return np.asarray((2.0 * chances - 1.0) * self._size)
        return np.asarray(self._fitted.predict(features), np.float64).reshape(-1)


class OnnxForecaster:
    """A model trained elsewhere, run by ONNX Runtime (extra `onnx`): `fit` learns nothing.

    model : path or bytes of an ONNX model with one input, float32 or float64[rows, features]; its first output is the
    forecast. One thread, so equal input gives equal bytes. A model knows what it was trained on: of bars before the end
    of its training data a backtest proves nothing. Raises InputError for what is no such model, DependencyMissing.
    """

    def __init__(self, model: str | os.PathLike[str] | bytes) -> None:
        try:
            import onnxruntime  # noqa: PLC0415  (optional, and 0.2 s)
        except ImportError as error:
            raise DependencyMissing("OnnxForecaster needs onnxruntime: pip install 'neuraltrade[onnx]'") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            source = model if isinstance(model, bytes) else os.fspath(model)
            self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise InputError(f"model must be an ONNX model, was {type(model).__name__}: {error}") from error
        inputs = self._session.get_inputs()
        kinds = {"tensor(float)": np.float32, "tensor(double)": np.float64}
        if len(inputs) != 1 or inputs[0].type not in kinds:
            raise InputError(f"model must have one input of floats, has {[(i.name, i.type) for i in inputs]}")
        self._name, self._kind = inputs[0].name, kinds[inputs[0].type]

    def __deepcopy__(self, memo: Any) -> OnnxForecaster:
        return self  # a frozen model keeps nothing between calls

    def fit(self, features: np.ndarray, outcomes: np.ndarray) -> None:
        """Nothing: the model is as it was trained."""

    def predict(self, features: np.ndarray) -> np.ndarray:
        found = self._session.run(None, {self._name: np.ascontiguousarray(features, self._kind)})[0]
        return np.asarray(found, np.float64).reshape(len(features), -1)[:, 0]


def features_of(bars: Any) -> np.ndarray:
    """float64[n, 9], the columns FEATURES: row i from bars 0..i alone, NaN until warm. Log returns over 1, 5, 20 and 60
    bars and the distance from the mean of 50, all in units of volatility; RSI; the bar's range; volume against its
    mean.
    """
    volatility = indicators.realised_volatility(bars.close, 20, periods_per_year=1.0)
    unit = np.where(volatility > 0.0, volatility, np.nan)
    columns = [indicators.log_returns(bars.close, h) / (unit * np.sqrt(h)) for h in (1, 5, 20, 60)]
    mean = indicators.sma(bars.close, 50)
    volume = indicators.sma(bars.volume, 20)
    columns += [
        np.log(unit),
        np.log(bars.close / mean) / unit,
        indicators.rsi(bars.close, 14) / 100.0,
        (bars.high - bars.low) / bars.close / unit,
        np.log1p(bars.volume) - np.log1p(np.where(volume > 0.0, volume, np.nan)),
    ]
    return np.column_stack(columns)


def walk(
    forecaster: Forecaster,
    features: np.ndarray,
    close: np.ndarray,
    *,
    horizon: int,
    window: int,
    refit: int,
    least: int,
) -> np.ndarray:
    """float64[n]: at each bar the log return over the next `horizon` bars that the forecaster expects; NaN before.

    Every `refit` bars it learns from the last `window` rows whose outcome was known by then (those `horizon` bars old
    or older), where there are at least `least` of them; until the next time it predicts row by row. Raises InputError
    where what it returns is not one number a row.
    """
    outcomes = np.full(len(close), np.nan)
    outcomes[:-horizon] = np.log(close[horizon:] / close[:-horizon])
    whole = np.isfinite(features).all(axis=1)
    out = np.full(len(close), np.nan)
    usable = np.flatnonzero(whole)
    for start in range(0, len(close), refit):
        end = int(np.searchsorted(usable, start - horizon, side="right"))
        known = usable[max(end - window, 0) : end]
        stop = min(start + refit, len(close))
        rows = start + np.flatnonzero(whole[start:stop])
        if len(known) < least or len(rows) == 0:
            continue
        forecaster.fit(features[known].copy(), outcomes[known].copy())
        found = np.asarray(forecaster.predict(features[rows].copy()), np.float64)
        if found.shape != (len(rows),):
            raise InputError(f"forecaster must predict float64[{len(rows)}], one a row, returned shape {found.shape}")
        out[rows] = found
    return out
