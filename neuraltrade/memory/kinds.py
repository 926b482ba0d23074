"""The four kinds of record a store holds: vectors, indexed columns, and how a record and its columns become each other.

A row's columns are what can be filtered; everything else of a record travels in the payload. A row that came in as
columns only has no payload, and its record is made of the columns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ..errors import InputError
from ..schema import Observation, Order, Record, ReflexionTrace, Signal, Verdict, decode, encode
from ..schema.decisions import DIRECTIONS, ORDER_STATUSES, SIDES
from ..schema.traces import DECISION_TYPES, LABELS
from ..vectors import CollectionSpec, Field

OUTCOME = Field("outcome", "float")  # a return that followed, NaN while unknown; in a record: metadata["outcome"]


class Limits(NamedTuple):
    """What a number column may hold: finite, in low..high, or above `low` only."""

    low: float = 0.0
    high: float = math.inf
    above: bool = False

    def check(self, name: str, values: Any, missing: bool) -> None:
        """Raises InputError with the first row outside; `missing`: NaN is allowed."""
        array = np.asarray(values).reshape(-1)
        if array.dtype.kind not in "fiu":
            return  # refused as a column
        inside = (array > self.low if self.above else array >= self.low) & (array <= self.high) & np.isfinite(array)
        if missing:
            inside |= np.isnan(array)
        if not inside.all():
            row = int(np.argmin(inside))
            raise InputError(f"{name} must be {self}, row {row} was {array[row].item()!r}")

    def __str__(self) -> str:
        if math.isfinite(self.high):
            return f"in {self.low:g}..{self.high:g}"
        least = "" if math.isinf(self.low) else f" {'>' if self.above else '>='} {self.low:g}"
        return f"a finite number{least}"


@dataclass(frozen=True)
class Kind:
    """One kind of record."""

    spec: CollectionSpec
    record: type[Record]
    required: tuple[str, ...]  # columns that must be given and must not be empty
    choices: dict[str, tuple[str, ...]]  # text columns with a fixed vocabulary
    limits: dict[str, Limits]  # number columns with limits; NaN where missing, unless required
    shared: tuple[str, ...] = field(init=False)  # columns that are fields of the record

    def __post_init__(self) -> None:
        names = self.record.__struct_fields__
        object.__setattr__(self, "shared", tuple(one.name for one in self.spec.fields if one.name in names))

    def columns_of(self, record: Record) -> dict[str, Any]:
        """The indexed columns of a record."""
        return {one.name: _read(record, one) for one in self.spec.fields}

    def encode(self, record: Record) -> bytes:
        """The payload: the record without id and vector. Raises InputError where it could not be read again."""
        body = encode(msgspec.structs.replace(record, id=0, vector=None))
        decode(body)
        return body

    def build(self, values: dict[str, Any], payload: bytes, vector: np.ndarray) -> Record:
        """The record of a row."""
        record: Any = decode(payload) if payload else self._from_columns(values)
        record.id, record.known_ns, record.vector = values["id"], values["known_ns"], vector
        outcome = values.get("outcome", math.nan)
        if not math.isnan(outcome):
            record.metadata = {**record.metadata, "outcome": outcome}
        return record

    def _from_columns(self, values: dict[str, Any]) -> Record:
        given: dict[str, Any] = {"ts_ns": values["ts_ns"], "known_ns": values["known_ns"]}
        for name in self.shared:
            value = values[name]
            if value == value and value != "":  # noqa: PLR0124  (NaN and an empty text are what is missing)
                given[name] = value
        if self.record is ReflexionTrace and values["verdict.label"]:
            score = values["verdict.score"]
            given["verdict"] = Verdict(score=0.0 if math.isnan(score) else score, label=values["verdict.label"])
        return self.record(**given)


def _read(record: Any, field: Field) -> Any:
    value: Any
    if field.name == "outcome":
        value = record.metadata.get("outcome")
        if value is not None and not isinstance(value, int | float):
            raise InputError(f"metadata['outcome'] must be a number, was {value!r}")
    elif "." in field.name:
        outer, inner = field.name.split(".")
        value = getattr(getattr(record, outer), inner, None)
    else:
        value = getattr(record, field.name)
    if value is None:
        return {"text": "", "float": math.nan}.get(field.kind, 0)
    return value


OBSERVATIONS = Kind(
    CollectionSpec(
        name="observations", dimension=512, connectivity=16, expansion=200, search_expansion=50,
        fields=(Field("symbol", "text"), Field("price", "float", False), Field("volume", "float", False),
                Field("spread", "float", False), OUTCOME),
    ),
    Observation, ("symbol",), {},
    {"price": Limits(above=True), "volume": Limits(), "spread": Limits(), "outcome": Limits(-math.inf)},
)  # fmt: skip
SIGNALS = Kind(
    CollectionSpec(
        name="signals", dimension=768, connectivity=32, expansion=400, search_expansion=100,
        fields=(Field("strategy", "text"), Field("symbol", "text"), Field("confidence", "float"),
                Field("direction", "text"), OUTCOME),
    ),
    Signal, ("symbol", "direction", "confidence"), {"direction": DIRECTIONS},
    {"confidence": Limits(0.0, 1.0), "outcome": Limits(-math.inf)},
)  # fmt: skip
ORDERS = Kind(
    CollectionSpec(
        name="orders", dimension=256, connectivity=8, expansion=100, search_expansion=30, storage="binary+int8",
        fields=(Field("symbol", "text"), Field("status", "text"), Field("signal_id", "id"), Field("strategy", "text"),
                Field("side", "text", False), Field("quantity", "float", False)),
    ),
    Order, ("symbol", "side", "quantity", "status"), {"status": ORDER_STATUSES, "side": SIDES},
    {"quantity": Limits(above=True)},
)  # fmt: skip
TRACES = Kind(
    CollectionSpec(
        name="traces", dimension=1024, connectivity=64, expansion=800, search_expansion=200,
        fields=(Field("decision_type", "text"), Field("verdict.score", "float"), Field("verdict.label", "text"),
                Field("strategy", "text"), Field("symbol", "text"), Field("decision_id", "id")),
    ),
    ReflexionTrace, ("decision_id", "decision_type"),
    {"decision_type": DECISION_TYPES, "verdict.label": LABELS}, {"verdict.score": Limits(-1.0, 1.0)},
)  # fmt: skip
KINDS: tuple[Kind, ...] = (OBSERVATIONS, SIGNALS, ORDERS, TRACES)
DEFAULTS: dict[str, Any] = {"status": "pending", "decision_type": "signal", "confidence": 1.0}
