"""The cold tier: what goes in comes out, under every kind of place, and nothing else does."""

from __future__ import annotations

import errno
import itertools
import os
import re
import subprocess
import sys
import threading
import zipfile

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.clock import FixedClock
from neuraltrade.memory import archive_catalogue
from neuraltrade.memory.archive_files import LocalFiles, hide_password

pa, fsspec = pytest.importorskip("pyarrow"), pytest.importorskip("fsspec")
pytest.importorskip("zstandard")
PLACES = itertools.count()


@pytest.fixture(params=["folder", "memory"])
def url(request, tmp_path):
    """A fresh place of each kind."""
    return str(tmp_path / "cold") if request.param == "folder" else f"memory://cold-{os.getpid()}-{next(PLACES)}"


def _table():
    return pa.table(
        {"symbol": ["AAPL", "IBM", None], "ts_ns": pa.array([1, 2, 3], pa.timestamp("ns")), "x": [0.5, 1, 2]}
    )


def _small_run(**settings):
    return nt.backtest(nt.datasets.load("AAPL")[:400], nt.strategy.library.Momentum, **settings)


def _object(folder, id_):
    return next((folder / "objects").rglob(f"{id_}.*"))


def test_bytes_tables_and_results_come_back(url):
    run = _small_run(bounds=True)
    with nt.Archive.open(url) as cold:
        ids = [cold.put("model", bytearray(b"weights" * 999)), cold.put("fills", _table()), cold.put("run", run)]
        assert cold.put("empty", b"") and cold.get(cold.find("empty").id) == b""
    with nt.Archive.open(url, read_only=True) as cold:
        assert cold.get(ids[0]) == b"weights" * 999
        assert cold.get(ids[1]).equals(_table())
        loaded = cold.get(ids[2])
        assert (loaded.digest, loaded.stats["sharpe"]) == (run.digest, run.stats["sharpe"])
        assert [one.digest for one in loaded.bounds] == [one.digest for one in run.bounds]
        assert [(one.name, one.kind) for one in cold.list()] == [
            ("model", "bytes"), ("fills", "table"), ("run", "result"), ("empty", "bytes"),
        ]  # fmt: skip
        assert cold.verify() == {"pages": 4, "entries": 4, "objects": 4, "bytes": sum(e.bytes for e in cold.list())}
        assert [one.name for one in cold.list("f", kind="table")] == ["fills"] and cold.list("f", kind="bytes") == []


def test_equal_content_is_stored_once(url):
    with nt.Archive.open(url, clock=FixedClock(1)) as cold:
        first, again = cold.put("a/b", b"same"), cold.put("a/b", b"same")
        other = cold.put("c", b"same", metadata={"run": 7})
        assert first == again == other
        assert [(one.name, one.metadata) for one in sorted(cold.list(), key=lambda one: one.name)] == [
            ("a/b", {}), ("c", {"run": 7}),
        ]  # fmt: skip
        stats = cold.stats()
        assert (stats["tier"], stats["entries"], stats["objects"], stats["bytes"], stats["puts"]) == ("L3", 2, 1, 4, 3)
        assert stats["bytes_written"] == stats["stored_bytes"] == stats["kinds"]["bytes"]["stored_bytes"]
        assert cold.put("run", _small_run()) == cold.put("run again", _small_run())


def test_the_kind_is_part_of_what_the_id_names(tmp_path):
    with nt.Archive.open(tmp_path) as cold:
        table = cold.put("t", _table())
        with open(cold.where(table), "rb") as file:
            plain = cold.put("t", file.read())
        assert plain != table and cold.get(table).equals(_table()) and cold.get(plain)[:4] == b"PAR1"


