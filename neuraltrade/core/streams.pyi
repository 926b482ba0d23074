"""Indicators as rows arrive: the same states that the batch functions feed at once, so the same bits."""

WINDOW_MAX: int

class Stream:
    name: str
    def __init__(self, name: str, **parameters: float) -> None: ...
    def push(self, *values: float) -> float | tuple[float, ...]: ...
