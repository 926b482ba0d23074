"""Random strategies, as source text: the same seed gives the same text. Used by test_two_speeds."""

from __future__ import annotations

import random

FIELDS = ("open", "high", "low", "close", "volume", "position", "cash", "equity", "i")
HEAD = """from __future__ import annotations

import math

import neuraltrade as nt

LIMIT = {limit!r}


def blend(a, b):
    return (a + b) / 2 if a > b else a**0.5 + math.log(b * b + 1.0)


class Generated(nt.Strategy):
    fast: int = {fast}
    slow: int = {slow}
    level: float = {level!r}
    flip: bool = {flip}
    state_size = 8

    def init(self, data):
        self.f = data.sma(self.fast)
        self.s = data.ema(self.slow)
        self.r = data.rsi(self.fast + 3)
        self.ladder = (data.rolling_max(self.slow), data.rolling_min(self.slow))
        self.weights = (0.25, 1.5, 3)

    def tilt(self, ctx, x):
        return x * self.level + ctx.close / (1.0 + abs(x))

    def on_bar(self, ctx):
        total = 0.0
"""


class Generator:
    """Writes one strategy; every expression is a number, every division and power is kept in range."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.used: set[str] = set()

    def number(self, depth: int = 3) -> str:
        rng, kinds = self.rng, ["field", "indicator", "constant", "parameter", "state", "ago", "previous"]
        if depth > 0:
            kinds += ["sum", "sum", "product", "quotient", "floor", "modulo", "power", "square", "math", "choice",
                      "minmax", "helper", "method", "root", "rounded", "ladder", "integers"]  # fmt: skip
        kind = rng.choice(kinds)
        self.used.add(kind)
        return str(getattr(self, f"_{kind}")(depth - 1))

    def _field(self, depth):
        return f"ctx.{self.rng.choice(FIELDS)}"

    def _indicator(self, depth):
        return f"ctx.value(self.{self.rng.choice('fsr')})"

    def _previous(self, depth):
        return f"ctx.previous(self.{self.rng.choice('fsr')}, {self.rng.randrange(1, 4)})"

    def _constant(self, depth):
        return repr(self.rng.choice((1, 2, 7, 0.5, -1.25, 3.0e-3, "LIMIT", "math.pi"))).strip("'")

    def _parameter(self, depth):
        return f"self.{self.rng.choice(('fast', 'slow', 'level', 'flip'))}"

    def _state(self, depth):
        return f"ctx.state[{self.rng.randrange(8)}]"

    def _ago(self, depth):
        column = self.rng.choice(("open", "close", "high", "volume", "ts_ns // 10**9"))
        return f"ctx.ago(min(ctx.bar, {self.rng.randrange(1, 6)})).{column}"

    def _ladder(self, depth):
        return f"ctx.value(self.ladder[{self.rng.randrange(2)}]) * self.weights[ctx.i % 3]"

    def _sum(self, depth):
        return f"({self.number(depth)} {self.rng.choice('+-')} {self.number(depth)})"

    def _product(self, depth):
        return f"({self.number(depth)} * 1e-3 * {self.number(depth)})"

    def _quotient(self, depth):
        return f"({self.number(depth)} / (abs({self.number(depth)}) + 1))"

    def _floor(self, depth):
        return f"({self.number(depth)} // (abs({self.number(depth)}) + 0.75))"

    def _modulo(self, depth):
        return f"({self.number(depth)} % (abs({self.number(depth)}) + 0.5))"

    def _power(self, depth):
        exponent = self.rng.choice(("1.3", "-0.7", "3", "(0.1 * ctx.i % 2)"))
        return f"(min(abs({self.number(depth)}), 50.0) + 0.1) ** {exponent}"

    def _square(self, depth):
        return f"(({self.number(depth)}) % 97) ** 2"

    def _root(self, depth):
        return f"math.sqrt(abs({self.number(depth)}))"

    def _rounded(self, depth):
        return (
            f"{self.rng.choice(('int', 'round', 'math.floor', 'math.ceil'))}(max(-1e6, min(1e6, {self.tame(depth)})))"
        )

    def _integers(self, depth):
        return f"(ctx.ts_ns / (ctx.i + {self.rng.randrange(1, 9)} * 10**{self.rng.randrange(8, 17)}))"

    def _math(self, depth):
        name = self.rng.choice(("exp", "log", "sin", "cos", "tan", "tanh"))
        inner = self.number(depth)
        return f"math.{name}(min(abs({inner}), 30.0) + 1e-3)"

    def _choice(self, depth):
        return f"({self.number(depth)} if {self.test(depth)} else {self.number(depth)})"

    def _minmax(self, depth):
        return f"{self.rng.choice(('min', 'max'))}({self.number(depth)}, {self.number(depth)}, {self.number(0)})"

    def _helper(self, depth):
        return f"blend(abs({self.number(depth)}), {self.number(depth)})"

    def _method(self, depth):
        return f"self.tilt(ctx, {self.number(depth)})"

    def tame(self, depth: int) -> str:
        """A number that is never NaN."""
        name = self.rng.choice(("ctx.close", "ctx.value(self.f)", "ctx.position", "ctx.open"))
        return f"(0.0 if ctx.i < 60 else {name} * {self.rng.uniform(0.1, 9):.3f})"

    def test(self, depth: int = 2) -> str:
        rng = self.rng
        kind = rng.randrange(6)
        if kind == 0:
            way, other = rng.choice(("above", "below")), rng.choice(("self.s", "self.f", "LIMIT"))
            return f"ctx.crossed_{way}(self.{rng.choice('fs')}, {other})"
        if kind == 1:
            return f"ctx.i % {rng.randrange(3, 17)} == {rng.randrange(3)}"
        if kind == 2 and depth > 0:
            return f"({self.test(depth - 1)} {rng.choice(('and', 'or'))} not {self.test(depth - 1)})"
        if kind == 3:
            return f"{self.number(1)} < {self.number(1)} <= {self.number(0)}"
        return f"{self.number(depth)} {rng.choice('<>')} {self.number(depth)}"

    def action(self) -> list[str]:  # noqa: PLR0911, PLR0912
        rng = self.rng
        kind = rng.randrange(14)
        if kind == 0:
            return ["ctx.buy()"]
        if kind == 1:
            return ["ctx.sell()"]
        if kind == 2:
            return [f"ctx.buy({rng.randrange(1, 5)}, limit=ctx.close * 0.99, tif={rng.choice(('gtc', 'day'))!r})"]
        if kind == 3:
            return [f"ctx.sell(quantity={rng.randrange(1, 5)}, stop=ctx.low * 0.98)"]
        if kind == 4:
            return ["ctx.close_position()"]
        if kind == 5:
            return [f"ctx.target({rng.uniform(-0.9, 0.9):.3f})"]
        if kind == 6:
            return ["ctx.buy(stop_loss=ctx.close * 0.95, take_profit=ctx.close * 1.1 if ctx.i % 2 == 0 else None)"]
        if kind == 7:
            return ["order = ctx.sell(stop_loss_rate=0.04, trail_rate=0.06)",
                    "if nt.accepted(order) and ctx.is_active(order):",
                    f"    ctx.state[{rng.randrange(8)}] += order"]  # fmt: skip
        if kind == 8:
            return [f"ctx.signal({rng.choice((1, -1, 0))}, min(1.0, abs(math.tanh({self.tame(1)}))), "
                    "reasoning='first' if ctx.i % 3 == 0 else 'second')"]  # fmt: skip
        if kind == 9:
            return ["ctx.cancel_all()"]
        if kind == 10:
            trail = rng.choice(("trail=ctx.close * 0.05", "trail_rate=0.04"))
            return [f"ctx.state[0] = ctx.trailing_stop({trail}, side={rng.choice((0, 0, 1, -1))})",
                    f"ctx.modify(int(ctx.state[0]), {rng.randrange(1, 5)})"]  # fmt: skip
        if kind == 11:
            return [f"ctx.buy({rng.randrange(1, 5)}, at={rng.choice(('open', 'close'))!r}, trail_rate=0.05)"]
        if kind == 12:
            return ["first = ctx.sell(2, limit=ctx.close * 1.01, tif='gtd', good_till=ctx.ts_ns + 5 * 86_400 * 10**9)",
                    "second = ctx.sell(2, stop=ctx.close * 0.99)",
                    "ctx.oco(first, second)",
                    "ctx.modify(second, stop=ctx.close * 0.98)"]  # fmt: skip
        return [
            f"for k in range({rng.randrange(1, 4)}):",
            f"    total += {self.number(1)} * k",
            f"ctx.state[{rng.randrange(8)}] = total",
        ]

    def source(self) -> str:
        rng = self.rng
        fast = rng.randrange(2, 12)
        text = HEAD.format(fast=fast, slow=fast + rng.randrange(3, 30), level=round(rng.uniform(-2, 2), 3),
                           flip=rng.random() < 0.5, limit=round(rng.uniform(20, 60), 2))  # fmt: skip
        lines = []
        for _ in range(rng.randrange(2, 6)):
            lines.append(f"ctx.state[{rng.randrange(8)}] {rng.choice(('=', '+=', '-='))} {self.number()}")
            lines.append(f"if {self.test()}:")
            lines += [f"    {line}" for line in self.action()]
            if rng.random() < 0.5:
                lines.append(f"elif {self.test()}:")
                lines += [f"    {line}" for line in self.action()]
        lines.append(f"if ctx.state[{rng.randrange(8)}] > {self.number(1)}:")
        lines.append("    ctx.buy()")
        lines.append("elif ctx.i % 7 == 0:")
        lines.append("    ctx.sell()")
        return text + "".join(f"        {line}\n" for line in lines)
