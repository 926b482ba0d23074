"""Types of neuraltrade.core.conditions: tests and numbers of the current bar that cost no call."""

from .context import Context

KINDS: tuple[str, ...]
COLUMNS: tuple[str, ...]
FIELDS: tuple[str, ...]

class Condition:
    def __init__(
        self, context: Context, kind: str, left: tuple[str, str | float], right: tuple[str, str | float]
    ) -> None: ...
    def __bool__(self) -> bool: ...

class Reading:
    def __init__(self, context: Context, side: tuple[str, str | float]) -> None: ...
    def __invert__(self) -> float: ...
