"""Random bars and random order scripts in the words of player.py, for peers that take orders one by one."""

from __future__ import annotations

from typing import Any

import numpy as np

BARS = 60
DAY_NS = 86_400 * 10**9
HOURS = (6, 12, 18, 23)  # ends of a day's bars where the series is intraday


class Maker:
    """Writes one series' script. `has`: the constructs that the peer is compared on."""

    def __init__(self, seed: int, stream: int, has: frozenset[str]) -> None:
        self.random = np.random.default_rng([seed, stream])
        self.has = has
        self.coarse = self.random.random() < 0.4  # prices on a grid of 0.5: ties and exact touches abound
        self.intraday = self.random.random() < 0.5
        self.mode = str(self.random.choice([m for m in ("plain", "bracket", "volume", "cash") if m in has]))
        # Under a depth of a quarter bar: whether every order is smaller than that.
        self.deep = "depth" not in has or self.mode == "bracket" or self.random.random() < 0.5
        self.bars = self.walk()
        self.count = 0
        self.placed: dict[str, dict[str, Any]] = {}

    def on_grid(self, price: float) -> float:
        return round(round(price * 2) / 2, 2) if self.coarse else round(float(price), 2)

    def walk(self) -> dict[str, list[Any]]:
        draw = self.random
        gap = 0.02 if draw.random() < 1 / 3 else 0.006
        close = 100 * np.exp(np.cumsum(draw.normal(0, 0.02, BARS)))
        open_ = np.r_[close[0], close[:-1]] * (1 + draw.normal(0, gap, BARS) * (draw.random(BARS) < 0.8))
        high = np.maximum(open_, close) * (1 + np.abs(draw.normal(0, 0.008, BARS)) * (draw.random(BARS) < 0.85))
        low = np.minimum(open_, close) * (1 - np.abs(draw.normal(0, 0.008, BARS)) * (draw.random(BARS) < 0.85))
        prices = [[self.on_grid(p) for p in column] for column in (open_, high, low, close)]
        within = [(k // 4) * DAY_NS + HOURS[k % 4] * 3_600 * 10**9 for k in range(BARS)]
        days = within if self.intraday else [(k + 1) * DAY_NS for k in range(BARS)]
        amounts = [80, 400, 4000, 8000] if self.deep and "depth" in self.has else [0, 40, 400, 4000]
        volume = draw.choice(amounts, BARS, p=[0.1, 0.2, 0.3, 0.4]).tolist()
        return dict(zip(("open", "high", "low", "close"), prices, strict=True)) | {"ts_ns": days, "volume": volume}

    def key(self) -> str:
        self.count += 1
        return f"o{self.count}"

    def quantity(self) -> int:
        if self.mode == "volume" or (not self.deep and self.random.random() < 0.5):
            return int(self.random.integers(20, 400))
        return int(self.random.integers(1, 20))

    def level(self, bar: int, side: int) -> float:
        """A price on `side` of the close, at times an extreme of the last bars, so that it is touched exactly."""
        close = self.bars["close"][bar]
        if self.random.random() < 0.2:
            price = self.bars["high" if side > 0 else "low"][int(self.random.integers(max(0, bar - 3), bar + 1))]
        else:
            price = self.on_grid(close * (1 + side * self.random.uniform(0.001, 0.03)))
        step = 0.5 if self.coarse else 0.01
        return price if side * (price - close) > 0 else round(close + side * step, 2)

    def order(self, bar: int, kinds: list[str]) -> dict[str, Any]:
        side, kind = int(self.random.choice([-1, 1])), str(self.random.choice(kinds))
        order: dict[str, Any] = {"kind": kind, "side": side, "quantity": self.quantity()}
        close = self.bars["close"][bar]
        if kind == "limit":
            order["limit"] = self.level(bar, -side)
            if self.random.random() < 0.15:  # marketable
                order["limit"] = self.on_grid(close * (1 + side * self.random.choice([0.0, 0.01])))
        elif kind in ("stop", "stop_limit"):
            order["stop"] = self.level(bar, side)
        if kind == "stop_limit":
            beyond = self.random.choice([0.0, 0.005, 0.01])
            order["limit"] = self.on_grid(order["stop"] * (1 + side * beyond))
            if side * (order["limit"] - order["stop"]) < 0:
                order["limit"] = order["stop"]
        if kind == "trail":
            if self.random.random() < 0.5:
                distance = self.on_grid(close * self.random.uniform(0.01, 0.04))
                # Off the grid of the prices: a tie would be decided by the last bit of a peer's floats.
                order["trail"] = distance if self.coarse else round(distance + 0.005, 3)
            else:
                order["trail_rate"] = round(float(self.random.uniform(0.01, 0.04)), 4)
        if kind not in ("market", "trail"):
            self.add_time(bar, order)
        return order

    def add_time(self, bar: int, order: dict[str, Any]) -> None:
        draw = self.random.random()
        last_of_day = bar % 4 == 3
        if "gtd" in self.has and draw < 0.15:
            last = min(bar + int(self.random.integers(1, 4)), BARS - 1)
            order |= {"tif": "gtd", "till": self.bars["ts_ns"][last] + 10**9}
        elif "day" in self.has and draw < 0.3 and self.intraday and not last_of_day:
            order["tif"] = "day"
        elif "ioc" in self.has and order["kind"] == "limit" and draw < 0.4:
            order["tif"] = "ioc"

    def bracket(self, bar: int) -> dict[str, Any]:
        kinds = [kind for kind in ("market", "limit", "stop") if f"bracket {kind}" in self.has]
        order = self.order(bar, kinds)
        order.pop("tif", None)
        order.pop("till", None)
        reference = order.get("limit", order.get("stop", self.bars["close"][bar]))
        if order["kind"] == "limit" and order["side"] * (self.bars["close"][bar] - reference) < 0:
            reference = self.bars["close"][bar]  # marketable: its children lie around where it fills
        step = 0.5 if self.coarse else 0.01
        for name, way in (("stop_loss", -1), ("take_profit", 1)):
            apart = max(step, self.on_grid(reference * self.random.uniform(0.004, 0.03)))
            order[name] = round(reference + way * order["side"] * apart, 2)
        if order["kind"] == "limit":  # ours wants them around its limit
            beyond = order["side"] * (order["limit"] - order["take_profit"])
            if beyond >= 0:
                order["take_profit"] = round(order["limit"] + order["side"] * step, 2)
        return order

    def change(self, bar: int, was: dict[str, Any]) -> dict[str, Any]:
        """Another price, another quantity, or both; a limit may become marketable."""
        change: dict[str, Any] = {}
        if self.random.random() < 0.4:
            change["quantity"] = was["quantity"] + int(self.random.integers(0, 10))
        if not change or self.random.random() < 0.7:
            side = was["side"] if was["kind"] == "stop" or self.random.random() < 0.2 else -was["side"]
            change[was["kind"]] = self.level(bar, side)
        return change

    def plain(self, bar: int) -> list[dict[str, Any]]:
        kinds = [kind for kind in ("market", "limit", "stop", "stop_limit", "trail") if kind in self.has]
        if not self.deep:
            kinds = ["market", "limit", "stop"]
        actions: list[dict[str, Any]] = []
        draw = self.random.random()
        if draw < 0.06:
            return [{"act": "flatten", "key": self.key()}]
        if draw < 0.2 and self.count:
            target = f"o{int(self.random.integers(max(1, self.count - 5), self.count + 1))}"
            was = self.placed.get(target, {})
            if "modify" in self.has and was.get("kind") in ("limit", "stop") and self.random.random() < 0.7:
                actions.append({"act": "modify", "key": target, "change": self.change(bar, was)})
            else:
                actions.append({"act": "cancel", "key": target + str(self.random.choice(["", "", "a", "b"]))})
        if draw < 0.5:
            for _ in range(int(self.random.integers(1, 4))):
                key, order = self.key(), self.order(bar, kinds)
                self.placed[key] = order
                actions.append({"act": "order", "key": key, "order": order, "alone": self.one_by_one(order)})
        elif draw < 0.6 and "oco" in self.has and self.deep:
            actions.append({"act": "oco", "key": self.key(), "orders": self.pair(bar), "alone": "depth" in self.has})
        return actions

    def one_by_one(self, order: dict[str, Any]) -> bool:
        return "depth" in self.has and order["kind"] != "market"

    def pair(self, bar: int) -> list[dict[str, Any]]:
        """A stop and a limit of one side around the close, the stop first."""
        side = int(self.random.choice([-1, 1]))
        both = {"side": side, "quantity": self.quantity()}
        return [
            both | {"kind": "stop", "stop": self.level(bar, side)},
            both | {"kind": "limit", "limit": self.level(bar, -side)},
        ]

    def step(self, bar: int) -> list[dict[str, Any]]:  # noqa: PLR0911
        if self.mode == "plain":
            return self.plain(bar)
        draw = self.random.random()
        if self.mode == "bracket":
            if draw < 0.4:
                return [{"act": "bracket", "key": self.key(), "order": self.bracket(bar)}]
            if draw < 0.5:
                return [{"act": "flatten", "key": self.key()}]
            if draw < 0.56 and self.count:
                target = int(self.random.integers(max(1, self.count - 3), self.count + 1))
                return [{"act": "cancel", "key": f"o{target}"}]
            return []
        if draw < 0.1:
            return [{"act": "flatten", "key": self.key()}]
        if draw < 0.5:
            order = self.order(bar, ["market", "limit"])
            order.pop("tif", None), order.pop("till", None)
            if self.mode == "cash":
                high = 160 if order["side"] > 0 else 9
                order["quantity"] = int(self.random.integers(5, high))
            return [{"act": "order", "key": self.key(), "order": order, "alone": True}]
        return []

    def case(self) -> dict[str, Any]:
        script = [self.step(bar) if 0 < bar < BARS - 1 else [] for bar in range(BARS)]
        return {
            "bars": self.bars,
            "script": script,
            "mode": self.mode,
            "pause": "depth" in self.has,
            "tick": 0.01 if "depth" in self.has else None,
            "cash": 10_000.0 if self.mode == "cash" else 1e6,
            "rate": 0.001 if "fees" in self.has and self.random.random() < 0.5 else 0.0,
            "volume_cap": 0.1 if self.mode == "volume" else 0.0,
        }


BRACKETS = ("bracket market", "bracket limit", "bracket stop")
BASE = ("plain", "bracket", "market", "limit", "stop", "oco")
BACKTRADER = frozenset((*BASE, *BRACKETS, "volume", "cash", "stop_limit", "trail", "gtd", "day", "fees"))
NAUTILUS = frozenset((*BASE, *BRACKETS[:2], "ioc", "modify", "depth"))
LEAN = frozenset((*BASE, *BRACKETS, "cash", "trail", "gtd", "fees", "modify"))


def backtrader(seed: int) -> dict[str, Any]:
    return Maker(seed, 3, BACKTRADER).case()


def nautilus(seed: int) -> dict[str, Any]:
    return Maker(seed, 4, NAUTILUS).case()


def lean(seed: int) -> dict[str, Any]:
    return Maker(seed, 5, LEAN).case()


def kinds(peer: str) -> tuple[str, ...]:
    """What a thousand series of that peer's scripts must have come to: see our_orders.kinds."""
    has = {"backtrader": BACKTRADER, "nautilus": NAUTILUS, "lean": LEAN}[peer]
    priced = ["limit", "stop", "stop-loss", "take-profit", "oco limit", "oco stop"]
    priced += [kind for kind in ("stop_limit", "trail") if kind in has]
    where = ("at the open", "inside", "touched exactly")
    found = [f"{kind}, {place}" for kind in priced for place in where]
    if peer == "lean":  # what is only touched does not fill
        found = [kind for kind in found if kind not in ("limit, touched exactly", "oco limit, touched exactly")]
        found = [kind for kind in found if kind != "take-profit, touched exactly"]
    found += ["market", "short", "reversal", "ambiguous bar", "ended cancelled", "bar without volume"]
    found += ["act cancel", "act flatten", "act bracket", "act oco"]
    found += ["act modify"] if "modify" in has else []
    found += ["ended expired"] if has & {"gtd", "day"} else []
    found += ["ended rejected"] if "cash" in has else []
    found += ["part of an order"] if has & {"volume", "depth"} else []
    return tuple(found)
