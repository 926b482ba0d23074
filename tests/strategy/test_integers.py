"""Times are compared with floats exactly, and ~ is of integers, compiled as in Python."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt

TIME = 10**18 + 3
STEPS = np.arange(40) * 37
BARS = nt.Bars("X", TIME + STEPS, *[np.full(40, 5.0)] * 4, np.full(40, 1e3))
FLOAT = float(TIME + 700)  # a multiple of 128: most times near it are not
HUGE, NEVER = 1e19, float("nan")


class Times(nt.Strategy):
    since: float = FLOAT

    def on_bar(self, ctx):
        now = ctx.ts_ns
        later = now + 1
        mask = 0
        mask += ctx.ts_ns < FLOAT
        mask += (ctx.ts_ns <= FLOAT) * 2
        mask += (now > self.since) * 4
        mask += (self.since <= later) * 8
        mask += (ctx.ts_ns == ctx.ts_ns * 1.0) * 16
        mask += (FLOAT != now) * 32  # noqa: SIM300
        mask += (ctx.ts_ns - 100.0 < now <= FLOAT < HUGE) * 64
        mask += (-HUGE < ctx.ts_ns < HUGE) * 128
        mask += (ctx.ts_ns > NEVER or now <= NEVER or later == NEVER or now >= NEVER) * 256
        mask += (now != NEVER and ctx.ts_ns >= now and later > now) * 512
        ctx.state[ctx.i] = mask
        ctx.buy(1 + mask)


class Inverted(nt.Strategy):
    def on_bar(self, ctx):
        ctx.buy(10 + ~(ctx.i > 3) - ~ctx.i)


class Once(nt.Strategy):
    """The order in the middle is sent once."""

    def on_bar(self, ctx):
        if 0 < ctx.buy(1, limit=4.0, tif="gtd", good_till=ctx.ts_ns + 40) < ctx.ts_ns:
            ctx.buy(2 + ctx.i)


@pytest.mark.parametrize("strategy", [Times, Inverted, Once])
def test_as_python(strategy):
    slow, fast = (nt.backtest(BARS, one, cash=1e9) for one in (strategy, nt.compiled(strategy)))
    assert slow.digest == fast.digest
    assert len(set(slow.orders["quantity"])) > 1


def test_rounding_first_would_differ():
    times = TIME + STEPS
    assert sum((int(t) < FLOAT) != (float(t) < FLOAT) for t in times) > 0
    assert sum(int(t) == float(t) for t in times) < 5
