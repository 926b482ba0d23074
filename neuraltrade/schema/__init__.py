"""Records: typed, checked, fast to encode; one columnar twin for bulk."""

from .base import Record
from .codec import RECORD_TYPES, decode, encode, from_json, to_json
from .columns import from_columns, to_columns
from .decisions import Observation, Order, OrderFill, Signal
from .state import MarketState, Position, Provenance
from .traces import Condition, Counterfactual, Pattern, ReflexionTrace, TrajectoryStep, Verdict

__all__ = [
    "RECORD_TYPES",
    "Condition",
    "Counterfactual",
    "MarketState",
    "Observation",
    "Order",
    "OrderFill",
    "Pattern",
    "Position",
    "Provenance",
    "Record",
    "ReflexionTrace",
    "Signal",
    "TrajectoryStep",
    "Verdict",
    "decode",
    "encode",
    "from_columns",
    "from_json",
    "to_columns",
    "to_json",
]
