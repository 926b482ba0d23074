"""What was judged: trajectory, verdict, counterfactuals, and the patterns found in many of them."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from ..clock import NOT_A_TIME
from ..errors import InputError
from .base import (
    Record,
    as_vector,
    check_choice,
    check_id,
    check_metadata,
    check_number,
    check_symbol,
    settle_times,
    stamp,
)
from .state import Provenance

DecisionType = Literal["signal", "order", "strategy_switch", "risk_limit"]
Label = Literal["good", "bad", "inconclusive"]
PatternKind = Literal["entry_timing", "exit_timing", "risk_management", "market_regime", "correlation"]
Action = Literal["buy", "sell", "hold", "close"]

DECISION_TYPES: tuple[str, ...] = get_args(DecisionType)
LABELS: tuple[str, ...] = get_args(Label)
PATTERN_KINDS: tuple[str, ...] = get_args(PatternKind)
ACTIONS: tuple[str, ...] = get_args(Action)

Interval = tuple[float, float]


def check_interval(value: Any, argument: str) -> Interval:
    """`value` as floats; InputError unless it is (low, high) with finite low <= high."""
    if not isinstance(value, tuple) or len(value) != 2:
        raise InputError(f"{argument} must be (low, high), was {value!r}")
    low = check_number(value[0], f"{argument}[0]")
    return low, check_number(value[1], f"{argument}[1]", low)


class TrajectoryStep(Record, tag=True, tag_field="record"):
    """One step of a decision's path: the state, the action taken in it, and the reward until the next step.

    positions : symbol -> signed quantity. cash, unrealised : money. features : name -> number. action : buy, sell,
    hold, close, of `quantity` units of `symbol`. reward : change of equity over the step, as a fraction of equity at
    the decision.

    >>> import neuraltrade as nt
    >>> nt.TrajectoryStep(ts_ns=0, action="buy", symbol="AAPL", quantity=10, cash=10_000.0).reward
    0.0
    """

    ts_ns: int
    positions: dict[str, float] = {}
    cash: float = 0.0
    unrealised: float = 0.0
    features: dict[str, float] = {}
    action: Action = "hold"
    symbol: str = ""
    quantity: float = 0.0
    reward: float = 0.0

    def __post_init__(self) -> None:
        self.ts_ns = stamp(self.ts_ns, "ts_ns")
        if self.action not in ACTIONS:
            check_choice(self.action, ACTIONS, "action")
        for name in ("cash", "unrealised", "reward"):
            setattr(self, name, check_number(getattr(self, name), name))
        self.quantity = check_number(self.quantity, "quantity", 0.0)


class Counterfactual(Record, tag=True, tag_field="record"):
    """What another action would have brought.

    action : buy, sell, hold or close. outcome : return on equity of that action over the same market, with its
    interval over what the bars leave open. difference : outcome minus that of the action taken. probability : that it
    was truly better, None when only bounded.

    >>> import neuraltrade as nt
    >>> nt.Counterfactual(action="hold", outcome=0.0, difference=-0.02, description="no trade").interval
    (0.0, 0.0)
    """

    action: Action
    outcome: float
    interval: Interval | None = None
    difference: float = 0.0
    difference_interval: Interval | None = None
    probability: float | None = None
    description: str = ""

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            check_choice(self.action, ACTIONS, "action")
        self.outcome = check_number(self.outcome, "outcome")
        self.difference = check_number(self.difference, "difference")
        if self.interval is None:
            self.interval = (self.outcome, self.outcome)
        self.interval = check_interval(self.interval, "interval")
        if self.difference_interval is None:
            self.difference_interval = (self.difference, self.difference)
        self.difference_interval = check_interval(self.difference_interval, "difference_interval")
        if self.probability is not None:
            self.probability = check_number(self.probability, "probability", 0.0, 1.0)


class Verdict(Record, tag=True, tag_field="record"):
    """The judgement of a decision.

    score : -1..1. label : good, bad, or inconclusive when the interval of regret straddles. regret : outcome of the
    best alternative minus that of the action taken, as a fraction of equity, with its interval. roi : return of the
    decision; sharpe : mean / standard deviation of its per-bar returns, None if undefined; max_drawdown : <= 0.

    >>> import neuraltrade as nt
    >>> nt.Verdict(score=0.4, label="good", regret=-0.01, explanation="bought before a rise").label
    'good'
    """

    score: float
    label: Label
    regret: float = 0.0
    regret_interval: Interval | None = None
    roi: float = 0.0
    sharpe: float | None = None
    max_drawdown: float = 0.0
    explanation: str = ""
    successes: list[str] = []
    failures: list[str] = []

    def __post_init__(self) -> None:
        self.score = check_number(self.score, "score", -1.0, 1.0)
        if self.label not in LABELS:
            check_choice(self.label, LABELS, "label")
        self.regret = check_number(self.regret, "regret")
        if self.regret_interval is None:
            self.regret_interval = (self.regret, self.regret)
        self.regret_interval = check_interval(self.regret_interval, "regret_interval")
        self.roi = check_number(self.roi, "roi")
        if self.sharpe is not None:
            self.sharpe = check_number(self.sharpe, "sharpe")
        self.max_drawdown = check_number(self.max_drawdown, "max_drawdown", high=0.0)


class Condition(Record, tag=True, tag_field="record"):
    """A feature within [low, high); a bound of None is open.

    >>> from neuraltrade.schema import Condition
    >>> Condition(feature="rsi_14", low=70.0).high is None
    True
    """

    feature: str
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        check_symbol(self.feature, "feature")
        if self.low is not None:
            self.low = check_number(self.low, "low")
        if self.high is not None:
            self.high = check_number(self.high, "high", -np.inf if self.low is None else self.low)


class Pattern(Record, tag=True, tag_field="record"):
    """A regularity found in judged decisions, with the evidence for it.

    conditions : all must hold. effect : mean difference of outcome where they hold. support : fraction of decisions
    they cover; occurrences : their number. p_adjusted : corrected for every pattern that was tried. confirmed : it
    also held on a later period. valid_from, known_ns : it may be used on decisions after these.

    >>> import neuraltrade as nt
    >>> from neuraltrade.schema import Condition
    >>> pattern = nt.Pattern(kind="market_regime", conditions=[Condition(feature="rsi_14", low=70.0)], effect=-0.01)
    >>> pattern.confirmed
    False
    """

    kind: PatternKind
    conditions: list[Condition]
    effect: float
    id: int = 0
    interval: Interval | None = None
    support: float = 0.0
    occurrences: int = 0
    p_adjusted: float = 1.0
    confirmed: bool = False
    valid_from: int = 0
    known_ns: int = 0
    description: str = ""

    def __post_init__(self) -> None:
        self.id = check_id(self.id)
        if self.kind not in PATTERN_KINDS:
            check_choice(self.kind, PATTERN_KINDS, "kind")
        self.effect = check_number(self.effect, "effect")
        if self.interval is None:
            self.interval = (self.effect, self.effect)
        self.interval = check_interval(self.interval, "interval")
        self.support = check_number(self.support, "support", 0.0, 1.0)
        self.p_adjusted = check_number(self.p_adjusted, "p_adjusted", 0.0, 1.0)
        self.occurrences = int(check_number(self.occurrences, "occurrences", 0))
        self.valid_from = stamp(self.valid_from, "valid_from")
        self.known_ns = stamp(self.known_ns, "known_ns")


class ReflexionTrace(Record, tag=True, tag_field="record"):
    """A decision, what followed, and what would have followed otherwise.

    decision_id : the signal or order judged. ts_ns : when it was taken; known_ns : when its outcome was known.

    >>> import neuraltrade as nt
    >>> trace = nt.ReflexionTrace(ts_ns=0, decision_id=3, known_ns=10, symbol="AAPL",
    ...                           verdict=nt.Verdict(score=0.4, label="good"))
    >>> trace.decision_type
    'signal'
    """

    ts_ns: int
    decision_id: int
    id: int = 0
    known_ns: int = NOT_A_TIME
    decision_type: DecisionType = "signal"
    symbol: str = ""
    strategy: str = ""
    trajectory: list[TrajectoryStep] = []
    verdict: Verdict | None = None
    patterns: list[Pattern] = []
    counterfactuals: list[Counterfactual] = []
    metadata: dict[str, Any] = {}
    provenance: Provenance | None = None
    vector: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.id = check_id(self.id)
        self.decision_id = check_id(self.decision_id, "decision_id")
        self.metadata = check_metadata(self.metadata)
        if self.decision_type not in DECISION_TYPES:
            check_choice(self.decision_type, DECISION_TYPES, "decision_type")
        settle_times(self)
        if self.vector is not None:
            self.vector = as_vector(self.vector)
