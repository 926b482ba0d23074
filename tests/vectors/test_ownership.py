"""What is ours and what is not: forked processes, and files of another store."""

import gc
import os
import shutil
import signal

import numpy as np
import pytest

from neuraltrade.errors import LogCorrupt, StoreLocked
from neuraltrade.vectors import CollectionSpec, Store, backup, files
from neuraltrade.vectors import store as store_module

SPEC = CollectionSpec(name="things", dimension=64)


def vectors(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 64)).astype(np.float32)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_reads_but_neither_writes_nor_gives_the_store_up(tmp_path):
    store = Store(tmp_path / "s", [SPEC])
    things = store.collections["things"]
    things.add(vectors(2, 0), ts_ns=0)
    release_read, release_write = os.pipe()
    child = os.fork()
    if child == 0:
        passed = 0
        try:
            passed += things.count() == 2
            for write in (lambda: things.add(vectors(3, 1), ts_ns=1), store.flush, store.optimize):
                try:
                    write()
                except StoreLocked:
                    passed += 1
            store.close()
            os.close(release_write)
            os.read(release_read, 1)
        finally:
            os._exit(passed)
    with pytest.raises(StoreLocked):
        Store(tmp_path / "s", [SPEC])
    assert things.add(vectors(1, 2), ts_ns=2).tolist() == [3]
    store.close()
    with Store(tmp_path / "s", [SPEC]) as again:  # while the child lives on
        assert again.collections["things"].range().ids.tolist() == [1, 2, 3]
    os.close(release_write)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4


def test_a_store_dropped_without_close_gives_its_lock_up(tmp_path):
    store = Store(tmp_path / "s", [SPEC], seal_rows=10)
    store.collections["things"].add(vectors(25, 0), ts_ns=0)
    store._builder.wait()
    thread = store._builder._thread
    del store
    with Store(tmp_path / "s", [SPEC]) as store:  # nothing has collected the first one
        assert store.collections["things"].count() == 25
        assert not thread.is_alive()


def test_a_held_collection_keeps_its_store(tmp_path):
    things = Store(tmp_path / "s", [SPEC]).collections["things"]
    gc.collect()
    things.add(vectors(2, 0), ts_ns=0)
    with pytest.raises(StoreLocked, match=f'"pid": {os.getpid()}, "host": "'):
        Store(tmp_path / "s", [SPEC])
    with Store(tmp_path / "s", [SPEC], read_only=True) as beside:
        assert beside.collections["things"].count() == 2
    things.store.close()
    Store(tmp_path / "s", [SPEC]).close()


def test_a_store_whose_indexing_failed_is_let_go_too(tmp_path, monkeypatch):
    store = Store(tmp_path / "s", [SPEC], seal_rows=10)

    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("neuraltrade.vectors.segment.write_atomic", fail)
        store.collections["things"].add(vectors(25, 0), ts_ns=0)
        with pytest.raises(OSError, match="No space"):
            store._builder.wait()
    del store
    with Store(tmp_path / "s", [SPEC]) as store:
        assert store.collections["things"].count() == 25


def test_half_a_backup_is_not_taken_for_one(tmp_path, monkeypatch):
    """What a kill leaves in the middle lies beside the target, under a name of its own."""
    with Store(tmp_path / "s", [SPEC]) as store:
        store.collections["things"].add(vectors(3, 0), ts_ns=0)
        seen = []
        real = backup.write_manifest
        monkeypatch.setattr(backup, "write_manifest", lambda *given: (seen.append(given[0]), real(*given)))
        monkeypatch.setattr(backup.os, "rename", lambda *_: seen.append((tmp_path / "b").exists()))
        monkeypatch.setattr(backup, "sync_folder", lambda _: None)
        store.backup(tmp_path / "b")
        assert seen[0].name.startswith(".b.partial-")
        assert seen[1:] == [False]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_opens_a_store_whose_parent_has_hashed(tmp_path):
    """The hash's threads are the parent's: a child that waited for them would never end."""
    entry = write_large(tmp_path / "large")
    files.map_checked(tmp_path, entry)
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        try:
            files.map_checked(tmp_path, entry)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def write_large(path):
    path.write_bytes(bytes(4 << 20))
    return files.entry_of(path)


def test_the_log_of_another_store_is_refused(tmp_path):
    for seed, name in enumerate("ab"):
        with Store(tmp_path / name, [SPEC]) as store:
            store.collections["things"].add(vectors(3, seed), ts_ns=0)
    shutil.copy(tmp_path / "b" / "wal-00000001.log", tmp_path / "a" / "wal-00000001.log")
    for read_only in (False, True):
        with pytest.raises(LogCorrupt, match="wal-00000001"):
            Store(tmp_path / "a", [SPEC], read_only=read_only)


def test_rows_survive_the_loss_of_the_first_manifest(tmp_path):
    with Store(tmp_path / "a", [SPEC]) as store:
        store.collections["things"].add(vectors(3, 0), ts_ns=0)
    (tmp_path / "a" / "MANIFEST").unlink()
    with Store(tmp_path / "a", [SPEC]) as store:
        assert store.collections["things"].count() == 3


def test_a_reader_verifies_while_the_owner_replaces_what_it_reads(tmp_path, monkeypatch):
    with Store(tmp_path / "s", [SPEC], seal_rows=10) as owner:
        owner.collections["things"].add(vectors(20, 0), ts_ns=0)
        owner.optimize()
        with Store(tmp_path / "s", [SPEC], read_only=True) as reader:
            read, calls = store_module.read_manifest, []

            def read_and_fall_behind(path):
                manifest = read(path)
                if not calls:
                    owner.collections["things"].add(vectors(20, 1), ts_ns=0)
                    owner.optimize()
                calls.append(path)
                return manifest

            monkeypatch.setattr(store_module, "read_manifest", read_and_fall_behind)
            assert reader.verify()["files"] >= 2 and len(calls) == 2


def test_a_change_of_folder_does_not_move_the_store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with Store("s", [SPEC], seal_rows=10) as store:
        monkeypatch.chdir(tmp_path / "elsewhere")
        store.collections["things"].add(vectors(35, 0), ts_ns=0)
        store.optimize()
        store.backup("copy")
        assert store.verify()["files"] == 2 and store.stats()["log_files"] == 1
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["copy"]
    with Store(tmp_path / "s", [SPEC]) as store:
        assert store.collections["things"].count() == 35
