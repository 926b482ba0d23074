"""The ledger again in Python integers and Fractions, for the tests of accounts: slow, plain, and fed by the event log.

`Books` replays fills (and flows) one by one, with average cost or first in, first out, several currencies and splits,
and asserts the identity of the ledger after each. Rounding is Python's: half to even, of exact fractions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

NANO, PICO, DAY_NS = 10**9, 10**12, 86_400 * 10**9


def divide(value: int, by: int) -> int:
    return round(Fraction(value, by))


@dataclass
class Lot:
    quantity: int  # absolute
    price: int
    cost: int  # signed like the position
    fees: int
    bar: int
    order_id: int


@dataclass
class Holding:
    multiplier: int = NANO
    rate: int = PICO
    quantity: int = 0
    basis: int = 0
    realised: int = 0
    fees: int = 0
    flows: int = 0
    entry_fees: int = 0
    lots: list[Lot] = field(default_factory=list)


@dataclass
class Closed:
    slot: int
    direction: int
    quantity: int
    cost: int
    realised: int
    fees: int
    entry_price: int
    entry_bar: int
    exit_bar: int
    entry_order_id: int
    exit_order_id: int


class Books:
    def __init__(self, cash: int, digits: int = 6, slots: int = 1, fifo: bool = False) -> None:
        self.cash = self.deposits = cash
        self.divisor, self.fifo = 10 ** (18 - digits), fifo
        self.held = [Holding() for _ in range(slots)]
        self.interest = 0
        self.closed: list[Closed] = []

    def notional(self, slot: int, quantity: int, price: int) -> int:
        holding = self.held[slot]
        if holding.multiplier == NANO:
            local = divide(quantity * price, self.divisor)
        else:
            local = divide(divide(quantity * price, NANO) * holding.multiplier, self.divisor)
        return local if holding.rate == PICO else divide(local * holding.rate, PICO)

    def balance(self) -> int:
        each = sum(h.basis - h.realised + h.fees - h.flows for h in self.held)
        return self.cash + each - self.interest - self.deposits

    def fill(self, slot: int, side: int, quantity: int, price: int, fee: int, bar: int, order_id: int) -> None:
        h = self.held[slot]
        opposite = h.quantity * side < 0
        closing = min(quantity, abs(h.quantity)) if opposite else 0
        exit_fee = divide(fee * closing, quantity) if closing else 0
        if closing:
            self._close(slot, closing, price, exit_fee, bar, order_id)
        opening = quantity - closing
        if opening:
            cost = self.notional(slot, side * opening, price)
            h.lots.append(Lot(opening, price, cost, fee - exit_fee, bar, order_id))
            if not self.fifo and len(h.lots) > 1:
                self._merge(h)
            h.quantity += side * opening
            h.basis += cost
            h.entry_fees += fee - exit_fee
            self.cash -= cost
        h.fees += fee
        self.cash -= fee
        assert self.balance() == 0
        assert h.basis == sum(lot.cost for lot in h.lots)
        assert abs(h.quantity) == sum(lot.quantity for lot in h.lots)

    @staticmethod
    def _merge(h: Holding) -> None:
        """Average cost: one lot, which keeps the bar and the order of the first."""
        first, second = h.lots
        total = first.quantity + second.quantity
        price = divide(first.quantity * first.price + second.quantity * second.price, total)
        h.lots = [Lot(total, price, first.cost + second.cost, first.fees + second.fees, first.bar, first.order_id)]

    def _close(self, slot: int, closing: int, price: int, exit_fee: int, bar: int, order_id: int) -> None:
        """A lot's share of proceeds and exit fee is what the cumulated quantity comes to, less what went before."""
        h = self.held[slot]
        sign = 1 if h.quantity > 0 else -1
        proceeds = self.notional(slot, sign * closing, price)
        done = paid = charged = 0
        while done < closing:
            lot = h.lots[0]
            taken = min(lot.quantity, closing - done)
            whole = taken == lot.quantity
            cost = lot.cost if whole else divide(lot.cost * taken, lot.quantity)
            fees = lot.fees if whole else divide(lot.fees * taken, lot.quantity)
            done += taken
            gets, pays = divide(proceeds * done, closing) - paid, divide(exit_fee * done, closing) - charged
            paid, charged = paid + gets, charged + pays
            self.closed.append(
                Closed(
                    slot, sign, taken, cost, gets - cost, fees + pays, lot.price, lot.bar, bar, lot.order_id, order_id
                )
            )
            h.quantity -= sign * taken
            h.basis -= cost
            h.realised += gets - cost
            h.entry_fees -= fees
            self.cash += gets
            lot.quantity, lot.cost, lot.fees = lot.quantity - taken, lot.cost - cost, lot.fees - fees
            if whole:
                h.lots.pop(0)

    def entry_price(self, slot: int) -> int:
        lots = self.held[slot].lots
        total = sum(lot.quantity for lot in lots)
        return divide(sum(lot.quantity * lot.price for lot in lots), total) if total else 0

    def flow(self, slot: int, amount: int) -> None:
        self.held[slot].flows += amount
        self.cash += amount
        assert self.balance() == 0

    def pay_interest(self, amount: int) -> None:
        self.interest += amount
        self.cash += amount
        assert self.balance() == 0

    def split(self, slot: int, numerator: int, denominator: int) -> None:
        """Quantities rounded where their running sum is, so that they add up; prices the other way; money untouched."""
        h = self.held[slot]
        before, done = 0, 0
        spare_cost = spare_fees = 0
        kept = []
        for lot in h.lots:
            before += lot.quantity
            after = divide(before * numerator, denominator)
            quantity, done = after - done, after
            lot.price = max(1, divide(lot.price * denominator, numerator))
            lot.cost, lot.fees = lot.cost + spare_cost, lot.fees + spare_fees
            spare_cost = spare_fees = 0
            if quantity == 0:
                spare_cost, spare_fees = lot.cost, lot.fees
                continue
            lot.quantity = quantity
            kept.append(lot)
        if (spare_cost or spare_fees or not kept) and h.lots:
            if kept:
                kept[-1].cost += spare_cost
                kept[-1].fees += spare_fees
            else:
                last = h.lots[-1]
                last.quantity, last.cost, last.fees, done = 1, spare_cost, spare_fees, 1
                kept = [last]
        sign = (h.quantity > 0) - (h.quantity < 0)
        h.lots, h.quantity = kept, sign * done
        assert self.balance() == 0

    def worth(self, slot: int, price: int) -> int:
        return self.notional(slot, self.held[slot].quantity, price) if self.held[slot].quantity else 0

    def check(self, ledger: dict) -> None:
        """The engine's ledger is what was booked here, to the last unit."""
        assert ledger["balance"] == 0
        assert (ledger["cash"], ledger["interest"]) == (self.cash, self.interest)
        for slot, position in enumerate(ledger["positions"].values()):
            own = self.held[slot]
            paid = (own.quantity, own.basis, own.realised, own.fees, self.entry_price(slot), own.entry_fees, own.flows)
            assert tuple(position.values()) == paid


