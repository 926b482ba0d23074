"""Fixed point and the ledger against Python integers."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuraltrade as nt
from neuraltrade.core import money

INT64 = st.integers(-(2**63) + 1, 2**63 - 1)


@given(INT64, INT64, st.integers(1, 2**63 - 1))
def test_multiply_divide_rounds_half_to_even(a, b, divisor):
    exact = round(Fraction(a * b, divisor))  # Python rounds halves to even
    if abs(exact) < 2**63:
        assert money.multiply_divide(a, b, divisor) == exact
    else:
        with pytest.raises(nt.InputError):
            money.multiply_divide(a, b, divisor)


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.sampled_from([2, 10, 1000, 10**9]))
def test_halves_go_to_the_even_neighbour(value, divisor):
    half = value // 1000 * divisor + divisor // 2
    if abs(half) < 2**63:
        assert money.multiply_divide(half, 1, divisor) == round(Fraction(half, divisor))


@given(st.integers(-(10**15), 10**15))
def test_prices_of_nine_decimals_come_back_as_the_float_they_were(nano):
    value = nano / 1e9
    assert money.from_nano(money.to_nano(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 9.3e9, -9.3e9])
def test_to_nano_refuses_what_does_not_fit(value):
    with pytest.raises(nt.InputError, match=r"9\.2e9"):
        money.to_nano(value)


class Model:
    """The ledger in Python integers: average cost, basis as cash, one rounding each."""

    def __init__(self, digits: int, cash: int, count: int) -> None:
        self.divisor = 10 ** (18 - digits)
        self.cash = self.deposits = cash
        self.rows = [{"quantity": 0, "basis": 0, "realised": 0, "fees": 0} for _ in range(count)]

    def fill(self, slot: int, quantity: int, price: int, fee: int) -> None:
        row = self.rows[slot]
        closed = 0
        if row["quantity"] * quantity < 0:
            closed = min(abs(quantity), abs(row["quantity"])) * (1 if quantity > 0 else -1)
            proceeds = round(Fraction(-closed * price, self.divisor))
            cost = row["basis"]
            if abs(closed) < abs(row["quantity"]):
                cost = round(Fraction(row["basis"] * abs(closed), abs(row["quantity"])))
            row["quantity"] += closed
            row["basis"] -= cost
            row["realised"] += proceeds - cost
            self.cash += proceeds
        opened = quantity - closed
        if opened:
            cost = round(Fraction(opened * price, self.divisor))
            row["quantity"] += opened
            row["basis"] += cost
            self.cash -= cost
        row["fees"] += fee
        self.cash -= fee

    def balance(self) -> int:
        return self.cash - self.deposits + sum(row["basis"] - row["realised"] + row["fees"] for row in self.rows)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("digits", [0, 2, 6, 9])
def test_ledger_equals_the_model_after_every_fill(seed, digits):
    rng = np.random.default_rng([seed, digits])
    books = money.Ledger([10**9] * 3, digits=digits, cash=10 ** (digits + 5))
    model = Model(digits, 10 ** (digits + 5), 3)
    reversals = 0
    for _ in range(400):
        slot = int(rng.integers(3))
        quantity = int(rng.integers(1, 10 ** int(rng.integers(6, 13)))) * int(rng.choice([-1, 1]))
        if rng.random() < 0.2 and model.rows[slot]["quantity"]:
            quantity = -model.rows[slot]["quantity"]  # exactly flat
        price = int(rng.integers(1, 10 ** int(rng.integers(9, 13))))
        fee = int(rng.integers(0, 10**digits + 1))
        reversals += model.rows[slot]["quantity"] * (model.rows[slot]["quantity"] + quantity) < 0
        books.fill(slot, quantity, price, fee)
        model.fill(slot, quantity, price, fee)
        found = books.position(slot)
        assert {name: found[name] for name in model.rows[slot]} == model.rows[slot]
        assert (books.cash, books.balance, model.balance()) == (model.cash, 0, 0)
        if found["quantity"] == 0:
            assert (found["basis"], found["entry_fees"], found["entry_price"]) == (0, 0, 0)
    assert reversals > 20, f"seed {seed}: {reversals} reversals"


def test_a_reversal_splits_its_fee_by_quantity():
    books = money.Ledger([10**9], digits=2, cash=10**7)
    books.fill(0, 10 * 10**9, 100 * 10**9, fee=50)
    closed = books.fill(0, -40 * 10**9, 110 * 10**9, fee=40)
    assert closed == {"quantity": 10 * 10**9, "cost": 100_000, "realised": 10_000, "fees": 60}
    assert books.position(0)["entry_fees"] == 30
    assert books.position(0)["entry_price"] == 110 * 10**9


def test_a_multiplier_scales_notional():
    books = money.Ledger([50 * 10**9], digits=2, cash=10**9)
    books.fill(0, 2 * 10**9, money.to_nano(4000.25))
    assert books.position(0)["basis"] == 2 * 400_025 * 50


def test_overflow_books_nothing():
    books = money.Ledger([10**9], digits=9, cash=0)
    books.fill(0, 10**9, 10**9)
    before = books.position(0), books.cash
    with pytest.raises(nt.InputError, match="does not fit"):
        books.fill(0, 9 * 10**18, 9 * 10**18)
    assert (books.position(0), books.cash, books.balance) == (*before, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0, 10**9), "quantity"), ((0, 10**9, 0), "price"), ((1, 10**9, 10**9), "slot"),
        ((-1, 10**9, 10**9), "slot"), ((0, 2**63, 10**9), "64 bits"), ((0, 1.5, 10**9), "integer"),
    ],
)  # fmt: skip
def test_bad_fills_are_refused(arguments, message):
    with pytest.raises(nt.InputError, match=message):
        money.Ledger([10**9]).fill(*arguments)


@pytest.mark.parametrize("given_", [([], {}), ([0], {}), ([10**9], {"digits": 10}), ([10**9], {"cash": 2**63})])
def test_bad_ledgers_are_refused(given_):
    with pytest.raises(nt.InputError):
        money.Ledger(given_[0], **given_[1])


@settings(max_examples=20)
@given(st.data())
def test_engine_cash_matches_its_fills(data):
    """Cash after each fill, as the event log has it, follows from quantity, price and fee alone."""
    quantity = data.draw(st.integers(1, 10**14))
    price = data.draw(st.integers(1, 10**13))
    books = money.Ledger([10**9], digits=6, cash=10**18)
    books.fill(0, quantity, price)
    assert 10**18 - books.cash == round(Fraction(quantity * price, 10**12))
