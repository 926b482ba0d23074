"""A collection of typed records: the columns and searches of vectors.Collection, records in and out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np

from ..clock import as_ns, column_ns
from ..errors import InputError
from ..schema import Record
from ..vectors import Collection, Filter, Hits, Query, Rows
from ..vectors.block import Block
from ..vectors.cold import demote
from ..vectors.collection import vector_of
from ..vectors.spec import as_array, unknown
from .kinds import DEFAULTS, Kind

CARRIES = "a Query carries everything: give k, symbol, start ... in it, not beside it"


class TypedCollection:
    """Records of one kind with a vector each: add, get, search, range, update, delete. Made by AgentDB.

    Times are int64 nanoseconds UTC; arguments that take a time also take datetime, numpy.datetime64 and ISO strings.
    Every row has ts_ns (when it happened) and known_ns (when it could be known); `as_of` hides what was not known by
    then, from searches, ranges, counts and get alike. Distances are cosine distances of the stored int8 vectors.
    """

    def __init__(self, collection: Collection, kind: Kind) -> None:
        self.collection = collection
        self.kind = kind
        self.name = collection.name
        self.dimension = kind.spec.dimension
        self._fields = [field.name for field in kind.spec.fields]
        self._columns = ("id", "ts_ns", "known_ns", *self._fields)
        collection.make = self._make

    def add(
        self, vectors: Any, *, ts_ns: Any = None, known_ns: Any = None, payload: Any = None, **fields: Any
    ) -> np.ndarray | int:
        """Remember rows. Acknowledged: they survive the death of the process and the next search sees them.

        vectors : a record with a vector (returns its id, an int), a sequence of such records, or float32[n, dimension]
        with columns: symbol and the other indexed fields (a scalar is repeated), ts_ns, known_ns (default ts_ns), and
        payload: a mapping a row with further fields of the record; what the record does not have goes into its
        metadata. Returns uint64[n] ids, increasing. Raises InputError naming the argument and the row (nothing is
        added), StoreClosed.
        """
        if isinstance(vectors, Record) or (isinstance(vectors, list | tuple) and _are_records(vectors)):
            given = {"ts_ns": ts_ns, "known_ns": known_ns, "payload": payload, **fields}
            if any(value is not None for value in given.values()):
                name = next(name for name, value in given.items() if value is not None)
                raise InputError(f"{name} must not be given with records: set it in the record")
            if isinstance(vectors, Record):
                return int(self._add_records([vectors])[0])
            return self._add_records(vectors)
        if ts_ns is None:
            raise InputError(f"ts_ns must be given with columns of {self.name}: int64[n] or one time")
        times = _times("ts_ns", ts_ns)
        known = None if known_ns is None else _times("known_ns", known_ns)
        columns = {**{name: value for name, value in DEFAULTS.items() if name in self._fields}, **fields}
        self._check_columns(columns)
        bodies = (
            None if payload is None else self._payloads(as_array(vectors, "vectors"), columns, times, known, payload)
        )
        return self.collection.add(vectors, ts_ns=times, known_ns=known, payload=bodies, **columns)

    def get(self, id_: int, as_of: Any = None) -> Any:
        """The record of an id, its newest version or the one `as_of` sees. Its vector is the stored one: unit length,
        int8 precision. Raises InputError for an id that is not there, or was not known by then.
        """
        return self.collection.get(id_, as_of)

    def search(
        self,
        vector: Any,
        k: int = 10,
        *,
        symbol: str | None = None,
        start: Any = None,
        end: Any = None,
        as_of: Any = None,
        where: Filter | None = None,
        exact: bool = False,
        timeout_s: float | None = None,
        explain: bool = False,
        stable: bool = False,
    ) -> Hits:
        """The k nearest rows, ascending by (distance, id): hits.ids, .distances, .ts_ns, .column(name), .records(),
        .plan.

        vector : float32[dimension], or an nt.Query that carries everything. symbol, start, end (half-open on ts_ns),
        where : who may answer. as_of : only what was known then. exact : compare with every row that may answer.
        stable : let the answer depend on the rows alone, whatever has been indexed, as what a run recalls must: exact
        up to 16,384 rows, beyond it the nearest of the few hundred with the fewest differing signs. timeout_s :
        DeadlineExceeded beyond it. explain : say in hits.explanation what was done (`print` it). Fewer than
        k matching rows: fewer hits. Asked again while nothing changed, the answer is the one kept (see AgentDB.open).
        Raises InputError, StoreClosed.
        """
        if isinstance(vector, Query):
            given = (k, symbol, start, end, as_of, where, exact, timeout_s, explain, stable)
            if given != (10, *[None] * 5, False, None, False, False):
                raise InputError(CARRIES)
            return self.search(vector.vector, **vector.terms)
        where = self._where(symbol, where)
        return self.collection.search(
            vector, k, where=where, start=start, end=end, as_of=as_of, exact=exact, timeout_s=timeout_s,
            explain=explain, stable=stable,
        )  # fmt: skip

    def search_many(
        self,
        vectors: Any,
        k: int = 10,
        *,
        symbol: str | None = None,
        start: Any = None,
        end: Any = None,
        as_of: Any = None,
        where: Filter | None = None,
        exact: bool = False,
        timeout_s: float | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """(ids uint64[q, k], distances float32[q, k]) for float32[q, dimension], on all cores; padded with 0 and
        inf. vectors may be an nt.Query of several, that carries everything.
        """
        if isinstance(vectors, Query):
            if (k, symbol, start, end, as_of, where, exact, timeout_s) != (10, *[None] * 5, False, None):
                raise InputError(CARRIES)
            for name in ("explain", "stable"):
                if name in vectors.terms:
                    raise InputError(f"{name} is for one vector: ask search")
            return self.search_many(vectors.vector, **vectors.terms)
        where = self._where(symbol, where)
        return self.collection.search_many(
            vectors, k, where=where, start=start, end=end, as_of=as_of, exact=exact, timeout_s=timeout_s
        )

    def range(
        self,
        symbol: str | None = None,
        start: Any = None,
        end: Any = None,
        *,
        as_of: Any = None,
        where: Filter | None = None,
        limit: int | None = 10_000,
    ) -> Rows:
        """Rows with start <= ts_ns < end, ascending by (ts_ns, id): the first `limit` (None: all). `.records()`,
        `.column(name)`.
        """
        return self.collection.range(where=self._where(symbol, where), start=start, end=end, as_of=as_of, limit=limit)

    def count(
        self,
        symbol: str | None = None,
        start: Any = None,
        end: Any = None,
        *,
        as_of: Any = None,
        where: Filter | None = None,
    ) -> int:
        """How many rows match and were known by `as_of`."""
        return self.collection.count(where=self._where(symbol, where), start=start, end=end, as_of=as_of)

    def update(self, id_: Any, *, known_ns: Any, vector: Any = None, **fields: Any) -> None:
        """Give ids a new version that is known from known_ns on; earlier as-of searches go on seeing the older one.

        id_ : one id, or several. known_ns : one time, or one each; not before that of the newest version. fields :
        columns or fields of the record, a scalar or one value an id; `outcome` is the return that followed. What is
        not given is kept.
        """
        ids = np.atleast_1d(np.asarray(id_))
        known = np.asarray(_times("known_ns", known_ns))
        if known.shape not in ((), ids.shape):
            raise InputError(f"known_ns must be one time, or one an id ({len(ids)}), shape was {known.shape}")
        known = np.broadcast_to(known, ids.shape)
        vectors = None if vector is None else as_array(vector, "vector")
        if vectors is not None and vectors.ndim == 1:
            vectors = vectors[None, :]
        names = (*self._fields, *self.kind.record.__struct_fields__)
        for name in fields:
            if name not in names or name in ("id", "ts_ns", "known_ns", "vector"):
                raise InputError(unknown(f"field of {self.name} that can change", name, names))
        only_columns = all(name in self._fields for name in fields)
        self.collection.store.check_writable()
        with self.collection.store.lock:
            places = [self.collection.locate(one) for one in ids.tolist()]
            if only_columns and not any(block.payload(row) for block, row in places):
                self._check_columns(fields, partly=True)
                self.collection.update(ids, known_ns=known, vectors=vectors, **fields)
                return
            per_row = {name: _spread(name, value, len(ids)) for name, value in fields.items()}
            changed = [
                self._changed(
                    self._make(block, row), {name: values[j] for name, values in per_row.items()}, int(known[j])
                )
                for j, (block, row) in enumerate(places)
            ]
            rows = [self.kind.columns_of(record) for record in changed]
            columns = {name: [row[name] for row in rows] for name in self._fields}
            self.collection.update(
                ids,
                known_ns=known,
                vectors=vectors,
                payload=[self.kind.encode(record) for record in changed],
                **columns,
            )

    def delete(self, ids: Any) -> int:
        """Remove rows with all their versions, from every view of the past as well; returns how many."""
        return self.collection.delete(ids)

    def retain(self, *, max_age: Any = None, max_rows: int | None = None) -> int:
        """Delete what is older than the newest row by more than max_age (timedelta, timedelta64 or int nanoseconds),
        and all but the newest max_rows; returns how many were deleted.
        """
        return self.collection.retain(max_age_ns=None if max_age is None else _age_ns(max_age), max_rows=max_rows)

    def demote(self, before: Any) -> int:
        """Move segments whose every row happened and was known before a time to the archive that the store was opened
        with; returns how many rows, every version counted.

        Answers stay what they were. A question that such rows can answer, by time and by what was known, fetches them
        back, checked, into memory (256 MiB at most are kept); others never touch them. Small recent rows are in no
        segment yet and stay: `db.optimize()` first. Raises InputError without an archive, StoreClosed, and what the
        archive raises: then everything is where it was.
        """
        return demote(self.collection.store, self.collection, as_ns(before, "before"))

    def __len__(self) -> int:
        return self.collection.count()

    def __contains__(self, id_: object) -> bool:
        try:
            self.collection.locate(id_)
        except InputError:
            return False
        return True

    def __repr__(self) -> str:
        rows = "closed," if self.collection.store.closed else f"{len(self)} rows"
        return f"<{self.name}: {rows} of {self.kind.record.__name__}[{self.dimension}]>"

    def _make(self, block: Block, row: int) -> Any:
        values = {name: block.value(name, row) for name in self._columns}
        return self.kind.build(values, block.payload(row), vector_of(block, row))

    def _add_records(self, records: Sequence[Any]) -> np.ndarray:
        if not records:
            self.collection.store.check_writable()
            return np.empty(0, np.uint64)
        wanted: Any = self.kind.record
        for j, record in enumerate(records):
            if type(record) is not wanted:
                raise InputError(f"{self.name} takes {wanted.__name__}, record {j} was {type(record).__name__}")
            if record.vector is None or record.vector.shape != (self.dimension,):
                shape = "none" if record.vector is None else f"float32{list(record.vector.shape)}"
                raise InputError(f"vector must be float32[{self.dimension}], record {j} has {shape}")
        rows = [self.kind.columns_of(record) for record in records]
        columns = {name: [row[name] for row in rows] for name in self._fields}
        return self.collection.add(
            np.stack([record.vector for record in records]),
            ts_ns=[record.ts_ns for record in records],
            known_ns=[record.known_ns for record in records],
            payload=[self.kind.encode(record) for record in records],
            **columns,
        )

    def _changed(self, record: Any, fields: dict[str, Any], known_ns: int) -> Record:
        plain = {name: value for name, value in fields.items() if name in self.kind.record.__struct_fields__}
        changed = msgspec.structs.replace(record, known_ns=known_ns, **plain)
        for name, value in fields.items():
            if name == "outcome":
                changed.metadata = {**changed.metadata, "outcome": value}
            elif "." in name:
                outer, inner = name.split(".")
                held = getattr(changed, outer)
                if held is None:
                    raise InputError(f"{name} cannot be set: {outer} of id {changed.id} is not there")
                setattr(changed, outer, msgspec.structs.replace(held, **{inner: value}))
        return changed

    def _where(self, symbol: str | None, where: Filter | None) -> Filter | None:
        if symbol is None:
            return where
        if not isinstance(symbol, str) or not symbol:
            raise InputError(f"symbol must be a non-empty text, was {symbol!r}")
        wanted = Filter.eq("symbol", symbol)
        return wanted if where is None else wanted & where

    def _check_columns(self, columns: Mapping[str, Any], partly: bool = False) -> None:
        for name in columns:
            self.kind.spec.field(name)
        for name in self.kind.required:
            if (name not in columns and not partly) or (name in columns and _any_empty(columns[name])):
                raise InputError(f"{name} must be given, and not be empty, for every row of {self.name}")
        for name, allowed in self.kind.choices.items():
            wrong = sorted({str(value) for value in _values(columns.get(name, ()))} - {*allowed, ""})
            if wrong:
                raise InputError(f"{name} must be one of {', '.join(allowed)}, was {wrong[0]!r}")
        for name, limits in self.kind.limits.items():
            if name in columns:
                limits.check(name, columns[name], missing=name not in self.kind.required)

    def _payloads(
        self, vectors: np.ndarray, columns: dict[str, Any], times: Any, known: Any, payload: Any
    ) -> list[bytes]:
        count = len(vectors)
        if not isinstance(payload, Iterable):
            raise InputError(f"payload must have one mapping a row ({count}), was {type(payload).__name__}")
        bodies = [payload] if isinstance(payload, Mapping) else list(payload)
        if len(bodies) != count:
            raise InputError(f"payload must have one mapping a row ({count}), had {len(bodies)}")
        spread = {name: _spread(name, value, count) for name, value in columns.items()}
        stamps = np.broadcast_to(np.asarray(times), (count,)).tolist()
        knowns = stamps if known is None else np.broadcast_to(np.asarray(known), (count,)).tolist()
        encoded = []
        for row, body in enumerate(bodies):
            if not isinstance(body, Mapping):
                raise InputError(f"payload: row {row} must be a mapping, was {type(body).__name__}")
            values: dict[str, Any] = {"id": 0, "ts_ns": stamps[row], "known_ns": knowns[row]}
            values.update(
                {field.name: {"text": "", "float": float("nan")}.get(field.kind, 0) for field in self.kind.spec.fields}
            )
            values.update({name: column[row] for name, column in spread.items()})
            record: Any = self.kind.build(values, b"", np.empty(0, np.float32))
            plain = {name: value for name, value in body.items() if name in self.kind.record.__struct_fields__}
            clash = sorted(plain.keys() & {*self._fields, "id", "ts_ns", "known_ns", "vector"})
            if clash:
                raise InputError(f"payload: row {row} has {clash[0]!r}, which is a column; give it as an argument")
            record = msgspec.structs.replace(record, vector=None, **plain)
            record.metadata = {**record.metadata, **{name: value for name, value in body.items() if name not in plain}}
            encoded.append(self.kind.encode(record))
        return encoded


def _are_records(rows: Sequence[Any]) -> bool:
    """Whether a list is of records; an empty one is."""
    return not rows or isinstance(rows[0], Record)


def _times(argument: str, value: Any) -> Any:
    """Times as ints: one time in any form as_ns takes, or a column of them, of ints or datetime64."""
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "OU":
        value = value.tolist()
    if isinstance(value, np.ndarray) and value.ndim:
        return column_ns(value, argument) if value.dtype.kind == "M" else value
    if isinstance(value, list | tuple):
        return np.array([as_ns(one, argument) for one in value], np.int64)
    return as_ns(value, argument)


def _age_ns(age: Any) -> int:
    if isinstance(age, np.timedelta64) and np.datetime_data(age.dtype)[0] not in ("Y", "M", "generic"):
        age = int(age.astype("timedelta64[ns]").astype(np.int64))  # numpy's own int() of it would be in its unit
    if isinstance(age, timedelta):
        age = (age.days * 86_400 + age.seconds) * 10**9 + age.microseconds * 1000
    if isinstance(age, bool | np.timedelta64) or not isinstance(age, int | np.integer) or age < 0:
        raise InputError(f"max_age must be a timedelta or an int of nanoseconds, >= 0, was {age!r}")
    return int(age)


def _values(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [value]
    return value.tolist() if isinstance(value, np.ndarray) else list(value)


def _any_empty(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "UO" and bool((value == "").any())
    return value is None or (isinstance(value, str) and not value) or (isinstance(value, list | tuple) and "" in value)


def _spread(name: str, value: Any, count: int) -> list[Any]:
    """One value a row."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list) and name not in ("causal_links", "features", "fills", "bids", "asks"):
        if len(value) != count:
            raise InputError(f"{name} must have one value a row ({count}), had {len(value)}")
        return value
    return [value] * count
