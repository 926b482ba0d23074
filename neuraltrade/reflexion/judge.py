"""A verdict from replays: what the decision brought, what its alternatives would have brought, and how sure that is.

Regret is the outcome of the best rival action minus that of the action taken, over the same bars and until the
decision's own position ended. Outcomes are profit per notional of the decision. Every action is played on the worst and
the best path inside ambiguous bars, and once more with everything one bar late; the interval is what these scenarios
span, action against action in the same scenario. A decision is good if its regret is below zero in all of them, bad if
above zero in all, else inconclusive.

Rivals are what the decision turned down, on one side of it: a long is held against no trade and a short, a closing
against keeping, a refused buy against the buy. With rivals on both sides of the action taken, or with other times to
end it, hindsight nearly always finds something better, in a market without any structure too: such actions are
reported as counterfactuals and in words, but enter no regret. A decision to hold nothing that named no direction is
inconclusive for the same reason. The score compares with the one action that would have left things as they were.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import InputError
from ..market import Bars
from ..schema import Counterfactual, TrajectoryStep, Verdict
from .context import RunContext
from .decision import Decision
from .replay import Move, Replay
from .replay import replay as play

HORIZON_BARS = 20  # of a decision that ended in no position
VOLATILITY_BARS = 64
TRAJECTORY_STEPS = 64
PRICE_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Action:
    """One thing that could have been done, as moves from the decision on.

    rival : it enters the regret. reference : the score is measured against it. timing : it differs from the action
    taken only in when it ends.
    """

    name: str
    action: str
    moves: tuple[Move, ...]
    rival: bool = False
    reference: bool = False
    timing: bool = False


@dataclass(frozen=True)
class Judgement:
    verdict: Verdict
    counterfactuals: list[Counterfactual]
    trajectory: list[TrajectoryStep]
    last_bar: int  # index of the last bar that was looked at: the outcome is known at its end
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Plan:
    """Actions over a window of bars; the first is the one taken. bar : the decision's index in the window."""

    window: Bars
    start: int
    bar: int
    exit_bar: int
    actions: tuple[Action, ...]
    quantity: float
    notional: float


def judge(decision: Decision, bars: Bars, context: RunContext, *, horizon: int = HORIZON_BARS) -> Judgement:
    """Replay the decision and its alternatives over `bars` and judge it.

    horizon : bars over which a decision that ended in no position is compared.
    Raises InputError if there is no bar after the decision, or the market does not reproduce the journalled fill.
    """
    plan = _plan(decision, bars, context, horizon)
    played = _scenarios(plan, decision, context)
    first = played[0]
    if first.refused[0]:
        raise InputError(
            f"the decision of {decision.symbol} cannot be replayed: its order is refused ({first.refused[0]})"
        )
    _check_fill(first, decision, plan, context)
    scenarios = [one for one in played if not one.refused[0]]
    open_to = [index for index in range(len(plan.actions)) if not any(one.refused[index] for one in scenarios)]
    # Outcome of each action in each scenario, since the decision's close, which all actions share.
    base = [float(scenario.profit[-1, plan.bar]) for scenario in scenarios]
    outcomes = {
        index: [(float(s.profit[index, -1]) - b) / plan.notional for s, b in zip(scenarios, base, strict=True)]
        for index in open_to
    }
    counterfactuals = [_counterfactual(plan.actions[index], outcomes[index], outcomes[0]) for index in open_to if index]
    path = (first.profit[0, plan.bar :] - base[0]) / plan.notional
    return Judgement(
        verdict=_verdict(plan, decision, open_to, outcomes, counterfactuals, path, bars),
        counterfactuals=counterfactuals,
        trajectory=_trajectory(plan, decision, first, base[0]),
        last_bar=plan.start + len(plan.window) - 1,
        details={"scenarios": len(scenarios), "ambiguous_bars": first.ambiguous_bars, "notional": plan.notional},
    )


# ---- what could have been done ------------------------------------------------------------------------------------


