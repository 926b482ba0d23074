"""The protocols that higher rooms fill, so that strategy, backtest and live never import memory or reflexion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from .schema import Signal

# One remembered situation, as ctx.similar hands it out; the layout is nt_similar of csrc/nt_context.h.
SIMILAR_DTYPE = np.dtype([("id", "<u8"), ("ts_ns", "<i8"), ("distance", "<f8"), ("outcome", "<f8")])


@runtime_checkable
class Recall(Protocol):
    """Finds situations similar to a symbol's bar, among what was known by then."""

    def similar(self, symbol: str, ts_ns: int, k: int) -> np.ndarray:
        """SIMILAR_DTYPE[m], m <= k, nearest first; only rows with known_ns <= ts_ns, the bar's own row left out.

        Must not depend on timing: equal calls on equal content give equal bytes.
        """
        ...


@runtime_checkable
class Journal(Protocol):
    """Takes the engine's events before they act."""

    def append(self, events: np.ndarray) -> None:
        """EVENT_DTYPE[n] (neuraltrade.core.engine), in order. Raising stops the run: what is not journalled
        does not act.

        A journal may also have `begin(symbols, strategy, settings, reasoning)`: called once before the first event with
        the symbols by slot, the strategy's name, what the run was told, and the texts by signal id as they come.
        """
        ...


@runtime_checkable
class Advisor(Protocol):
    """Looks at a signal before the gate and may change its confidence and reasoning."""

    def enhance(self, signal: Signal, as_of: int | None = None) -> Signal:
        """A signal of the same id, direction and time; only what was known at `as_of` (default: signal.ts_ns)
        may count."""
        ...


@runtime_checkable
class Archive(Protocol):
    """Keeps bytes for good. nt.Archive is one."""

    def put(self, name: str, content: bytes) -> str:
        """Durable when it returns; the id by which `get` finds it again. Equal content may get an equal id."""
        ...

    def get(self, id_: str) -> bytes:
        """The bytes of an id. Raises where they are not there, or not what was put."""
        ...


@runtime_checkable
class Encoder(Protocol):
    """Turns bars into vectors, row i from bars 0..i only."""

    name: str
    dimension: int

    def encode(self, bars: object) -> np.ndarray:
        """float32[n, dimension], one row a bar, unit length, equal input gives equal bytes."""
        ...
