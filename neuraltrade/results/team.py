"""What each strategy of a run with several did and earned; the parts add up to the whole, to the last unit of cash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import tables
from .statistics import exposure

if TYPE_CHECKING:
    from .result import Result

COLUMNS = {
    "fills": "<i8", "trades": "<i8", "exposure": "<f8", "notional": "<f8", "turnover": "<f8", "fees": "<f8",
    "realised": "<f8", "open_pnl": "<f8", "flows": "<f8", "contribution": "<f8", "contribution_minor": "<i8",
}  # fmt: skip


@dataclass
class TeamRecord:
    """The strategies of a run by name, and what is whose.

    owners : table name -> int32[rows], the strategy of each row, -1 of none. contributions : float64[n, strategies].
    books : [strategy][symbol] -> integers of the ledger (core/team.pyx). interest : of the account, minor units, as all
    of them. scale : minor units in one.
    """

    names: tuple[str, ...]
    owners: dict[str, np.ndarray]
    contributions: np.ndarray
    books: list[list[dict[str, int]]]
    interest: int
    scale: int

    def __post_init__(self) -> None:
        self.contributions = np.ascontiguousarray(self.contributions, dtype=np.float64).view()
        self.contributions.setflags(write=False)

    def numbers(self) -> dict[str, Any]:
        """What of it is kept as JSON."""
        return {"names": list(self.names), "books": self.books, "interest": self.interest, "scale": self.scale}

    def columns(self) -> dict[str, np.ndarray]:
        """And as arrays."""
        return {"contributions": self.contributions, **{f"owner_{name}": rows for name, rows in self.owners.items()}}

    @classmethod
    def from_parts(cls, numbers: dict[str, Any], columns: dict[str, np.ndarray]) -> TeamRecord:
        owners = {name.removeprefix("owner_"): rows for name, rows in columns.items() if name.startswith("owner_")}
        names = tuple(numbers["names"])
        return cls(names, owners, columns["contributions"], numbers["books"], numbers["interest"], numbers["scale"])


def by_strategy(result: Result, team: TeamRecord) -> np.ndarray:
    """Structured rows, one per strategy and a last one, named "", for what is of none; see `Result.by_strategy`."""
    count, scale = len(team.names), team.scale
    fills, trades = result.slots["fills"], result.slots["trades"]
    names = np.array([*team.names, ""], dtype=np.str_)
    rows = np.zeros(count + 1, dtype=[("strategy", names.dtype), *COLUMNS.items()])
    rows["strategy"] = names
    notional = np.abs(fills["quantity"] * fills["price"])
    factors = tables.multipliers(result, fills)
    notional = notional if factors is None else notional * factors
    owner = team.owners["fills"]
    rows["fills"][:count] = np.bincount(owner, minlength=count)
    rows["notional"][:count] = np.bincount(owner, weights=notional, minlength=count)
    mean = float(result.equity.mean())
    rows["turnover"] = rows["notional"] / mean if mean != 0.0 else np.nan
    is_open = trades["open"].astype(bool)
    rows["trades"][:count] = np.bincount(team.owners["trades"][~is_open], minlength=count)
    for index, own in enumerate(team.books):
        rows["exposure"][index] = exposure(trades[team.owners["trades"] == index], len(result.equity))
        total = {name: sum(book[name] for book in own) for name in ("realised", "fees", "flows", "value", "basis")}
        left = total["value"] - total["basis"]
        rows["fees"][index], rows["realised"][index] = total["fees"] / scale, total["realised"] / scale
        rows["open_pnl"][index], rows["flows"][index] = left / scale, total["flows"] / scale
        rows["contribution_minor"][index] = total["realised"] - total["fees"] + total["flows"] + left
    rows["flows"][count] = team.interest / scale
    rows["contribution_minor"][count] = team.interest
    rows["contribution"] = rows["contribution_minor"] / scale
    rows.setflags(write=False)
    return rows
