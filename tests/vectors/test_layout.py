"""Content whose checksums hold and which would lead a reader out of bounds: refused with its name."""

import msgspec
import numpy as np
import pytest

from neuraltrade.core import wal
from neuraltrade.errors import LogCorrupt
from neuraltrade.vectors import CollectionSpec, Field, Store, log
from neuraltrade.vectors.files import entry_of, read_manifest
from neuraltrade.vectors.segment import TRAILER, Footer, Segment

SPEC = CollectionSpec(name="things", dimension=64, fields=(Field("word", "text"), Field("score", "int")))
ROWS = 40


@pytest.fixture
def place(tmp_path):
    with Store(tmp_path / "s", [SPEC], seal_rows=ROWS) as store:
        vectors = np.random.default_rng(1).standard_normal((ROWS, 64)).astype(np.float32)
        store.collections["things"].add(
            vectors, ts_ns=np.arange(ROWS), word=["a", "b"] * 20, score=1, payload=[b"xy"] * ROWS
        )
        store._builder.wait()
        store.collections["things"].add(vectors[:2], ts_ns=0, word=["a", "c"])
    return tmp_path / "s"


def opened(place, change) -> Segment:
    """The segment after `change(bytes, footer)`, under a checksum that is right again."""
    entry = read_manifest(place).collections["things"].segments[0]
    path = place / entry.data.file
    body = bytearray(path.read_bytes())
    length, magic = TRAILER.unpack(body[-TRAILER.size :])
    start = len(body) - TRAILER.size - length
    footer = msgspec.msgpack.decode(body[start : start + length], type=Footer)
    changed = change(body, footer) or msgspec.msgpack.encode(footer)
    path.write_bytes(body[:start] + changed + TRAILER.pack(len(changed), magic))
    return Segment(place, SPEC, msgspec.structs.replace(entry, data=entry_of(path)))


def put(name: str, place: int, value: bytes):
    def change(body, footer):
        offset = footer.arrays[name][0] + place
        body[offset : offset + len(value)] = value

    return change


def moved(name: str, entry: tuple):
    def change(body, footer):
        footer.arrays[name] = entry

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (put("index.id", 8, b"\x28\0\0\0"), "index.id names row 40 of 40"),
        (put("index.word", 0, b"\xff\xff\xff\xff"), "index.word names row 4294967295 of 40"),
        (put("field.word", 4, b"\2\0\0\0"), "field word names text 2 of 2"),
        (put("payload.offsets", 0, b"\1"), "payload.offsets does not ascend from 0 to 80"),
        (put("payload.offsets", 8, b"\xff"), "payload.offsets does not ascend"),
        (put("known_ns", 0, b"\x09"), "known_ns does not ascend"),
        (moved("codes", (0, "|i1", [ROWS, 65])), r"codes is \|i1\[40, 65\], expected \|i1\[40, 64\]"),
        (moved("ids", (1 << 40, "<u8", [ROWS])), "ids does not lie in the file"),
        (moved("payload.bytes", (0, "<u8", [2])), "payload.bytes is uint64"),
        (moved("other", (0, "what", [2])), "other does not lie in the file"),
        (lambda body, footer: void(footer.arrays.pop("signs")), "signs is missing"),
        (lambda body, footer: void(footer.arrays.pop("payload.bytes")), "payload.bytes is missing"),
        (lambda body, footer: b"\x85\xaacollection\xa1\xff", "footer"),
    ],
)
def test_a_segment_that_checks_and_misleads_is_refused(place, change, told):
    with pytest.raises(LogCorrupt, match=told) as caught:
        opened(place, change)
    assert "things-00000001.seg" in str(caught.value)


def void(_: object) -> None:
    """For a lambda that answers nothing."""


def test_what_is_not_changed_opens(place):
    assert opened(place, lambda body, footer: None).block.count == ROWS


@pytest.mark.parametrize("case", ["a text beyond the table", "no column", "no text"])
def test_a_record_that_checks_and_misleads_is_refused(place, case):
    path = max(place.glob("wal-*.log"))
    with wal.Log.open(path) as log_file:
        *_, (_, kind, body) = [one for one in log_file.scan() if one[1] == log.ADD]
        rows = msgspec.msgpack.decode(body, type=log.Rows)
        if case == "a text beyond the table":
            rows.texts["word"] = (["a"], np.array([0, 1], "<u4").tobytes())
        elif case == "no column":
            rows.numbers["score"] = b""
        else:
            body = body.replace(b"\xa4word", b"\xa4wor\xff")
        log_file.append(kind, body if case == "no text" else msgspec.msgpack.encode(rows))
    with pytest.raises(LogCorrupt):
        Store(place, [SPEC])


def test_a_column_of_another_name_reads_as_the_default(place):
    path = max(place.glob("wal-*.log"))
    with wal.Log.open(path) as log_file:
        *_, (_, kind, body) = [one for one in log_file.scan() if one[1] == log.ADD]
        rows = msgspec.msgpack.decode(body, type=log.Rows)
        rows.ids = np.array([90, 91], "<u8").tobytes()
        rows.texts["noun"] = rows.texts.pop("word")
        log_file.append(kind, msgspec.msgpack.encode(rows))
    with Store(place, [SPEC]) as store:
        assert store.collections["things"].get(90)["word"] == ""
