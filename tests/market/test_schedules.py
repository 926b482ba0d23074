"""Dividends, splits and funding: what they take, what they refuse, and how they reach a run."""

from datetime import UTC, date, datetime
from fractions import Fraction

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.clock import as_ns
from neuraltrade.market.schedules import dues_of

DAY_NS = 86_400 * 10**9


def test_a_bare_ex_date_is_the_start_of_its_day():
    start = as_ns("2024-03-01T00:00:00Z")
    given = ["2024-03-01"], [date(2024, 3, 1)], np.array(["2024-03-01"], "M8[D]"), ["20240301"]
    for times in given:
        assert nt.Dividends(times, [1.0]).ts_ns.tolist() == [start]
        assert nt.Splits(times, [2]).ts_ns.tolist() == [start]
        assert nt.Funding(times, [0.1]).ts_ns.tolist() == [start + DAY_NS - 1]
    for times in (
        [start],
        np.array([start]),
        [datetime(2024, 3, 1, tzinfo=UTC)],
        ["2024-03-01T00:00:00Z"],
        np.array(["2024-03-01"], "M8[ns]"),
    ):
        assert nt.Dividends(times, [1.0]).ts_ns.tolist() == [start]


def test_arrays_are_copied_and_read_only():
    amount = np.array([1.0, 2.0])
    one = nt.Dividends(np.array([1, 2]), amount)
    amount[0] = 5.0
    assert one.amount.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        one.amount[0] = 3.0
    with pytest.raises(ValueError, match="read-only"):
        one.ts_ns[0] = 3


@pytest.mark.parametrize("kind", [nt.Dividends, nt.Funding, nt.Splits])
def test_times_must_ascend(kind):
    with pytest.raises(nt.InputError, match=rf"{kind.__name__}: ts_ns must ascend, row 2 was 5 after 7"):
        kind([3, 7, 5], [1, 1, 1])
    with pytest.raises(nt.InputError, match="ts_ns must ascend, row 1 was 3 after 3"):
        kind([3, 3], [1, 1])
    with pytest.raises(nt.InputError, match="must have a value for each of 2 times, had 1"):
        kind([3, 4], [1])
    with pytest.raises(nt.InputError, match=f"{kind.__name__}: ts_ns"):
        kind([np.datetime64("NaT")], [1])
    with pytest.raises(nt.InputError, match=f"{kind.__name__}: ts_ns"):
        kind("2024-01-01", [1])
    with pytest.raises(nt.InputError):
        kind([[1], [2]], [1, 1])


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 0.0, -1.0, 1e10])
def test_dividends_must_be_amounts(wrong):
    with pytest.raises(nt.InputError, match=r"Dividends: amount must be 1e-09\.\.9e\+09, row 1 was"):
        nt.Dividends([1, 2], [1.0, wrong])


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 1.01, -1.01])
def test_funding_must_be_rates(wrong):
    with pytest.raises(nt.InputError, match=r"Funding: rate must be -1\.\.1, row 0 was"):
        nt.Funding([1], [wrong])


@pytest.mark.parametrize(
    "wrong",
    [0, -2, float("nan"), float("inf"), "x", "1/0", None, True, 1e-9, 2_000_000, 2**0.5, Fraction(1, 1_000_001)],
)
def test_splits_must_be_ratios(wrong):
    with pytest.raises(
        nt.InputError, match=r"Splits: ratio must be above 0, of whole numbers up to 1,000,000, row 0 was"
    ):
        nt.Splits([1], [wrong])


def test_ratios_are_exact():
    ratios = nt.Splits(np.arange(1, 8), [7, 1.5, "3/2", Fraction(2, 3), 0.1, 1 / 3, np.float64(1.0137)]).ratio
    assert ratios == (
        7,
        Fraction(3, 2),
        Fraction(3, 2),
        Fraction(2, 3),
        Fraction(1, 10),
        Fraction(1, 3),
        Fraction(10137, 10000),
    )
    with pytest.raises(nt.InputError, match="Splits: ratio must be a sequence of ratios, was 2"):
        nt.Splits([1], 2)


