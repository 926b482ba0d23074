"""All an account may be told, together: both speeds agree, results keep it, odd combinations hold their promises."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core.engine import EVENT_DTYPE, EVENT_KINDS, ORDER_ROLES, ORDER_STATES
from neuraltrade.core.layouts import FLOW_KINDS

DAY_NS = 86_400 * 10**9
HOUR_NS = DAY_NS // 24


class Everything(nt.Strategy):
    """Orders of most kinds, by the bar and the close alone."""

    every: int = 3

    def on_bar(self, ctx):
        if ctx.i % self.every == 0:
            ctx.buy(quantity=7.0, stop_loss_rate=0.03, take_profit_rate=0.05)
        elif ctx.i % 5 == 1:
            ctx.sell(quantity=9.0, limit=ctx.close * 1.01, tif="day")
        elif ctx.i % 7 == 2:
            ctx.sell(quantity=4.0, stop=ctx.close * 0.98)
        elif ctx.i % 11 == 3:
            ctx.close_position()
        elif ctx.i % 13 == 4:
            ctx.trailing_stop(trail_rate=0.02)
        elif ctx.i % 17 == 5:
            ctx.target(0.5)
        elif ctx.i % 19 == 6:
            ctx.cancel_all()


def bars(symbol, seed, count=400):
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.012, count)))
    opened = np.r_[close[0], close[:-1]] * (1 + rng.normal(0, 0.003, count))
    high, low = np.maximum(opened, close) * 1.004, np.minimum(opened, close) * 0.996
    return nt.Bars(symbol, np.arange(1, count + 1) * HOUR_NS, opened, high, low, close, np.full(count, 1000.0))


def told(seed, symbols):
    """Settings of a run that has everything, some at random."""
    rng = np.random.default_rng(seed)
    opens = np.arange(0, 400, 24) * HOUR_NS
    sessions = nt.Sessions(opens, opens + rng.integers(8, 24) * HOUR_NS)
    foreign = nt.Rates(np.arange(1, 400, 7) * HOUR_NS, 1.1 + rng.normal(0, 0.01, 57))
    kinds = [
        nt.Instrument(currency="EUR", margin=0.2),
        nt.Instrument(calendar=sessions, tick=0.01),
        nt.Instrument(currency="EUR", multiplier=2.0, calendar=sessions),
    ]
    instruments = {symbol: kinds[(seed + slot) % 3] for slot, symbol in enumerate(symbols)}
    times = np.sort(rng.choice(np.arange(5, 395), 12, replace=False)) * HOUR_NS
    actions = {
        symbol: [
            nt.Dividends(times[:4], [0.3] * 4),
            nt.Splits(times[4:7], [2, "1/2", "3/2"]),
            nt.Funding(times, [0.0003] * 12),
        ]
        for symbol in symbols
    }
    account = nt.Account(
        leverage=float(rng.choice([4, 9])),
        maintenance=float(rng.choice([0.0, 0.06, 0.1])),
        borrow_rate=0.1,
        interest_rate=0.2,
        lots=str(rng.choice(["fifo", "average"])),
        margin_at=str(rng.choice(["extreme", "close"])),
        cash_digits=int(rng.choice([2, 6, 9])),
    )
    uses_euro = any(one.currency for one in instruments.values())
    return {
        "instruments": instruments,
        "actions": actions,
        "account": account,
        "fees": 0.0005,
        "cash": 600.0,
        "rates": {"EUR": foreign} if uses_euro else None,
    }


@pytest.mark.parametrize("fill", nt.FillPolicy.presets())
@pytest.mark.parametrize("seed", range(3))
def test_both_speeds_agree(seed, fill, tmp_path):
    data = nt.Panel([bars(symbol, seed + slot) for slot, symbol in enumerate("ABC")]) if seed else bars("A", 9)
    settings = told(seed, data.symbols if seed else ("A",))
    one, other = (
        nt.backtest(data, strategy, fill=fill, **settings) for strategy in (Everything, nt.compiled(Everything))
    )
    assert one.digest == other.digest
    assert one.equity.tolist() == other.equity.tolist()
    assert len(one.flows) > 5
    one.save(tmp_path / "run")
    again = nt.Result.load(tmp_path / "run")
    for table in ("flows", "margin_calls", "trades", "fills", "orders", "denials"):
        assert getattr(again, table).tobytes() == getattr(one, table).tobytes()
    assert again.digest == one.digest
    assert str(dict(again.stats)) == str(dict(one.stats))


@pytest.mark.parametrize("fill", nt.FillPolicy.presets())
@pytest.mark.parametrize("seed", range(8))
def test_odd_combinations_keep_their_promises(seed, fill):
    """The books balance, equity moves by trades, marks and flows alone, and what is closed fills nothing."""
    rng = np.random.default_rng(seed)
    symbols = tuple("ABC"[: 1 + seed % 3])
    series = [bars(symbol, seed * 5 + slot) for slot, symbol in enumerate(symbols)]
    settings = told(seed, symbols)

    class Wild(nt.Strategy):
        def on_bar(self, ctx):
            for _ in range(int(rng.integers(0, 3))):
                price = ctx.close * float(rng.uniform(0.95, 1.05))
                tick = round(price, 2)
                kinds = [
                    {},
                    {"limit": tick},
                    {"stop": tick},
                    {"limit": tick, "stop": tick},
                    {"at": "open"},
                    {"at": "close"},
                ]
                given = dict(kinds[int(rng.integers(0, 6))])
                if rng.random() < 0.5:
                    given["quantity"] = round(float(rng.uniform(0.1, 40)), 2)
                if rng.random() < 0.3:
                    given |= {"stop_loss_rate": 0.02, "take_profit_rate": 0.03}
                given["tif"] = str(rng.choice(["gtc", "day", "ioc", "fok"]))
                (ctx.buy if rng.random() < 0.5 else ctx.sell)(**given)
            if rng.random() < 0.05:
                ctx.target(float(rng.uniform(-2, 2)))
            if rng.random() < 0.03:
                ctx.modify(int(rng.integers(1, 60)), quantity=5.0)
            if rng.random() < 0.01:
                ctx.halt("reduce_only")

    data = nt.Panel(series) if len(series) > 1 else series[0]
    risk = nt.RiskLimits(max_gross_exposure=60_000.0, max_leverage=6.0) if seed % 2 else None
    result = nt.backtest(data, Wild, fill=fill, risk=risk, **settings)
    trades = result.slots["trades"]
    moved = result.flows["amount"].sum() + trades["pnl"].sum()
    assert result.equity[-1] - 600.0 == pytest.approx(moved, abs=0.05)
    orders = result.orders
    assert set(orders["role"]) <= set(ORDER_ROLES)
    assert set(orders["status"]) <= set(ORDER_STATES)
    for symbol, own in zip(symbols, series, strict=True):
        calendar = settings["instruments"][symbol].calendar
        if calendar is not None:
            codes = calendar.codes(own.ts_ns)
            assert (codes[result.fills["bar"][result.fills["symbol"] == symbol]] >= 0).all()
    liquidating = orders[orders["role"] == "liquidation"]
    assert len(liquidating) == result.margin_calls["orders"].sum()
    assert set(liquidating["status"]) <= {"filled", "cancelled", "submitted", "partially_filled"}


@pytest.mark.parametrize("seed", range(6))
def test_a_session_follows_flows_splits_and_rates(seed):
    symbols = tuple("ABC"[: 1 + seed % 3])
    series = [bars(symbol, seed * 5 + slot) for slot, symbol in enumerate(symbols)]
    settings = told(seed, symbols)
    data = nt.Panel(series) if len(series) > 1 else series[0]
    result = nt.backtest(data, Everything, **settings)
    digits = settings["account"].cash_digits
    session = nt.SessionMemory(cash=600.0, cash_digits=digits, multipliers=result.settings["multipliers"])
    session.apply_events(result.events, symbols)
    open_rows = result.slots["trades"][result.slots["trades"]["open"]]
    for slot, symbol in enumerate(symbols):
        mine = open_rows[open_rows["symbol"] == slot]
        held = session.position(symbol)
        assert (held.quantity if held else 0.0) == pytest.approx((mine["quantity"] * mine["direction"]).sum(), abs=1e-9)
    log = result.events.view(EVENT_DTYPE)
    fills = log[log["kind"] == EVENT_KINDS.index("fill")]
    after = log[
        (log["kind"] == EVENT_KINDS.index("flow")) & (np.arange(len(log)) > np.flatnonzero(log["kind"] == 4)[-1])
    ]
    late = after[after["code"] != FLOW_KINDS.index("split")]["value"].sum()
    assert round(session.cash * 10**digits) == fills["value"][-1] + late
