"""What a run is told: how orders fill, what trading costs, how large orders are, what the gate allows.

Every class here is frozen and checked when it is made, so that the engine below never meets a wrong value. Prices,
quantities and money are floats at this face; the engine turns them into fixed point once.
"""

from .account import Account, Instrument
from .checks import PRICE_MAX
from .costs import Fees, Size, Slippage
from .limits import Denial, RiskLimits, accepted
from .policy import FillPolicy
from .queue import QueueModel

__all__ = [
    "PRICE_MAX",
    "Account",
    "Denial",
    "Fees",
    "FillPolicy",
    "Instrument",
    "QueueModel",
    "RiskLimits",
    "Size",
    "Slippage",
    "accepted",
]
