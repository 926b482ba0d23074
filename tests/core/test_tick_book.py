"""The book over ticks: stale levels, snapshots, levels by rank, levels that come and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import neuraltrade as nt

NAN = float("nan")
BOOK = [(10, 1, 99.0, 5.0), (10, 1, 98.0, 7.0), (10, -1, 101.0, 4.0), (10, -1, 102.0, 6.0), (10, -1, 104.0, 1.0)]
LATER = [(20, 1, 90.0, 1.0), (30, 1, 90.0, 2.0), (40, 1, 90.0, 1.0)]


def depth(*rows: tuple) -> nt.Depth:
    """Rows (ts, side, price, quantity)."""
    return nt.Depth("X", *zip(*rows, strict=True))


def run(data: nt.Depth, plan: dict[int, Callable[[Any], Any]]) -> nt.Result:
    """Call plan[i](ctx) at event i."""

    class Planned(nt.Strategy):
        def on_depth(self, ctx: Any) -> None:
            if ctx.i in plan:
                plan[ctx.i](ctx)

    return nt.backtest(data, Planned, cash=1e6)


def fills(result: nt.Result) -> list[tuple]:
    return [(int(f["ts_ns"]), int(f["side"]), float(f["quantity"]), float(f["price"])) for f in result.fills]


class TestBook:
    def test_stale_levels_go(self):
        """A bid at 101.5 says that the ask at 101 is gone."""
        rows = [*BOOK, (20, 1, 101.5, 2.0), (30, 1, 90.0, 1.0)]
        seen: list[tuple] = []
        run(depth(*rows), {1: lambda c: seen.append((c.depth_price(1), c.depth_price(-1), c.bid, c.ask, c.bid_size))})
        assert seen == [(101.5, 102.0, 101.5, 102.0, 2.0)]

    def test_a_message_may_cross_on_its_way(self):
        rows = [*BOOK, (20, 1, 101.0, 2.0), (20, -1, 101.0, 0.0), (30, 1, 90.0, 1.0)]
        seen: list[tuple] = []
        run(depth(*rows), {1: lambda c: seen.append((c.bid, c.ask))})
        assert seen == [(101.0, 102.0)]

    def test_a_snapshot_begins_with_nothing(self):
        rows = [*BOOK, (20, 0, 0.0, 0.0), (20, 1, 97.0, 1.0), (30, 0, NAN, NAN), (40, -1, 120.0, 3.0)]
        seen: list[tuple] = []
        look = lambda c: seen.append((c.depth_price(1), c.depth_price(-1), c.depth_size(1), c.mid))  # noqa: E731
        run(depth(*rows), {1: look, 2: look, 3: look})
        assert [tuple("nan" if np.isnan(x) else x for x in row) for row in seen] == [
            (97.0, "nan", 1.0, "nan"), ("nan", "nan", 0.0, "nan"), ("nan", 120.0, 0.0, "nan")]  # fmt: skip

    def test_a_snapshot_gives_nothing_back(self):
        """What we took is gone until another size is shown, in the message that clears the book or a later one."""
        again = [(20, 0, 0.0, 0.0), (20, 0, 0.0, 0.0), (20, -1, 101.0, 4.0), (25, -1, 102.0, 7.0)]
        rows = [*BOOK, *again, *((t + 20, *rest) for t, *rest in again), (60, -1, 101.0, 5.0), (70, 1, 90.0, 1.0)]
        result = run(depth(*rows), {0: lambda c: c.buy(6), 1: lambda c: c.buy(1), 3: lambda c: c.buy(9)})
        assert fills(result) == [
            (10, 1, 4.0, 101.0), (10, 1, 2.0, 102.0),  # 4 of 6 left at 102, where 7 is another size
            (25, 1, 1.0, 102.0),
            (45, 1, 6.0, 102.0), (60, 1, 3.0, 101.0)]  # fmt: skip

    def test_levels_by_rank(self):
        seen: list[Any] = []

        def look(c: Any) -> None:
            seen.extend([c.depth_price(-1, 1), c.depth_size(-1, 1), c.depth_size(1, 1)])
            seen.extend([c.depth_price(1, 2), c.depth_size(1, 2), c.depth_price(0), c.depth_price(1, -1)])

        run(depth(*BOOK, *LATER), {0: look})
        assert seen[:3] == [102.0, 6.0, 7.0] and seen[4] == 0.0
        assert np.isnan([seen[3], seen[5], seen[6]]).all()

    def test_deep_books_agree_with_a_dict(self):
        rng = np.random.default_rng(5)
        count = 4000
        side = rng.choice([1, -1], count)
        price = np.round(100 - side * rng.integers(1, 900, count) * 0.1, 1)
        quantity = np.where(rng.random(count) < 0.3, 0.0, np.round(rng.random(count) * 9 + 0.001, 3))
        book: dict[int, dict[float, float]] = {1: {}, -1: {}}
        wrong: list[int] = []

        def look(ctx: Any) -> None:
            at = ctx.i
            book[int(side[at])].pop(float(price[at]), None)
            if quantity[at]:
                book[int(side[at])][float(price[at])] = float(quantity[at])
            for s in (1, -1):
                levels = sorted(book[s].items(), reverse=s > 0)
                found = [(ctx.depth_price(s, k), ctx.depth_size(s, k)) for k in range(len(levels))]
                if found != levels or ctx.depth_size(s, len(levels)) != 0:
                    wrong.append(at)

        class Look(nt.Strategy):
            def on_depth(self, ctx: Any) -> None:
                if ctx.i % 37 == 0 or ctx.i < 40:
                    look(ctx)
                else:
                    book[int(side[ctx.i])].pop(float(price[ctx.i]), None)
                    if quantity[ctx.i]:
                        book[int(side[ctx.i])][float(price[ctx.i])] = float(quantity[ctx.i])

        nt.backtest(nt.Depth("X", np.arange(count), side, price, quantity), Look)
        assert wrong == [] and len(book[1]) > 200

    def test_prices_that_never_come_back_are_forgotten(self):
        """10,000 levels come and go behind a best that stays: what is left is right, and walking it is quick."""
        count = 10_000
        price = np.r_[100.0, np.repeat(90 - np.arange(count) * 0.001, 2), 95.0]
        quantity = np.r_[1.0, np.tile([2.0, 0.0], count), 3.0]
        seen: list[tuple] = []
        look = {len(price) - 1: lambda c: seen.extend((c.depth_price(1, k), c.depth_size(1, k)) for k in range(3))}
        result = run(nt.Depth("X", np.arange(len(price)), np.ones(len(price)), price, quantity), look)
        assert seen[:2] == [(100.0, 1.0), (95.0, 3.0)] and np.isnan(seen[2][0]) and len(result.equity) == len(price)

    def test_a_level_that_comes_back_is_whole_again(self):
        rows = [*BOOK, (20, -1, 101.0, 0.0), (30, -1, 101.0, 4.0), (40, 1, 90.0, 1.0)]
        plan = {0: lambda c: c.buy(4, tif="ioc"), 2: lambda c: c.buy(4, tif="ioc")}
        assert fills(run(depth(*rows), plan)) == [(10, 1, 4.0, 101.0), (30, 1, 4.0, 101.0)]