@pytest.mark.parametrize("reader", ["duckdb", "polars", "pandas"])
def test_other_programs_read_tables_in_place(tmp_path, reader):
    read = pytest.importorskip(reader)
    rows = np.array([(1, 2.5), (3, np.nan)], [("id", "u8"), ("price", "f8")])
    with nt.Archive.open(tmp_path) as cold:
        for table in (_table(), rows):
            path = cold.where(cold.put("t", table))
            if reader == "duckdb":
                found = read.connect().execute("select * from read_parquet(?)", [path]).fetchall()
            else:
                found = [tuple(row.values()) for row in pa.table(read.read_parquet(path)).to_pylist()]
            assert [(row[0], len(row)) for row in found] == [(row[0], len(row)) for row in _plain(table)]
        assert cold.get(cold.put("from " + reader, _frame(reader)))["x"].to_pylist() == [1.5, 2.5]


def _plain(table):
    return table.tolist() if isinstance(table, np.ndarray) else [tuple(row.values()) for row in table.to_pylist()]


def _frame(reader):
    if reader == "duckdb":
        return sys.modules["duckdb"].connect().sql("select unnest([1.5::double, 2.5]) as x")
    return sys.modules[reader].DataFrame({"x": [1.5, 2.5]})


def test_the_newest_of_a_name_is_found(url):
    clock = FixedClock(5)
    with nt.Archive.open(url, clock=clock) as cold:
        cold.put("m", b"old")
        clock.advance(1)
        new = cold.put("m", b"new")
        assert cold.find("m").id == new and cold.entry(new).created_ns == 6 and cold.find("n") is None
        assert len(cold.list()) == 2


@pytest.mark.parametrize("where", ["object", "table", "page", "marker"])
def test_no_changed_or_cut_byte_is_served(tmp_path, where):
    with nt.Archive.open(tmp_path) as cold:
        id_ = cold.put("t", pa.table({"x": [1]})) if where == "table" else cold.put("t", b"0123456789" * 20)
    path = {"page": next((tmp_path / "catalogue").iterdir()), "marker": tmp_path / "ARCHIVE"}.get(where)
    path = path or _object(tmp_path, id_)
    whole, step = path.read_bytes(), {"table": 13, "page": 7}.get(where, 1)
    changed = [whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :] for at in range(0, len(whole), step)]
    for body in [*changed, *(whole[:at] for at in range(0, len(whole), step)), whole + b"\0"]:
        path.write_bytes(body)
        with pytest.raises((nt.LogCorrupt, nt.FormatTooNew)), nt.Archive.open(tmp_path) as cold:
            cold.get(id_)
    path.write_bytes(whole)
    with nt.Archive.open(tmp_path) as cold:
        assert cold.verify()["objects"] == 1


def test_what_is_damaged_is_named_and_the_rest_is_served(tmp_path):
    with nt.Archive.open(tmp_path) as cold:
        good, bad = cold.put("good", b"good"), cold.put("bad", b"bad")
        _object(tmp_path, bad).write_bytes(b"")
        for call in (cold.verify, lambda: cold.get(bad)):
            with pytest.raises(nt.LogCorrupt, match=bad):
                call()
        assert cold.get(good) == b"good"
        assert cold.put("bad", b"bad") == bad and cold.get(bad) == b"bad"  # putting it again mends it
        _object(tmp_path, bad).unlink()
        with pytest.raises(nt.LogCorrupt, match=r"missing, though the catalogue names it \('bad'\)"):
            cold.get(bad)
    page = next(one for one in (tmp_path / "catalogue").iterdir() if good in one.read_text())
    whole = page.read_bytes()
    page.write_bytes(whole[:-1])
    with nt.Archive.open(tmp_path) as cold:
        assert cold.entry(bad).name == "bad" and cold.stats()["damaged_pages"] == 1
        for call in (cold.list, cold.verify, lambda: cold.get(good), lambda: cold.collect(0)):
            with pytest.raises(nt.LogCorrupt, match=page.name):
                call()
        page.write_bytes(whole)
        assert cold.get(good) == b"good"


def test_a_newer_format_is_refused(tmp_path):
    nt.Archive.open(tmp_path / "a").close()
    (tmp_path / "a" / "ARCHIVE").write_bytes(b"neuraltrade-archive 2\n")
    with pytest.raises(nt.FormatTooNew, match="format 2 is newer than 1"):
        nt.Archive.open(tmp_path / "a")
    with nt.Archive.open(tmp_path / "b") as cold:
        archive_catalogue.Catalogue(cold.files).append(archive_catalogue.Page(format=9))
        with pytest.raises(nt.FormatTooNew, match="format 9 is newer than 1"):
            cold.list()


