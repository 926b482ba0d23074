"""What a collection holds: its vectors, its fields, and the check of a batch against them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from ..clock import column_ns
from ..core import quant
from ..errors import InputError

FIXED = ("id", "ts_ns", "known_ns")  # columns every collection has
NEVER = np.iinfo(np.int64).max  # until_ns of a row that nothing has replaced
DEFAULTS: dict[str, Any] = {"text": "", "float": np.nan, "int": 0, "id": 0}
DTYPES = {"float": np.dtype("<f8"), "int": np.dtype("<i8"), "id": np.dtype("<u8")}
DIMENSION_MAX = 4096


class Field(msgspec.Struct, frozen=True):
    """One column beside the vectors: text (dictionary-coded), float (NaN = missing), int or id (0 = missing)."""

    name: str
    kind: Literal["text", "float", "int", "id"]
    indexed: bool = True


class CollectionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Shape of a collection. `connectivity` and the expansions are HNSW's M, ef at construction and ef at search."""

    name: str
    dimension: int
    connectivity: int = 16
    expansion: int = 128
    search_expansion: int = 64
    storage: Literal["int8", "binary+int8"] = "int8"
    fields: tuple[Field, ...] = ()

    def __post_init__(self) -> None:
        if self.dimension % 64 or not 0 < self.dimension <= DIMENSION_MAX:
            raise InputError(f"dimension must be a multiple of 64 in 64..{DIMENSION_MAX}, was {self.dimension}")

    def field(self, name: str) -> Field:
        """The field of that name, or an InputError that suggests the nearest."""
        for field in self.fields:
            if field.name == name:
                return field
        raise InputError(unknown(f"field of {self.name}", name, (*FIXED, *(f.name for f in self.fields))))


class Texts(NamedTuple):
    """A text column: `codes` index into `values`."""

    values: list[str]
    codes: np.ndarray  # u4[n]


class Batch(msgspec.Struct, frozen=True):
    """Rows on their way in, checked and quantised."""

    ids: np.ndarray  # u8[n]
    ts_ns: np.ndarray  # i8[n]
    known_ns: np.ndarray  # i8[n]
    codes: np.ndarray  # i1[n, d]
    inverse_norm: np.ndarray  # f4[n]
    numbers: dict[str, np.ndarray]
    texts: dict[str, Texts]
    payload: list[bytes] | None

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, start: int, stop: int) -> Batch:
        """Rows start..stop as views."""
        cut = slice(start, stop)
        return Batch(
            self.ids[cut], self.ts_ns[cut], self.known_ns[cut], self.codes[cut], self.inverse_norm[cut],
            {name: column[cut] for name, column in self.numbers.items()},
            {name: Texts(texts.values, texts.codes[cut]) for name, texts in self.texts.items()},
            None if self.payload is None else self.payload[cut],
        )  # fmt: skip


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """Message for a name nobody knows."""
    names = list(known)
    near = difflib.get_close_matches(str(name), names, 1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(names)}"
    return f"unknown {what}: {name!r}{hint}"


def as_array(value: object, argument: str) -> np.ndarray:
    """numpy's reading of a caller's rows. Raises InputError where they are of different lengths."""
    try:
        return np.asarray(value)
    except ValueError as error:
        raise InputError(f"{argument} must have rows of one length: {error}") from None


def quantise(vectors: object, dimension: int, argument: str = "vectors") -> tuple[np.ndarray, np.ndarray]:
    """Codes int8[n, d] and inverse norms float32[n] of float rows, every one finite and not zero.

    Raises InputError that names the argument, its shape or dtype, or the first bad row.
    """
    array = as_array(vectors, argument)
    if array.dtype.kind != "f":
        raise InputError(f"{argument} must be float32[n, {dimension}], dtype was {array.dtype}")
    if array.ndim != 2 or array.shape[1] != dimension:
        raise InputError(f"{argument} must be float32[n, {dimension}], shape was {array.shape}")
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(array, dtype=np.float32)
    try:
        return quant.quantize(array)
    except InputError as error:
        raise InputError(str(error).replace("vectors", argument, 1)) from None


