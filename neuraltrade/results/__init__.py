"""What a run leaves behind: Result, its statistics, its file; and what is left of a statistic after many tries."""

from .bootstrap import RealityCheck, reality_check, stationary_indices
from .compare import Comparison, compare
from .overfitting import Overfitting, probability_of_overfitting
from .relative import DEFINITIONS as BENCHMARK_DEFINITIONS
from .result import Result
from .selection import (
    Moments,
    deflated_sharpe,
    expected_maximum_sharpe,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
)
from .statistics import DEFINITIONS, Statistics
from .trades import DEFINITIONS as TRADE_DEFINITIONS
from .trades import TradeStats

__all__ = [
    "BENCHMARK_DEFINITIONS",
    "DEFINITIONS",
    "TRADE_DEFINITIONS",
    "Comparison",
    "Moments",
    "Overfitting",
    "RealityCheck",
    "Result",
    "Statistics",
    "TradeStats",
    "compare",
    "deflated_sharpe",
    "expected_maximum_sharpe",
    "minimum_track_record",
    "moments",
    "probabilistic_sharpe",
    "probability_of_overfitting",
    "reality_check",
    "stationary_indices",
]
