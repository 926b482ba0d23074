"""Bundled daily bars, for examples, tests and the demo. Sources and licence: data/README.md beside this file."""

from __future__ import annotations

import difflib
import functools
import gzip

import numpy as np

from ..errors import InputError
from .bars import Bars

_NAMES = ("AAPL", "GOOG", "IBM", "MSFT")


def names() -> tuple[str, ...]:
    """Names that `load` knows: AAPL, IBM, MSFT (2000-03-01 to 2013-03-01) and GOOG (from 2004-08-19).

    >>> import neuraltrade as nt
    >>> nt.datasets.names()
    ('AAPL', 'GOOG', 'IBM', 'MSFT')
    """
    return _NAMES


def load(name: str) -> Bars:
    """Daily bars of one bundled symbol, adjusted for splits and dividends, stamped at the end of their day (UTC).

    The last prices are as traded; earlier ones are scaled by adjusted / raw close, so no split makes a jump. GOOG
    had neither splits nor dividends and is unadjusted. Raises InputError for another name. Cost: 10 ms on the first
    call of a name; the same read-only object after that.

    >>> import neuraltrade as nt
    >>> nt.datasets.load("GOOG")
    Bars('GOOG', 2148 bars, 2004-08-19T23:59:59.999999999Z .. 2013-03-01T23:59:59.999999999Z)
    """
    if not isinstance(name, str) or name.upper() not in _NAMES:
        near = difflib.get_close_matches(str(name).upper(), _NAMES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"name must be one of {', '.join(_NAMES)}, was {name!r}{hint}")
    return _load(name.upper())


@functools.cache
def _load(name: str) -> Bars:
    from importlib import resources  # noqa: PLC0415  (only a load needs it)

    packed = (resources.files(__package__) / "data" / f"{name}.csv.gz").read_bytes()
    header, _, body = gzip.decompress(packed).partition(b"\n")
    width = header.count(b",") + 1
    fields = np.array(body.replace(b"\n", b",").split(b",")[:-1]).reshape(-1, width)
    dates = fields[:, 0].astype("U10").astype("datetime64[D]")
    return Bars(name, dates, *fields[:, 1:].astype(np.float64).T)
