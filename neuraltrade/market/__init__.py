"""Market data: validated bars of one symbol, panels on one clock, ticks in one order, bundled datasets."""

from . import datasets
from .bars import Bar, Bars
from .merge import Ticks
from .panel import Panel
from .rates import Rates
from .schedules import Dividends, Funding, Splits
from .sessions import Sessions
from .ticks import Depth, Quotes, Trades

__all__ = [
    "Bar",
    "Bars",
    "Depth",
    "Dividends",
    "Funding",
    "Panel",
    "Quotes",
    "Rates",
    "Sessions",
    "Splits",
    "Ticks",
    "Trades",
    "datasets",
]
