"""Exchange rates: what they take, what they refuse, and how they reach a run."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.clock import as_ns

DAY_NS = 86_400 * 10**9
EUR = nt.Instrument(currency="EUR")


def bars(symbol="A", count=6):
    prices = np.full(count, 100.0)
    return nt.Bars(symbol, np.arange(1, count + 1) * DAY_NS, prices, prices, prices, prices, np.full(count, 1e6))


class Hold(nt.Strategy):
    def on_bar(self, ctx):
        if ctx.i == 0:
            ctx.buy(quantity=10)


def test_a_bare_date_is_the_end_of_its_day():
    assert nt.Rates(["2024-03-01"], [1.1]).ts_ns.tolist() == [as_ns("2024-03-01")]


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf"), 1e-10, 1e7])
def test_rates_must_be_rates(wrong):
    with pytest.raises(nt.InputError, match=r"Rates: rate must be 1e-09\.\.9e\+06, row 1 was"):
        nt.Rates([1, 2], [1.0, wrong])


def test_there_must_be_one():
    with pytest.raises(nt.InputError, match="Rates: rate must have at least one value, had 0"):
        nt.Rates(np.zeros(0, np.int64), [])
    with pytest.raises(nt.InputError, match="Rates: ts_ns must ascend"):
        nt.Rates([2, 1], [1.0, 1.0])


def test_two_currencies_share_one_cash(tmp_path):
    data = nt.Panel([bars("A"), bars("B")])
    rates = {"EUR": nt.Rates([DAY_NS, 3 * DAY_NS], [1.1, 1.2])}
    result = nt.backtest(data, Hold, instruments={"B": EUR}, rates=rates)
    assert result.equity.tolist() == [10_000.0, 10_000.0, 10_100.0, 10_100.0, 10_100.0, 10_100.0]
    assert result.settings["rates"] == {"EUR": 2}
    assert result.stats["turnover"] == pytest.approx(2_100 / result.equity.mean())
    assert result.by_symbol()["notional"].tolist() == [1_000.0, 1_100.0]
    result.save(tmp_path / "run")
    again = nt.Result.load(tmp_path / "run")
    assert again.stats["turnover"] == result.stats["turnover"]
    assert again.digest == result.digest


def test_an_instrument_is_in_the_accounts_currency_unless_it_says():
    account = nt.Account(currency="EUR")
    assert nt.backtest(bars(), Hold, account=account).equity[-1] == 10_000.0
    assert nt.backtest(bars(), Hold, account=account, instruments=EUR).equity[-1] == 10_000.0


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        (None, "rates must have 'EUR', the currency of 'A': the account is in 'USD'"),
        ({"GBP": nt.Rates([1], [1.2])}, "rates names 'GBP', which no symbol is in; they are in EUR"),
        ({"USD": nt.Rates([1], [1.0])}, "rates names 'USD', which no symbol is in"),
        ({"EUR": 1.1}, r"rates\['EUR'\] must be nt.Rates, was 1.1"),
        (nt.Rates([1], [1.2]), "rates must map currencies to nt.Rates, was <Rates"),
    ],
)
def test_wrong_rates(rates, message):
    with pytest.raises(nt.InputError, match=message):
        nt.backtest(bars(), Hold, instruments=EUR, rates=rates)


@pytest.mark.parametrize("wrong", ["", 3])
def test_currency_must_be_a_code(wrong):
    with pytest.raises(nt.InputError, match="Instrument: currency must be None or a code"):
        nt.Instrument(currency=wrong)
