"""What can go wrong, as three kinds: the caller's mistake (InputError), an expected refusal (a value: nt.Denial), and a
broken world (every other class here)."""

from __future__ import annotations

from typing import Any


class NeuralTradeError(Exception):
    """Base of every error this package raises on purpose."""


class InputError(NeuralTradeError, ValueError):
    """A wrong argument. The message names the argument, the value and the limit; nothing was changed."""


class UnknownArgument(InputError, TypeError):
    """A keyword that the call does not take. The message names the nearest that it does."""


class DependencyMissing(NeuralTradeError, ImportError):
    """An optional package is needed for this call. The message names the extra to install."""


class StrategyError(NeuralTradeError):
    """A strategy raised in `init` or `on_bar`. `bar` and `ts_ns` tell where; the cause is the user's own exception.

    `result` is the nt.Result up to and with that bar, of nt.backtest; None where it raised in `init`.
    """

    def __init__(self, message: str, *, bar: int = -1, ts_ns: int = 0) -> None:
        super().__init__(message)
        self.bar = bar
        self.ts_ns = ts_ns
        self.result: Any = None


class CompileError(NeuralTradeError):
    """A strategy body holds a construct that cannot be compiled. The message names the user's line and a way out."""


class LogCorrupt(NeuralTradeError):
    """Bytes of a log, segment, manifest or audit log do not check. Nothing read from them was served."""


class StoreClosed(NeuralTradeError):
    """The store was closed, or poisoned itself after a failed write: reopen it to recover what was acknowledged."""


class StoreLocked(NeuralTradeError):
    """Another process owns the store. The message names it."""


class IndexStale(NeuralTradeError):
    """An index does not belong to the data beside it: rebuild it."""


class FormatTooNew(NeuralTradeError):
    """The file was written by a newer version of this package."""


class VerificationFailed(NeuralTradeError):
    """A signature, hash or proof does not check."""


class DeadlineExceeded(NeuralTradeError, TimeoutError):
    """A search passed its `timeout_s`. Nothing is returned rather than part of an answer."""
