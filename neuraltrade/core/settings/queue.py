"""Where a resting order is taken to stand in the line at its price."""

from __future__ import annotations

from typing import ClassVar

from .checks import Setting, choice, number


class QueueModel(Setting, frozen=True):
    """How far a resting limit order has come in the line at its price, where the feed shows levels and not orders.

    On arrival all that is shown at the price is ahead. Prints at the price come off the front. Where the level shrinks
    by more than was printed, somebody left:

    kind : "behind": nobody ahead ever leaves, except where the level has become smaller than what was ahead |
        "probability": the share g(ahead) / (g(ahead) + g(behind)) of what left was ahead (Rigtorp, "Estimating order
        queue position", 2013). It never stands further back than "behind", so it never fills less of an order.
    share : "power": g(x) = x ** exponent | "log": g(x) = log(1 + x), x in units.
    exponent : of "power", 0..10. 1 is in proportion; larger lets the larger part leave.

    Nothing is drawn at random: equal input gives equal fills.

    >>> import neuraltrade as nt
    >>> nt.FillPolicy(queue=nt.QueueModel("probability", share="log")).queue.kind
    'probability'
    """

    kind: str = "behind"
    share: str = "power"
    exponent: float = 1.0

    KINDS: ClassVar[tuple[str, ...]] = ("behind", "probability")
    SHARES: ClassVar[tuple[str, ...]] = ("power", "log")

    def __post_init__(self) -> None:
        choice("QueueModel", "kind", self.kind, self.KINDS)
        choice("QueueModel", "share", self.share, self.SHARES)
        number("QueueModel", "exponent", self.exponent, 0.0, 10.0)