NAMES = [
    "",
    "/etc/passwd",
    "../up",
    "a/../../b",
    "a//b",
    "./a",
    "a/",
    "a\\b",
    "nul\0",
    "line\n",
    "x" * 513,
    7,
    None,
    "\ud800",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_cannot_leave_the_folder(tmp_path, name):
    with nt.Archive.open(tmp_path / "cold") as cold:
        with pytest.raises(nt.InputError, match="name must"):
            cold.put(name, b"x")
        assert cold.list() == [] and cold.stats()["objects"] == 0
    assert sorted(os.listdir(tmp_path)) == ["cold"] and os.listdir(tmp_path / "cold") == ["ARCHIVE"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda cold: cold.put("n", "text"), "content must be one of bytes, table, result, was str"),
        (lambda cold: cold.put("n", np.zeros(3)), "content must be one of .* was ndarray"),
        (lambda cold: cold.put("n", np.zeros((2, 2), [("a", "i8")])), "one dimension"),
        (lambda cold: cold.put("n", pa.table({"m": pa.array([], pa.month_day_nano_interval())})), "Parquet can hold"),
        (lambda cold: cold.put("n", b"", metadata={"a": object()}), "metadata must be what JSON can hold"),
        (lambda cold: cold.put("n", b"", metadata=[1]), "metadata must be a mapping"),
        (lambda cold: cold.put("n", b"", metadata={1: 2}), "metadata must be a mapping with text keys"),
        (lambda cold: cold.get("n"), "id must be 64 hexadecimal digits"),
        (lambda cold: cold.get("../../../etc/passwd"), "id must be 64 hexadecimal digits"),
        (lambda cold: cold.get("a" * 64), f"id {'a' * 64} is not in <Archive"),
        (lambda cold: cold.delete("a" * 64), "is not in"),
        (lambda cold: cold.delete(cold.put("n", b"x"), "m"), "name 'm' is not one of id"),
        (lambda cold: cold.list(kind="tables"), "kind must be one of bytes, table, result, was 'tables'"),
        (lambda cold: cold.list(3), "prefix must be a text, was 3"),
        (lambda cold: cold.collect(-1), "older_than_s must be a number of seconds >= 0, was -1"),
        (lambda cold: cold.collect(float("nan")), "older_than_s must be"),
    ],
)
def test_wrong_arguments(tmp_path, call, message):
    with nt.Archive.open(tmp_path) as cold:
        kept = cold.put("kept", b"kept")
        with pytest.raises(nt.InputError, match=message):
            call(cold)
        assert cold.get(kept) == b"kept" and cold.verify()["objects"] in (1, 2)


def test_places_that_are_no_archive(tmp_path):
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.txt").write_text("x")
    with pytest.raises(nt.InputError, match=r"has 'thesis\.txt' but no ARCHIVE"):
        nt.Archive.open(tmp_path / "foreign")
    with pytest.raises(nt.InputError, match="is a file"):
        nt.Archive.open(tmp_path / "foreign" / "thesis.txt")
    with pytest.raises(nt.InputError, match="holds no archive to read"):
        nt.Archive.open(tmp_path / "absent", read_only=True)
    assert os.listdir(tmp_path) == ["foreign"] and os.listdir(tmp_path / "foreign") == ["thesis.txt"]
    for wrong in ("", None, 3, b"cold", "a\0b"):
        with pytest.raises(nt.InputError, match="url must be a path or a URL"):
            nt.Archive.open(wrong)
    with pytest.raises(nt.InputError, match="key is an option of a URL"):
        nt.Archive.open(tmp_path / "cold", key="secret")
    with pytest.raises(nt.InputError, match="url must be one that fsspec opens"):
        nt.Archive.open("nosuchplace://x")
    with pytest.raises(nt.InputError, match="url must be one that fsspec opens"):
        nt.Archive.open(f"zip://::{tmp_path}/absent.zip", read_only=True)


