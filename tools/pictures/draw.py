"""Panels of candles, order levels and fills as SVG text: the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

import neuraltrade as nt

from scenes import Ohlc, Picture, Scene

LEFT, RIGHT, STEP = 98, 114, 30  # gutters for labels, width of a bar
HEAD, PLOT, FOOT, LINE = 30, 150, 22, 14
GAP, MARGIN, TITLE = 14, 12, 30
STYLE = """
  text { font: 11px ui-sans-serif, system-ui, sans-serif; fill: #3b4252 }
  .title { font-size: 14px; font-weight: 600; fill: #1d2430 }
  .code { font: 600 11px ui-monospace, monospace; fill: #1d2430 }
  .back { fill: #ffffff } .panel { fill: #f6f7f9; stroke: #d5dae2 } .bar { stroke: #596273; stroke-width: 1.4 }
  .up { fill: #f6f7f9; stroke: #596273 } .down { fill: #8d96a6; stroke: #596273 }
  .muted { fill: #6b7485; font-size: 10px }
  .level { stroke: #96700a; stroke-dasharray: 4 3; stroke-width: 1.3; fill: none } .levelname { fill: #80600a }
  .lead { stroke-width: 1; stroke-dasharray: 1 3 } .way { fill: none; stroke: #7a5cc4; stroke-width: 1.6 }
  .asked { stroke: #6b7485; stroke-width: 1; stroke-dasharray: 2 3 }
  .buy { fill: #0b7a5c; stroke: #0b7a5c } .sell { fill: #c2402a; stroke: #c2402a } text.buy, text.sell { stroke: none }
  .end { stroke: #96700a; stroke-width: 1.6 }
  @media (prefers-color-scheme: dark) {
    text { fill: #c3cad6 } .title, .code { fill: #edf0f5 } .back { fill: #12161d }
    .panel { fill: #1a202a; stroke: #343d4b }
    .bar { stroke: #a3adbd } .up { fill: #1a202a; stroke: #a3adbd } .down { fill: #6b7688; stroke: #a3adbd }
    .muted { fill: #96a0b1 } .level, .end { stroke: #d9a93a } .levelname { fill: #d9a93a } .way { stroke: #a993e6 }
    .asked { stroke: #96a0b1 } .buy { fill: #41c79c; stroke: #41c79c } .sell { fill: #f08a76; stroke: #f08a76 }
  }
"""
ROLES = {"stop_loss": "stop loss", "take_profit": "profit", "trail": "trail"}


@dataclass
class Scale:
    """Where a bar and a price stand in one panel."""

    low: float
    high: float
    left: float
    top: float

    def x(self, bar: float) -> float:
        return self.left + LEFT + STEP * (bar + 0.5)

    def y(self, price: float) -> float:
        return self.top + HEAD + PLOT * (self.high - price) / (self.high - self.low)


@dataclass(frozen=True)
class Level:
    """A price at which an order waits, from the bar that follows its making to the one that ends it."""

    name: str
    steps: tuple[tuple[int, float], ...]  # (bar, price) while it worked
    cancelled: bool


def picture_svg(picture: Picture) -> str:
    """The whole file."""
    results = [scene.run() for scene in picture.scenes]
    shown = [price for scene, result in zip(picture.scenes, results, strict=True) for price in prices(scene, result)]
    edge = 0.08 * (max(shown) - min(shown))

    def drawn(scene: Scene, result: nt.Result) -> Callable[[float, float], list[str]]:
        return lambda left, top: panel(scene, result, Scale(min(shown) - edge, max(shown) + edge, left, top))

    return compose(
        picture.title,
        describe(picture, results),
        [drawn(scene, result) for scene, result in zip(picture.scenes, results, strict=True)],
        wide=max(panel_width(scene) for scene in picture.scenes),
        high=HEAD + PLOT + FOOT + LINE * max(len(outcome(result)) for result in results) + 8,
        columns=min(picture.columns, len(picture.scenes)),
    )


def compose(
    title: str,
    description: str,
    panels: Sequence[Callable[[float, float], list[str]]],
    wide: int,
    high: int,
    columns: int,
) -> str:
    """A file of panels in rows; each draws itself at the left and top it is given."""
    rows = -(-len(panels) // columns)
    width = 2 * MARGIN + columns * wide + (columns - 1) * GAP
    height = TITLE + rows * high + (rows - 1) * GAP + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="desc">{escape(description)}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="back" width="{width}" height="{height}"/>',
        f'<text class="title" x="{MARGIN}" y="20">{escape(title)}</text>',
    ]
    for i, draw_at in enumerate(panels):
        left = MARGIN + (i % columns) * (wide + GAP)
        top = TITLE + (i // columns) * (high + GAP)
        parts.append(f'<rect class="panel" x="{left}" y="{top}" width="{wide}" height="{high}" rx="5"/>')
        parts += draw_at(left, top)
    return "\n".join([*parts, "</svg>", ""])


def panel_width(scene: Scene) -> int:
    return LEFT + STEP * len(scene.rows) + RIGHT


def describe(picture: Picture, results: Sequence[nt.Result]) -> str:
    """The description, and in words what each panel shows."""
    shown = (
        f"{scene.label}: {'; '.join(outcome(result)) or 'nothing is filled'}."
        for scene, result in zip(picture.scenes, results, strict=True)
    )
    return " ".join([picture.description, *shown])


def outcome(result: nt.Result) -> list[str]:
    """A line for each fill, each order that did not end filled, and the bars that could have gone another way."""
    lines = [
        f"b{fill['bar']}: {'buy' if fill['side'] > 0 else 'sell'} {fill['quantity']:g} at {fill['price']:g}"
        for fill in result.fills
    ]
    for order in result.orders:
        if order["status"] in ("filled", "submitted"):
            continue
        name = order["type"] if order["role"] == "entry" else order["role"]
        words = f"{name} {order['status']}".replace("_", " ")
        lines.append(f"{words}: {order['reason']}" if order["reason"] else words)
    if result.ambiguous_bars:
        lines.append(f"ambiguous bars: {result.ambiguous_bars}")
    return list(dict.fromkeys(lines))


def prices(scene: Scene, result: nt.Result) -> list[float]:
    """Every price that a panel shows."""
    found = [price for row in scene.rows for price in row]
    found += [price for level in levels_of(scene, result) for _, price in level.steps]
    return found + result.fills["price"].tolist()


def panel(scene: Scene, result: nt.Result, scale: Scale) -> list[str]:
    left, top, levels = scale.left, scale.top, levels_of(scene, result)
    parts = [text(left + 10, top + 18, scene.label, "code")]
    parts += decisions(result, scale)
    parts += candles(scene.rows, scale)
    parts += ways(scene, scale)
    parts += level_lines(levels, scale)
    parts += fill_marks(result, len(scene.rows), scale)
    for i, line in enumerate(outcome(result)):
        parts.append(text(left + 10, top + HEAD + PLOT + FOOT + LINE * (i + 1) - 2, line))
    return parts


def candles(rows: Iterable[Ohlc], scale: Scale) -> list[str]:
    parts = []
    for bar, (opened, high, low, close) in enumerate(rows):
        x, body = scale.x(bar), sorted((scale.y(opened), scale.y(close)))
        kind = "up" if close >= opened else "down"
        parts.append(f'<line class="bar" x1="{x:.1f}" y1="{scale.y(high):.1f}" x2="{x:.1f}" y2="{scale.y(low):.1f}"/>')
        tall = max(body[1] - body[0], 1)
        parts.append(f'<rect class="{kind}" x="{x - 7:.1f}" y="{body[0]:.1f}" width="14" height="{tall:.1f}"/>')
        parts.append(text(x, scale.top + HEAD + PLOT + 14, f"b{bar}", "muted", "middle"))
    return parts


def decisions(result: nt.Result, scale: Scale) -> list[str]:
    """A line after each bar at whose close something was asked."""
    asked = sorted(set(result.orders["created_bar"][result.orders["role"] == "entry"].tolist()))
    asked += sorted(set(result.denials["bar"].tolist()) - set(asked))
    parts = []
    for bar in asked:
        x = scale.x(bar + 0.5)
        top, bottom = scale.top + HEAD - 4, scale.top + HEAD + PLOT + 4
        parts.append(f'<line class="asked" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom:.1f}"/>')
    return parts


def ways(scene: Scene, scale: Scale) -> list[str]:
    """The way of the price inside a bar, where the policy says one."""
    parts = []
    for bar in scene.paths:
        opened, high, low, close = scene.rows[bar]
        path = scene.policy.get("path", "worst")
        if path == "nearest":
            path = "ohlc" if high - opened < opened - low else "olhc"
        if path in ("ohlc", "olhc"):
            turns = (opened, high, low, close) if path == "ohlc" else (opened, low, high, close)
            points = " ".join(
                f"{scale.x(bar + offset):.1f},{scale.y(price):.1f}"
                for offset, price in zip((-0.46, -0.2, 0.2, 0.46), turns, strict=True)
            )
            parts.append(f'<polyline class="way" points="{points}"/>')
    return parts


def levels_of(scene: Scene, result: nt.Result) -> list[Level]:
    """Every price an order waited at; a trailing stop's as it stood after each bar, from runs cut there."""
    levels: dict[tuple[str, int, int], Level] = {}
    for order in result.orders:
        first = int(order["created_bar"]) + (order["role"] == "entry")
        last = int(order["done_bar"]) if order["done_bar"] >= 0 else len(scene.rows) - 1
        for column in ("stop_price", "limit_price"):
            if not np.isfinite(order[column]):
                continue
            first = min(first, last)  # a limit that filled at once
            steps = [(bar, float(order[column])) for bar in range(first, last + 1)]
            if order["type"] == "trailing_stop":
                steps = trailed(scene, int(order["order_id"]), steps)
            kind = ROLES.get(order["role"], "stop" if column == "stop_price" else "limit")
            name = " to ".join(dict.fromkeys(f"{price:g}" for price in (steps[0][1], steps[-1][1])))
            level = Level(f"{kind} {name}", tuple(steps), order["status"] == "cancelled")
            levels.setdefault((level.name, first, last), level)
    return list(levels.values())


def trailed(scene: Scene, order_id: int, steps: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The stop that held inside each bar: what the bar before left, or this one where it moves before the check."""
    own = scene.policy.get("trail_update") == "before_check"
    found = []
    for bar, price in steps if own else steps[1:]:
        orders = scene.run(bar + own).orders
        mine = orders[orders["order_id"] == order_id]
        found.append((bar, float(mine["stop_price"][0]) if len(mine) else price))
    return found


def level_lines(levels: Sequence[Level], scale: Scale) -> list[str]:
    parts = []
    places = apart([scale.y(level.steps[0][1]) for level in levels])
    named = set()
    for level, place in zip(levels, places, strict=True):
        points = []
        for bar, price in level.steps:
            points += [(scale.x(bar - 0.5), scale.y(price)), (scale.x(bar + 0.5), scale.y(price))]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline class="level" points="{line}"/>')
        if level.cancelled:
            x, y = points[-1]
            parts.append(f'<path class="end" d="M{x - 3:.1f} {y - 3:.1f}l6 6m0 -6l-6 6"/>')
        if level.name not in named:
            parts.append(text(scale.left + LEFT - 8, place + 4, level.name, "levelname", "end"))
        named.add(level.name)
    return parts


def fill_marks(result: nt.Result, count: int, scale: Scale) -> list[str]:
    """A triangle at each fill, and its words in the right gutter."""
    parts = []
    places = apart([scale.y(fill["price"]) for fill in result.fills])
    for fill, place in zip(result.fills, places, strict=True):
        side, sign = ("buy", 1) if fill["side"] > 0 else ("sell", -1)
        x, y = scale.x(fill["bar"]), scale.y(fill["price"])
        end = scale.x(count - 0.5) + 4
        parts.append(f'<path class="{side} lead" fill="none" d="M{x:.1f} {y:.1f}L{end:.1f} {place:.1f}"/>')
        parts.append(f'<path class="{side}" d="M{x:.1f} {y:.1f}l-5 {9 * sign}h10z"/>')
        parts.append(text(end + 4, place + 4, f"{side} {fill['quantity']:g} at {fill['price']:g}", side))
    return parts


def apart(places: Sequence[float], least: float = 12.0) -> list[float]:
    """The same heights, pushed down where two would overlap."""
    out = list(places)
    before = float("-inf")
    for i in sorted(range(len(out)), key=lambda i: (out[i], i)):
        out[i] = before = max(out[i], before + least)
    return out


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    kind = f' class="{kind}"' if kind else ""
    anchor = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}"{anchor}>{escape(words)}</text>'
