"""Ready strategies, one file each."""

from .momentum import Momentum

__all__ = ["Momentum"]
