"""Memory of the agent: typed collections over vectors (AgentDB), and how an engine asks it and writes to it."""

from .agentdb import AgentDB
from .journal import Journal
from .questions import Decision, Standing
from .recall import Recall
from .session_parts import SIGNAL_DTYPE, WorkingOrder
from .typed import TypedCollection

__all__ = [
    "SIGNAL_DTYPE",
    "AgentDB",
    "Decision",
    "Journal",
    "Recall",
    "Standing",
    "TypedCollection",
    "WorkingOrder",
]
