"""Bad input, one table: the error names what is wrong, and the store, closed and opened again, holds what it held."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

import neuraltrade as nt

NAN, INF = float("nan"), float("inf")
DIMENSIONS = {"observations": 512, "signals": 768, "orders": 256, "traces": 1024}
NEEDED = {
    "observations": {"symbol": "A"},
    "signals": {"symbol": "A", "direction": "long", "confidence": 0.5},
    "orders": {"symbol": "A", "side": "buy", "quantity": 1.0},
    "traces": {"decision_id": 1, "decision_type": "signal"},
}


def rows(dimension=512, count=3, seed=0):
    return np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)


def spoilt(value, dimension=512):
    vectors = rows(dimension)
    vectors[1] = value
    return vectors


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A store with rows in a segment and in the tail, an update and a deletion; closed."""
    folder = tmp_path_factory.mktemp("bad") / "store"
    with nt.AgentDB.open(folder, seal_rows=8) as db:
        for name, dimension in DIMENSIONS.items():
            ids = db.collections[name].add(rows(dimension, 11), ts_ns=np.arange(11), **NEEDED[name])
            db.collections[name].update(int(ids[1]), known_ns=20, symbol="B")
            db.collections[name].delete(ids[2:3])
        db.optimize()
    return folder


@pytest.fixture
def folder(filled, tmp_path):
    return shutil.copytree(filled, tmp_path / "store")


def content(db):
    return [
        (name, rows.ids.tolist(), rows.known_ns.tolist(), rows.column("symbol").tolist(), rows.vectors().tobytes())
        for name, rows in ((name, one.range(limit=None)) for name, one in db.collections.items())
    ]


@pytest.fixture(scope="module")
def expected(filled):
    with nt.AgentDB.open(filled, read_only=True) as db:
        return content(db)


def unharmed(folder, expected):
    """Opened again it holds what it held, checks to the last byte, and takes and finds new rows."""
    with nt.AgentDB.open(folder) as db:
        assert content(db) == expected
        assert db.verify()["files"] > 4
        vector = rows(512, 1, 77)
        id_ = int(db.observations.add(vector, ts_ns=99, symbol="Z")[0])
        assert db.observations.search(vector[0], 1).ids.tolist() == [id_]


def add(vectors, **columns):
    return lambda db: db.observations.add(vectors, **{"symbol": "A", "ts_ns": np.arange(3), **columns})


def search(vector=None, **terms):
    return lambda db: db.observations.search(rows(512, 1)[0] if vector is None else vector, **terms)


def many(vectors=None, **terms):
    return lambda db: db.observations.search_many(rows() if vectors is None else vectors, **terms)


def ranged(**terms):
    return lambda db: db.observations.range(**terms)


def updated(id_=1, known_ns=50, **fields):
    return lambda db: db.observations.update(id_, known_ns=known_ns, **fields)


