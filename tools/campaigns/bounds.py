"""The truth check of `bounds=True`: bars made from a path of ticks, and what the same orders really came to on it.

The truth is found by walking the ticks one by one, with rules written here alone. A case is a series of trades over one
path: an entry (market, limit or stop) with a stop-loss, a take-profit or both, or exits that are joined, held for some
bars and closed at market; fees are paid. The path moves by one at most from tick to tick, and a bar opens where the one
before it closed: docs/reliability.md says what holds beyond that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import neuraltrade as nt

from campaigns import Failure, Outcome

VERSION = 1
UNIT = "paths"
CHUNK = 20
CI_COUNT, FULL_COUNT = 100, 1_000
BARS = 60
CASH = 100_000
NS_MINUTE = 60 * 10**9


@dataclass
class Trade:
    """Prices are whole; 0 = none. Decided after the close of bar `bar`, closed after that of `until`. Exits are a
    bracket, or two joined orders that are placed a bar later."""

    bar: int
    until: int
    side: int
    quantity: int
    limit: int
    stop: int
    stop_loss: int
    take_profit: int
    is_joined: bool


@dataclass
class Case:
    number: int
    ticks: list[np.ndarray]  # by bar
    trades: list[Trade]
    limit_fill: str
    fee_permille: int

    def bars(self) -> nt.Bars:
        columns = [[ticks[0], ticks.max(), ticks.min(), ticks[-1]] for ticks in self.ticks]
        prices = np.array(columns, dtype=float).T
        ts_ns = np.arange(1, len(self.ticks) + 1, dtype=np.int64) * NS_MINUTE
        return nt.Bars("A", ts_ns, *prices, np.full(len(self.ticks), 1e6))


def random_case(seed: int, number: int) -> Case:
    rng = np.random.default_rng([seed, 3, number])
    counts = rng.integers(3, 60, BARS)
    ends = np.cumsum(counts)
    steps = rng.integers(-1, 2, ends[-1])
    steps[ends[:-1]] = 0  # a bar opens where the one before it closed
    ticks = np.split(500 + np.cumsum(steps), ends[:-1])
    trades, bar = [], 1
    while bar < BARS - 8:
        until = bar + int(rng.integers(2, 7))
        trades.append(random_trade(rng, bar, until, int(ticks[bar][-1])))
        bar = until + 1 + int(rng.integers(1, 3))
    return Case(number, ticks, trades, ("touch", "penetrate")[int(rng.integers(2))], int(rng.integers(2)))


def random_trade(rng: np.random.Generator, bar: int, until: int, close: int) -> Trade:
    side = 1 if rng.random() < 0.5 else -1
    kind, away = int(rng.integers(3)), int(rng.integers(0, 5))
    limit = close - side * away if kind == 1 else 0
    stop = close + side * away if kind == 2 else 0
    base = limit or stop or close
    loss = base - side * int(rng.integers(1, 9)) if rng.random() < 0.85 else 0
    profit = base + side * int(rng.integers(1, 9)) if rng.random() < 0.85 else 0
    is_joined = kind == 0 and loss != 0 and profit != 0 and rng.random() < 0.5
    return Trade(bar, until, side, int(rng.integers(1, 30)), limit, stop, loss, profit, is_joined)


class Script(nt.Strategy):
    """Makes the calls of a case."""

    def init(self, data):
        self.trades = {}

    def on_bar(self, ctx):
        for trade in SCRIPTS[self.number]:
            enter, leave = (ctx.buy, ctx.sell) if trade.side > 0 else (ctx.sell, ctx.buy)
            if trade.bar == ctx.i:
                names = ("limit", "stop") if trade.is_joined else ("limit", "stop", "stop_loss", "take_profit")
                enter(trade.quantity, **{name: getattr(trade, name) or None for name in names})
            if trade.is_joined and trade.bar + 1 == ctx.i:
                ctx.oco(leave(trade.quantity, stop=trade.stop_loss), leave(trade.quantity, limit=trade.take_profit))
            if trade.until == ctx.i:
                ctx.cancel_all()
                ctx.close_position()

    number: int = 0


SCRIPTS: dict[int, list[Trade]] = {}


# ---- the truth


class Walk:
    """One trade, tick by tick."""

    def __init__(self, trade: Trade, limit_fill: str) -> None:
        self.trade, self.through = trade, int(limit_fill == "penetrate")
        self.entry: int | None = None
        self.exit: int | None = None

    def tick(self, bar: int, price: int, is_open: bool) -> None:
        if self.exit is None and self.entry is None:
            self.enter(price, is_open)
        if self.exit is None and self.entry is not None and bar > self.trade.bar + self.trade.is_joined:
            self.leave(price, is_open)

    def enter(self, price: int, is_open: bool) -> None:
        trade, side = self.trade, self.trade.side
        if not (trade.limit or trade.stop):
            if is_open:
                self.entry = price
            return
        if trade.stop and side * (price - trade.stop) >= 0:
            self.entry = price
        if trade.limit and side * (trade.limit - price) >= self.through:
            self.entry = price if is_open else trade.limit

    def leave(self, price: int, is_open: bool) -> None:
        trade, side = self.trade, self.trade.side
        if trade.stop_loss and side * (trade.stop_loss - price) >= 0:
            self.exit = price
        elif trade.take_profit and side * (price - trade.take_profit) >= self.through:
            self.exit = price if is_open else trade.take_profit


def true_profit(case: Case) -> float:
    """In whole thousandths until the end."""
    total = 0
    for trade in case.trades:
        walk = Walk(trade, case.limit_fill)
        for bar in range(trade.bar + 1, trade.until + 1):
            for index, price in enumerate(case.ticks[bar].tolist()):
                walk.tick(bar, price, index == 0)
        if walk.entry is not None:
            leaves = walk.exit if walk.exit is not None else int(case.ticks[trade.until + 1][0])
            total += trade.quantity * (
                1000 * trade.side * (leaves - walk.entry) - case.fee_permille * (leaves + walk.entry)
            )
    return total / 1000


# ---- the campaign


def judge(case: Case) -> tuple[float, float, float, int]:
    """Worst and best profit as the engine tells them, the true one, and how many bars were ambiguous."""
    SCRIPTS[case.number] = case.trades
    policy = nt.FillPolicy(limit_fill=case.limit_fill)
    settings = {"cash": CASH, "fees": case.fee_permille / 1000, "account": nt.Account(leverage=100.0)}
    result = nt.backtest(case.bars(), Script, fill=policy, bounds=True, params={"number": case.number}, **settings)
    del SCRIPTS[case.number]
    worst, best = (float(each.equity[-1]) - CASH for each in result.bounds)
    return worst, best, true_profit(case), int(result.stats["ambiguous_bars"])


def run_chunk(seed: int, index: int) -> Outcome:
    failures = []
    tallies = dict.fromkeys(("trades", "ambiguous", "open", "at_an_end"), 0)
    for number in range(index * CHUNK, (index + 1) * CHUNK):
        case = random_case(seed, number)
        worst, best, truth, ambiguous = judge(case)
        if not worst - 1e-6 <= truth <= best + 1e-6:
            failures.append(Failure(number, f"the truth is {truth:g}, the bounds are {worst:g} .. {best:g}"))
        tallies["trades"] += len(case.trades)
        tallies["ambiguous"] += ambiguous
        tallies["open"] += worst < best
        tallies["at_an_end"] += worst < best and min(truth - worst, best - truth) < 1e-6
    return Outcome(CHUNK, tallies, failures)


def reproduce(seed: int, number: int) -> str:
    """The case, its trades one by one where it fails."""
    case = random_case(seed, number)
    worst, best, truth, _ = judge(case)
    holds = worst - 1e-6 <= truth <= best + 1e-6
    told = "it holds" if holds else "WRONG"
    lines = [f"path {number} of seed {seed}: worst {worst:g}, true {truth:g}, best {best:g}: {told}"]
    for trade in case.trades:
        one = Case(number, case.ticks, [trade], case.limit_fill, case.fee_permille)
        low, high, middle, _ = judge(one)
        if low - 1e-6 <= middle <= high + 1e-6 and not holds:
            continue
        lines.append(f"  {trade}: worst {low:g}, true {middle:g}, best {high:g}, limits {case.limit_fill}")
        for bar in range(trade.bar, trade.until + 2) if not holds else ():
            lines.append(f"    bar {bar}: {case.ticks[bar].tolist()}")
    return "\n".join(lines)


def check_inputs_vary(tallies: dict[str, int], cases: int) -> str:
    if tallies["open"] * 2 < cases or tallies["ambiguous"] < cases:
        return "too few bounds lie apart"
    return ""
