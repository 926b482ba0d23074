"""Disks that fail: a full one, one that refuses to sync, one that breaks while a segment is written."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neuraltrade.core import wal
from neuraltrade.errors import StoreClosed
from neuraltrade.vectors import CollectionSpec, Field, Store, files, log, recovery

SPEC = CollectionSpec(name="things", dimension=64, fields=(Field("symbol", "text"),))
FULL_DISK = """
import resource, signal, sys
import numpy as np
from neuraltrade.errors import NeuralTradeError
from neuraltrade.vectors import Store
from test_failures import SPEC, vectors

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(sys.argv[1], [SPEC], seal_rows=10**6)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
acknowledged = refused = 0
for step in range(400):
    try:
        acknowledged += len(store.collections["things"].add(vectors(10, step), ts_ns=step))
    except (OSError, NeuralTradeError) as error:
        refused += 1
assert store.collections["things"].count() == acknowledged
print(acknowledged, refused)
"""


def vectors(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 64)).astype(np.float32)


def test_a_full_disk_refuses_and_keeps_what_was_acknowledged(tmp_path):
    """The limit on file size stands in for the end of the disk: writes fail part-way through a record."""
    here = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "s")],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": here}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    acknowledged, refused = map(int, done.stdout.split())
    assert acknowledged > 500 and refused > 100
    with Store(tmp_path / "s", [SPEC]) as store:
        assert store.collections["things"].count() == acknowledged
        store.verify()
        store.collections["things"].add(vectors(1), ts_ns=0)


def test_after_a_failed_sync_the_store_says_so_and_reopens_clean(tmp_path, monkeypatch):
    store = Store(tmp_path / "s", [SPEC])
    things = store.collections["things"]
    things.add(vectors(5), ts_ns=0)

    def fail(self):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(log.Pending, "sync", fail)
        with pytest.raises(OSError, match="Input/output"):
            store.flush()
    for call in (store.flush, store.optimize, lambda: things.add(vectors(1), ts_ns=0), lambda: things.delete([1])):
        with pytest.raises(StoreClosed, match="sync of the log failed"):
            call()
    assert things.count() == 5 and len(things.search(vectors(1)[0])) == 5
    assert "sync of the log failed" in store.stats()["poisoned"]
    store.close()
    with Store(tmp_path / "s", [SPEC]) as store:
        assert store.collections["things"].count() == 5


@pytest.mark.parametrize("failing", range(4))
def test_a_segment_that_cannot_be_written_leaves_the_rows_searchable(tmp_path, monkeypatch, failing):
    """The n-th file written in the background fails; optimize says so, and works once the disk does."""
    calls = 0
    original = files.write_atomic

    def sometimes(path, chunks):
        nonlocal calls
        calls += 1
        if calls == failing + 1:
            raise OSError(28, "No space left on device", str(path))
        original(path, chunks)

    with Store(tmp_path / "s", [SPEC], seal_rows=2_000, merge_factor=2) as store:
        things = store.collections["things"]
        things.add(vectors(1_500), ts_ns=np.arange(1_500))
        with monkeypatch.context() as patched:
            for module in ("segment", "store", "files"):
                patched.setattr(f"neuraltrade.vectors.{module}.write_atomic", sometimes)
            try:
                store.optimize()
            except OSError as error:
                assert error.errno == 28 and calls == failing + 1
            else:
                assert calls <= failing + 1
        assert things.count() == 1_500 and things.search(vectors(1)[0], 1).distances[0] == 0.0
        things.update(1, known_ns=5_000, symbol="X")
        store.optimize()
        assert things.count() == 1_500
    with Store(tmp_path / "s", [SPEC]) as store:
        assert store.collections["things"].count() == 1_500 and store.collections["things"].get(1)["symbol"] == "X"
        store.verify()


def test_a_backup_that_fails_leaves_nothing(tmp_path, monkeypatch):
    with Store(tmp_path / "s", [SPEC]) as store:
        store.collections["things"].add(vectors(3), ts_ns=0)

        def full(source, target):
            Path(target).write_bytes(Path(source).read_bytes()[:100])
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("neuraltrade.vectors.backup.shutil.copyfile", full)
            with pytest.raises(OSError, match="No space"):
                store.backup(tmp_path / "b")
        assert [one.name for one in tmp_path.iterdir()] == ["s"]
        store.backup(tmp_path / "b")
    with Store(tmp_path / "b", [SPEC]) as copy:
        assert copy.collections["things"].count() == 3


def test_a_disk_that_fills_amid_a_large_batch_tells_what_was_added(tmp_path, monkeypatch):
    with Store(tmp_path / "s", [SPEC], seal_rows=10) as store:
        append, calls = log.LogFiles.append, []

        def second_fails(self, kind, body):
            calls.append(kind)
            if len(calls) == 2:
                raise OSError(28, "No space left on device")
            append(self, kind, body)

        monkeypatch.setattr(log.LogFiles, "append", second_fails)
        with pytest.raises(OSError, match="No space") as caught:
            store.collections["things"].add(vectors(25), ts_ns=0)
        assert caught.value.__notes__ == ["the first 10 of 25 rows were added, ids 1..10"]
        assert store.collections["things"].range().ids.tolist() == list(range(1, 11))


def failing(operation: str, error: int, calls: list[str]):
    """wal.Log.open with a disk on which the first call of an operation fails, for new files."""
    real = wal.Log.open

    class Opening:
        @staticmethod
        def open(path, **options):
            calls.append(path)
            return real(path, **options, faults=wal.Faults(operation, at=1, error=error))

    return Opening


@pytest.mark.parametrize("operation", ["open", "write", "sync", "rename", "read"])
def test_a_tail_that_cannot_be_sealed_does_not_refuse_what_was_logged(tmp_path, monkeypatch, operation):
    """The next log file cannot be made: rows go on into this one, and the file is made once the disk lets it."""
    with Store(tmp_path / "s", [SPEC], seal_rows=10) as store:
        things, calls = store.collections["things"], []
        things.add(vectors(8), ts_ns=0)
        with monkeypatch.context() as patched:
            patched.setattr(log.wal, "Log", failing(operation, 5, calls))
            assert things.add(vectors(5), ts_ns=1).tolist() == [9, 10, 11, 12, 13]
            assert things.add(vectors(2), ts_ns=2).tolist() == [14, 15]
        assert len(calls) == 2 and things.count() == 15
        assert store.stats()["log_files"] in (1, 2)  # what was begun of the next one is no part of the log
        things.add(vectors(1), ts_ns=3)
        store.flush()
        things.add(vectors(3), ts_ns=4)
    with Store(tmp_path / "s", [SPEC]) as store:
        assert store.collections["things"].range().ids.tolist() == list(range(1, 20))
        store.verify()


def test_a_flush_whose_note_finds_no_room_has_flushed(tmp_path, monkeypatch):
    """Syncing is done; that the older file is complete is written down at the next flush."""
    with Store(tmp_path / "s", [SPEC], seal_rows=10) as store:
        things = store.collections["things"]
        append, kinds = log.LogFiles.append, []

        def closed_fails(self, kind, body):
            kinds.append(kind)
            if kind == log.CLOSED and kinds.count(log.CLOSED) == 1:
                raise OSError(28, "No space left on device")
            append(self, kind, body)

        monkeypatch.setattr(store._builder, "notify", lambda: None)
        monkeypatch.setattr(log.LogFiles, "append", closed_fails)
        things.add(vectors(10), ts_ns=0)
        store.flush()
        assert store.stats()["poisoned"] is None
        store.flush()
        assert kinds == [log.ADD, log.CLOSED, log.CLOSED]
    with Store(tmp_path / "s", [SPEC]) as store:
        assert store.collections["things"].count() == 10


def test_a_full_disk_can_be_opened_and_gives_its_lock_up(tmp_path, monkeypatch):
    Store(tmp_path / "s", [SPEC]).close()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "pwrite", full)
        patched.setattr(files.os, "ftruncate", full)
        Store(tmp_path / "s", [SPEC]).close()
        patched.setattr(recovery, "read_manifest", full)
        with pytest.raises(OSError, match="No space"):
            Store(tmp_path / "s", [SPEC])
    Store(tmp_path / "s", [SPEC]).close()


def test_a_log_that_cannot_be_synced_at_the_end_keeps_no_other_open(tmp_path, monkeypatch):
    store = Store(tmp_path / "s", [SPEC], seal_rows=10)
    monkeypatch.setattr(store._builder, "notify", lambda: None)
    store.collections["things"].add(vectors(12), ts_ns=0)  # the first file is full, and not synced
    (number, older), current = store._log._older[0], store._log.current

    class Failing:
        def close(self):
            older.close()
            raise OSError(5, "Input/output error")

    store._log._older[0] = (number, Failing())
    with pytest.raises(OSError, match="Input/output"):
        store.close()
    assert current.closed
    Store(tmp_path / "s", [SPEC]).close()


def test_a_log_file_that_was_only_begun_is_removed_by_the_next_owner(tmp_path):
    Store(tmp_path / "s", [SPEC]).close()
    begun = tmp_path / "s" / "wal-00000002.log.0a1b2c3d.new"
    begun.write_bytes(b"NTWAL")
    Store(tmp_path / "s", [SPEC], read_only=True).close()
    assert begun.exists()
    Store(tmp_path / "s", [SPEC]).close()
    assert not begun.exists()


def test_what_opening_drops_is_told(tmp_path):
    with Store(tmp_path / "s", [SPEC]) as store:
        store.collections["things"].add(vectors(3), ts_ns=0)
        assert store.stats()["torn_bytes"] == 0
    with open(tmp_path / "s" / "wal-00000001.log", "ab") as handle:
        handle.write(b"torn by a crash!")
    with Store(tmp_path / "s", [SPEC]) as store:
        assert store.stats()["torn_bytes"] == 16
        assert store.collections["things"].count() == 3
    with Store(tmp_path / "s", [SPEC]) as store:
        assert store.stats()["torn_bytes"] == 0
