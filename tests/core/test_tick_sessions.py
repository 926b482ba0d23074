"""Sessions over ticks: what a closed exchange refuses, and that nothing fills, triggers or ends while it is closed."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt

_here = Path(__file__).parent


def _load(name: str, path: Path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cases = _load("tick_cases_of_sessions", _here / "test_tick_model.py")
by_example = _load("ticks_of_sessions", _here / "test_ticks.py")
quotes, trades, run, fills, states, said = (
    getattr(by_example, name) for name in ("quotes", "trades", "run", "fills", "states", "said")
)
SEEDS = 240
SESSIONS = nt.Sessions([15, 45], [35, 60])
STOCK = {"X": nt.Instrument(calendar=SESSIONS)}
ROWS = [(ts, 99.0, 5.0, 101.0, 4.0) for ts in range(10, 90, 10)]


def sessions_of(rng: random.Random, ticks: nt.Ticks) -> list[list[tuple[int, int]]]:
    first, last = int(ticks.ts_ns.min()), int(ticks.local_ns[-1])
    found = []
    for _ in ticks.symbols:
        edges = sorted(rng.sample(range(first - 5, last + 20), 2 * rng.choice((1, 2, 3))))
        found.append([(edges[k], edges[k + 1]) for k in range(0, len(edges), 2)])
    return found


@pytest.mark.parametrize("block", range(4))
def test_every_fill_is_the_models(block: int) -> None:
    filled, denied, expired = 0, 0, 0
    for seed in range(block * SEEDS // 4, (block + 1) * SEEDS // 4):
        ticks, how, script = cases.case(20_000 + seed)
        how["sessions"] = sessions_of(random.Random(seed), ticks)
        members = 1 + seed % 2
        found, orders, engine = cases.run(ticks, how, script, members)
        wanted, wanted_orders = cases.expected(ticks, how, script, members)
        assert found == wanted, f"seed {seed}"
        assert orders == wanted_orders, f"seed {seed}"
        assert engine.ledger()["balance"] == 0
        for _, ts, symbol, *_ in found:
            assert any(opens <= ts < closes for opens, closes in how["sessions"][symbol])
        filled += len(found)
        denied += sum(status == "denied" for status, _ in orders)
        expired += sum(status == "expired" for status, _ in orders)
    assert filled > 10
    assert denied > 10
    assert expired > 0


def test_a_closed_exchange_refuses_orders_and_changes() -> None:
    plan = {
        0: lambda c: c.buy(1),
        1: lambda c: c.buy(1, limit=90.0),
        3: lambda c: (c.buy(1), c.modify(2, limit=91.0), c.trailing_stop(side=1, quantity=1.0, trail=1.0)),
        6: lambda c: (c.buy(1), c.cancel(2)),
    }
    result = run(quotes(*ROWS), plan, instruments=STOCK)
    closed = nt.Denial.SESSION_CLOSED
    assert said()[0] == closed
    assert nt.accepted(said()[1])
    assert said()[3] == (closed, closed, closed)
    assert said()[6] == (closed, 1)
    assert states(result)[1] == "cancelled"
    assert set(result.denials["reason"]) == {"session_closed"}


def test_an_exchange_opens_at_its_open_and_is_closed_at_its_close() -> None:
    rows = [(ts, 99.0, 5.0, 101.0, 4.0) for ts in (14, 15, 34, 35, 45, 59, 60)]
    run(quotes(*rows), dict.fromkeys(range(7), lambda c: c.buy(1, limit=50.0)), instruments=STOCK)
    assert [nt.accepted(answer) for answer in said().values()] == [False, True, True, False, True, True, False]


def test_what_arrives_after_the_close_waits_for_the_next_session() -> None:
    result = run(quotes(*ROWS), {2: lambda c: (c.buy(1), c.buy(1, tif="ioc"))}, instruments=STOCK, latency_ns=6)
    assert fills(result) == [(50, 1, 1.0, 101.0)]
    assert states(result) == ["filled", "cancelled"]


def test_orders_good_for_the_day_are_good_for_a_session() -> None:
    plan = {1: lambda c: c.buy(1, limit=90.0, tif="day"), 2: lambda c: c.buy(1, limit=90.0)}
    result = run(quotes(*ROWS), plan, instruments=STOCK)
    assert states(result) == ["expired", "submitted"]
    assert result.orders["done_ts_ns"][0] == 40, "the first event after the close"
    late = run(quotes(*ROWS), {2: lambda c: c.buy(1, limit=90.0, tif="day")}, instruments=STOCK, latency_ns=8)
    assert late.orders["done_ts_ns"][0] == 60, "it arrived after the close and was good for the next"


def test_nothing_triggers_while_it_is_closed() -> None:
    dip = [(ts, 90.0 if ts == 40 else 99.0, 5.0, 101.0, 4.0) for ts in range(10, 90, 10)]
    given = {"instruments": STOCK}
    result = run(quotes(*dip), {1: lambda c: c.buy(1, stop_loss=95.0)}, **given)
    assert fills(result) == [(20, 1, 1.0, 101.0)], "the dip is between the sessions"
    prints = [(ts, 90.0 if ts == 40 else 100.0, 5.0, -1) for ts in range(10, 90, 10)]
    given["fill"] = nt.FillPolicy(stop_trigger="last")
    result = run(trades(*prints), {1: lambda c: c.buy(1, stop_loss=95.0)}, **given)
    assert [f[0] for f in fills(result)] == [30]
    spike = [(ts, 99.0, 5.0, 101.0, 4.0) for ts in range(10, 90, 10)]
    both = [quotes(*spike), trades((40, 120.0, 50.0, 1))]
    result = run(both, {2: lambda c: c.sell(1, limit=110.0)}, instruments=STOCK)
    assert fills(result) == [], "a print goes beyond it, outside the session"


def test_each_symbol_has_its_own_calendar() -> None:
    other = [(ts, 49.0, 5.0, 51.0, 4.0) for ts in range(11, 91, 10)]
    ticks = [quotes(*ROWS), quotes(*other, symbol="Y")]
    result = run(ticks, {6: lambda c: c.buy(1), 7: lambda c: c.buy(1)}, instruments=STOCK)
    assert [str(f["symbol"]) for f in result.fills] == ["Y"]
    assert said()[6] == nt.Denial.SESSION_CLOSED


def test_a_calendar_by_name() -> None:
    pytest.importorskip("exchange_calendars")
    day = np.datetime64("2023-11-24T00:00", "ns").astype(np.int64)
    hour = 3600 * 10**9
    ts = [int(day + h * hour) for h in (14, 15, 17, 18, 19)]  # closes at one in New York, 18:00 UTC
    rows = [(at, 99.0, 5.0, 101.0, 4.0) for at in ts]
    run(quotes(*rows), dict.fromkeys(range(5), lambda c: c.buy(1)), instruments={"X": nt.Instrument(calendar="XNYS")})
    assert [nt.accepted(answer) for answer in said().values()] == [False, True, True, False, False]
