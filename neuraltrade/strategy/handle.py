"""Two small types that the translator and the intrinsics share, apart so that naming them imports no numba."""

from __future__ import annotations

import collections
from typing import Any

Handle = collections.namedtuple("Handle", ["index"])
"""An indicator in compiled code: a type of its own, so that comparing it with a number does not compile."""

PastBar = collections.namedtuple("PastBar", ["ts_ns", "open", "high", "low", "close", "volume"])
"""What `ctx.ago(k)` is in compiled code."""


def plain_handles(value: Any) -> Any:
    """A Handle, or handles as a plain tuple: compiled code knows no other named tuple."""
    return value if isinstance(value, Handle) else tuple(value)
