"""Market data: validated bars of one symbol, panels of several on one clock, bundled datasets."""

from . import datasets
from .bars import Bar, Bars
from .panel import Panel

__all__ = ["Bar", "Bars", "Panel", "datasets"]
