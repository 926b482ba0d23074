"""Market data: validated bars of one symbol, panels on one clock, ticks in one order, bundled datasets."""

from . import datasets
from .bars import Bar, Bars
from .merge import Ticks
from .panel import Panel
from .ticks import Depth, Quotes, Trades

__all__ = ["Bar", "Bars", "Depth", "Panel", "Quotes", "Ticks", "Trades", "datasets"]
