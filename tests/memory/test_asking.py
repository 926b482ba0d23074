"""Asking the memory: queries as values, answers that are kept, what was done said in words, deadlines, closing."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.vectors import search as searching
from neuraltrade.vectors.cache import HITS_MAX

DAY_NS = 86_400 * 10**9


def vectors_of(count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, 512)).astype(np.float32)


def fill(db, count, seed=0, start=0):
    return db.observations.add(
        vectors_of(count, seed),
        symbol=["AAPL", "IBM"] * (count // 2),
        ts_ns=(start + np.arange(count)) * DAY_NS,
        price=5.0,
    )


@pytest.fixture
def db(tmp_path):
    with nt.AgentDB.open(tmp_path / "m", seal_rows=64) as db:
        fill(db, 200)
        db.optimize()  # wait: segments made in the background are changes too
        yield db


def answer(hits):
    return hits.ids.tolist(), hits.distances.tobytes(), hits.ts_ns.tolist(), [one.price for one in hits.records()]


def test_an_answer_is_kept_until_something_could_differ(db):
    vector, cache = vectors_of(1, 9)[0], db.observations.collection.cache
    first = db.observations.search(vector, 5)

    def ask(hits, **terms):
        found = db.observations.search(vector, **({"k": 5} | terms))
        assert cache.hits == hits, terms
        return found

    assert answer(ask(1)) == answer(first)
    for different in ({"k": 6}, {"symbol": "IBM"}, {"end": DAY_NS * 90}, {"as_of": DAY_NS * 90}, {"exact": True}):
        ask(1, **different)
    ask(2, exact=True)
    ask(3, where=nt.Filter.eq("symbol", "IBM"))  # what symbol= means
    db.signals.range()
    db.flush()
    fill_signals(db)  # another collection
    ask(4)
    changes = (
        lambda: fill(db, 2, 7, 400),
        lambda: db.observations.update(int(first.ids[0]), known_ns=DAY_NS * 500, price=9.0),
        lambda: db.observations.delete(int(first.ids[1])),
        lambda: db.observations.retain(max_rows=150),
    )
    for number, change in enumerate(changes):
        change()
        ask(4 + number)
        ask(5 + number)


def fill_signals(db):
    vector = np.random.default_rng(1).standard_normal((1, 768)).astype(np.float32)
    db.signals.add(vector, symbol="IBM", direction="long", confidence=0.5, ts_ns=1)


def test_kept_answers_equal_fresh_ones_whatever_happens_between(tmp_path):
    rng = np.random.default_rng(5)
    queries = vectors_of(3, 3)
    with (
        nt.AgentDB.open(tmp_path / "kept", seal_rows=32) as kept,
        nt.AgentDB.open(tmp_path / "fresh", seal_rows=32, cache_queries=0) as fresh,
    ):
        alive: list[int] = []
        for step in range(400):
            what = rng.integers(0, 30)
            if what == 0 or not alive:
                added = {tuple(fill(db, 2, step, step).tolist()) for db in (kept, fresh)}
                alive += list(added.pop())
                assert not added
            elif what == 1:
                id_ = alive[rng.integers(len(alive))]
                for db in (kept, fresh):
                    db.observations.update(id_, known_ns=(step + 1000) * DAY_NS, price=1.0 + step)
            elif what == 2 and step % 3 == 0:
                id_ = alive.pop(rng.integers(len(alive)))
                for db in (kept, fresh):
                    db.observations.delete(id_)
            elif what == 3 and step % 10 == 0:
                for db in (kept, fresh):
                    db.optimize()
            else:
                terms = {"k": 4, "as_of": [None, 300 * DAY_NS][step % 2], "symbol": [None, "IBM"][step % 3 == 0]}
                vector = queries[rng.integers(len(queries))]
                assert len({str(answer(db.observations.search(vector, **terms))) for db in (kept, fresh)}) == 1, step
        stats = kept.stats()["collections"]["observations"]["cache"]
        assert stats["hits"] > 50 and stats["misses"] > 50
        assert fresh.stats()["collections"]["observations"]["cache"]["hits"] == 0


def test_a_repeated_workload_is_answered_from_what_is_kept(db):
    vectors, rng = vectors_of(2_000, 4), np.random.default_rng(8)
    for query in np.minimum(rng.zipf(1.2, 4_000), 2_000) - 1:
        db.observations.search(vectors[query], 3)
    stats = db.stats()["collections"]["observations"]["cache"]
    assert stats["hit_rate"] == stats["hits"] / 4_000 >= 0.8
    assert stats["entries"] <= stats["capacity"] == 1_024


def test_what_is_kept_is_bounded_and_the_callers_own(db):
    vector = vectors_of(1, 2)[0]
    first = db.observations.search(vector, 3)
    first.ids[:], first.distances[:] = 0, 7.0
    again = db.observations.search(vector, 3)
    assert again.ids.all() and again.distances.max() < 2.0
    fill(db, HITS_MAX, 6, 300)
    db.optimize()
    for _ in range(2):
        assert len(db.observations.search(vector, 2 * HITS_MAX)) > HITS_MAX
    assert db.stats()["collections"]["observations"]["cache"]["entries"] == 0
    cache = db.observations.collection.cache
    cache.capacity = 4
    for row in vectors_of(9, 11):
        db.observations.search(row, 1)
    assert cache.stats()["entries"] == 4


def test_a_search_says_what_it_did(db):
    vector = vectors_of(1, 9)[0]
    terms = {"symbol": "IBM", "start": 10 * DAY_NS, "as_of": 150 * DAY_NS, "explain": True}
    fresh, kept = (db.observations.search(vector, 4, **terms).explanation for _ in range(2))
    assert (fresh.rows, fresh.candidates, fresh.k, fresh.cached, kept.cached) == (151, 70, 4, False, True)
    assert fresh.steps == kept.steps and fresh.seconds > 0
    lines = str(kept).splitlines()
    assert lines[0].startswith("k=4 of 70 candidates among 151 rows") and lines[0].endswith("kept from before")
    assert lines[1] == (
        "conditions: Filter.eq('symbol', 'IBM') and Filter.gte('ts_ns', 864000000000000) and "
        "known_ns <= 12960000000000000"
    )
    assert len(lines) == 2 + len(fresh.steps) and all("rows of the conditions compared" in line for line in lines[2:])
    assert db.observations.search(vector, 4).explanation is None
    stable = db.observations.search(nt.Query(vector).stable())
    assert stable.ids.tolist() == db.observations.search(vector, stable=True).ids.tolist()
    assert "conditions: none" in str(db.observations.search(nt.Query(vector).explain()).explanation)


def test_a_query_asks_what_the_arguments_ask(db):
    vector = vectors_of(1, 9)[0]
    where = nt.Filter.or_(nt.Filter.gte("ts_ns", 50 * DAY_NS), nt.Filter.not_(nt.Filter.ne("symbol", "IBM")))
    query = nt.Query(vector).k(7).filter(where).symbol("IBM").between(DAY_NS, 99 * DAY_NS).as_of(90 * DAY_NS).exact()
    direct = {"k": 7, "where": where, "symbol": "IBM", "start": DAY_NS, "end": 99 * DAY_NS, "as_of": 90 * DAY_NS}
    assert answer(db.observations.search(query)) == answer(db.observations.search(vector, exact=True, **direct))
    many = nt.Query(vectors_of(5, 9)).k(3).symbol("IBM").timeout(60.0)
    ids, distances = db.observations.search_many(many)
    assert ids[0].tolist() == db.observations.search(vector, 3, symbol="IBM").ids.tolist() and distances.shape == (5, 3)
    assert repr(query).startswith("Query(<vector 512>, k=7, where=Filter.or_(Filter.gte('ts_ns', ")
    assert repr(nt.Query(vector).k(7).symbol("IBM")) == "Query(<vector 512>, k=7, symbol='IBM')"
    rows = db.observations.collection.search(nt.Query(vector).k(2).symbol("IBM").filter(nt.Filter.lt("price", 9.0)))
    assert rows.column("symbol").tolist() == ["IBM", "IBM"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda o, v: o.search(nt.Query(v, kk=3)), "unknown term of a Query: 'kk'; did you mean 'k'"),
        (lambda o, v: o.search(nt.Query(v), explain=True), "a Query carries everything"),
        (lambda o, v: o.search_many(nt.Query(v[None]), 3), "a Query carries everything"),
        (lambda o, v: o.search_many(nt.Query(v[None]).explain()), "explain is for one vector"),
        (lambda o, v: o.search_many(nt.Query(v[None]).stable()), "stable is for one vector"),
        (lambda o, v: o.search(nt.Query(v).filter(nt.Filter.eq("symbl", "A"))), "did you mean 'symbol'"),
        (lambda o, v: o.search(v, where=nt.Filter.gt("symbol", 3)), "a text field takes eq, ne and in_"),
        (lambda o, v: o.search(v, k=0), "k must be an int >= 1, was 0"),
        (lambda o, v: o.search_many(v[None], k=10**12), r"k times the number of vectors must be at most 134217728"),
        (lambda o, v: o.search_many(v[None], k=10**30), r"k times the number of vectors must be at most 134217728"),
        (lambda o, v: o.search(v, timeout_s=-1), "timeout_s must be a number of seconds > 0, was -1"),
        (lambda o, v: o.search(v, timeout_s=float("nan")), "timeout_s must be a number of seconds > 0, was nan"),
    ],
)
def test_wrong_questions(db, call, message):
    with pytest.raises(nt.InputError, match=message):
        call(db.observations, vectors_of(1)[0])


def test_any_k_is_answered_with_what_there_is(db):
    vector = vectors_of(1, 9)[0]
    everything = db.observations.search(vector, k=10**30)
    assert len(everything) == 200 and (np.diff(everything.distances) >= 0).all()
    assert db.observations.search_many(vector[None], k=1_000)[0].astype(bool).sum() == 200


def test_a_deadline_that_passed_gives_nothing(db, monkeypatch):
    now = itertools.count(0.0, 1.0)
    monkeypatch.setattr(searching.time, "monotonic", lambda: next(now))
    with pytest.raises(nt.DeadlineExceeded, match="timeout_s has passed"):
        db.observations.search(vectors_of(1)[0], timeout_s=1.5)
    with pytest.raises(nt.DeadlineExceeded, match="timeout_s has passed"):
        db.observations.search_many(vectors_of(20), timeout_s=3.0)


def test_closing_ends_searches_under_way(tmp_path, monkeypatch):
    """A batch stops at its next query; what it has by then is not returned."""
    from neuraltrade.vectors import collection

    db = nt.AgentDB.open(tmp_path / "m")
    fill(db, 50)
    begun, go_on, ended = threading.Event(), threading.Event(), []
    inner = collection.search_blocks

    def slow(*given):
        begun.set()
        assert go_on.wait(60)
        return inner(*given)

    monkeypatch.setattr(collection, "search_blocks", slow)

    def ask():
        try:
            db.observations.search_many(vectors_of(7), 3)
        except nt.StoreClosed as error:
            ended.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert begun.wait(60)
    db.close()
    go_on.set()
    thread.join(60)
    assert len(ended) == 1 and "the store was closed" in str(ended[0])
    with pytest.raises(nt.StoreClosed):
        db.observations.search(vectors_of(1)[0])