def test_closed_and_read_only(tmp_path):
    with nt.Archive.open(tmp_path) as cold:
        id_ = cold.put("n", b"x")
    assert repr(cold) == f"<Archive {tmp_path}: closed>"
    for call in (cold.list, cold.verify, cold.stats, cold.collect, lambda: cold.get(id_), lambda: cold.put("n", b"y")):
        with pytest.raises(nt.StoreClosed, match="the archive was closed"):
            call()
    cold.close()
    with nt.Archive.open(tmp_path, read_only=True) as cold:
        for call in (cold.collect, lambda: cold.put("n", b"y"), lambda: cold.delete(id_)):
            with pytest.raises(nt.InputError, match="read_only=True"):
                call()
        assert cold.get(id_) == b"x" and repr(cold) == f"<Archive {tmp_path}: 1 entries, read-only>"


def test_deleted_and_collected(url):
    with nt.Archive.open(url) as cold:
        keep, drop = cold.put("keep", b"keep"), cold.put("drop", b"drop")
        cold.put("drop too", b"drop")
        assert cold.delete(drop, "drop") == 1 and cold.get(drop) == b"drop"
        assert cold.delete(drop) == 1
        with pytest.raises(nt.InputError, match="is not in"):
            cold.get(drop)
        assert cold.collect() == {"objects": 0, "bytes": 0}  # too fresh: another writer may be about to name it
        assert cold.collect(0)["objects"] == 1
        assert [one.name for one in cold.list()] == ["keep"] and cold.stats()["pages"] == 1
        assert cold.put("back", b"drop") == drop and cold.get(drop) == b"drop" and cold.get(keep) == b"keep"


def test_collecting_spares_what_is_fresh(tmp_path):
    hour = 3_600 * 10**9
    clock = FixedClock(os.stat(tmp_path).st_mtime_ns)
    with nt.Archive.open(tmp_path, clock=clock) as cold:
        id_ = cold.put("n", b"n")
        cold.files.write(f"objects/ab/{'ab' * 32}.zst", b"nobody's")
        (tmp_path / "catalogue" / "x.json.123.tmp").write_bytes(b"half")
        clock.advance(100 * hour)
        cold.delete(id_)
        assert cold.collect(3_600) == {"objects": 2, "bytes": len("nobody's") + len("half")}
        clock.advance(2 * hour)
        assert cold.collect(3_600)["objects"] == 1 and cold.stats()["objects"] == 0


@pytest.mark.parametrize("merged_first", ["mine", "yours"])
def test_a_stale_merge_brings_nothing_back(tmp_path, merged_first):
    mine, yours = nt.Archive.open(tmp_path), nt.Archive.open(tmp_path)
    id_ = mine.put("n", b"n")
    mine.put("other", b"other")
    stale = yours.catalogue
    stale.refresh()
    mine.delete(id_)
    if merged_first == "mine":
        mine.catalogue.merge()
    stale._write(archive_catalogue.Page(entries=stale.entries(), removals=stale.removals()))
    mine.catalogue.merge()
    assert [one.name for one in yours.list()] == [one.name for one in mine.list()] == ["other"]


def test_writers_beside_each_other_lose_nothing(url, monkeypatch):
    monkeypatch.setattr(archive_catalogue, "MERGE_PAGES", 5)
    failed, count = [], 24

    def write(writer):
        try:
            with nt.Archive.open(url) as cold:
                for j in range(count):
                    cold.put(f"{writer}/{j}", b"%d" % (j % 7))
        except BaseException as error:  # noqa: BLE001  (a thread must say what went wrong)
            failed.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with nt.Archive.open(url) as cold:
        assert {one.name for one in cold.list()} == {f"{writer}/{j}" for writer in range(4) for j in range(count)}
        assert cold.verify()["objects"] == 7 and cold.stats()["pages"] <= 4 * 6


