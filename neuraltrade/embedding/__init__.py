"""Market states, signals, orders and traces as unit vectors in which near means alike. Deterministic, versioned."""

from .hashing import HashEncoder
from .market_state import MarketState
from .records import order_vector, signal_vector, trace_vector

__all__ = ["HashEncoder", "MarketState", "order_vector", "signal_vector", "trace_vector"]