class Replay:
    """A run's fills and what fell due, step by step: `flows` is what the engine must have booked.

    bars : as the engine takes them. dues : for each symbol [(ts_ns, kind, value, denominator)], as booked.
    log : the event log, of which fills are believed and everything else is found anew. rates : for each symbol None or
    [(ts_ns, rate)]. at_close : ids of the orders that fill at a close.
    """

    def __init__(
        self, books: Books, bars, dues, log, *, borrow: int = 0, interest: int = 0, rates=(), at_close=()
    ) -> None:
        self.books, self.bars, self.log = books, bars, log
        self.dues = [list(own) for own in dues]
        self.borrow, self.interest, self.rates = borrow, interest, rates
        self.at_close = frozenset(at_close)
        self.last = [None] * len(bars)
        self.flows: list[tuple] = []

    def run(self, after=None) -> None:
        clock = sorted({int(ts) for own in self.bars for ts in own[0]})
        index = [{int(ts): at for at, ts in enumerate(own[0])} for own in self.bars]
        fills = [row for row in self.log if row["kind"] == 4]
        at, day = 0, None
        for i, now in enumerate(clock):
            today = (now - 1) // DAY_NS
            if day is not None and today > day:
                self._accrue(today - day, today * DAY_NS, i)
            day = today
            trading = [slot for slot in range(len(self.bars)) if now in index[slot]]
            for slot in trading:
                while self.dues[slot] and self.dues[slot][0][0] < now:
                    self._book(slot, self.dues[slot].pop(0), i)
                while at < len(fills) and fills[at]["bar"] == i and fills[at]["symbol"] == slot:
                    row = fills[at]
                    if int(row["id"]) in self.at_close:
                        break
                    names = ("symbol", "side", "quantity", "price", "extra", "bar", "id")
                    self.books.fill(*(int(row[name]) for name in names))
                    assert self.books.cash == row["value"]
                    at += 1
            for slot in trading:
                self.last[slot] = float(self.bars[slot][4][index[slot][now]])
            for slot, series in enumerate(self.rates):
                if series is not None:
                    known = [rate for ts, rate in series if ts <= now]
                    self.books.held[slot].rate = known[-1] if known else 0
            while at < len(fills) and fills[at]["bar"] == i:  # at the close, after every symbol was marked
                row = fills[at]
                names = ("symbol", "side", "quantity", "price", "extra", "bar", "id")
                self.books.fill(*(int(row[name]) for name in names))
                at += 1
            if after is not None:
                after(i, self)

    def _accrue(self, days: int, due: int, i: int) -> None:
        books = self.books
        if self.interest and books.cash < 0:
            cost = divide(-books.cash * self.interest * days, 365 * PICO)
            if cost:
                books.pay_interest(-cost)
                self.flows.append((i, due, 0, 1, 0, -cost))
        for slot, h in enumerate(books.held):
            if self.borrow and h.quantity < 0 and self.last[slot] is not None:
                notional = books.notional(slot, -h.quantity, round(self.last[slot] * 1e9))
                cost = divide(notional * self.borrow * days, 365 * PICO)
                if cost:
                    books.flow(slot, -cost)
                    self.flows.append((i, due, slot, 0, h.quantity, -cost))

    def _book(self, slot: int, due: tuple, i: int) -> None:
        ts_ns, kind, value, denominator = due
        books, held = self.books, self.books.held[slot].quantity
        if kind == 4:
            books.split(slot, value, denominator)
            if self.last[slot] is not None:
                self.last[slot] /= value / denominator
            if held:
                self.flows.append((i, ts_ns, slot, 4, books.held[slot].quantity, denominator))
        elif held and kind == 3:
            amount = books.notional(slot, held, value)
            if self.last[slot] > value / 1e9:
                self.last[slot] -= value / 1e9
            if amount:
                books.flow(slot, amount)
                self.flows.append((i, ts_ns, slot, 3, held, amount))
        elif held:
            amount = divide(-books.notional(slot, held, round(self.last[slot] * 1e9)) * value, PICO)
            if amount:
                books.flow(slot, amount)
                self.flows.append((i, ts_ns, slot, 2, held, amount))
