"""What a run leaves behind: Result, its statistics, its file."""

from .relative import DEFINITIONS as BENCHMARK_DEFINITIONS
from .result import Result
from .statistics import DEFINITIONS, Statistics
from .trades import DEFINITIONS as TRADE_DEFINITIONS
from .trades import TradeStats

__all__ = ["BENCHMARK_DEFINITIONS", "DEFINITIONS", "TRADE_DEFINITIONS", "Result", "Statistics", "TradeStats"]