CALLS = {
    # vectors
    "add dimension": (add(rows(511)), r"vectors must be float32\[n, 512\], shape was \(3, 511\)"),
    "add one row flat": (add(rows(512, 1)[0]), r"vectors must be float32\[n, 512\], shape was \(512,\)"),
    "add three axes": (add(rows()[None]), "vectors must be float32"),
    "add integers": (add(np.ones((3, 512), np.int64)), "vectors must be float32.* dtype was int64"),
    "add objects": (add(np.ones((3, 512), object)), "vectors must be float32.* dtype was object"),
    "add text": (add([["a"] * 512] * 3), "vectors must be float32"),
    "add ragged": (add([[1.0] * 512, [1.0]]), "vectors must have rows of one length"),
    "add nan": (add(spoilt(NAN)), r"vectors\[1\] has a NaN"),
    "add infinite": (add(spoilt(INF)), r"vectors\[1\] has an infinity"),
    "add beyond float32": (add(spoilt(0).astype(np.float64) + 1e300), r"vectors\[0\] has an infinity"),
    "add zero": (add(spoilt(0.0)), r"vectors\[1\] has no magnitude"),
    "search dimension": (search(rows(511, 1)[0]), r"vector must be float32\[512\], shape was \(511,\)"),
    "search integers": (search(np.ones(512, int)), "vector must be float32.* dtype was int64"),
    "search nan": (search(spoilt(NAN)[1]), r"vector\[0\] has a NaN"),
    "search zero": (search(np.zeros(512, np.float32)), r"vector\[0\] has no magnitude"),
    "search nothing": (lambda db: db.observations.search(None), "vector must be float32"),
    "many dimension": (many(rows(256)), r"vectors must be float32\[q, 512\], shape was \(3, 256\)"),
    "many flat": (many(rows(512, 1)[0]), r"vectors must be float32\[q, 512\]"),
    "many nan": (many(spoilt(NAN)), r"vectors\[1\] has a NaN"),
    "update dimension": (updated(vector=rows(256, 1)), "float32"),
    "update nan": (updated(vector=spoilt(NAN)[1]), r"\[0\] has a NaN"),
    # times
    "add end before": (add(rows(), known_ns=-1), "known_ns must not be before ts_ns: row 0 has -1 < 0"),
    "add no time": (lambda db: db.observations.add(rows(), symbol="A"), "ts_ns must be given"),
    "add times of another length": (add(rows(), ts_ns=np.arange(2)), r"ts_ns must have one value a row \(3\)"),
    "add float times": (add(rows(), ts_ns=np.zeros(3)), "ts_ns must be int64 nanoseconds UTC, dtype was float64"),
    "search end before start": (search(start=9, end=3), "end must not be before start: 3 < 9"),
    "many end before start": (many(start=9, end=3), "end must not be before start: 3 < 9"),
    "range end before start": (ranged(start=9, end=3), "end must not be before start: 3 < 9"),
    "count end before start": (lambda db: db.observations.count("A", 9, 3), "end must not be before start: 3 < 9"),
    "search as_of": (search(as_of="soon"), "as_of must be an ISO 8601"),
    "search start": (search(start=1.5), "start must be integer nanoseconds"),
    "range nat": (ranged(end=np.datetime64("NaT")), "end must be a time, was NaT"),
    "update known before": (updated(known_ns=-5), "known_ns"),
    # counts
    "k zero": (search(k=0), "k must be an int >= 1, was 0"),
    "k below": (search(k=-3), "k must be an int >= 1, was -3"),
    "k fraction": (search(k=2.5), "k must be an int >= 1, was 2.5"),
    "k true": (search(k=True), "k must be an int >= 1, was True"),
    "k text": (many(k="5"), "k must be an int >= 1, was '5'"),
    "k many zero": (many(k=0), "k must be an int >= 1, was 0"),
    "limit zero": (ranged(limit=0), "limit must be an int >= 1 or None, was 0"),
    "timeout zero": (search(timeout_s=0), "timeout_s must be a number of seconds > 0, was 0"),
    "timeout text": (many(timeout_s="1"), "timeout_s must be a number of seconds > 0"),
    "retain nothing": (lambda db: db.observations.retain(), "retain needs max_age_ns or max_rows"),
    "retain below": (lambda db: db.observations.retain(max_rows=-1), "max_rows must be an int >= 0, was -1"),
    # names and conditions
    "column unknown": (add(rows(), prices=3.0), "unknown field of observations: 'prices'; did you mean 'price'"),
    "filter unknown": (search(where=nt.Filter.eq("sybmol", "A")), "'sybmol'; did you mean 'symbol'"),
    "filter nested unknown": (ranged(where=~(nt.Filter.eq("id", 1) | nt.Filter.lt("spraed", 1))), "mean 'spread'"),
    "filter of another kind": (many(where=nt.Filter.eq("confidence", 1)), "field of observations: 'confidence'"),
    "filter no filter": (search(where={"symbol": "A"}), "where must be a Filter, was dict"),
    "filter number for text": (search(where=nt.Filter.eq("symbol", 3)), "value must be a text, was 3"),
    "filter text for number": (ranged(where=nt.Filter.eq("price", "3")), "value must be a number, was '3'"),
    "filter order of text": (ranged(where=nt.Filter.gt("symbol", 1)), "a text field takes eq, ne and in_"),
    "symbol no text": (search(symbol=7), "symbol must be a non-empty text, was 7"),
    "symbol empty": (ranged(symbol=""), "symbol must be a non-empty text, was ''"),
    "column of hits": (lambda db: db.observations.range().column("sybmol"), "unknown column: 'sybmol'; did you mean"),
    "update unknown": (updated(prize=3.0), "that can change: 'prize'; did you mean 'price'"),
    "update fixed": (updated(ts_ns=3), "unknown field of observations that can change: 'ts_ns'"),
    # payloads and records
    "payload not serialisable": (add(rows(), payload=[{}, {"x": object()}, {}]), "object"),
    "payload not a mapping": (add(rows(), payload=[1, 2, 3]), "payload: row 0 must be a mapping, was int"),
    "payload too few": (add(rows(), payload=[{}]), r"payload must have one mapping a row \(3\), had 1"),
    "payload a column": (add(rows(), payload=[{"price": 1}] * 3), "row 0 has 'price', which is a column"),
    "record of another kind": (lambda db: db.signals.add(nt.Observation(ts_ns=0, symbol="A")), "takes Signal"),
    "record without vector": (lambda db: db.observations.add(nt.Observation(ts_ns=0, symbol="A")), "record 0 has none"),
    # ids
    "get unknown": (lambda db: db.observations.get(10**6), "id 1000000 is not in observations"),
    "get deleted": (lambda db: db.observations.get(3), "id 3 is not in observations"),
    "get before": (lambda db: db.observations.get(2, as_of=0), "id 2 is not in observations that was known at 0"),
    "get zero": (lambda db: db.observations.get(0), r"id must be an int in 1\.\.2\*\*64-1, was 0"),
    "get text": (lambda db: db.observations.get("1"), "id must be an int"),
    "get in store": (lambda db: db.get(10**6), "id 1000000 is not in this store"),
    "delete unknown": (lambda db: db.observations.delete([1, 10**6]), "1000000"),
    "delete twice": (lambda db: db.observations.delete([1, 1]), "ids must not repeat"),
    "delete below": (lambda db: db.observations.delete([-1]), "ids must be uint64"),
    "update unknown id": (updated(10**6, price=1.0), "1000000"),
    "lineage depth": (lambda db: db.lineage(1, -1), r"depth must be an int in 0\.\.100, was -1"),
    "backup onto itself": (lambda db: db.backup(db.path), "path must not exist"),
    "observe no bars": (lambda db: db.observe([1, 2]), "bars must be nt.Bars or nt.Panel, was list"),
    "observe encoder": (lambda db: db.observe(nt.datasets.load("IBM")[:5], encoder=3), "encoder must be"),
    "observe dimension": (
        lambda db: db.observe(nt.datasets.load("IBM")[:5], nt.embedding.HashEncoder(64)),
        "encoder must have dimension 512, hash-v1-64 has 64",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_bad_call_is_refused_and_changes_nothing(folder, expected, name):
    call, message = CALLS[name]
    with nt.AgentDB.open(folder, seal_rows=8) as db:
        with pytest.raises(nt.InputError, match=message):
            call(db)
        assert content(db) == expected
    unharmed(folder, expected)


@pytest.mark.parametrize("name", DIMENSIONS)
def test_every_collection_refuses_bad_vectors(folder, expected, name):
    dimension = DIMENSIONS[name]
    with nt.AgentDB.open(folder) as db:
        collection = db.collections[name]
        wrong = (rows(dimension + 64), spoilt(NAN, dimension), spoilt(0.0, dimension), rows(dimension).astype(int))
        for vectors in wrong:
            with pytest.raises(nt.InputError, match="vectors"):
                collection.add(vectors, ts_ns=0, **NEEDED[name])
            with pytest.raises(nt.InputError, match="vectors"):
                collection.search_many(vectors)
        for needed in NEEDED[name].keys() - {"confidence", "decision_type"}:
            columns = {key: value for key, value in NEEDED[name].items() if key != needed}
            with pytest.raises(nt.InputError, match=f"{needed} must be given"):
                collection.add(rows(dimension), ts_ns=0, **columns)
    unharmed(folder, expected)


def test_a_closed_store_says_so(folder, expected):
    db = nt.AgentDB.open(folder)
    hits = db.observations.search(rows(512, 1)[0], 2)
    db.close()
    db.close()
    calls = [
        add(rows()), search(), many(), ranged(), updated(price=1.0),
        lambda db: db.observations.get(1), lambda db: db.observations.count(), lambda db: db.observations.delete(1),
        lambda db: db.observations.retain(max_rows=1), lambda db: db.get(1), lambda db: db.flush(),
        lambda db: db.optimize(), lambda db: db.stats(), lambda db: db.verify(), lambda db: db.backup(folder / "x"),
        lambda db: db.observe(nt.datasets.load("IBM")[:5]), lambda db: db.rank_strategies(),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(nt.StoreClosed, match="the store was closed"):
            call(db)
    assert "closed" in repr(db) and len(hits.records()) == 2  # what was answered stays readable
    unharmed(folder, expected)


def test_a_locked_store_names_its_owner(folder, expected):
    with nt.AgentDB.open(folder) as db:
        with pytest.raises(nt.StoreLocked, match=f'"pid": {os.getpid()}'):
            nt.AgentDB.open(folder)
        with nt.AgentDB.open(folder, read_only=True) as beside:
            assert content(beside) == expected
            writes = (add(rows()), updated(price=1.0), lambda db: db.observations.delete(1), lambda db: db.flush(),
                      lambda db: db.optimize(), lambda db: db.observations.retain(max_rows=1))  # fmt: skip
            for call in writes:
                with pytest.raises(nt.InputError, match="read_only=True"):
                    call(beside)
        assert content(db) == expected
    unharmed(folder, expected)


def test_places_that_are_no_store(tmp_path, folder, expected):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("mine")
    for read_only in (False, True):
        with pytest.raises(nt.InputError, match=r"has 'thesis.txt' but no MANIFEST|holds no store"):
            nt.AgentDB.open(foreign, read_only=read_only)
    assert [one.name for one in foreign.iterdir() if one.name != "LOCK"] == ["thesis.txt"]
    with pytest.raises(nt.InputError, match="path must be a directory, was a file"):
        nt.AgentDB.open(foreign / "thesis.txt")
    with pytest.raises(nt.InputError, match="path holds no store to read"):
        nt.AgentDB.open(tmp_path / "absent", read_only=True)
    assert not (tmp_path / "absent").exists()
    for wrong in (None, 3, "a\0b"):
        with pytest.raises(nt.InputError, match="path must name a directory"):
            nt.AgentDB.open(wrong)
    for name, value in (("seal_rows", 0), ("graph_rows", "x"), ("cache_queries", -1)):
        with pytest.raises(nt.InputError, match=f"{name} must be an int >= "):
            nt.AgentDB.open(folder, **{name: value})
    unharmed(folder, expected)


FULL = """
import resource, signal, sys
import numpy as np
import neuraltrade as nt

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
vectors = np.random.default_rng(0).standard_normal((40, 512)).astype(np.float32)
db = nt.AgentDB.open(sys.argv[1], seal_rows=10**6)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
told = None
for step in range(20):
    try:
        db.observations.add(vectors, ts_ns=100 + step, symbol="A")
    except OSError as error:
        told = told or error
    except nt.NeuralTradeError:
        pass
print(len(db.observations), told.errno)
"""


def test_a_full_disk_is_told_and_what_was_acknowledged_stays(folder, expected):
    """The limit on the size of a file stands in for the end of the disk."""
    done = subprocess.run([sys.executable, "-c", FULL, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    count, number = map(int, done.stdout.split())
    assert number in (errno.EFBIG, errno.ENOSPC) and count > len(expected[0][1])
    with nt.AgentDB.open(folder) as db:
        held = content(db)
        assert len(db.observations) == count and held[1:] == expected[1:]
        assert held[0][1][: len(expected[0][1])] == expected[0][1]
        db.verify()
        db.observations.add(rows(), ts_ns=0, symbol="A")
