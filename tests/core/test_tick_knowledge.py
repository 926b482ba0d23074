"""No look-ahead: what is not heard yet changes no decision, what has not happened yet changes no fill."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuraltrade as nt

_spec = importlib.util.spec_from_file_location("test_tick_model_cases", Path(__file__).with_name("test_tick_model.py"))
_cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_cases)


def watch(ticks: nt.Ticks, how: dict[str, Any]) -> tuple[list[tuple], nt.Result]:
    """Run a strategy whose every decision depends on everything it can see; return what it saw."""
    seen: list[tuple] = []

    class Watcher(nt.Strategy):
        def on_quote(self, ctx: Any) -> None:
            ids = range(1, int(ctx.state[0]) + 1)
            sight = (ctx.i, ctx.ts_ns, ctx.event, ctx.symbol, ctx.bid, ctx.bid_size, ctx.ask, ctx.ask_size, ctx.mid,
                     ctx.last,
                     ctx.last_size, ctx.aggressor, ctx.position, ctx.cash, ctx.equity, ctx.entry_price,
                     [(ctx.depth_price(s, k), ctx.depth_size(s, k)) for s in (1, -1) for k in range(4)],
                     [(ctx.is_active(i), ctx.queue_ahead(i)) for i in ids])  # fmt: skip
            seen.append(repr(sight))
            rng = random.Random(seen[-1])
            if rng.random() < 0.4:
                side, near = rng.choice((1, -1)), round(ctx.close * 2) / 2 if ctx.close == ctx.close else 100.0
                limit = None if rng.random() < 0.3 else near + rng.randint(-3, 3) * 0.5
                bracket = {"stop_loss": near - side * 5} if limit is not None and abs(limit - near) < 2 else {}
                made = (ctx.buy if side > 0 else ctx.sell)(rng.randint(1, 9), limit=limit, **bracket)
                ctx.state[0] = max(ctx.state[0], made + 1)
            elif rng.random() < 0.2 and ids:
                ctx.cancel(rng.choice(ids))
            elif rng.random() < 0.2 and ids:
                ctx.modify(rng.choice(ids), limit=100 + rng.randint(-3, 3) * 0.5)

        on_trade = on_depth = on_quote

    policy = nt.FillPolicy(queue=how["queue"], stop_trigger="last" if how["stop_on_last"] else "quote")
    result = nt.backtest(
        ticks, Watcher, cash=1e7, fill=policy, latency_ns=how["latency"], account=nt.Account(leverage=100.0)
    )
    return seen, result


def changed(ticks: nt.Ticks, rows: dict[int, np.ndarray], rng: random.Random, late_from: int | None = None) -> nt.Ticks:
    """The ticks with other values in the marked rows of each stream; what happens after `late_from` later."""
    streams = []
    for index, one in enumerate(ticks.streams):
        ts, local, *values = (c.copy() for c in one.columns())
        for row in np.flatnonzero(rows[index]):
            if one.KIND == "quotes":
                values[0][row], values[1][row] = rng.randint(180, 199) / 2, rng.randint(1, 20)
                values[2][row], values[3][row] = rng.randint(200, 220) / 2, rng.randint(1, 20)
            elif one.KIND == "trades":
                values[0][row], values[1][row], values[2][row] = (
                    rng.randint(180, 220) / 2,
                    rng.randint(1, 30),
                    rng.choice((-1, 0, 1)),
                )
            else:
                values[0][row], values[1][row], values[2][row] = (
                    rng.choice((-1, 1)),
                    rng.randint(180, 220) / 2,
                    rng.randint(0, 9),
                )
        if late_from is not None and (ts > late_from).any():
            by = rng.randint(1, 50)
            local[int(np.argmax(ts > late_from)) :] += by
            ts[ts > late_from] += by
        streams.append(type(one)(one.symbol, ts, *values, local_ns=local))
    return nt.Ticks(streams)


@pytest.mark.parametrize("block", range(6))
def test_what_is_not_heard_changes_nothing(block: int) -> None:
    moved = 0
    for seed in range(block * 60, block * 60 + 60):
        ticks, how, _ = _cases.case(seed)
        rng = random.Random(-seed)
        seen, result = watch(ticks, how)
        step = rng.randrange(len(ticks))
        now = int(ticks.local_ns[step])
        unheard = {index: np.ones(len(one), bool) for index, one in enumerate(ticks.streams)}
        events = ticks.events()
        for at in range(step + 1):
            first = int(events.first[at])
            unheard[int(events.stream[at])][first : first + int(events.rows[at])] = False
        again, other = watch(changed(ticks, unheard, rng, late_from=now), how)
        assert again[: step + 1] == seen[: step + 1], f"seed {seed}, step {step}"
        known = [r.fills[r.fills["bar"] <= step].tolist() for r in (result, other)]
        assert known[0] == known[1], f"seed {seed}"
        moved += again != seen
    assert moved > 20, "the changes must be able to matter"


@pytest.mark.parametrize("block", range(6))
def test_what_has_not_happened_changes_no_fill(block: int) -> None:
    moved = 0
    for seed in range(block * 60, block * 60 + 60):
        ticks, how, _ = _cases.case(seed)
        rng = random.Random(-seed)
        _, result = watch(ticks, how)
        now = int(rng.choice(ticks.ts_ns))
        later = {index: one.ts_ns > now for index, one in enumerate(ticks.streams)}
        _, other = watch(changed(ticks, later, rng), how)
        names = ["ts_ns", "order_id", "side", "quantity", "price"]
        early = [r.fills[r.fills["ts_ns"] <= now][names].tolist() for r in (result, other)]
        assert early[0] == early[1], f"seed {seed}"
        moved += result.digest != other.digest
    assert moved > 10, "the changes must be able to matter"
