"""Every order type over quotes, prints and depth, by example: who fills, where, how much, and when it is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import neuraltrade as nt

DAY = 86_400 * 10**9
NAN = float("nan")


def quotes(*rows: tuple, symbol: str = "X") -> nt.Quotes:
    """Rows (ts, bid, bid_size, ask, ask_size[, local])."""
    columns = list(zip(*rows, strict=True))
    return nt.Quotes(symbol, *columns[:5], local_ns=columns[5] if len(columns) > 5 else None)


def trades(*rows: tuple, symbol: str = "X") -> nt.Trades:
    """Rows (ts, price, quantity, aggressor[, local])."""
    columns = list(zip(*rows, strict=True))
    return nt.Trades(symbol, *columns[:4], local_ns=columns[4] if len(columns) > 4 else None)


def depth(*rows: tuple, symbol: str = "X") -> nt.Depth:
    """Rows (ts, side, price, quantity)."""
    return nt.Depth(symbol, *zip(*rows, strict=True))


def run(data: Any, plan: dict[int, Callable[[Any], Any]], **settings: Any) -> nt.Result:
    """Call plan[i](ctx) at event i; `run.said` collects what it returns."""
    said = run.said = {}  # type: ignore[attr-defined]

    class Planned(nt.Strategy):
        def on_quote(self, ctx: Any) -> None:
            if ctx.i in plan:
                said[ctx.i] = plan[ctx.i](ctx)

        on_trade = on_depth = on_quote

    ticks = nt.Ticks(data) if isinstance(data, list) else data
    return nt.backtest(ticks, Planned, **{"cash": 1e6, **settings})


def said() -> dict[int, Any]:
    return run.said  # type: ignore[attr-defined]


def fills(result: nt.Result) -> list[tuple]:
    return [(int(f["ts_ns"]), int(f["side"]), float(f["quantity"]), float(f["price"])) for f in result.fills]


def states(result: nt.Result) -> list[str]:
    return [str(o["status"]) for o in result.orders]


STILL = [
    (10, 99.0, 5.0, 101.0, 4.0),
    (20, 99.0, 5.0, 101.0, 4.0),
    (30, 99.0, 5.0, 101.0, 4.0),
    (40, 99.0, 5.0, 101.0, 4.0),
]
BOOK = [(10, 1, 99.0, 5.0), (10, 1, 98.0, 7.0), (10, -1, 101.0, 4.0), (10, -1, 102.0, 6.0), (10, -1, 104.0, 1.0)]
LATER = [(20, 1, 90.0, 1.0), (30, 1, 90.0, 2.0), (40, 1, 90.0, 1.0)]


class TestMarketOrders:
    def test_far_side_of_the_quote(self):
        result = run(quotes(*STILL), {0: lambda c: c.buy(3), 1: lambda c: c.sell(5)})
        assert fills(result) == [(10, 1, 3.0, 101.0), (20, -1, 5.0, 99.0)]
        assert result.fills["bar"].tolist() == [1, 2], "known with the next event"

    def test_the_shown_size_is_used_once(self):
        result = run(quotes(*STILL), {0: lambda c: c.buy(3), 1: lambda c: c.buy(3)})
        assert fills(result) == [(10, 1, 3.0, 101.0), (20, 1, 1.0, 101.0)]
        assert states(result) == ["filled", "partially_filled"]

    def test_the_rest_waits_for_the_next_size(self):
        moved = [*STILL[:2], (30, 99.0, 5.0, 101.5, 2.0), (40, 99.0, 5.0, 101.5, 9.0)]
        result = run(quotes(*moved), {0: lambda c: c.buy(10)})
        assert fills(result) == [(10, 1, 4.0, 101.0), (30, 1, 2.0, 101.5), (40, 1, 4.0, 101.5)]

    def test_levels_of_the_book_a_fill_each(self):
        result = run(depth(*BOOK, *LATER), {0: lambda c: c.buy(12), 1: lambda c: c.sell(1)})
        assert fills(result) == [(10, 1, 4.0, 101.0), (10, 1, 6.0, 102.0), (10, 1, 1.0, 104.0), (20, -1, 1.0, 99.0)]
        assert states(result) == ["partially_filled", "filled"]

    def test_a_level_that_changes_can_be_taken_again(self):
        again = [*BOOK, (20, -1, 101.0, 4.0), (30, -1, 101.0, 3.0), (40, 1, 90.0, 1.0)]
        plan = {0: lambda c: c.buy(4, tif="ioc", limit=101), 1: lambda c: c.buy(4, tif="ioc", limit=101),
                2: lambda c: c.buy(4, tif="ioc", limit=101)}  # fmt: skip
        assert fills(run(depth(*again), plan)) == [(10, 1, 4.0, 101.0), (30, 1, 3.0, 101.0)]

    def test_one_side_alone(self):
        lone = [
            (10, NAN, 0.0, 101.0, 4.0),
            (20, NAN, 0.0, 101.0, 4.0),
            (30, 98.0, 1.0, NAN, 0.0),
            (40, 98.0, 1.0, NAN, 0.0),
        ]
        result = run(quotes(*lone), {0: lambda c: c.sell(2)})
        assert fills(result) == [(30, -1, 1.0, 98.0)]

    def test_prints_alone_fill_at_the_next_print(self):
        result = run(trades((10, 100.0, 1, 1), (20, 101.0, 2, 1), (30, 102.0, 5, -1)), {0: lambda c: c.buy(4)})
        assert fills(result) == [(20, 1, 2.0, 101.0), (30, 1, 2.0, 102.0)]

    def test_slippage_and_fees(self):
        result = run(quotes(*STILL), {0: lambda c: c.buy(2)}, slippage=0.01, fees=nt.Fees(fixed=1.0))
        assert fills(result) == [(10, 1, 2.0, 102.01)] and result.fills["fee"].tolist() == [1.0]

    def test_an_order_that_finds_its_size(self):
        result = run(depth(*BOOK, *LATER), {0: lambda c: c.buy()}, cash=700.0, size=nt.Size.all_in())
        assert fills(result)[0] == (10, 1, 4.0, 101.0), "sized at the first price: 6.93 units"
        assert result.fills["quantity"].sum() <= 700 / 101 and result.equity[-1] > 0
        assert result.orders["status"][0] == "cancelled" and result.orders["reason"][0] == "no_cash"


class TestLatency:
    def test_orders_arrive_late_and_meet_what_is_there_then(self):
        moved = [
            (10, 99.0, 5.0, 101.0, 4.0),
            (15, 99.0, 5.0, 103.0, 4.0),
            (20, 99.0, 5.0, 105.0, 4.0),
            (40, 99.0, 5.0, 107.0, 4.0),
        ]
        assert fills(run(quotes(*moved), {0: lambda c: c.buy(1)}, latency_ns=7)) == [(17, 1, 1.0, 103.0)]
        assert fills(run(quotes(*moved), {0: lambda c: c.buy(1)}, latency_ns=10)) == [(20, 1, 1.0, 105.0)]
        assert fills(run(quotes(*moved), {0: lambda c: c.buy(1)}, latency_ns=30)) == [], "it has not arrived"

    def test_what_happens_is_heard_later(self):
        """The strategy acts on the quote of 10 at 60; at the venue the price has moved at 50."""
        late = quotes(
            (10, 99.0, 5.0, 101.0, 4.0, 60), (50, 99.0, 5.0, 103.0, 4.0, 100), (90, 99.0, 5.0, 104.0, 4.0, 140)
        )
        result = run(late, {0: lambda c: c.buy(1)}, latency_ns=5)
        assert fills(result) == [(65, 1, 1.0, 103.0)]
        assert result.fills["bar"][0] == 2, "known when the first later event is heard"
        assert result.ts_ns.tolist() == [60, 100, 140]

    def test_cancels_take_as_long(self):
        prints = trades((12, 98.0, 1, -1), (25, 98.0, 1, -1), (60, 98.0, 9, -1))
        plan = {0: lambda c: c.buy(5, limit=98.5), 2: lambda c: c.cancel(1), 3: lambda c: (c.cancel(1), c.is_active(1))}
        result = run([quotes(*STILL), prints], plan, latency_ns=10)
        assert fills(result) == [(25, 1, 1.0, 98.5)], "between the cancel at 20 and its arrival at 30"
        assert said()[2] == 1 and said()[3] == (0, True), "one is on its way already"
        assert states(result) == ["cancelled"] and result.orders["filled"][0] == 1.0

    def test_cancel_all_counts_what_it_sends(self):
        plan = {0: lambda c: (c.buy(1, limit=90), c.sell(1, limit=110)), 1: lambda c: (c.cancel_all(), c.cancel_all())}
        result = run(quotes(*STILL), plan, latency_ns=3)
        assert said()[1] == (2, 0) and states(result) == ["cancelled", "cancelled"]

    def test_many_on_their_way_arrive_in_order(self):
        rows = [(10 * i, 99.0, 5.0, 101.0, 1.0 + i % 7) for i in range(1, 600)]
        result = run(quotes(*rows), {i: lambda c: c.buy(0.5) for i in range(500)}, latency_ns=505)
        assert result.fills["ts_ns"].tolist() == [10 * i + 515 for i in range(500)]
        assert result.fills["order_id"].tolist() == list(range(1, 501))

    def test_equal_times_come_first(self):
        """What arrives at 20 arrives after the quote of 20."""
        moved = [
            (10, 99.0, 5.0, 101.0, 4.0),
            (20, 99.0, 5.0, 105.0, 4.0),
            (20, 99.0, 5.0, 106.0, 4.0),
            (30, 99.0, 5.0, 107.0, 4.0),
        ]
        assert fills(run(quotes(*moved), {0: lambda c: c.buy(1)}, latency_ns=10)) == [(20, 1, 1.0, 106.0)]

    def test_heard_before_it_happens_is_refused(self):
        early = quotes((10, 99.0, 5.0, 101.0, 4.0, 10), (20, 99.0, 5.0, 101.0, 4.0, 19))
        with pytest.raises(
            nt.InputError, match=r"quotes of X row 1 is heard at 19, before it happens at 20.*with_latency"
        ):
            run(early, {})
        assert len(run(early.with_latency(1), {}).equity) == 2


class TestLimitOrders:
    def test_what_can_trade_on_arrival_takes_at_better_prices(self):
        result = run(depth(*BOOK, *LATER), {0: lambda c: c.buy(12, limit=103)})
        assert fills(result) == [(10, 1, 4.0, 101.0), (10, 1, 6.0, 102.0)]

    def test_the_far_side_reaches_it(self):
        near = [*STILL[:2], (30, 97.0, 5.0, 98.0, 1.5), (40, 97.0, 5.0, 98.0, 1.5)]
        assert fills(run(quotes(*near), {0: lambda c: c.buy(3, limit=98)})) == [(30, 1, 1.5, 98.0)]
        result = run(quotes(*near), {0: lambda c: c.buy(1, limit=98.5)})
        assert fills(result) == [(30, 1, 1.0, 98.5)], "its own price: it stood there first"

    def test_better_prices_first_then_earlier_orders(self):
        near = [*STILL[:2], (30, 97.0, 5.0, 98.0, 4.0), (40, 97.0, 5.0, 98.0, 4.0)]
        plan = {0: lambda c: [c.buy(2, limit=98), c.buy(2, limit=98.5), c.buy(2, limit=98)]}
        result = run(quotes(*near), plan)
        assert [(int(f["order_id"]), float(f["price"])) for f in result.fills] == [(2, 98.5), (1, 98.0)]

    def test_a_print_beyond_the_price_fills_up_to_its_size(self):
        prints = trades((25, 97.5, 2, -1), (35, 97.9, 9, 1))
        result = run([quotes(*STILL), prints], {0: lambda c: c.buy(3, limit=98)})
        assert fills(result) == [(25, 1, 2.0, 98.0), (35, 1, 1.0, 98.0)]

    def test_a_print_at_the_price_serves_the_line_first(self):
        prints = trades((22, 99.0, 3, -1), (24, 99.0, 9, 1), (26, 99.0, 3, -1), (28, 99.0, 1, 0))
        ahead: dict[int, float] = {}
        plan = {0: lambda c: c.buy(3, limit=99)} | {
            i: (lambda c: ahead.setdefault(c.i, c.queue_ahead(1))) for i in range(1, 7)
        }
        result = run([quotes(*STILL), prints], plan)
        assert fills(result) == [(26, 1, 1.0, 99.0), (28, 1, 1.0, 99.0)], (
            "5 ahead; buyers that came to take do not count"
        )
        assert [ahead[i] for i in range(1, 6)] == [5.0, 2.0, 2.0, 0.0, 0.0]

    def test_the_line_beyond_the_quote_is_not_known(self):
        ahead: list[float] = []
        away = [*STILL[:2], (30, 98.0, 6.0, 101.0, 4.0), (40, 97.0, 1.0, 101.0, 4.0), (50, 97.0, 1.0, 101.0, 4.0)]
        plan = {0: lambda c: c.buy(3, limit=98)} | {i: (lambda c: ahead.append(c.queue_ahead(1))) for i in range(1, 5)}
        run(quotes(*away), plan)
        assert ahead == [float("inf"), 6.0, 0.0, 0.0]

    def test_the_line_of_a_book(self):
        ahead: list[float] = []
        rows = [
            *BOOK,
            (20, 1, 98.0, 9.0),
            (30, 1, 98.0, 4.0),
            (40, 1, 98.0, 4.0),
            (50, 1, 98.0, 0.0),
            (60, 1, 90.0, 1.0),
        ]
        plan = {0: lambda c: c.buy(1, limit=98)} | {i: (lambda c: ahead.append(c.queue_ahead(1))) for i in range(1, 6)}
        run(depth(*rows), plan)
        assert ahead == [7.0, 4.0, 4.0, 0.0, 0.0], "nobody left before us until the level was smaller"

    def test_by_probability_some_of_those_who_left_were_ahead(self):
        rows = [*BOOK, (20, 1, 98.0, 14.0), (30, 1, 98.0, 10.0), (40, 1, 98.0, 2.0), (50, 1, 90.0, 1.0)]
        for model, expected in (
            (nt.QueueModel("probability"), [7.0, 5.0, 1.0, 1.0]),
            (nt.QueueModel("probability", exponent=0.0), [7.0, 5.0, 1.0, 1.0]),
            (nt.QueueModel("probability", share="log"), [7.0, 5.0, 1.0, 1.0]),
            (nt.QueueModel(), [7.0, 7.0, 2.0, 2.0]),
        ):
            ahead: list[float] = []
            plan = {0: lambda c: c.buy(1, limit=98)} | {
                i: (lambda c, to=ahead: to.append(c.queue_ahead(1))) for i in range(1, 5)
            }
            run(depth(*rows), plan, fill=nt.FillPolicy(queue=model))
            assert ahead == expected, model

    def test_prints_are_not_counted_again_as_cancels(self):
        rows = [*BOOK, (20, 1, 98.0, 10.0), (30, 1, 98.0, 6.0), (40, 1, 90.0, 1.0)]
        ahead: list[float] = []
        plan = {0: lambda c: c.buy(1, limit=98)} | {i: (lambda c: ahead.append(c.queue_ahead(1))) for i in range(1, 5)}
        run([depth(*rows), trades((25, 98.0, 4, -1))], plan, fill=nt.FillPolicy(queue="probability"))
        assert ahead == [7.0, 3.0, 3.0, 3.0]

    def test_a_new_price_or_more_loses_the_place(self):
        prints = trades((22, 99.0, 4, -1))
        for change, expected in (
            ({"quantity": 2}, 1.0),
            ({"quantity": 9}, 5.0),
            ({"limit": 99}, 1.0),
            ({"limit": 99, "quantity": 2}, 1.0),
            ({"limit": 99, "quantity": 9}, 5.0),
            ({"limit": 99.5}, 0.0),
        ):
            plan = {
                0: lambda c: c.buy(3, limit=99),
                2: lambda c, to=change: c.modify(1, **to),
                4: lambda c: c.queue_ahead(1),
            }
            run([quotes(*STILL), prints], plan)
            assert said()[2] == 1 and said()[4] == expected, change

    def test_a_change_may_come_too_late(self):
        prints = trades((22, 98.0, 9, -1))
        result = run(
            [quotes(*STILL), prints],
            {0: lambda c: c.buy(3, limit=99), 1: lambda c: c.modify(1, limit=98)},
            latency_ns=5,
        )
        assert fills(result) == [(22, 1, 3.0, 99.0)] and said()[1] == 1
        assert result.denials["reason"].tolist() == ["order_done"]


class TestImmediate:
    def test_all_or_nothing_of_sizes_beyond_the_range_together(self):
        book = [(10, 1, 0.001, 1.0), (10, -1, 0.002, 6e9), (10, -1, 0.003, 6e9), (20, 1, 0.0005, 1.0)]
        result = run(depth(*book), {0: lambda c: c.buy(7e9, tif="fok")}, cash=1e9)
        assert fills(result) == [(10, 1, 6e9, 0.002), (10, 1, 1e9, 0.003)]

    def test_ioc_takes_all_levels_and_ends(self):
        result = run(depth(*BOOK, *LATER), {0: lambda c: c.buy(20, tif="ioc")})
        assert result.fills["quantity"].sum() == 11 and states(result) == ["cancelled"]

    def test_fok_takes_all_or_nothing(self):
        for quantity, limit, taken in ((11, None, 11), (11.5, None, 0), (10, 102, 10), (10.5, 102, 0)):
            result = run(depth(*BOOK, *LATER), {0: lambda c, q=quantity, p=limit: c.buy(q, limit=p, tif="fok")})
            assert result.fills["quantity"].sum() == taken, (quantity, limit)
            assert states(result) == ["filled" if taken else "cancelled"]

    def test_fok_that_cash_does_not_cover_takes_nothing(self):
        """404 for the first level is there, 10 x 102 for both is not: it must be covered at the worst price."""
        result = run(depth(*BOOK, *LATER), {0: lambda c: c.buy(10, tif="fok")}, cash=1019.0)
        assert len(result.fills) == 0 and states(result) == ["cancelled"]
        both = run(depth(*BOOK, *LATER), {0: lambda c: c.buy(10, tif="fok")}, cash=1021.0)
        assert both.fills["quantity"].tolist() == [4, 6]
        paid = run(depth(*BOOK, *LATER), {0: lambda c: c.buy(10, tif="fok")}, cash=1030.0, fees=nt.Fees(fixed=8.0))
        assert len(paid.fills) == 0, "two fills pay the fixed fee twice"

    def test_fok_that_finds_its_size(self):
        result = run(depth(*BOOK, *LATER), {0: lambda c: c.buy(tif="fok")}, cash=700.0)
        assert states(result) == ["filled"] and result.fills["price"].tolist() == [101.0, 102.0]
        assert result.fills["quantity"].sum() == pytest.approx(700 / 102, abs=1e-5)

    def test_stop_with_ioc_looks_once(self):
        assert states(run(quotes(*STILL), {0: lambda c: c.buy(1, stop=105, tif="ioc")})) == ["cancelled"]


class TestTimes:
    def test_day_and_gtd_end(self):
        rows = [
            (DAY - 20, 99.0, 5.0, 101.0, 4.0),
            (DAY - 10, 99.0, 5.0, 101.0, 4.0),
            (DAY, 90.0, 5.0, 91.0, 4.0),
            (DAY + 10, 90.0, 5.0, 91.0, 4.0),
        ]
        result = run(quotes(*rows), {0: lambda c: [c.buy(1, limit=95, tif="day"),
                                                   c.buy(1, limit=95, tif="gtd", good_till=DAY - 1),
                                                   c.buy(1, limit=95, tif="gtd", good_till=DAY)]})  # fmt: skip
        assert states(result) == ["expired", "expired", "filled"]

    def test_gtd_that_ends_on_its_way(self):
        result = run(quotes(*STILL), {0: lambda c: c.buy(1, tif="gtd", good_till=15)}, latency_ns=10)
        assert states(result) == ["expired"] and len(result.fills) == 0

    def test_open_and_close_of_a_bar_are_refused(self):
        run(quotes(*STILL), {0: lambda c: c.buy(1, at="close")})
        assert said()[0] == nt.Denial.CONFLICT


class TestStops:
    FALL = (
        (10, 99.0, 5.0, 101.0, 4.0),
        (20, 98.0, 5.0, 100.0, 4.0),
        (30, 96.0, 3.0, 98.0, 4.0),
        (40, 95.0, 5.0, 97.0, 4.0),
    )

    def test_the_quote_triggers(self):
        result = run(quotes(*self.FALL), {0: lambda c: c.sell(4, stop=97)})
        assert fills(result) == [(30, -1, 3.0, 96.0), (40, -1, 1.0, 95.0)], (
            "what is left of it does not wait for the stop again"
        )

    def test_the_last_print_triggers(self):
        prints = trades((15, 96.5, 1, -1))
        policy = nt.FillPolicy(stop_trigger="last")
        assert fills(run([quotes(*self.FALL), prints], {0: lambda c: c.sell(4, stop=97)}, fill=policy)) == [
            (15, -1, 4.0, 99.0)
        ]
        assert fills(run(quotes(*self.FALL), {0: lambda c: c.sell(4, stop=97)}, fill=policy)) == [], (
            "no print, no trigger"
        )

    def test_the_print_that_triggers_has_traded(self):
        """Of prints alone a stop gets the next one, a stop-limit one beyond its limit."""
        prints = trades(*((10 * k, price, 5.0, 0) for k, price in enumerate((100.0, 99.0, 98.0, 97.0), 1)))
        assert fills(run(prints, {0: lambda c: c.sell(2, stop=99.5)})) == [(30, -1, 2.0, 98.0)]
        assert fills(run(prints, {0: lambda c: c.sell(2, stop=99.5, limit=97.5)})) == [(30, -1, 2.0, 97.5)]

    def test_stop_limit_becomes_a_limit(self):
        result = run(quotes(*self.FALL), {0: lambda c: c.sell(4, stop=97, limit=96.5)})
        assert fills(result) == [] and states(result) == ["submitted"]
        result = run(quotes(*self.FALL), {0: lambda c: c.sell(4, stop=97, limit=95.5)})
        assert fills(result) == [(30, -1, 3.0, 96.0)]

    def test_one_beyond_its_price_on_arrival_fires(self):
        assert fills(run(quotes(*self.FALL), {0: lambda c: c.sell(1, stop=99.5)})) == [(10, -1, 1.0, 99.0)]

    def test_trailing_follows_the_bid(self):
        rows = [
            (10, 99.0, 5.0, 101.0, 4.0),
            (20, 105.0, 5.0, 106.0, 4.0),
            (30, 103.5, 5.0, 106.0, 4.0),
            (40, 103.0, 9.0, 106.0, 4.0),
        ]
        result = run(quotes(*rows), {0: lambda c: c.trailing_stop(2, trail=2, side=-1)})
        assert fills(result) == [(40, -1, 2.0, 103.0)]
        assert result.orders["stop_price"][0] == 103.0

    def test_trailing_needs_a_price(self):
        empty = [(10, NAN, 0.0, NAN, 0.0), (20, 99.0, 1.0, 101.0, 1.0)]
        run(quotes(*empty), {0: lambda c: c.trailing_stop(2, trail=2, side=-1)})
        assert said()[0] == nt.Denial.NO_REFERENCE


class TestFamilies:
    def test_stop_loss_fires_and_ends_the_profit(self):
        rows = [*STILL[:2], (30, 94.0, 1.0, 96.0, 4.0), (40, 93.0, 9.0, 95.0, 4.0)]
        result = run(quotes(*rows), {0: lambda c: c.buy(3, stop_loss=95, take_profit=110)})
        assert fills(result) == [(10, 1, 3.0, 101.0), (30, -1, 1.0, 94.0), (40, -1, 2.0, 93.0)]
        assert states(result) == ["filled", "filled", "cancelled"]
        assert result.orders["role"].tolist() == ["entry", "stop_loss", "take_profit"]

    def test_profit_rests_in_the_line(self):
        prints = trades((25, 101.0, 3, 1), (35, 101.0, 3, 1))
        result = run(
            [quotes(*STILL), prints],
            {0: lambda c: c.buy(2, stop_loss=90, take_profit=102), 1: lambda c: c.modify(3, limit=101)},
        )
        assert fills(result)[1:] == [(35, -1, 2.0, 101.0)], "4 stand there: 3 are served by the first print"
        assert states(result) == ["filled", "cancelled", "filled"]

    def test_children_grow_with_the_entry(self):
        rows = [*STILL[:2], (30, 99.0, 5.0, 101.0, 3.0), (40, 80.0, 50.0, 90.0, 4.0), (50, 80.0, 50.0, 90.0, 4.0)]
        result = run(quotes(*rows), {0: lambda c: c.buy(6, stop_loss_rate=0.05)})
        assert fills(result) == [(10, 1, 4.0, 101.0), (30, 1, 2.0, 101.0), (40, -1, 6.0, 80.0)]

    def test_a_stop_beyond_the_market_fires_at_once(self):
        moved = [(10, 99.0, 5.0, 101.0, 4.0), (15, 90.0, 5.0, 91.0, 4.0), (40, 90.0, 5.0, 91.0, 4.0)]
        result = run(quotes(*moved), {0: lambda c: c.buy(2, stop_loss=95)}, latency_ns=8)
        assert fills(result) == [(18, 1, 2.0, 91.0), (18, -1, 2.0, 90.0)]

    def test_oco(self):
        rows = [*STILL[:2], (30, 96.0, 1.0, 97.0, 4.0), (40, 96.0, 1.0, 97.0, 9.0)]
        plan = {0: lambda c: c.oco(c.buy(2, limit=97), c.sell(2, limit=105))}
        result = run(quotes(*rows), plan)
        assert said()[0] == 1 and states(result) == ["filled", "cancelled"]

    def test_an_order_that_expires_ends_its_partner(self):
        late = {"tif": "gtd", "good_till": 25}
        plan = {
            0: lambda c: c.oco(c.buy(2, limit=90, **late), c.sell(2, limit=115)),
            1: lambda c: [c.buy(1, limit=91, **late), c.buy(1, limit=92, tif="gtd", good_till=35)],
        }
        assert states(run(quotes(*STILL), plan)) == ["expired", "cancelled", "expired", "expired"]

    def test_never_over_exits(self):
        rows = [*STILL[:2], (30, 90.0, 50.0, 91.0, 4.0), (40, 90.0, 50.0, 91.0, 9.0)]
        plan = {0: lambda c: c.buy(2, stop_loss=95), 1: lambda c: [c.trailing_stop(trail=2), c.close_position()]}
        result = run(quotes(*rows), plan)
        assert result.fills["quantity"][result.fills["side"] < 0].sum() == 2
