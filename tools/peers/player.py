"""Plays one order script through any broker: ours, a peer's or a model's. Pure Python: it runs in every environment.

A script has for each bar a list of actions. What an action does depends on nothing but the position and on what works
when the bar's decisions begin, so that a broker which fills at once and one which fills later see the same orders.

order    place it, unless a bracket is alive; with "alone" only where nothing works at all
bracket  place it where the position is flat and nothing works; alive until its entry is gone and the position flat
oco      two orders, one cancels the other; as "order"
cancel   cancel what works under that key; modify: give it another quantity or price
flatten  cancel everything, then close the position by a market order

With "pause" in the case nothing is done in a bar in which an order other than a market order was filled.
"""

from __future__ import annotations

from typing import Any, Protocol


class UnableError(Exception):
    """A script asks for what its broker does not have: it was made for another one."""


class Broker(Protocol):
    """What a player acts on; units are whole, `key` names an order. UnableError where it has no such thing."""

    def position(self) -> int: ...
    def is_active(self, key: str) -> bool: ...
    def met_price(self, bar: int) -> bool: ...
    def place(self, key: str, order: dict[str, Any]) -> None: ...
    def bracket(self, key: str, order: dict[str, Any]) -> None: ...
    def oco(self, keys: list[str], orders: list[dict[str, Any]]) -> None: ...
    def cancel(self, key: str) -> None: ...
    def cancel_all(self) -> None: ...
    def modify(self, key: str, change: dict[str, Any]) -> None: ...


class Player:
    """One script against one broker; `counts` tells how often each action acted."""

    def __init__(self, case: dict[str, Any], broker: Broker) -> None:
        self.script: list[list[dict[str, Any]]] = case["script"]
        self.pauses: bool = case["pause"]
        self.broker = broker
        self.keys: list[str] = []
        self.family = ""
        self.counts: dict[str, int] = {}

    def on_bar(self, bar: int) -> None:
        if not self.script[bar] or (self.pauses and self.broker.met_price(bar)):
            return
        held = self.broker.position()
        self.keys = [key for key in self.keys if self.broker.is_active(key)]
        if self.family and held == 0 and self.family not in self.keys:
            self.family = ""
        idle = held == 0 and not self.keys
        for action in self.script[bar]:
            if self.act(action, held, idle):
                name = action["act"]
                self.counts[name] = self.counts.get(name, 0) + 1

    def act(self, action: dict[str, Any], held: int, idle: bool) -> bool:
        """Whether it acted."""
        name, key = action["act"], action.get("key", "")
        if name == "flatten":
            self.broker.cancel_all()
            if held:
                self.broker.place(key, {"kind": "market", "side": -1 if held > 0 else 1, "quantity": abs(held)})
                self.keys.append(key)
            return held != 0
        if name in ("cancel", "modify"):
            if key not in self.keys:
                return False
            if name == "cancel":
                self.broker.cancel(key)
            elif self.family != key:
                self.broker.modify(key, action["change"])
            return True
        if name == "bracket":
            if idle:
                self.broker.bracket(key, action["order"])
                self.keys.append(key)
                self.family = key
            return idle
        if self.family or (action.get("alone") and self.keys):
            return False
        if name == "oco":
            self.broker.oco([key + "a", key + "b"], action["orders"])
            self.keys += [key + "a", key + "b"]
        else:
            self.broker.place(key, action["order"])
            self.keys.append(key)
        return True


def rows(fills: list[tuple[int, str, int, float, float]]) -> list[list[Any]]:
    """(bar, key, signed quantity, price, fee) as compared: parts of one order at one price of one bar are one row."""
    found: dict[tuple[int, str, float], list[float]] = {}
    for bar, key, quantity, price, fee in fills:
        row = found.setdefault((bar, key, round(price, 9)), [0.0, 0.0])
        row[0] += quantity
        row[1] += fee
    return [[bar, key, quantity, price, fee] for (bar, key, price), (quantity, fee) in sorted(found.items())]
