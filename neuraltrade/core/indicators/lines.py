"""What indicators of several lines return: named tuples of arrays, or, from `data` in a strategy, of Indicators."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Series = npt.NDArray[np.float64]


class Macd(NamedTuple):
    line: Series
    signal: Series
    histogram: Series


class Bands(NamedTuple):
    upper: Series
    middle: Series
    lower: Series


class Channel(NamedTuple):
    upper: Series
    lower: Series


class Direction(NamedTuple):
    adx: Series
    plus_di: Series
    minus_di: Series


class Stochastic(NamedTuple):
    k: Series
    d: Series


class Supertrend(NamedTuple):
    line: Series
    direction: Series


class Ichimoku(NamedTuple):
    conversion: Series
    base: Series
    span_a: Series
    span_b: Series
