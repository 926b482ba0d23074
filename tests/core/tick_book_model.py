"""The book of the slow venue (tick_model): dicts of levels in Python integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


def nano(x: float) -> int:
    return round(x * 1e9)


@dataclass
class Level:
    price: int
    quantity: int
    taken: int = 0
    stamp: int = 0


class Book:
    """Price -> Level on each side."""

    def __init__(self) -> None:
        self.sides: dict[int, dict[int, Level]] = {1: {}, -1: {}}
        self.kept = self.sides
        self.stamp = 0

    def best_first(self, side: int) -> list[Level]:
        return [self.sides[side][p] for p in sorted(self.sides[side], reverse=side > 0)]

    def set(self, side: int, price: int, quantity: int) -> int:
        """What stood there before."""
        level = self.sides[side].get(price)
        before = level.quantity if level else 0
        kept = self.kept[side].pop(price, None) if self.kept is not self.sides else None
        if quantity == 0:
            self.sides[side].pop(price, None)
            return before
        self.stamp += 1
        level = level or kept
        taken = level.taken if level and level.quantity == quantity else 0
        self.sides[side][price] = Level(price, quantity, taken, self.stamp)
        return before

    def uncross(self) -> None:
        while self.sides[1] and self.sides[-1]:
            bid, ask = self.best_first(1)[0], self.best_first(-1)[0]
            if bid.price < ask.price:
                return
            if bid.stamp < ask.stamp:
                del self.sides[1][bid.price]
            else:
                del self.sides[-1][ask.price]

    def write(self, rows: list[tuple[int, float, float]], changed: Any = None) -> None:
        for side, price, quantity in rows:
            if side == 0:
                if self.sides[1] or self.sides[-1]:
                    self.kept, self.sides = self.sides, {1: {}, -1: {}}
                continue
            before = self.set(side, nano(price), nano(quantity))
            if changed:
                changed(side, nano(price), before, nano(quantity))
        self.uncross()
