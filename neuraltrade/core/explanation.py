"""What a strategy's own exception leaves unsaid."""

from __future__ import annotations

import difflib
import re
from types import TracebackType
from typing import Any

_SCHEDULE = "neuraltrade.strategy.scheduled"
_UNKNOWN = re.compile(r"^(\w+)\(\) got an unexpected keyword argument '(\w+)'$")


def explained(error: Exception, context: type) -> str:
    """The error's text; where a call of `context` got a keyword it does not have, with the nearest that it has."""
    text = str(error)
    found = _UNKNOWN.match(text) if isinstance(error, TypeError) else None
    method: Any = getattr(context, found[1], None) if found else None
    if found is None or method is None:
        return text
    signature = (method.__doc__ or "").partition("\n")[0]  # Cython's embedsignature
    known = [name for name in re.findall(r"(\w+)(?:=[^,)]*)?[,)]", signature.partition("(")[2]) if name != "self"]
    close = difflib.get_close_matches(found[2], known, 1)
    return f"{text}; did you mean {close[0]}=?" if close else f"{text}; it takes {', '.join(known)}"


def raising(error: Exception, called: str) -> str:
    """The method of the strategy that raised: of one with a schedule, whose methods one function calls, that method."""
    entry: TracebackType | None = error.__traceback__
    while entry is not None and entry.tb_next is not None:
        if entry.tb_frame.f_globals.get("__name__") == _SCHEDULE:
            return entry.tb_next.tb_frame.f_code.co_name
        entry = entry.tb_next
    return called
