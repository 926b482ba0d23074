"""Pictures of fills over ticks: the far side of the quote with its size, and the line at a price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import neuraltrade as nt

from draw import FOOT, HEAD, LINE, PLOT, compose, text

SECOND_NS = 1_000_000_000
LEFT, RIGHT, STEP = 64, 30, 52


def at(*seconds: float) -> list[int]:
    return [int(second * SECOND_NS) for second in seconds]


# One second apart: what the best bid and ask were, and how much stood there.
QUOTES = nt.Quotes("X", at(1, 2, 3, 4, 5), [99, 99, 99.5, 100, 100], [5] * 5, [101, 100.5, 100.5, 101, 101.5],
                   [8, 4, 3, 6, 6])  # fmt: skip
# The level of the bid at 99 after each second, and what was printed there.
SHOWN = (20, 25, 13, 4, 0)
PRINTED = (0, 5, 0, 9, 14)
DEPTH = nt.Depth("X", at(1, 1, 2, 3, 4, 5), [1, -1, 1, 1, 1, 1], [99, 101, 99, 99, 99, 99], [20, 20, 25, 13, 4, 0])
PRINTS = nt.Trades("X", at(2, 4, 5), [99, 99, 99], [5, 9, 14], [-1, -1, -1])


class Once(nt.Strategy):
    """One order at the first event that it hears of."""

    def on_quote(self, ctx):
        if ctx.i == 0:
            self.order(ctx)

    def on_depth(self, ctx):
        if ctx.i == 0:
            self.order(ctx)


def once(order: Callable) -> type[nt.Strategy]:
    return type("Once", (Once,), {"order": staticmethod(order)})


@dataclass(frozen=True)
class TickScene:
    """One panel; `run` is the engine's own account."""

    label: str
    order: Callable
    queue: str = ""

    def run(self) -> nt.Result:
        if self.queue:
            ticks, policy = nt.Ticks([PRINTS, DEPTH]), nt.FillPolicy(queue=self.queue)
        else:
            ticks, policy = nt.Ticks([QUOTES]), nt.FillPolicy()
        return nt.backtest(ticks, once(self.order), fill=policy)


@dataclass(frozen=True)
class TickPicture:
    """A file of docs/pictures."""

    name: str
    title: str
    description: str
    scenes: tuple[TickScene, ...]


def outcome(result: nt.Result) -> list[str]:
    """A line for each fill."""
    lines = []
    for fill in result.fills:
        side = "buy" if fill["side"] > 0 else "sell"
        lines.append(f"{fill['ts_ns'] // SECOND_NS} s: {side} {fill['quantity']:g} at {fill['price']:g}")
    return lines


def picture_svg(picture: TickPicture) -> str:
    results = [scene.run() for scene in picture.scenes]
    told = (
        f"{scene.label}: {'; '.join(outcome(result)) or 'nothing is filled'}."
        for scene, result in zip(picture.scenes, results, strict=True)
    )

    def drawn(scene: TickScene, result: nt.Result) -> Callable[[float, float], list[str]]:
        return lambda left, top: panel(scene, result, left, top)

    return compose(
        picture.title,
        " ".join([picture.description, *told]),
        [drawn(scene, result) for scene, result in zip(picture.scenes, results, strict=True)],
        wide=LEFT + STEP * 5 + RIGHT,
        high=HEAD + PLOT + FOOT + LINE * max(len(outcome(result)) for result in results) + 8,
        columns=2,
    )


def panel(scene: TickScene, result: nt.Result, left: float, top: float) -> list[str]:
    parts = [text(left + 10, top + 18, scene.label, "code")]
    parts += line_at_a_price(result, left, top) if scene.queue else quotes(result, left, top)
    for second in range(5):
        x, y = left + LEFT + STEP * (second + 0.5), top + HEAD + PLOT + 14
        parts.append(text(x, y, f"{second + 1} s", "muted", "middle"))
    for i, line in enumerate(outcome(result)):
        parts.append(text(left + 10, top + HEAD + PLOT + FOOT + LINE * (i + 1) - 2, line))
    return parts


