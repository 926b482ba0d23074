"""Where a record came from, what is held, and what the market shows."""

from __future__ import annotations

from ..errors import InputError
from .base import Record, check_id, check_number, check_symbol, stamp


class Provenance(Record, tag=True, tag_field="record"):
    """Who made a record, out of what, and where it stands in the audit log.

    creator : program, strategy or person. created_ns : when it was made. parent_id : the record it follows from, 0 if
    none. hash : hex BLAKE3 of the record as appended to the audit log. sequence : its place there, -1 if not
    appended. checkpoint : size of the first signed checkpoint that covers it, 0 if none yet.

    >>> import neuraltrade as nt
    >>> nt.Provenance(creator="momentum", created_ns="2024-03-01T12:00:00Z", parent_id=7).created_ns
    1709294400000000000
    """

    creator: str = ""
    created_ns: int = 0
    parent_id: int = 0
    hash: str = ""
    sequence: int = -1
    checkpoint: int = 0

    def __post_init__(self) -> None:
        self.created_ns = stamp(self.created_ns, "created_ns")
        self.parent_id = check_id(self.parent_id, "parent_id")


class Position(Record, tag=True, tag_field="record"):
    """What is held of one symbol. Quantity is signed (short < 0); money in the account's currency.

    cost_basis : what the open quantity cost, negative for shorts. realised, unrealised : profit so far, and at the
    last price.

    >>> import neuraltrade as nt
    >>> nt.Position(symbol="AAPL", quantity=10, average_price=101.0, cost_basis=1010.0).unrealised
    0.0
    """

    symbol: str
    quantity: float = 0.0
    average_price: float = 0.0
    cost_basis: float = 0.0
    realised: float = 0.0
    unrealised: float = 0.0

    def __post_init__(self) -> None:
        check_symbol(self.symbol)
        for name in ("quantity", "cost_basis", "realised", "unrealised"):
            setattr(self, name, check_number(getattr(self, name), name))
        self.average_price = check_number(self.average_price, "average_price", 0.0)


class MarketState(Record, tag=True, tag_field="record"):
    """The latest prices of one symbol, good until `expires_ns`.

    The encoder of the same name that turns bars into vectors is neuraltrade.embedding.MarketState.

    >>> import neuraltrade as nt
    >>> state = nt.MarketState(symbol="AAPL", ts_ns=0, last=101.0, bid=100.9, ask=101.1, expires_ns=300_000_000_000)
    >>> round(state.ask - state.bid, 6)
    0.2
    """

    symbol: str
    ts_ns: int
    last: float | None = None
    bid: float | None = None
    ask: float | None = None
    volume: float | None = None
    expires_ns: int | None = None

    def __post_init__(self) -> None:
        check_symbol(self.symbol)
        self.ts_ns = stamp(self.ts_ns, "ts_ns")
        for name in ("last", "bid", "ask"):
            if getattr(self, name) is not None:
                setattr(self, name, check_number(getattr(self, name), name, 0.0, above=True))
        if self.volume is not None:
            self.volume = check_number(self.volume, "volume", 0.0)
        if self.bid is not None and self.ask is not None and self.bid > self.ask:
            raise InputError(f"bid must not be above ask ({self.ask!r}), was {self.bid!r}")
        if self.expires_ns is not None:
            self.expires_ns = stamp(self.expires_ns, "expires_ns")
