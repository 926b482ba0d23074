"""Memory of the agent: typed collections over vectors (AgentDB), and how an engine asks it and writes to it."""

from .agentdb import AgentDB
from .questions import Decision, Standing
from .typed import TypedCollection

__all__ = ["AgentDB", "Decision", "Standing", "TypedCollection"]
