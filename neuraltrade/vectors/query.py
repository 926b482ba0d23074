"""What is asked of a collection: `Filter` (which rows may answer) and `Query` (a vector and everything beside it).

Both are values: nothing here reads a store, and every method of a Query returns a new one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..errors import InputError
from .spec import unknown

LEAVES = ("eq", "ne", "in_", "gt", "gte", "lt", "lte")
BRANCHES = ("and_", "or_", "not_")
TERMS = ("k", "where", "symbol", "start", "end", "as_of", "exact", "timeout_s", "explain", "stable")


class Filter:
    """A condition on fields. Build it with the class methods; combine with `and_`, `or_`, `not_` or `&`, `|`, `~`.

    Text fields take eq, ne and in_; number fields, `ts_ns`, `known_ns` and `id` take all. A missing number is NaN and
    matches nothing but `ne` and a negation. `between` is half-open: low <= value < high.

    >>> import neuraltrade as nt
    >>> nt.Filter.eq("symbol", "AAPL") & nt.Filter.gte("confidence", 0.8)
    Filter.and_(Filter.eq('symbol', 'AAPL'), Filter.gte('confidence', 0.8))
    """

    __slots__ = ("field", "op", "parts", "value")

    op: str
    field: str
    value: Any
    parts: tuple[Filter, ...]

    def __init__(self, op: str, field: str = "", value: Any = None, parts: tuple[Filter, ...] = ()) -> None:
        if op not in LEAVES and op not in BRANCHES:
            raise InputError(f"op must be one of {', '.join((*LEAVES, *BRANCHES))}, was {op!r}")
        if (op in BRANCHES) != bool(parts):
            raise InputError(f"{op} takes {'parts' if op in BRANCHES else 'a field and a value'}; use Filter.{op}(...)")
        self.op, self.field, self.value, self.parts = op, field, value, parts

    @classmethod
    def eq(cls, field: str, value: str | float) -> Filter:
        """Rows whose field equals the value."""
        return cls("eq", _name(field), _scalar(field, value))

    @classmethod
    def ne(cls, field: str, value: str | float) -> Filter:
        """Rows whose field differs from the value."""
        return cls("ne", _name(field), _scalar(field, value))

    @classmethod
    def in_(cls, field: str, values: Iterable[str | float]) -> Filter:
        """Rows whose field equals one of the values."""
        if isinstance(values, str | bytes) or not isinstance(values, Iterable):
            raise InputError(f"in_({field!r}): values must be a sequence of values, was {values!r}")
        return cls("in_", _name(field), tuple(_scalar(field, value) for value in values))

    @classmethod
    def gt(cls, field: str, value: float) -> Filter:
        """Rows whose field is greater than the value."""
        return cls("gt", _name(field), _number(field, value))

    @classmethod
    def gte(cls, field: str, value: float) -> Filter:
        """Rows whose field is greater than or equal to the value."""
        return cls("gte", _name(field), _number(field, value))

    @classmethod
    def lt(cls, field: str, value: float) -> Filter:
        """Rows whose field is less than the value."""
        return cls("lt", _name(field), _number(field, value))

    @classmethod
    def lte(cls, field: str, value: float) -> Filter:
        """Rows whose field is less than or equal to the value."""
        return cls("lte", _name(field), _number(field, value))

    @classmethod
    def between(cls, field: str, low: float, high: float) -> Filter:
        """Rows with low <= field < high."""
        if _number(field, low) > _number(field, high):
            raise InputError(f"between({field!r}): low must not exceed high, was {low!r} > {high!r}")
        return cls.gte(field, low) & cls.lt(field, high)

    @classmethod
    def and_(cls, *parts: Filter) -> Filter:
        """Rows that match every part."""
        return cls("and_", parts=_parts("and_", parts))

    @classmethod
    def or_(cls, *parts: Filter) -> Filter:
        """Rows that match at least one part."""
        return cls("or_", parts=_parts("or_", parts))

    @classmethod
    def not_(cls, part: Filter) -> Filter:
        """Rows that do not match."""
        return cls("not_", parts=_parts("not_", (part,)))

    def __and__(self, other: Filter) -> Filter:
        return Filter.and_(self, other)

    def __or__(self, other: Filter) -> Filter:
        return Filter.or_(self, other)

    def __invert__(self) -> Filter:
        return Filter.not_(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filter) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        inside = ", ".join(map(repr, self.parts)) if self.parts else f"{self.field!r}, {self.value!r}"
        return f"Filter.{self.op}({inside})"

    def leaves(self) -> Iterator[Filter]:
        """Every comparison in the tree."""
        if self.op in LEAVES:
            yield self
        for part in self.parts:
            yield from part.leaves()

    def conjuncts(self) -> Iterator[Filter]:
        """The parts that must all hold: nested `and_` flattened."""
        if self.op == "and_":
            for part in self.parts:
                yield from part.conjuncts()
        else:
            yield self

    def _key(self) -> tuple[Any, ...]:
        return (self.op, self.field, self.value, self.parts)


class Query:
    """A search as a value: `collection.search(nt.Query(vector).k(5).filter(...))`. Every method returns a new Query.

    >>> import numpy as np
    >>> import neuraltrade as nt
    >>> q = nt.Query(np.ones(512, np.float32)).k(5).filter(nt.Filter.eq("symbol", "AAPL")).as_of("2012-06-29")
    >>> sorted(q.terms)
    ['as_of', 'k', 'where']
    """

    __slots__ = ("terms", "vector")

    def __init__(self, vector: np.ndarray, **terms: Any) -> None:
        for name in terms:
            if name not in TERMS:
                raise InputError(unknown("term of a Query", name, TERMS))
        self.vector = vector
        self.terms = terms

    def _with(self, **terms: Any) -> Query:
        return Query(self.vector, **{**self.terms, **terms})

    def k(self, k: int) -> Query:
        """At most k hits."""
        return self._with(k=k)

    def filter(self, where: Filter) -> Query:
        """Only rows that match; a second call narrows the first."""
        if not isinstance(where, Filter):
            raise InputError(f"where must be a Filter, was {type(where).__name__}")
        held = self.terms.get("where")
        return self._with(where=where if held is None else held & where)

    def symbol(self, symbol: str) -> Query:
        """Only rows of one symbol."""
        return self._with(symbol=symbol)

    def between(self, start: Any = None, end: Any = None) -> Query:
        """Only rows with start <= ts_ns < end."""
        return self._with(start=start, end=end)

    def as_of(self, as_of: Any) -> Query:
        """Only what was known then: known_ns <= as_of."""
        return self._with(as_of=as_of)

    def exact(self, exact: bool = True) -> Query:
        """Scan every row that may answer instead of asking an index."""
        return self._with(exact=exact)

    def timeout(self, timeout_s: float) -> Query:
        """Give up with DeadlineExceeded after this many seconds."""
        return self._with(timeout_s=timeout_s)

    def explain(self, explain: bool = True) -> Query:
        """Say in `hits.explanation` what was done."""
        return self._with(explain=explain)

    def stable(self, stable: bool = True) -> Query:
        """Let the answer depend on the rows alone, whatever has been indexed."""
        return self._with(stable=stable)

    def plain_terms(self) -> dict[str, Any]:
        """The terms for a collection that knows fields but no symbols: that one becomes a condition."""
        terms = dict(self.terms)
        symbol = terms.pop("symbol", None)
        if symbol is not None:
            wanted = Filter.eq("symbol", symbol)
            terms["where"] = wanted if terms.get("where") is None else wanted & terms["where"]
        return terms

    def __repr__(self) -> str:
        shape = "x".join(map(str, np.shape(self.vector)))
        return (
            ", ".join([f"Query(<vector {shape}>", *(f"{name}={value!r}" for name, value in self.terms.items())]) + ")"
        )


def _name(field: object) -> str:
    if not isinstance(field, str) or not field:
        raise InputError(f"field must be a name, was {field!r}")
    return field


def _scalar(field: object, value: object) -> str | int | float:
    if isinstance(value, str):
        return value
    return _number(field, value)


def _number(field: object, value: object) -> int | float:
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise InputError(f"value of {field!r} must be a number or a text, was {value!r}")
    if math.isnan(value):
        raise InputError(f"value of {field!r} must not be NaN: nothing equals or exceeds NaN")
    return value.item() if isinstance(value, np.generic) else value


def _parts(op: str, parts: tuple[Any, ...]) -> tuple[Filter, ...]:
    if not parts:
        raise InputError(f"{op} needs at least one Filter")
    for part in parts:
        if not isinstance(part, Filter):
            raise InputError(f"{op} takes Filters, was {type(part).__name__}")
    return tuple(parts)