def test_two_may_make_it_at_once(tmp_path, monkeypatch):
    with nt.Archive.open(tmp_path) as first:
        id_ = first.put("n", b"n")
        read, missed = LocalFiles.read, []

        def late(files, name):
            if name == "ARCHIVE" and not missed:
                missed.append(name)
                raise FileNotFoundError(name)
            return read(files, name)

        monkeypatch.setattr(LocalFiles, "read", late)
        with nt.Archive.open(tmp_path) as second:
            assert second.get(id_) == b"n" and missed == ["ARCHIVE"]


def test_another_writer_is_seen(tmp_path):
    with nt.Archive.open(tmp_path) as mine, nt.Archive.open(tmp_path) as yours:
        id_ = mine.put("n", b"n")
        assert yours.get(id_) == b"n" and yours.find("n").id == id_
        mine.delete(id_)
        assert yours.list() == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_full_disk_leaves_the_archive_as_it_was(tmp_path, monkeypatch, number):
    cold = nt.Archive.open(tmp_path)
    kept = cold.put("kept", b"kept")

    def fail(handle):
        raise OSError(number, os.strerror(number))

    for call in (lambda: cold.put("new", b"new"), lambda: cold.put("kept too", b"kept"), lambda: cold.delete(kept)):
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", fail)
            with pytest.raises(OSError, match=re.escape(os.strerror(number))):
                call()
    assert [one.name for one in cold.list()] == ["kept"] and cold.verify()["objects"] == 1
    assert [name for name in cold.files.names("") if name.endswith(".tmp")] == []
    assert cold.get(cold.put("new", b"new")) == b"new"


@pytest.mark.parametrize(
    ("module", "call", "message"),
    [
        ("zstandard", lambda cold: cold.put("n", b"x"), "needs zstandard"),
        ("pyarrow", lambda cold: cold.put("n", _table()), "need pyarrow"),
        (
            "fsspec.core",
            lambda cold: nt.Archive.open("memory://x"),
            "needs fsspec",
        ),
    ],
)
def test_a_missing_extra_is_named(tmp_path, monkeypatch, module, call, message):
    with nt.Archive.open(tmp_path) as cold:
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(nt.DependencyMissing, match=rf"{message}: pip install 'neuraltrade\[cold\]'"):
            call(cold)
        assert cold.list() == []


def test_an_archive_in_a_zip_file_is_read(tmp_path):
    with nt.Archive.open(tmp_path / "cold") as cold:
        ids = [cold.put("n", b"n"), cold.put("t", _table())]
    with zipfile.ZipFile(tmp_path / "cold.zip", "w") as packed:
        for path in sorted((tmp_path / "cold").rglob("*")):
            packed.write(path, path.relative_to(tmp_path / "cold"))
    with nt.Archive.open(f"zip://::{tmp_path}/cold.zip", read_only=True) as cold:
        assert cold.get(ids[0]) == b"n" and cold.get(ids[1]).equals(_table()) and cold.verify()["objects"] == 2
        with pytest.raises(nt.InputError, match="is not in"):
            cold.get("a" * 64)
        with fsspec.open(cold.where(ids[1])) as file:
            assert file.read(4) == b"PAR1"


FORKED = """
import os, sys
import neuraltrade as nt

content = bytes(range(256)) * (12 << 10)
cold = nt.Archive.open(sys.argv[1])
id_ = cold.put("large", content)
child = os.fork()
if not child:
    os._exit(0 if cold.get(id_) == content and cold.put("child", content[1:]) else 1)
assert os.waitpid(child, 0)[1] == 0
assert {one.name for one in cold.list()} == {"large", "child"}
"""


def test_a_forked_child_reads_and_writes(tmp_path):
    """Hashing shares its work with threads that a child of fork does not have."""
    done = subprocess.run([sys.executable, "-c", FORKED, str(tmp_path / "cold")], check=False, timeout=600)
    assert done.returncode == 0


def test_passwords_are_not_shown():
    assert hide_password("sftp://me:secret@host/cold") == "sftp://host/cold"
    assert hide_password("s3://bucket/a@b") == "s3://bucket/a@b"
