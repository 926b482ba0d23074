"""Market states, signals, orders and traces as unit vectors in which near means alike. Deterministic, versioned."""

from .cached import CachedEncoder
from .hashing import HashEncoder
from .market_state import MarketState
from .records import order_vector, signal_vector, trace_vector

__all__ = ["CachedEncoder", "HashEncoder", "MarketState", "order_vector", "signal_vector", "trace_vector"]
