"""Types of neuraltrade.core.context; see neuraltrade.core.engine."""

from .engine import Bar as Bar
from .engine import Context as Context
from .engine import IndicatorHandle as IndicatorHandle
