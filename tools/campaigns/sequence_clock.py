"""The steps of a sequence: which bars come, what must have happened by the end of each, and what the gate answers."""

from __future__ import annotations

from campaigns.books import Wrong
from campaigns.sequence_order import ENTRY, FOK, IOC, LIMIT, MARKET, Ask, Order
from campaigns.sequence_trails import Trails


class Clock(Trails):
    """The model's second floor, on SequenceState."""

    def begin_step(self) -> None:
        self.now = (self.step + 1) * self.step_ns
        self.is_strategy_phase = False
        cap = self.volume_cap
        for slot in self.slots:
            own, bar = self.prices[slot], self.bars[slot] + 1
            self.has_bar[slot] = bar < len(own) and own[bar][0] == self.now
            if self.has_bar[slot]:
                self.bars[slot] = bar
                if cap:
                    self.room[slot] = round(own[bar][5] * cap * 1e9)

    def end_step(self) -> None:
        self.settle()
        self.enter_strategy()
        self.expect_no_halt()
        for slot in self.slots:
            if not self.has_bar[slot]:
                continue
            for order in self.active[slot]:
                waited = order.created < self.step or order.kind != LIMIT  # a limit at once has the next bar as well
                if order.tif in (IOC, FOK) and order.role == ENTRY and waited and self.is_eligible(order, False):
                    raise Wrong(f"order {order.id} is immediate and outlives its bar")

    def enter_strategy(self) -> None:
        """Every symbol's close of this step is known now, and the gate looks at equity."""
        if self.is_strategy_phase:
            return
        self.is_strategy_phase = True
        for slot in self.slots:
            if not self.has_bar[slot]:
                continue
            _, _, high, low, self.closes[slot], _ = self.prices[slot][self.bars[slot]]
            self.move_trails(slot, high, low, self.closes[slot])
        self.due_halt = self.gate.watch(self.now)

    def equity(self) -> int:
        return self.books.equity(self.closes)

    def expect_no_halt(self) -> None:
        if self.due_halt:
            raise Wrong(f"a loss beyond its limit ({self.due_halt}) did not halt the gate")

    def settle(self) -> None:
        """Nothing that had to end or to be born is left over."""
        self.may_be_due.clear()
        if self.due:
            raise Wrong(f"orders {sorted(self.due)} had to end at once and work on")
        if self.expected_children:
            raise Wrong(f"children {self.expected_children} of order {self.family and self.family.id} were not born")

    def is_eligible(self, order: Order, at_close: bool) -> bool:
        """Whether the order may fill in the bar its symbol has now."""
        own, bar = self.prices[order.slot], self.bars[order.slot]
        if order.parent:
            return self.step >= order.created + (not order.at_once)
        same_close = order.kind == MARKET and self.fills_at_close
        same_close = same_close or (order.kind == LIMIT and self.limits_at_once)
        opens_ns = self.now if at_close and same_close else own[bar - 1][0] if bar > 0 else -1
        return self.step >= order.created + (not same_close) and order.created_ns + self.latency_ns <= opens_ns

    def judge(self, ask: Ask, answer: int, stops: tuple[int, ...] = ()) -> None:
        """The gate's answer must be one that it may give, for one of `stops` where the ask's is not known."""
        gate = self.gate
        if not gate.is_on:
            if answer:
                raise Wrong(f"{ask} was refused with {answer} and there is no gate")
            return
        self.due_halt = self.due_halt or gate.watch(self.now)
        self.expect_no_halt()
        allowed: set[int] = set()
        for stop in stops or (ask.stop,):
            ask.stop = stop
            allowed |= gate.expected(ask, self.now, self)
        if answer not in allowed:
            raise Wrong(f"{ask} was answered {answer}, the gate may answer {sorted(allowed)}")
        if answer == 0:
            gate.passed(ask, self.now, len(stops) < 2)