def check_times(argument: str, value: object, count: int) -> np.ndarray:
    """int64[count] from one int or a column of ints or datetime64 (UTC; a day means its end)."""
    array = np.asarray(value)
    if array.dtype.kind == "M":
        array = column_ns(array, argument)
    if array.dtype.kind not in "iu":
        raise InputError(f"{argument} must be int64 nanoseconds UTC, dtype was {array.dtype}")
    if array.ndim == 0:
        array = np.full(count, array[()])
    if array.shape != (count,):
        raise InputError(f"{argument} must have one value a row ({count}), shape was {array.shape}")
    if array.dtype.kind == "u" and count and int(array.max()) >= NEVER:
        raise InputError(f"{argument} must be below {NEVER}, was {int(array.max())}")
    array = np.ascontiguousarray(array, dtype=np.int64)
    if count and (int(array.max()) >= NEVER or int(array.min()) <= -NEVER):
        raise InputError(f"{argument} must lie within +-{NEVER - 1}, was {int(array.min())}..{int(array.max())}")
    return array


def check_columns(
    spec: CollectionSpec, given: Mapping[str, Any], count: int
) -> tuple[dict[str, np.ndarray], dict[str, Texts]]:
    """Every field of the spec as a column of `count` rows; a scalar is repeated, what is not given gets the default."""
    for name in given:
        spec.field(name)
    numbers: dict[str, np.ndarray] = {}
    texts: dict[str, Texts] = {}
    for field in spec.fields:
        value = given.get(field.name)
        if field.kind == "text":
            texts[field.name] = _text_column(field.name, "" if value is None else value, count)
        else:
            numbers[field.name] = _number_column(field, DEFAULTS[field.kind] if value is None else value, count)
    return numbers, texts


def check_payload(payload: Sequence[bytes] | bytes | None, count: int) -> list[bytes] | None:
    """One bytes object a row, or None for no payload at all."""
    if payload is None:
        return None
    rows = [payload] if isinstance(payload, bytes) else list(payload)
    if len(rows) != count:
        raise InputError(f"payload must have one value a row ({count}), had {len(rows)}")
    for row, body in enumerate(rows):
        if not isinstance(body, bytes):
            raise InputError(f"payload: row {row} must be bytes, was {type(body).__name__}")
    return rows


def _text_column(name: str, value: object, count: int) -> Texts:
    if isinstance(value, str):
        return Texts([_encodable(name, value)], np.zeros(count, np.uint32))
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, Sequence) or len(value) != count:
        raise InputError(f"{name} must be a text or one text a row ({count}), was {type(value).__name__} of "
                         f"{len(value) if isinstance(value, Sequence) else 1}")  # fmt: skip
    table: dict[str, int] = {}
    codes = np.empty(count, np.uint32)
    for row, text in enumerate(value):
        if not isinstance(text, str):
            raise InputError(f"{name}: row {row} must be a text, was {text!r}")
        codes[row] = table.setdefault(text, len(table))
    return Texts([_encodable(name, text) for text in table], codes)


def _encodable(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(f"{name} must be text that UTF-8 can hold, was {text!r}") from None
    return text


def _number_column(field: Field, value: object, count: int) -> np.ndarray:
    array = np.asarray(value)
    allowed = "fiu" if field.kind == "float" else "iu"
    if array.dtype.kind not in allowed:
        raise InputError(f"{field.name} must hold {field.kind} values, dtype was {array.dtype}")
    if array.ndim == 0:
        array = np.full(count, array[()])
    if array.shape != (count,):
        raise InputError(f"{field.name} must have one value a row ({count}), shape was {array.shape}")
    if field.kind == "id" and array.dtype.kind == "i" and count and int(array.min()) < 0:
        raise InputError(f"{field.name} must not be negative, was {int(array.min())}")
    return np.ascontiguousarray(array, dtype=DTYPES[field.kind])