def _plan(decision: Decision, bars: Bars, context: RunContext, horizon: int) -> _Plan:
    last = len(bars) - 1
    if decision.bar >= last:
        raise InputError(
            f"market must go on after the decision: {bars.symbol} ends with bar {last}, where it was taken"
        )
    price = float(bars.close[decision.bar])
    before, after = decision.before, decision.after
    size = abs(after) or abs(before) or context.default_quantity(decision.symbol, price)
    if not size > 0:
        raise InputError(f"the decision of {decision.symbol} has no size: the run's default buys nothing at {price:g}")
    start = decision.bar - (before != 0 and decision.bar > 0)  # one bar earlier, to take up what was held
    opened = decision.traded and after != 0
    marked = opened and decision.exit_bar is None  # still held at the last bar: every action is marked there
    exit_bar = min(decision.bar + horizon, last)
    if opened:
        exit_bar = last if decision.exit_bar is None else max(decision.exit_bar, decision.bar + 1)
    longest = exit_bar if marked or not opened else min(2 * exit_bar - decision.bar, last)
    window = bars[start : min(longest + 3, last + 1)]  # a bar to fill in, and one more for the late scenario
    bar, end = decision.bar - start, exit_bar - start
    closing = () if marked else (Move(end, 0.0),)
    taken = _taken(decision, bars, context, bar)
    actions = [Action(_name(decision), _action(decision), (taken, *closing) if decision.traded else closing)]
    for target, name, action in ((size, "long", "buy"), (-size, "short", "sell")):
        if target * after <= 0 and target * before <= 0:
            meant = decision.direction * target > 0  # what was refused
            rival = after != 0 or meant
            actions.append(Action(name, action, (_mirrored(taken, target), *closing), rival, reference=meant))
    if after != 0:
        flat = Action("closing what was held", "close", (Move(bar, 0.0),), rival=True, reference=not decision.traded)
        actions.append(flat if before else Action("no trade", "hold", (), rival=True, reference=True))
    if before != 0 and decision.traded:
        actions.append(Action("keeping what was held", "hold", closing, rival=True, reference=True))
    half = bar + (end - bar) // 2
    if opened and not marked and half > bar:
        actions.append(Action(f"closed {end - half} bars earlier", "close", (taken, Move(half, 0.0)), timing=True))
    if opened and not decision.contingent_exit and longest > exit_bar:
        moves = (taken, Move(longest - start, 0.0))
        actions.append(Action(f"held {longest - exit_bar} bars longer", "hold", moves, timing=True))
    unit = context.instrument(decision.symbol).multiplier
    return _Plan(window, start, bar, end, tuple(actions), size, size * price * unit)


def _taken(decision: Decision, bars: Bars, context: RunContext, bar: int) -> Move:
    """The decision's own order, its guards as fractions of what the run took them of."""
    base = decision.fill_price
    if base is not None and decision.fill_bar is not None and context.fill.stop_base == "entry_close":
        base = float(bars.close[decision.fill_bar])
    stop_loss, take_profit = (
        None if level is None or base is None else abs(level - base) / base
        for level in (decision.stop_loss, decision.take_profit)
    )
    return Move(bar, decision.after, decision.limit, decision.stop, stop_loss, take_profit, decision.trail)


def _mirrored(taken: Move, target: float) -> Move:
    """A market order to `target`, guarded like the taken one if it goes the other way."""
    if taken.target * target >= 0:
        return Move(taken.bar, target)
    return replace(taken, target=target, limit=None, stop=None)


def _name(decision: Decision) -> str:
    if not decision.traded:
        return "no trade" if not decision.before else "keeping what was held"
    return "nothing held" if decision.after == 0 else "long" if decision.after > 0 else "short"


def _action(decision: Decision) -> str:
    if not decision.traded:
        return "hold"
    return "close" if decision.after == 0 else "buy" if decision.after > decision.before else "sell"


def _scenarios(plan: _Plan, decision: Decision, context: RunContext) -> list[Replay]:
    """One Replay per scenario; its last row is the position found, kept to the end (the common base)."""
    setup = (Move(0, decision.before),) if plan.bar > 0 and decision.before else ()
    scripts: list[tuple[Move, ...]] = [(*setup, *action.moves) for action in plan.actions]
    late = [(*setup, *(replace(move, bar=move.bar + 1) for move in action.moves)) for action in plan.actions]
    both = [*scripts, setup, *late, setup]
    found: list[Replay] = []
    count = len(scripts) + 1
    for path in ("worst", "best") if decision.contingent else ("worst",):
        played = play(plan.window, both, context, path)
        for offset in (0, count):
            rows = slice(offset, offset + count)
            mine = (played.fills["symbol"] >= offset) & (played.fills["symbol"] < offset + count)
            parts = played.profit[rows], played.position[rows], played.refused[rows], played.fills[mine]
            found.append(Replay(*parts, played.ambiguous_bars))
    return found


def _check_fill(first: Replay, decision: Decision, plan: _Plan, context: RunContext) -> None:
    """The market given must be the one the decision met."""
    if decision.fill_price is None or context.fill.volume_cap is not None:
        return
    earliest = plan.bar + (context.fill.market_at == "next_open")
    mine = first.fills[(first.fills["symbol"] == 0) & (first.fills["bar"] >= earliest)]
    got = float(mine["price"][0]) if mine.size else math.nan
    if not abs(got - decision.fill_price) <= PRICE_TOLERANCE * decision.fill_price:
        raise InputError(
            f"market and run must be those of the decision: its order filled at {decision.fill_price!r}, "
            f"the replay of {decision.symbol} fills at {got!r}"
        )


# ---- what it comes to ---------------------------------------------------------------------------------------------


def _counterfactual(action: Action, outcome: Sequence[float], taken: Sequence[float]) -> Counterfactual:
    differences = [mine - theirs for mine, theirs in zip(outcome, taken, strict=True)]
    return Counterfactual(
        action=action.action,  # type: ignore[arg-type]
        outcome=outcome[0],
        interval=(min(outcome), max(outcome)),
        difference=differences[0],
        difference_interval=(min(differences), max(differences)),
        description=action.name,
    )


