"""Cash and positions in Python integers: what csrc/nt_ledger and nt_size promise, said once more without them.

Amounts are minor units, prices and quantities nano, rates pico. Every product is rounded once, half to even.
"""

from __future__ import annotations

NANO, PICO = 10**9, 10**12


class Wrong(Exception):
    """What was promised does not hold."""


def half_even(value: int, divisor: int) -> int:
    quotient, rest = divmod(value, divisor)
    twice = 2 * rest
    if twice > divisor or (twice == divisor and quotient & 1):
        return quotient + 1
    return quotient


class Position:
    def __init__(self, multiplier: int) -> None:
        self.multiplier = multiplier
        self.quantity = self.basis = self.realised = self.fees = self.entry_price = self.entry_fees = 0

    def state(self) -> tuple[int, ...]:
        return self.quantity, self.basis, self.realised, self.fees, self.entry_price, self.entry_fees


class Books:
    """One account: every fill booked by average cost, `cash + basis - realised + fees = deposits` after each."""

    def __init__(
        self, cash: int, digits: int, leverage: int, multipliers: list[int], fees: tuple[int, int, int, int]
    ) -> None:
        self.cash = self.deposits = cash
        self.divisor = 10 ** (18 - digits)
        self.leverage = leverage
        self.positions = [Position(multiplier) for multiplier in multipliers]
        self.fee_rate, self.fee_fixed, self.fee_per_unit, self.fee_minimum = fees

    def notional(self, slot: int, quantity: int, price: int) -> int:
        multiplier = self.positions[slot].multiplier
        if multiplier == NANO:
            return half_even(quantity * price, self.divisor)
        return half_even(half_even(quantity * price, NANO) * multiplier, self.divisor)

    def fee(self, slot: int, quantity: int, price: int) -> int:
        fee = self.fee_fixed
        if self.fee_rate:
            fee += half_even(self.notional(slot, quantity, price) * self.fee_rate, PICO)
        if self.fee_per_unit:
            fee += half_even(quantity * self.fee_per_unit, self.divisor)
        return max(fee, self.fee_minimum)

    def margin(self, slot: int, quantity: int, price: int) -> int:
        notional = self.notional(slot, abs(quantity), price)
        return notional if self.leverage == NANO else half_even(notional * NANO, self.leverage)

    def equity(self, closes: list[int]) -> int:
        held = [(slot, p.quantity) for slot, p in enumerate(self.positions) if p.quantity]
        return self.cash + sum([self.notional(slot, quantity, closes[slot]) for slot, quantity in held])

    def free(self, slot: int, kept: int, price: int, closes: list[int]) -> int:
        """What may be spent on opening once `kept` of the position is left: equity at `price` less what is bound."""
        left = self.cash + self.notional(slot, self.positions[slot].quantity, price) - self.margin(slot, kept, price)
        for other, position in enumerate(self.positions):
            if other != slot and position.quantity:
                left += self.notional(other, position.quantity, closes[other]) - self.margin(
                    other, position.quantity, closes[other]
                )
        return left

    def fill(self, slot: int, change: int, price: int) -> int:
        """Book it; returns the fee."""
        position = self.positions[slot]
        quantity, held = abs(change), abs(position.quantity)
        fee = self.fee(slot, quantity, price)
        closed = min(quantity, held) if position.quantity * change < 0 else 0
        opened, side = quantity - closed, 1 if change > 0 else -1
        exit_fee = half_even(fee * closed, quantity)
        if closed:
            proceeds = self.notional(slot, -side * closed, price)
            cost = position.basis if closed == held else half_even(position.basis * closed, held)
            entry_fees = position.entry_fees if closed == held else half_even(position.entry_fees * closed, held)
            position.quantity += side * closed
            position.basis -= cost
            position.entry_fees -= entry_fees
            position.realised += proceeds - cost
            self.cash += proceeds
            if position.quantity == 0:
                position.entry_price = 0
        if opened:
            before = abs(position.quantity)
            cost = self.notional(slot, side * opened, price)
            worth = before * position.entry_price + opened * price
            position.entry_price = price if before == 0 else half_even(worth, before + opened)
            position.quantity += side * opened
            position.basis += cost
            position.entry_fees += fee - exit_fee
            self.cash -= cost
        position.fees += fee
        self.cash -= fee
        if self.balance() != 0:
            raise Wrong(f"cash + basis - realised + fees - deposits = {self.balance()} in the model itself")
        return fee

    def balance(self) -> int:
        return self.cash - self.deposits + sum([p.basis - p.realised + p.fees for p in self.positions])
