"""The fixture table of docs/fills.md: seven cases on six bars under every preset, as the engine fills them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import neuraltrade as nt

from scenes import FIXTURE, Action, buy, market, script, sell


@dataclass(frozen=True)
class Case:
    """What is asked after which bar; the answer is where the last fill stands."""

    words: str
    actions: Mapping[int, Action]


CASES = (
    Case("market buy 10", {1: buy()}),
    Case("limit buy 98 (the low of b2 touches it)", {1: buy(limit=98)}),
    Case("limit buy 95 (b3 opens at 90)", {1: buy(limit=95)}),
    Case("long, then sell stop 95 (b3 opens at 90)", {0: buy(), 1: sell(stop=95)}),
    Case("long, then sell stop 99 (the low of b2 is 98)", {0: buy(), 1: sell(stop=99)}),
    Case("buy with stop-loss 99 and take-profit 105, both inside b2", {1: buy(stop_loss=99, take_profit=105)}),
    Case("buy stop 105", {1: buy(stop=105)}),
)


def answer(case: Case, preset: str) -> str:
    """ "b2 103": the bar and the price of the last fill."""
    result = nt.backtest(market(FIXTURE, 1000.0), script(case.actions), fill=preset)
    last = result.fills[-1]
    return f"b{last['bar']} {last['price']:g}"


def table() -> list[str]:
    """Lines of Markdown: a row for each case, a column for each preset."""
    presets = nt.FillPolicy.presets()
    lines = [f"| asked after b1 | {' | '.join(f'`{name}`' for name in presets)} |", "|---|" + "---|" * len(presets)]
    for case in CASES:
        lines.append(f"| {case.words} | {' | '.join(answer(case, preset) for preset in presets)} |")
    return lines
