"""Indicators as rows arrive: the same states that the batch functions feed at once, so the same bits."""

from typing import Any

class Stream:
    name: str
    def __init__(self, name: str, **given: float) -> None: ...
    def push(self, *values: float) -> Any: ...
