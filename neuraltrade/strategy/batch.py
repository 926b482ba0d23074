"""Many runs of one strategy over the same bars: each indicator is computed once, the body is compiled once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from .indicators import Indicator, StrategyData
from .prepare import Code, Prepared, as_strategy, prepare
from .scheduled import Hook, hooks_of

KEPT_BYTES = 256 << 20
_PLAIN = (int, float, bool, str, type(None))


class Columns:
    """Results of indicator functions by what they were asked for, shared by threads; the least recently used go first.

    kept_bytes : how much may be held. What two threads ask for at the same time is computed twice and kept once.
    """

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._held: OrderedDict[Any, tuple[list[Any], int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Any, compute: Callable[[], list[Any]]) -> list[Any]:
        """What is held under `key`, else what `compute()` gives: for each symbol an array or a tuple of them."""
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
                return found[0]
        made = compute()
        arrays = [array for one in made for array in (one if isinstance(one, tuple) else (one,))]
        size = sum(array.nbytes for array in arrays)
        for array in arrays:
            array.flags.writeable = False
        with self._lock:
            if key not in self._held:
                self._held[key] = (made, size)
                self._bytes += size
                while self._bytes > self._kept_bytes and len(self._held) > 1:
                    self._bytes -= self._held.popitem(last=False)[1][1]
            return self._held[key][0]

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._held)


class SharedData(StrategyData):
    """The `data` face of one run, its indicators taken from `columns` where another run has had them."""

    def __init__(self, bars: Sequence[Any], columns: Columns) -> None:
        super().__init__(bars)
        self._columns = columns
        self._keys: dict[int, Any] = {}  # of the Indicators that came from there

    def _computed(
        self, name: str, function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any], source: Any
    ) -> list[Any]:
        compute = super()._computed
        named = [self._key(one) for one in (*arguments, *keywords.values(), source)]
        if any(key is None for key in named):
            return compute(name, function, arguments, keywords, source)
        key = (name, len(arguments), tuple(keywords), *named)
        found = self._columns.get(key, lambda: compute(name, function, arguments, keywords, source))
        first = len(self._made)
        parts = len(found[0]) if isinstance(found[0], tuple) else 1
        self._keys |= {first + part: (key, part) for part in range(parts)}
        return found

    def _key(self, value: Any) -> Any:
        """What stands for an argument, or None where it cannot be compared."""
        if isinstance(value, Indicator):
            return self._keys.get(value.index)
        if isinstance(value, np.generic):
            value = value.item()
        return (type(value), value) if isinstance(value, _PLAIN) else None


class Batch:
    """One strategy over the same bars, prepared for one set of parameters after the other, by any thread.

    strategy : a subclass or an instance of nt.Strategy, or nt.compiled(...) of one. bars : of each symbol. kept_bytes :
    how much of indicator columns may be held. calendars : of each symbol. `prepare(params)` gives what `prepare` of the
    parameters alone would.
    """

    def __init__(
        self, strategy: Any, bars: Sequence[Any], kept_bytes: int = KEPT_BYTES, calendars: Sequence[Any] | None = None
    ) -> None:
        if not bars:
            raise InputError("bars must hold at least one symbol, was empty")
        self.columns = Columns(kept_bytes)
        self._strategy = strategy
        self._bars = tuple(bars)
        self._calendars = calendars
        self._codes: dict[str, Code] = {}
        self._hooks: tuple[Hook, ...] | None = None

    def prepare(self, params: Mapping[str, Any] | None, first_slot: int = 0) -> Prepared:
        """Ready for a run with these parameters, its first symbol in that slot. Raises what `prepare` does."""
        if self._hooks is None:
            self._hooks = hooks_of(type(as_strategy(self._strategy, params)[0]))
        data = SharedData(self._bars, self.columns)
        return prepare(
            self._strategy,
            params,
            self._bars,
            first_slot=first_slot,
            calendars=self._calendars,
            data=data,
            codes=self._codes,
            hooks=self._hooks,
        )
