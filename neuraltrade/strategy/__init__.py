"""Strategies: written once, run interpreted or compiled; signal arrays; the strategy library."""

from . import library
from .base import Strategy
from .compilation import CompiledStrategy, compiled
from .forecasting import EstimatorForecaster, Forecaster, NearestNeighbours, OnnxForecaster
from .indicators import Indicator, ResampledData, StrategyData
from .native import cache_directory
from .scheduled import schedule
from .signals import Signals
from .tick_data import TickBars, TickData

__all__ = [
    "CompiledStrategy",
    "EstimatorForecaster",
    "Forecaster",
    "Indicator",
    "NearestNeighbours",
    "OnnxForecaster",
    "ResampledData",
    "Signals",
    "Strategy",
    "StrategyData",
    "TickBars",
    "TickData",
    "cache_directory",
    "compiled",
    "library",
    "schedule",
]
