"""Records to bytes and back: MessagePack for storage and hashing, JSON for people and other programs.

The MessagePack of a record is canonical: fields in declared order, defaults left out, keys of dictionaries sorted,
vectors as little-endian float32 bytes. Equal records give equal bytes in any process, so a hash of them identifies a
record. The key "record" holds the class name.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Union

import msgspec
import numpy as np

from ..errors import InputError
from .base import Record
from .decisions import Observation, Order, OrderFill, Signal
from .state import MarketState, Position, Provenance
from .traces import Condition, Counterfactual, Pattern, ReflexionTrace, TrajectoryStep, Verdict

RECORD_TYPES: dict[str, type[Record]] = {
    cls.__name__: cls
    for cls in (
        Observation, Signal, Order, OrderFill, ReflexionTrace, TrajectoryStep, Verdict, Pattern, Condition,
        Counterfactual, Position, MarketState, Provenance,
    )
}  # fmt: skip


def _encode_hook(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype != np.float32 or value.ndim != 1:  # of metadata: lists keep the numbers as they are
            return value.tolist()
        return np.ascontiguousarray(value, dtype="<f4").tobytes()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} {value!r} cannot be encoded")


def _decode_hook(kind: type, value: Any) -> Any:
    if kind is np.ndarray:
        if isinstance(value, str):
            value = base64.b64decode(value, validate=True)
        if not isinstance(value, bytes) or len(value) % 4:
            raise ValueError("a vector is not a whole number of float32")
        return np.frombuffer(value, dtype="<f4")
    raise TypeError(f"cannot decode a {kind}")


_ANY = Union[tuple(RECORD_TYPES.values())]  # type: ignore[valid-type]  # noqa: UP007
_pack = msgspec.msgpack.Encoder(enc_hook=_encode_hook, order="deterministic")
_unpack = msgspec.msgpack.Decoder(_ANY, dec_hook=_decode_hook)
_write = msgspec.json.Encoder(enc_hook=_encode_hook, order="deterministic")
_read = msgspec.json.Decoder(_ANY, dec_hook=_decode_hook)


def encode(record: Record) -> bytes:
    """MessagePack of a record, canonical.

    Raises InputError if it is not a record or holds something that cannot be encoded.

    >>> import neuraltrade as nt
    >>> signal = nt.Signal(ts_ns=0, symbol="AAPL", direction="long")
    >>> nt.schema.decode(nt.schema.encode(signal)) == signal
    True
    """
    return _encode(_pack, record)


def to_json(record: Record) -> str:
    """JSON of a record, with the same keys; a vector becomes the base64 of its float32 bytes.

    >>> import neuraltrade as nt
    >>> nt.schema.to_json(nt.Provenance(creator="momentum"))
    '{"record":"Provenance","creator":"momentum"}'
    """
    return _encode(_write, record).decode()


def _encode(encoder: Any, record: Record) -> bytes:
    if not isinstance(record, Record):
        raise InputError(f"record must be one of {', '.join(RECORD_TYPES)}, was {type(record).__name__}")
    try:
        return encoder.encode(record)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InputError(f"record cannot be encoded: {error}") from error


def decode(data: bytes | bytearray | memoryview) -> Any:
    """The record in `data`, checked like a new one. Its vector is a read-only view.

    Raises InputError if these are not exactly the bytes of one record.
    """
    return _decode(_unpack, data)


def from_json(text: str | bytes) -> Any:
    """The record in a JSON text written by to_json, or by hand with a "record" key; unknown keys are ignored.

    >>> import neuraltrade as nt
    >>> nt.schema.from_json('{"record": "Signal", "ts_ns": 0, "symbol": "AAPL", "direction": "short"}').direction
    'short'
    """
    return _decode(_read, text)


def _decode(decoder: Any, data: Any) -> Any:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError, binascii.Error, RecursionError) as error:
        raise InputError(f"data does not hold a record: {error}") from error
