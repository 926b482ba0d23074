"""A store as a directory: owners, readers, reopening, versions, corruption, and what is refused."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from neuraltrade.errors import DeadlineExceeded, FormatTooNew, InputError, LogCorrupt, StoreClosed, StoreLocked
from neuraltrade.vectors import CollectionSpec, Field, Filter, Plan, Query, Store

SPEC = CollectionSpec(name="things", dimension=64, fields=(Field("symbol", "text"), Field("score", "float")))
OTHER = CollectionSpec(name="quiet", dimension=128)


def vectors(count: int, seed: int = 0, dimension: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)


def open_store(path, **options) -> Store:
    return Store(path, [SPEC, OTHER], **{"seal_rows": 40, "graph_rows": 10**9, **options})


def filled(path, rows: int = 100) -> np.ndarray:
    """A store with segments, a tail, a version and a deletion; returns the vectors."""
    array = vectors(rows)
    with open_store(path) as store:
        things = store.collections["things"]
        things.add(array[:90], ts_ns=np.arange(90), symbol=["A", "B", "C"] * 30, score=1.0)
        store.optimize()
        things.add(array[90:], ts_ns=np.arange(90, rows), symbol="A", payload=[b"x"] * (rows - 90))
        things.update(3, known_ns=500, score=9.0)
        things.delete([4])
    return array


def content(store: Store) -> list[tuple]:
    things = store.collections["things"]
    return [(one["id"], one["known_ns"], one["symbol"], one["score"], one["payload"], one["vector"].tobytes())
            for as_of in (None, 50, 95) for one in things.range(as_of=as_of, limit=None)]  # fmt: skip


def test_reopening_gives_the_same_answers(tmp_path):
    array = filled(tmp_path / "s")
    with open_store(tmp_path / "s") as store:
        first = str(content(store))
        hits = store.collections["things"].search(array[10], 5)
        assert hits.ids[0] == 11 and hits.distances[0] == 0.0
    with open_store(tmp_path / "s", read_only=True) as store:
        assert str(content(store)) == first
        assert store.verify()["files"] >= 2


def test_ids_go_on_after_reopening_and_are_shared_by_collections(tmp_path):
    with open_store(tmp_path / "s") as store:
        assert store.collections["things"].add(vectors(2), ts_ns=0).tolist() == [1, 2]
        assert store.collections["quiet"].add(vectors(1, dimension=128), ts_ns=0).tolist() == [3]
    with open_store(tmp_path / "s") as store:
        assert store.collections["things"].add(vectors(1), ts_ns=0).tolist() == [4]
        assert store.collections["quiet"].get(3)["ts_ns"] == 0


def test_second_owner_is_refused_and_told_who_owns_it(tmp_path):
    with open_store(tmp_path / "s"), pytest.raises(StoreLocked, match=f'"pid": {os.getpid()}'):
        open_store(tmp_path / "s")
    open_store(tmp_path / "s").close()


def test_second_process_is_refused_and_may_read_beside_it(tmp_path):
    with open_store(tmp_path / "s") as store:
        store.collections["things"].add(vectors(3), ts_ns=7)
        code = (
            "from neuraltrade.errors import StoreLocked\nfrom test_store import *\n"
            f"p = {str(tmp_path / 's')!r}\n"
            "try: open_store(p)\n"
            "except StoreLocked as error: print(error)\n"
            "print(open_store(p, read_only=True).collections['things'].count())"
        )
        here = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": here},
            check=True,
        )
        refused, count = done.stdout.splitlines()
        assert str(os.getpid()) in refused and count == "3"


def test_read_only_refuses_writes(tmp_path):
    filled(tmp_path / "s")
    with open_store(tmp_path / "s", read_only=True) as store:
        things = store.collections["things"]
        for write in (
            lambda: things.add(vectors(1), ts_ns=0), lambda: things.update(1, known_ns=1), lambda: things.delete([1]),
            lambda: things.retain(max_rows=1), store.flush, store.optimize,
        ):  # fmt: skip
            with pytest.raises(InputError, match="read_only"):
                write()
        assert things.count() == 99


def test_closed_store_raises_everywhere(tmp_path):
    store = open_store(tmp_path / "s")
    things = store.collections["things"]
    things.add(vectors(1), ts_ns=0)
    store.close()
    store.close()
    for call in (
        lambda: things.add(vectors(1), ts_ns=0), lambda: things.search(vectors(1)[0]), lambda: things.get(1),
        things.range,
        things.count, lambda: things.delete([1]), store.flush, store.optimize, store.stats, store.verify,
    ):  # fmt: skip
        with pytest.raises(StoreClosed):
            call()


def test_foreign_directory_is_refused_untouched(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match=r"letter\.txt"):
        open_store(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["letter.txt"]
    with pytest.raises(InputError, match="directory"):
        open_store(tmp_path / "letter.txt")
    with pytest.raises(InputError, match="no store to read"):
        open_store(tmp_path / "missing", read_only=True)


def test_newer_format_is_refused(tmp_path):
    filled(tmp_path / "s")
    manifest = tmp_path / "s" / "MANIFEST"
    manifest.write_bytes(manifest.read_bytes().replace(b"neuraltrade-store 1 ", b"neuraltrade-store 9 ", 1))
    with pytest.raises(FormatTooNew, match="format 9"):
        open_store(tmp_path / "s")


def test_half_made_store_is_made_again(tmp_path):
    open_store(tmp_path / "s").close()
    (tmp_path / "s" / "MANIFEST").unlink()
    with open_store(tmp_path / "s") as store:
        assert store.collections["things"].count() == 0


def test_missing_manifest_of_a_full_store_is_corruption(tmp_path):
    filled(tmp_path / "s")
    (tmp_path / "s" / "MANIFEST").unlink()
    with pytest.raises(LogCorrupt, match="MANIFEST"):
        open_store(tmp_path / "s")


def test_any_flipped_byte_is_found_or_changes_nothing(tmp_path):
    filled(tmp_path / "s")
    with open_store(tmp_path / "s", read_only=True) as store:
        good = content(store)
    checked = 0
    for path in sorted((tmp_path / "s").iterdir()):
        whole = path.read_bytes()
        if path.name == "LOCK" or not whole:
            continue
        is_log = path.name.endswith(".log")
        for at in range(0, len(whole), max(len(whole) // 60, 1)):
            damaged = bytearray(whole)
            damaged[at] ^= 1 << (at % 8)
            path.write_bytes(bytes(damaged))
            try:
                with open_store(tmp_path / "s", read_only=True) as store:
                    assert is_log, f"{path.name} byte {at} was not noticed"
                    seen = {row[0] for row in content(store)}
                    assert seen <= {row[0] for row in good}
            except (LogCorrupt, FormatTooNew):
                pass
            checked += 1
        path.write_bytes(whole)
    assert checked > 150
    with open_store(tmp_path / "s") as store:
        assert str(content(store)) == str(good)


def test_any_cut_file_is_found_or_gives_a_prefix(tmp_path):
    filled(tmp_path / "s")
    with open_store(tmp_path / "s", read_only=True) as store:
        good = str(content(store))
    for path in sorted((tmp_path / "s").iterdir()):
        whole = path.read_bytes()
        if path.name == "LOCK" or path.name.endswith(".log"):
            continue
        for size in (0, 1, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:size])
            with pytest.raises(LogCorrupt):
                open_store(tmp_path / "s", read_only=True)
        path.unlink()
        with pytest.raises(LogCorrupt):
            open_store(tmp_path / "s", read_only=True)
        path.write_bytes(whole)
    with open_store(tmp_path / "s", read_only=True) as store:
        assert str(content(store)) == good


def test_leftovers_of_a_killed_build_are_removed(tmp_path):
    filled(tmp_path / "s")
    for name in ("things-00000099.seg", "things-00000099.seg.tmp", "things-00000099.graph", "MANIFEST.tmp"):
        (tmp_path / "s" / name).write_bytes(b"half")
    with open_store(tmp_path / "s") as store:
        assert store.collections["things"].count() == 99
    assert not list((tmp_path / "s").glob("*00000099*")) and not (tmp_path / "s" / "MANIFEST.tmp").exists()


def test_quiet_collection_does_not_hold_the_log_back(tmp_path):
    with open_store(tmp_path / "s", seal_rows=10) as store:
        store.collections["quiet"].add(vectors(1, dimension=128), ts_ns=0)
        for step in range(30):
            store.collections["things"].add(vectors(10, step), ts_ns=step)
        store.optimize()
        assert store.stats()["log_files"] <= 12
        assert len(store.collections["quiet"].state.segments) == 1
    with open_store(tmp_path / "s", seal_rows=10) as store:
        assert store.collections["quiet"].count() == 1 and store.collections["things"].count() == 300


def test_backup_opens_like_the_original(tmp_path):
    filled(tmp_path / "s")
    with open_store(tmp_path / "s") as store:
        store.backup(tmp_path / "copy")
        good = str(content(store))
        with pytest.raises(InputError, match="must not exist"):
            store.backup(tmp_path / "copy")
        store.collections["things"].add(vectors(60, 5), ts_ns=0)
        store.optimize()
    with open_store(tmp_path / "copy") as store:
        assert str(content(store)) == good
        store.verify()


def test_retention_by_age_and_count(tmp_path):
    filled(tmp_path / "s")
    with open_store(tmp_path / "s") as store:
        things = store.collections["things"]
        assert things.retain(max_rows=50) == 49
        assert things.range().ts_ns.tolist() == list(range(50, 100))
        assert things.retain(max_age_ns=9) == 40
        assert things.count(as_of=60) == 0
        with pytest.raises(InputError, match="max_age_ns or max_rows"):
            things.retain()


def test_a_field_added_later_reads_as_missing(tmp_path):
    filled(tmp_path / "s")
    wider = CollectionSpec(
        name="things", dimension=64, fields=(*SPEC.fields, Field("outcome", "float"), Field("tag", "text"))
    )
    with Store(tmp_path / "s", [wider, OTHER], seal_rows=40) as store:
        things = store.collections["things"]
        assert np.isnan(things.range().column("outcome")).all() and set(things.range().column("tag").tolist()) == {""}
        things.update(1, known_ns=600, outcome=0.5, tag="new")
        assert things.count(where=Filter.gt("outcome", 0)) == 1
        store.optimize()
        assert things.count(where=Filter.eq("tag", "new")) == 1
    with pytest.raises(FormatTooNew, match="outcome"):
        open_store(tmp_path / "s")
    with pytest.raises(InputError, match="dimension 64"):
        Store(tmp_path / "s", [CollectionSpec(name="things", dimension=128)])


def test_batches_and_plans(tmp_path):
    array = vectors(300)
    with Store(tmp_path / "s", [SPEC], plan=Plan(exact_rows=20, gather_rows=50)) as store:
        things = store.collections["things"]
        things.add(array, ts_ns=np.arange(300), symbol=["A"] * 290 + ["B"] * 10)
        assert things.search(array[0], 3).plan[0].how == "signs"
        store._builder.wait()
        with store.lock:
            store.freeze([things])
        store._builder.wait()
        assert things.search(array[0], 3, exact=True).plan[0][2:] == (300, "exact")
        assert things.search(array[0], 3, where=Filter.eq("symbol", "B")).plan[0][2:] == (10, "gather")
        assert things.search(array[0], 3, where=Filter.eq("symbol", "Z")).plan[0][2:] == (0, "none")
        assert things.search(array[0], 3, start=10, end=20).plan[0][2:] == (10, "gather")
        assert things.search(array[0], 3, as_of=99).plan[0][2:] == (100, "signs")
        query = Query(array[5]).k(2).filter(Filter.eq("symbol", "A")).between(3, 50).as_of(40).exact()
        assert things.search(query).ids.tolist()[0] == 6
        assert things.search(query).plan[0].candidates == 38


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vectors": np.ones((2, 32), np.float32)}, r"vectors must be float32\[n, 64\], shape was \(2, 32\)"),
        ({"vectors": np.ones(64, np.float32)}, "vectors must be float32"),
        ({"vectors": np.ones((2, 64), np.int32)}, "dtype was int32"),
        ({"vectors": np.zeros((2, 64), np.float32)}, r"vectors\[0\]"),
        ({"vectors": np.array([[1.0] * 64, [np.nan] * 64], np.float32)}, r"vectors\[1\] has a NaN"),
        ({"vectors": np.array([[1.0] * 64, [np.inf] * 64], np.float32)}, r"vectors\[1\] has an infinity"),
        ({"ts_ns": [1, 2, 3]}, r"ts_ns must have one value a row \(2\)"),
        ({"ts_ns": [0.5, 1.0]}, "ts_ns must be int64"),
        ({"ts_ns": np.array([2**63 + 5, 1], np.uint64)}, "ts_ns must be below"),
        ({"known_ns": [0, 5]}, "known_ns must not be before ts_ns: row 0 has 0 < 1"),
        ({"symbol": ["A"]}, "symbol must be a text or one text a row"),
        ({"symbol": ["A", 3]}, "symbol: row 1 must be a text, was 3"),
        ({"score": "high"}, "score must hold float values"),
        ({"score": [1.0, 2.0, 3.0]}, r"score must have one value a row \(2\)"),
        ({"scor": 1.0}, "unknown field of things: 'scor'; did you mean 'score'"),
        ({"payload": [b"x"]}, "payload must have one value a row"),
        ({"payload": [b"x", {"a": 1}]}, "payload: row 1 must be bytes, was dict"),
    ],
)
def test_bad_rows_are_refused_and_nothing_is_added(tmp_path, change, message):
    arguments = {"vectors": vectors(2), "ts_ns": [1, 2], "symbol": "A", **change}
    with open_store(tmp_path / "s") as store:
        with pytest.raises(InputError, match=message):
            store.collections["things"].add(arguments.pop("vectors"), **arguments)
        assert store.collections["things"].count() == 0 and store.next_id == 1
    with open_store(tmp_path / "s") as store:
        assert store.collections["things"].count() == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vector": np.ones(32, np.float32)}, r"vector must be float32\[64\], shape was \(32,\)"),
        ({"vector": np.zeros(64, np.float32)}, "vector"),
        ({"vector": np.full(64, np.nan, np.float32)}, "NaN"),
        ({"vector": [1] * 64}, "dtype"),
        ({"k": 0}, "k must be an int >= 1, was 0"),
        ({"k": 2.5}, "k must be an int >= 1, was 2.5"),
        ({"start": 5, "end": 4}, "end must not be before start: 4 < 5"),
        ({"as_of": "yesterday"}, "as_of must be an ISO 8601 time"),
        ({"where": "symbol = A"}, "where must be a Filter, was str"),
        ({"where": Filter.eq("symbl", "A")}, "unknown field of things: 'symbl'; did you mean 'symbol'"),
        ({"where": Filter.gt("symbol", 1)}, "a text field takes eq, ne and in_"),
        ({"where": Filter.eq("symbol", 1)}, "value must be a text, was 1"),
        ({"where": Filter.eq("score", "1")}, "value must be a number, was '1'"),
        ({"timeout_s": 0}, "timeout_s must be a number of seconds > 0"),
    ],
)
def test_bad_queries_are_refused(tmp_path, change, message):
    with open_store(tmp_path / "s") as store:
        store.collections["things"].add(vectors(2), ts_ns=[1, 2])
        arguments = {"vector": vectors(1)[0], **change}
        with pytest.raises(InputError, match=message):
            store.collections["things"].search(arguments.pop("vector"), **arguments)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Filter.eq("", 1), "field must be a name"),
        (lambda: Filter.eq("a", None), "must be a number or a text"),
        (lambda: Filter.gt("a", "x"), "must be a number"),
        (lambda: Filter.eq("a", float("nan")), "NaN"),
        (lambda: Filter.in_("a", "xy"), "sequence of values"),
        (lambda: Filter.between("a", 2, 1), "low must not exceed high"),
        (Filter.and_, "at least one Filter"),
        (lambda: Filter.or_(Filter.eq("a", 1), 3), "takes Filters, was int"),
        (lambda: Filter("like", "a", 1), "op must be one of"),
        (lambda: Query(vectors(1)[0]).filter({"a": 1}), "where must be a Filter"),
    ],
)
def test_bad_filters_are_refused(build, message):
    with pytest.raises(InputError, match=message):
        build()


def test_bad_changes_leave_the_rows_as_they_were(tmp_path):
    filled(tmp_path / "s")
    with open_store(tmp_path / "s") as store:
        things, before = store.collections["things"], str(content(store))
        for change, message in (
            (lambda: things.update(10_000, known_ns=600, score=1.0), "id 10000 is not in things"),
            (lambda: things.update(4, known_ns=600, score=1.0), "id 4 is not in things"),
            (lambda: things.update(3, known_ns=499, score=1.0), "has 500, was 499"),
            (lambda: things.update([1, 1], known_ns=600), "ids must not repeat"),
            (lambda: things.update(1, known_ns=600, scor=1.0), "did you mean 'score'"),
            (lambda: things.update(-1, known_ns=600), "ids must be uint64"),
            (lambda: things.delete([1, 4]), "id 4 is not in things"),
            (lambda: things.get(0), "id must be an int in 1"),
            (lambda: things.get("one"), "id must be an int in 1"),
            (lambda: things.get(4), "id 4 is not in things"),
            (lambda: things.range(limit=0), "limit must be an int >= 1"),
            (lambda: things.range().column("scor"), "did you mean 'score'"),
        ):
            with pytest.raises(InputError, match=message):
                change()
        assert str(content(store)) == before


def test_deadline(tmp_path):
    with open_store(tmp_path / "s") as store:
        store.collections["things"].add(vectors(2), ts_ns=0)
        with pytest.raises(DeadlineExceeded):
            store.collections["things"].search(vectors(1)[0], timeout_s=1e-12)
        assert len(store.collections["things"].search(vectors(1)[0], timeout_s=3600)) == 2


def test_readers_beside_a_writer_see_whole_states(tmp_path):
    """Each id is updated over and over; a reader must see it exactly once, whatever version."""
    array = vectors(30)
    with open_store(tmp_path / "s", seal_rows=25) as store:
        things = store.collections["things"]
        things.add(array, ts_ns=0, symbol="A")
        wrong: list = []
        stop = threading.Event()

        def read() -> None:
            while not stop.is_set():
                hits = things.search(array[0], 40, exact=True)
                if sorted(hits.ids.tolist()) != list(range(1, 31)) or things.count() != 30:
                    wrong.append(hits.ids.tolist())

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for step in range(1, 120):
            things.update([1 + step % 30, 1 + (step + 7) % 30], known_ns=step, score=float(step))
        store.optimize()
        stop.set()
        for reader in readers:
            reader.join()
        assert not wrong
        assert things.stats()["versions"] == 30 + 2 * 119


def test_future_copies_of_the_query_never_surface(tmp_path):
    rng = np.random.default_rng(7)
    with open_store(tmp_path / "s", seal_rows=200) as store:
        things = store.collections["things"]
        past = vectors(500, 1)
        things.add(past, ts_ns=np.arange(500), symbol="A")
        queries = vectors(20, 2)
        for query in queries:  # canaries: exact copies, known later than every as_of asked below
            things.add(np.stack([query] * 10), ts_ns=np.full(10, 100), known_ns=np.full(10, 1_000), symbol="A")
        store.optimize()
        for query in np.repeat(queries, 10, axis=0):
            as_of = int(rng.integers(0, 1_000))
            for exact in (True, False):
                hits = things.search(query, 10, as_of=as_of, exact=exact)
                assert (hits.known_ns <= as_of).all() and hits.distances.min() > 0.05
                assert sum(step.rows for step in hits.plan) == things.count(as_of=as_of)
            assert things.count(as_of=as_of) == min(as_of + 1, 500)
            assert (things.range(as_of=as_of, limit=None).known_ns <= as_of).all()
        assert things.search(queries[0], 10, as_of=1_000).distances.max() == 0.0
