"""What the model of a sequence knows at any moment: books, orders, bars, and what has to happen next."""

from __future__ import annotations

from typing import Any

from campaigns.books import Books
from campaigns.gate_model import Gate
from campaigns.sequence_order import NOTHING_FITS, Order


class SequenceState:
    def __init__(self, sequence: Any) -> None:
        settings = sequence.settings
        self.settings, self.policy = settings, settings.policy
        self.prices, self.rows = sequence.prices, sequence.rows
        self.slots = list(range(len(settings.symbols)))
        self.is_scarce = bool(self.policy.volume_cap) or self.policy.depth != "unlimited"
        self.tick, self.lot, self.shorting = settings.tick, settings.lot, settings.shorting
        self.latency_ns, self.step_ns = settings.latency_ns, settings.step_ns
        self.slippage_rate, self.slippage_capped = settings.slippage_rate, settings.slippage_capped
        self.volume_cap = self.policy.volume_cap or 0.0
        self.fills_at_close = self.policy.market_at == "same_close"
        self.limits_at_once = self.policy.limits_from == "at_once"
        fees = (settings.fee_rate, settings.fee_fixed, settings.fee_per_unit, settings.fee_minimum)
        self.books = Books(
            settings.cash, settings.cash_digits, settings.leverage, [settings.multiplier for _ in self.slots], fees
        )
        self.closes = [0 for _ in self.slots]
        self.orders: list[Order] = []
        self.active: list[list[Order]] = [[] for _ in self.slots]
        self.gate = Gate(settings, self.books, self.closes, self.active)
        self.bars = [-1 for _ in self.slots]  # of each symbol the latest bar reached
        self.has_bar = [False for _ in self.slots]
        self.room = [NOTHING_FITS for _ in self.slots]
        self.step, self.now = -1, 0
        self.is_strategy_phase = False
        self.due: set[int] = set()  # orders that have to end before anything else happens
        self.may_be_due: set[int] = set()
        self.due_halt = 0
        self.family: Order | None = None  # the entry whose children come next
        self.family_base = 0  # the price that theirs hang on
        self.expected_children: list[tuple[int, int, int]] = []
        self.next_row = 0
        self.scripted_cancels: set[tuple[int, int]] = set()
        self.scripted_sweeps: set[tuple[int, int]] = set()
        self.fills = self.denials = 0
        self.is_finishing = False
