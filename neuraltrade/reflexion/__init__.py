"""Judging decisions by replay: what was done against what could have been done, in the same market."""

from .bank import ReasoningBank
from .context import RunContext
from .decision import Decision, Tape, decision_of
from .judge import Judgement, judge
from .replay import Move, Replay, replay

__all__ = [
    "Decision",
    "Judgement",
    "Move",
    "ReasoningBank",
    "Replay",
    "RunContext",
    "Tape",
    "decision_of",
    "judge",
    "replay",
]
