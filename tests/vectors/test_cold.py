"""Segments in an archive: the same answers, fetched only when they can answer, safe on the way."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from neuraltrade.errors import FormatTooNew, InputError, LogCorrupt, StoreClosed
from neuraltrade.ports import Archive
from neuraltrade.vectors import CollectionSpec, Field, Filter, Store, files
from neuraltrade.vectors.cold import demote
from neuraltrade.vectors.search import Plan

SPEC = CollectionSpec(
    name="things", dimension=64, fields=(Field("symbol", "text"), Field("price", "float"), Field("rank", "int", False))
)
ROWS = 20


class Shelf:
    """An archive in a dict that counts what is read, and can break."""

    def __init__(self):
        self.held: dict[str, bytes] = {}
        self.gets = 0
        self.broken: Exception | None = None

    def put(self, name, content):
        if self.broken:
            raise self.broken
        self.held[name] = bytes(content)
        return name

    def get(self, id_):
        self.gets += 1
        if self.broken:
            raise self.broken
        return self.held[id_]


def vectors(count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, 64)).astype(np.float32)


def fill(store, parts=4):
    """`parts` segments of ROWS rows, times ascending by part; each row with a payload."""
    things = store.collections["things"]
    for part in range(parts):
        at = 1_000 * part + np.arange(ROWS)
        body = [f"{part}/{row}".encode() for row in range(ROWS)]
        names = [("A", "B")[row % 2] for row in range(ROWS)]
        things.add(vectors(ROWS, part), ts_ns=at, payload=body, symbol=names, price=at / 2.0, rank=at)
    store.optimize()
    return things


def opened(path, shelf=None, **settings):
    return Store(path, [SPEC], seal_rows=ROWS, merge_factor=100, archive=shelf, **settings)


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def store(tmp_path, shelf, monkeypatch):
    monkeypatch.setattr(Store, "optimize", lambda self: self._builder.wait())  # several segments, not one
    with opened(tmp_path / "s", shelf) as store:
        fill(store)
        yield store


def everything(things):
    """Every kind of answer, with and without conditions."""
    queries, answers = vectors(3, 99), []
    scopes = [{}, {"as_of": 2_005}, {"start": 1_003, "end": 3_002}, {"where": Filter.eq("symbol", "A")}]
    scopes += [{"where": Filter.gte("price", 700.0), "as_of": 3_010}, {"where": ~Filter.eq("rank", 5), "end": 9}]
    for scope in scopes:
        rows = things.range(**scope)
        answers.append((rows.ids.tolist(), rows.column("symbol").tolist(), rows.vectors().tobytes(), rows.records()))
        answers.append(things.count(**scope))
        for exact in (False, True):
            hits = things.search(queries[0], 7, exact=exact, **scope)
            answers.append((hits.ids.tolist(), hits.distances.tobytes(), hits.ts_ns.tolist(), hits.column("price")))
        answers.append([part.tobytes() for part in things.search_many(queries, 5, **scope)])
    return repr(answers)


def segments_of(store):
    return store.collections["things"].stats()["archived_segments"]


def test_a_shelf_is_an_archive(shelf):
    assert isinstance(shelf, Archive)


def test_answers_stay_what_they_were(store, shelf, tmp_path):
    things = store.collections["things"]
    things.update([3, 30], known_ns=5_000, price=1.25)
    things.delete([4, 45])
    before = everything(things)
    assert demote(store, things, 3_000) == 3 * ROWS and segments_of(store) == 3
    assert len(shelf.held) == 3 and len(list((tmp_path / "s").glob("*.seg"))) == len(things.state.segments) - 3
    assert demote(store, things, 3_000) == 0
    assert everything(things) == before
    store.close()
    for read_only in (True, False):
        with opened(tmp_path / "s", shelf, read_only=read_only) as again:
            assert everything(again.collections["things"]) == before
            assert again.verify()["files"] >= 1
            assert again.collections["things"].get(1)["payload"] == b"0/0"


def test_cells_come_back_with_their_rows(tmp_path, shelf):
    centres = vectors(100, 8)
    clustered, queries = centres[np.arange(6_000) % 100] + 0.05 * vectors(6_000, 1), centres[:30]
    settings = {"cell_rows": 4_000, "plan": Plan(exact_rows=50, gather_rows=100, cells_gain=0.5)}
    with Store(tmp_path / "s", [SPEC], seal_rows=4_000, archive=shelf, cache_queries=0, **settings) as store:
        things = store.collections["things"]
        things.add(clustered, ts_ns=np.arange(6_000), symbol="A")
        store.optimize()
        before = [[part.tobytes() for part in things.search_many(queries, 10)], things.search(queries[0], 10).plan]
        assert "cells" in {step.how for step in before[1]}
        assert demote(store, things, 9_000) == 6_000
        assert [
            [part.tobytes() for part in things.search_many(queries, 10)],
            things.search(queries[0], 10).plan,
        ] == before


def test_what_cannot_answer_is_not_fetched(store, shelf):
    things = store.collections["things"]
    demote(store, things, 3_000)
    shelf.gets = 0
    newest = int(things.range(start=3_000).ids[0])
    vector = vectors(1)[0]
    assert len(things.search(vector, 3, start=3_000)) == 3 and len(things.range(start=3_000)) == ROWS
    assert things.get(newest)["ts_ns"] == 3_000 and things.count() == len(things) == 4 * ROWS
    assert things.count(start=3_000) == ROWS and len(things.search(vector, 3, as_of=-1)) == 0
    things.update(newest, known_ns=4_000, price=3.0)
    things.delete(newest + 1)
    store.flush()
    stats = things.stats()
    assert (stats["archived_rows"], stats["versions"], stats["rows"]) == (3 * ROWS, 4 * ROWS + 1, 4 * ROWS - 1)
    assert shelf.gets == 0 == store.stats()["archive_fetches"]
    for where in (
        Filter.eq("symbol", "Z"), Filter.in_("symbol", ["Y", "Z"]), Filter.gt("price", 1_009.5) & Filter.ne("rank", 9),
        Filter.eq("price", -1), Filter.lt("price", 0), Filter.between("price", 1_020, 1_400), Filter.gte("price", 1e9),
    ):  # fmt: skip
        assert (
            things.count(where=where) == len(things.range(where=where)) == len(things.search(vector, 99, where=where))
        )
    assert shelf.gets == 0
    assert len(things.range(start=1_000, end=1_005)) == 5 and shelf.gets == 1
    assert things.get(1)["symbol"] == "A" and shelf.gets == 2
    things.search(vector, 3)
    assert shelf.gets == 3 == store.stats()["archive_fetches"]
    things.search(vector, 4)
    assert shelf.gets == 3 and store.stats()["bytes_fetched"] > 0


def test_conditions_of_any_kind_answer_alike(store, tmp_path):
    """Random conditions over moved rows and over the same rows on disk."""
    things, rng = store.collections["things"], np.random.default_rng(6)
    with Store(tmp_path / "twin", [SPEC], seal_rows=ROWS, merge_factor=100) as twin:
        other = fill(twin)
        demote(store, things, 3_000)
        store.fetcher.capacity_bytes = 1

        def leaf():
            if rng.random() < 0.4:
                names = rng.choice(["A", "B", "C"], 2).tolist()
                return (
                    (Filter.eq, Filter.ne)[rng.integers(2)]("symbol", names[0])
                    if rng.random() < 0.5
                    else Filter.in_("symbol", names)
                )
            field, value = ("price", "rank", "ts_ns", "id")[rng.integers(4)], int(rng.integers(-5, 3_500))
            return (Filter.eq, Filter.ne, Filter.gt, Filter.gte, Filter.lt, Filter.lte)[rng.integers(6)](field, value)

        found = 0
        for _ in range(80):
            where = leaf()
            for _ in range(rng.integers(3)):
                where = (where & leaf(), where | leaf(), ~where)[rng.integers(3)]
            ids = [one.range(where=where).ids.tolist() for one in (things, other)]
            assert ids[0] == ids[1], where
            found += 0 < len(ids[0]) < 4 * ROWS
        assert found > 20


def test_memory_for_what_was_fetched_has_a_bound(store, shelf):
    things = store.collections["things"]
    before = everything(things)
    demote(store, things, 3_000)
    store.fetcher.capacity_bytes = 1  # one at a time
    shelf.gets = 0
    assert everything(things) == before and shelf.gets > 20
    assert store.fetcher.bytes == max(segment.entry.data.bytes for segment in things.state.segments[:3])
    hits = things.search(vectors(1)[0], 60)
    assert len(hits.records()) == 60  # of blocks that were let go meanwhile


def test_rows_in_the_archive_change_like_others(store, shelf, tmp_path):
    things = store.collections["things"]
    twin = Store(tmp_path / "twin", [SPEC], seal_rows=ROWS, merge_factor=100)
    other = fill(twin)
    demote(store, things, 3_000)
    for one in (things, other):
        one.update([2, 25], known_ns=7_000, price=9.0)
        one.delete([3, 50])
        one.update(2, known_ns=8_000, symbol="C")
    assert everything(things) == everything(other)
    store.fetcher.capacity_bytes = 1
    assert everything(things) == everything(other)
    for one, owner in ((things, store), (other, twin)):  # a publication saves the marks, and the log goes
        one.add(vectors(ROWS, 9), ts_ns=np.arange(9_000, 9_000 + ROWS), symbol="D")
        owner.optimize()
    store.close()
    with opened(tmp_path / "s", shelf) as again:
        assert everything(again.collections["things"]) == everything(other)
    twin.close()


def test_merges_leave_the_archive_alone(tmp_path, shelf):
    with opened(tmp_path / "s", shelf) as store:
        store.merge_factor = 2
        things = fill(store, 1)
        store.optimize()
        demote(store, things, 5_000)
        assert segments_of(store) == 1
        for part in range(6):
            things.add(vectors(ROWS, part), ts_ns=10_000 + part, symbol="E")
        store.optimize()
        assert segments_of(store) == 1 and len(things.state.segments) == 2 and things.count() == 7 * ROWS


def test_without_the_archive_the_rest_answers(store, shelf, tmp_path):
    things = store.collections["things"]
    demote(store, things, 3_000)
    store.close()
    with opened(tmp_path / "s") as again:
        rest = again.collections["things"]
        assert len(rest.range(start=3_000)) == ROWS and rest.count() == 4 * ROWS
        for call in (lambda: rest.get(1), lambda: rest.range(end=5), again.verify, lambda: rest.search(vectors(1)[0])):
            with pytest.raises(InputError, match="were moved to an archive: open the store with archive="):
                call()
        with pytest.raises(InputError, match="demote needs an archive"):
            demote(again, rest, 9_000)


@pytest.mark.parametrize("harm", ["flip", "cut", "other", "missing"])
def test_what_the_archive_gives_back_is_checked(store, shelf, harm):
    things = store.collections["things"]
    demote(store, things, 1_000)
    name, content = next(iter(shelf.held.items()))
    flipped = content[:99] + bytes([content[99] ^ 1]) + content[100:]
    shelf.held[name] = {"flip": flipped, "cut": content[:-1], "other": b"", "missing": b""}[harm]
    if harm == "missing":
        del shelf.held[name]
    for call in (lambda: things.get(1), store.verify, things.range):
        with pytest.raises(KeyError if harm == "missing" else LogCorrupt):
            call()
    assert len(things.range(start=1_000)) == 3 * ROWS
    shelf.held[name] = content
    assert len(things.range()) == 4 * ROWS


@pytest.mark.parametrize("broken", ["put", "get", "damaged", "manifest"])
def test_a_move_that_fails_moves_nothing(store, shelf, tmp_path, monkeypatch, broken):
    things = store.collections["things"]
    before = everything(things)
    error = OSError(28, "No space left on device")
    with monkeypatch.context() as patched:
        if broken == "put":
            shelf.broken = error
        elif broken == "get":
            patched.setattr(shelf, "get", lambda id_: (_ for _ in ()).throw(error))
        elif broken == "damaged":
            patched.setattr(shelf, "get", lambda id_: b"something else")
        else:
            patched.setattr("neuraltrade.vectors.store.write_manifest", lambda *a: (_ for _ in ()).throw(error))
        with pytest.raises(LogCorrupt if broken == "damaged" else OSError):
            demote(store, things, 9_000)
    shelf.broken = None
    assert segments_of(store) == 0 and everything(things) == before
    assert demote(store, things, 9_000) == 4 * ROWS and everything(things) == before
    store.close()
    with opened(tmp_path / "s", shelf) as again:
        assert everything(again.collections["things"]) == before


def test_killed_between_manifest_and_removal_the_file_goes_later(store, shelf, tmp_path, monkeypatch):
    things = store.collections["things"]
    before = everything(things)
    with monkeypatch.context() as patched:
        patched.setattr("neuraltrade.vectors.store.remove_leftovers", lambda *a: None)
        demote(store, things, 9_000)
    store.close()
    assert len(list((tmp_path / "s").glob("*.seg"))) == 4
    with opened(tmp_path / "s", shelf) as again:
        assert list((tmp_path / "s").glob("*.seg")) == [] and everything(again.collections["things"]) == before


def test_a_backup_reads_the_same_archive(store, shelf, tmp_path):
    things = store.collections["things"]
    demote(store, things, 2_000)
    before = everything(things)
    store.backup(tmp_path / "copy")
    with opened(tmp_path / "copy", shelf) as copy:
        assert everything(copy.collections["things"]) == before


def test_older_versions_are_told(store, shelf, tmp_path, monkeypatch):
    manifest = tmp_path / "s" / files.MANIFEST
    assert manifest.read_bytes().startswith(b"neuraltrade-store 1 ")
    demote(store, store.collections["things"], 2_000)
    store.close()
    assert manifest.read_bytes().startswith(b"neuraltrade-store 2 ")
    monkeypatch.setattr(files, "FORMAT", 1)
    with pytest.raises(FormatTooNew, match="format 2 is newer than 1"):
        opened(tmp_path / "s", shelf)


def test_readers_beside_a_move_see_one_answer(store, shelf):
    things = store.collections["things"]
    vector = vectors(1, 50)[0]
    expected = things.search(vector, 30).ids.tolist()
    store.fetcher.capacity_bytes = 1
    stop, wrong, done = threading.Event(), [], [0]

    def read():
        k = 30
        while not stop.is_set() or done[0] < 20:
            k = 61 - k  # neither kept from before
            found = things.search(vector, k).ids.tolist()[:30]
            if found != expected:
                wrong.append(found)
            done[0] += 1

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for before in (1_000, 2_000, 3_000, 4_000):
        demote(store, things, before)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == [] and segments_of(store) == 4


def test_a_closed_or_read_only_store_moves_nothing(store, shelf, tmp_path):
    with opened(tmp_path / "s", shelf, read_only=True) as beside, pytest.raises(InputError, match="read_only=True"):
        demote(beside, beside.collections["things"], 9_000)
    store.close()
    with pytest.raises(StoreClosed):
        demote(store, store.collections["things"], 9_000)
    assert shelf.held == {}
