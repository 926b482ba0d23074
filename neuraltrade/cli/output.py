"""What a command says: text for people, or one JSON document; progress bars only where somebody watches."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
import numpy as np

Advance = Callable[[int, int], None]  # done, of how many


class Output:
    """Collects the answer of one command. Text goes to stdout unless JSON was asked for; then the answer alone does."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def say(self, text: str = "") -> None:
        """A line for people."""
        if not self.as_json:
            click.echo(text)

    def rows(self, pairs: Mapping[str, object]) -> None:
        """Names and values, aligned."""
        width = max(map(len, pairs), default=0)
        for name, value in pairs.items():
            self.say(f"{name:<{width}}  {value}")

    def table(self, columns: list[str], rows: list[list[str]]) -> None:
        """Right-aligned columns with a head."""
        widths = [max(len(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
        for row in [columns, *rows]:
            self.say("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))

    def answer(self, value: Mapping[str, Any]) -> None:
        """The machine-readable result: printed only with --json, and then it is all there is on stdout."""
        if self.as_json:
            click.echo(json.dumps(plain(value), indent=1, allow_nan=False))

    @contextmanager
    def progress(self, label: str) -> Iterator[Advance]:
        """A bar on stderr when that is a terminal, nothing otherwise."""
        if self.as_json or not sys.stderr.isatty():
            yield lambda done, total: None
            return
        from rich.console import Console  # noqa: PLC0415  (0.1 s, needed on a terminal only)
        from rich.progress import Progress  # noqa: PLC0415

        with Progress(console=Console(stderr=True), transient=True) as bars:
            task = bars.add_task(label, total=None)
            yield lambda done, total: bars.update(task, completed=done, total=total)


def plain(value: Any) -> Any:
    """`value` as JSON knows it: NumPy numbers and arrays unpacked, NaN and infinities as null, keys as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
