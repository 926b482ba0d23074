"""How the run that took a decision filled, charged and sized: what its replay must use too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..core.settings import Account, Fees, FillPolicy, Instrument, Size, Slippage
from ..errors import InputError


class RunContext(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a run, as `result.settings` holds them; unknown keys are ignored.

    >>> from neuraltrade.reflexion import RunContext
    >>> RunContext.of({"cash": 5_000.0, "fees": {"rate": 0.001}}).fees.rate
    0.001
    """

    cash: float = 10_000.0
    fill: FillPolicy = FillPolicy()
    fees: Fees = Fees()
    slippage: Slippage = Slippage()
    size: Size = Size("all_in")
    account: Account = Account()
    instruments: dict[str, Instrument] = {}

    @classmethod
    def of(cls, settings: Any) -> RunContext:
        """From a RunContext, a Result, or what a Result's `settings` is. Raises InputError naming what is wrong."""
        if isinstance(settings, cls):
            return settings
        plain = getattr(settings, "settings", settings)
        if not isinstance(plain, Mapping):
            raise InputError(f"run must be a Result or its settings, was {type(settings).__name__}")
        known = {name: plain[name] for name in cls.__struct_fields__ if plain.get(name) is not None}
        try:
            return msgspec.convert(known, type=cls)
        except msgspec.ValidationError as error:
            raise InputError(f"run holds settings that do not read: {error}") from error

    def instrument(self, symbol: str) -> Instrument:
        """The contract of a symbol; the default one if the run named none."""
        return self.instruments.get(symbol, Instrument())

    def default_quantity(self, symbol: str, price: float) -> float:
        """Units that an order without a quantity would trade at `price`, before fees: what a decision not to trade left
        undone. All of the run's starting cash counts as free."""
        unit = price * self.instrument(symbol).multiplier
        lot = self.instrument(symbol).lot or self.fill.default_lot
        units = {"units": self.size.value, "cash": self.size.value / unit}.get(
            self.size.kind, self.size.value * self.cash / unit
        )
        return units if not lot else int(units / lot) * lot
