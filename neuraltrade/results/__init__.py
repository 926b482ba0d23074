"""What a run leaves behind: Result, its statistics, its file."""

from .result import Result
from .statistics import DEFINITIONS, Statistics

__all__ = ["DEFINITIONS", "Result", "Statistics"]