def bars(symbol="A", count=6):
    prices = np.full(count, 100.0)
    return nt.Bars(symbol, np.arange(1, count + 1) * DAY_NS, prices, prices, prices, prices, np.full(count, 1e6))


class Hold(nt.Strategy):
    def on_bar(self, ctx):
        if ctx.i == 0:
            ctx.buy(quantity=10)


def test_actions_reach_the_run(tmp_path):
    actions = {"A": [nt.Dividends([2 * DAY_NS], [1.0]), nt.Funding([3 * DAY_NS], [0.01])]}
    result = nt.backtest(bars(), Hold, actions=actions)
    assert result.flows["kind"].tolist() == ["dividend", "funding"]
    assert result.flows["symbol"].tolist() == ["A", "A"]
    assert result.flows["amount"].tolist() == [10.0, -10.0]
    assert result.equity[-1] == 10_000.0
    assert result.settings["actions"] == {"A": {"dividend": 1, "funding": 1}}
    assert nt.backtest(bars(), Hold, actions=actions["A"]).digest == result.digest
    assert nt.backtest(bars(), Hold).digest != result.digest
    result.save(tmp_path / "run")
    again = nt.Result.load(tmp_path / "run")
    assert again.flows.tolist() == result.flows.tolist()
    assert again.margin_calls.tolist() == []
    assert list(result.to_frame("flows").columns) == [
        "bar",
        "time",
        "ts_ns",
        "symbol",
        "kind",
        "amount",
        "quantity",
        "rate",
    ]
    two = nt.backtest(
        nt.Panel([bars("A"), bars("B")]), Hold, actions={"B": nt.Dividends([2 * DAY_NS], [1.0])}, cash=1e5
    )
    assert two.flows["symbol"].tolist() == ["B"]


def test_interest_has_no_symbol():
    result = nt.backtest(bars(), Hold, cash=500.0, account=nt.Account(leverage=3.0, interest_rate=0.365))
    assert result.flows["symbol"].tolist() == [""] * 4
    assert result.flows["kind"].tolist() == ["interest"] * 4
    assert result.flows["amount"][0] == -0.5


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ({"B": nt.Dividends([1], [1.0])}, "actions names 'B', which the data has not; it has A"),
        ({"A": 3}, r"actions\['A'\] must be nt.Dividends, nt.Splits or nt.Funding, or several, was 3"),
        ({"A": [3]}, r"actions\['A'\] must be nt.Dividends, nt.Splits or nt.Funding, was 3"),
        (
            {"A": [nt.Splits([1], [2]), nt.Splits([2], [2])]},
            r"actions\['A'\] must have one of each kind, had 2 of split",
        ),
        ({"A": "dividends"}, r"actions\['A'\] must be nt.Dividends"),
        (3, r"actions\['A'\] must be nt.Dividends"),
    ],
)
def test_wrong_actions(actions, message):
    with pytest.raises(nt.InputError, match=message):
        nt.backtest(bars(), Hold, actions=actions)
    with pytest.raises(nt.InputError, match="actions must map symbols to"):
        nt.backtest(nt.Panel([bars("A"), bars("B")]), Hold, actions=nt.Dividends([1], [1.0]))


def test_dues_are_in_the_order_of_booking():
    rows = dues_of([nt.Funding([5, 9], [0.1, 0.2]), nt.Splits([5], ["3/2"]), nt.Dividends([5, 7], [1.0, 2.0])])
    assert rows["ts_ns"].tolist() == [5, 5, 5, 7, 9]
    assert rows["kind"].tolist() == [4, 3, 2, 3, 2]
    assert (rows["value"][0], rows["denominator"][0]) == (3, 2)
    assert dues_of([]) is None