def quotes(result: nt.Result, left: float, top: float) -> list[str]:
    """Bid and ask as steps, the size of each ask beside it, a triangle at each fill."""
    low, high = 98.6, 101.9

    def y(price: float) -> float:
        return top + HEAD + PLOT * (high - price) / (high - low)

    parts = []
    for name, prices in (("bid", QUOTES.bid), ("ask", QUOTES.ask)):
        points = []
        for second, price in enumerate(prices):
            points += [f"{left + LEFT + STEP * (second + side):.1f},{y(price):.1f}" for side in (0, 1)]
        line = " ".join(points)
        parts.append(f'<polyline class="bar" fill="none" points="{line}"/>')
        parts.append(text(left + LEFT - 6, y(prices[0]) + 4, name, "", "end"))
    for second, (price, size) in enumerate(zip(QUOTES.ask, QUOTES.ask_size, strict=True)):
        parts.append(text(left + LEFT + STEP * (second + 0.5), y(price) - 6, f"{size:g}", "muted", "middle"))
    for fill in result.fills:
        x = left + LEFT + STEP * (fill["ts_ns"] / SECOND_NS - 0.5)
        height = y(fill["price"])
        parts.append(f'<path class="buy" d="M{x:.1f} {height:.1f}l-5 9h10z"/>')
        parts.append(text(x, height + 21, f"{fill['quantity']:g}", "buy", "middle"))
    return parts


def line_at_a_price(result: nt.Result, left: float, top: float) -> list[str]:
    """What stood at 99 after each second, what was printed there, and what of it was ours."""
    bottom, unit = top + HEAD + PLOT, (PLOT - 34) / max(SHOWN)
    parts = [text(left + LEFT - 6, bottom - unit * SHOWN[0] + 4, "bid at 99", "", "end")]
    for second, (shown, printed) in enumerate(zip(SHOWN, PRINTED, strict=True)):
        x = left + LEFT + STEP * (second + 0.5)
        tall = unit * shown
        parts.append(f'<rect class="down" x="{x - 13:.1f}" y="{bottom - tall:.1f}" width="26" height="{tall:.1f}"/>')
        parts.append(text(x, bottom - tall - 5, f"{shown}", "muted", "middle"))
        if printed:
            parts.append(text(x, bottom - unit * shown - 18, f"print {printed}", "levelname", "middle"))
    for fill in result.fills:
        x = left + LEFT + STEP * (fill["ts_ns"] / SECOND_NS - 0.5)
        second = int(fill["ts_ns"] // SECOND_NS) - 1
        above = bottom - unit * SHOWN[second] - 32
        parts.append(f'<path class="buy" d="M{x - 16:.1f} {above - 9:.1f}l-5 9h10z"/>')
        parts.append(text(x - 7, above, f"we {fill['quantity']:g}", "buy"))
    return parts


PICTURES = (
    TickPicture(
        "tick_fills",
        "over quotes: the far side, and what stands there",
        "Best bid and ask over five seconds, with the size of each ask. An order to buy 10 is asked at the first "
        "quote: a market order takes what each ask offers until it is full; a limit order at 100.5 only what is "
        "offered there.",
        (
            TickScene("ctx.buy(10)", lambda ctx: ctx.buy(10)),
            TickScene("ctx.buy(10, limit=100.5)", lambda ctx: ctx.buy(10, limit=100.5)),
        ),
    ),
    TickPicture(
        "queue",
        "queue: where a resting order stands in the line at its price",
        "A limit order to buy 10 joins a bid of 20 at 99. Five are printed and ten join behind; twelve leave without a "
        "print; then prints of 9 and 14. Whether those who left stood before us decides when we are filled.",
        (
            TickScene('queue="behind"', lambda ctx: ctx.buy(10, limit=99), queue="behind"),
            TickScene('queue="probability"', lambda ctx: ctx.buy(10, limit=99), queue="probability"),
        ),
    ),
)
