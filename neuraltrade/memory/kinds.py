"""The four kinds of record a store holds: vectors, indexed columns, and how a record and its columns become each other.

A row's columns are what can be filtered; everything else of a record travels in the payload. A row that came in as
columns only has no payload, and its record is made of the columns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from ..errors import InputError
from ..schema import Observation, Order, Record, ReflexionTrace, Signal, Verdict, decode, encode
from ..schema.decisions import DIRECTIONS, ORDER_STATUSES, SIDES
from ..schema.traces import DECISION_TYPES, LABELS
from ..vectors import CollectionSpec, Field

OUTCOME = Field("outcome", "float")  # a return that followed, NaN while unknown; in a record: metadata["outcome"]


@dataclass(frozen=True)
class Kind:
    """One kind of record."""

    spec: CollectionSpec
    record: type[Record]
    required: tuple[str, ...]  # columns that must be given and must not be empty
    choices: dict[str, tuple[str, ...]]  # text columns with a fixed vocabulary
    ranges: dict[str, tuple[float, float]]  # number columns with limits; NaN where missing
    shared: tuple[str, ...] = field(init=False)  # columns that are fields of the record

    def __post_init__(self) -> None:
        names = self.record.__struct_fields__
        object.__setattr__(self, "shared", tuple(one.name for one in self.spec.fields if one.name in names))

    def columns_of(self, record: Record) -> dict[str, Any]:
        """The indexed columns of a record."""
        return {one.name: _read(record, one) for one in self.spec.fields}

    def encode(self, record: Record) -> bytes:
        """The payload: the record without id and vector. Raises InputError where it cannot be encoded."""
        return encode(msgspec.structs.replace(record, id=0, vector=None))

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
    Observation, ("symbol",), {}, {},
)  # fmt: skip
SIGNALS = Kind(
    CollectionSpec(
        name="signals", dimension=768, connectivity=32, expansion=400, search_expansion=100,
        fields=(Field("strategy", "text"), Field("symbol", "text"), Field("confidence", "float"),
                Field("direction", "text"), OUTCOME),
    ),
    Signal, ("symbol", "direction"), {"direction": DIRECTIONS}, {"confidence": (0.0, 1.0)},
)  # fmt: skip
ORDERS = Kind(
    CollectionSpec(
        name="orders", dimension=256, connectivity=8, expansion=100, search_expansion=30, storage="binary+int8",
        fields=(Field("symbol", "text"), Field("status", "text"), Field("signal_id", "id"), Field("strategy", "text"),
                Field("side", "text", False), Field("quantity", "float", False)),
    ),
    Order, ("symbol", "side", "quantity"), {"status": ORDER_STATUSES, "side": SIDES}, {"quantity": (0.0, math.inf)},
)  # fmt: skip
TRACES = Kind(
    CollectionSpec(
        name="traces", dimension=1024, connectivity=64, expansion=800, search_expansion=200,
        fields=(Field("decision_type", "text"), Field("verdict.score", "float"), Field("verdict.label", "text"),
                Field("strategy", "text"), Field("symbol", "text"), Field("decision_id", "id")),
    ),
    ReflexionTrace, ("decision_id",),
    {"decision_type": DECISION_TYPES, "verdict.label": LABELS}, {"verdict.score": (-1.0, 1.0)},
)  # fmt: skip
KINDS: tuple[Kind, ...] = (OBSERVATIONS, SIGNALS, ORDERS, TRACES)
DEFAULTS: dict[str, Any] = {"status": "pending", "decision_type": "signal", "confidence": 1.0}