def _verdict(
    plan: _Plan,
    decision: Decision,
    open_to: Sequence[int],
    outcomes: dict[int, list[float]],
    counterfactuals: Sequence[Counterfactual],
    path: np.ndarray,
    bars: Bars,
) -> Verdict:
    rivals = [index for index in open_to if plan.actions[index].rival]
    others = [index for index in open_to if index and not plan.actions[index].timing]
    if not others:
        raise InputError(f"the decision of {decision.symbol} has no alternative: the account allows no other action")
    taken = outcomes[0]
    if rivals:
        regrets = [max(outcomes[index][one] for index in rivals) - taken[one] for one in range(len(taken))]
        regret, low, high = regrets[0], min(regrets), max(regrets)
    else:  # no direction was at hand: regret spans what both would have brought
        spread = [outcomes[index][one] - taken[one] for index in others for one in range(len(taken))]
        regret, low, high = sum(spread) / len(spread), min(*spread, 0.0), max(*spread, 0.0)
    label = "good" if high < 0 else "bad" if low > 0 else "inconclusive"
    reference = next((index for index in open_to if plan.actions[index].reference), None)
    gained = taken[0] - outcomes[reference][0] if reference is not None else 0.0
    steps = np.diff(path)
    moved = float(np.std(steps, ddof=1)) if steps.size > 1 else 0.0
    usual = _usual_move(bars, decision.bar, plan.exit_bar - plan.bar)
    successes, failures = _lessons(plan, open_to, counterfactuals, label)
    best = max(rivals or others, key=lambda index: outcomes[index][0])
    return Verdict(
        score=gained / (abs(gained) + usual),
        label=label,  # type: ignore[arg-type]
        regret=regret,
        regret_interval=(low, high),
        roi=taken[0],
        sharpe=float(np.mean(steps)) / moved if moved > 0 else None,
        max_drawdown=float(min((path - np.maximum.accumulate(path)).min(), 0.0)),
        explanation=(
            f"{plan.actions[0].name}, {plan.quantity:g} {decision.symbol} over {plan.exit_bar - plan.bar} bars: "
            f"{taken[0]:+.2%}; {'best rival' if rivals else 'in hindsight'}, {plan.actions[best].name}: "
            f"{outcomes[best][0]:+.2%}; "
            f"regret {regret:+.2%} ({low:+.2%} to {high:+.2%} over paths and one bar of delay): {label}"
        ),
        successes=successes,
        failures=failures,
    )


def _usual_move(bars: Bars, bar: int, span: int) -> float:
    """Standard deviation of the return over `span` bars, from the bars before the decision: a regret's yardstick."""
    closes = bars.close[max(bar - VOLATILITY_BARS, 0) : bar + 1]
    if closes.size < 3:
        return 0.01
    return float(np.std(np.diff(np.log(closes)), ddof=1)) * math.sqrt(max(span, 1)) or 0.01


def _lessons(
    plan: _Plan, open_to: Sequence[int], counterfactuals: Sequence[Counterfactual], label: str
) -> tuple[list[str], list[str]]:
    successes: list[str] = []
    failures: list[str] = []
    for index, other in zip([index for index in open_to if index], counterfactuals, strict=True):
        low, high = other.difference_interval or (0.0, 0.0)
        text = f"{other.description}: {other.difference:+.2%} against what was done"
        if high < 0:
            successes.append(text)
        elif low > 0 and (label == "bad" or not plan.actions[index].rival):
            failures.append(text)
    return successes, failures


def _trajectory(plan: _Plan, decision: Decision, first: Replay, base: float) -> list[TrajectoryStep]:
    """From the decision to its end, at most TRAJECTORY_STEPS steps, rewards summed over what a step spans."""
    profit, position = first.profit[0], first.position[0]
    end = min(plan.exit_bar + 1, len(plan.window) - 1)
    count = min(end - plan.bar + 1, TRAJECTORY_STEPS)
    places = sorted({round(plan.bar + (end - plan.bar) * step / max(count - 1, 1)) for step in range(count)})
    steps = []
    for place, following in zip(places, [*places[1:], None], strict=True):
        after = float(position[min(place + 1, len(position) - 1)])
        change = 0.0 if following is None else after - float(position[place])
        action = "hold" if change == 0 else "close" if after == 0 else "buy" if change > 0 else "sell"
        reward = 0.0 if following is None else float(profit[following] - profit[place]) / plan.notional
        held = float(position[place])
        steps.append(
            TrajectoryStep(
                ts_ns=int(plan.window.ts_ns[place]),
                positions={decision.symbol: held} if held else {},
                unrealised=float(profit[place] - base),
                features={"close": float(plan.window.close[place])},
                action=action,  # type: ignore[arg-type]
                symbol=decision.symbol,
                quantity=abs(change),
                reward=reward,
            )
        )
    return steps
