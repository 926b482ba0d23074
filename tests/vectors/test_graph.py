"""Segments with a graph: what the graph finds stands against an exact scan, and never outside the filter."""

import shutil

import numpy as np
import pytest

from neuraltrade.errors import LogCorrupt
from neuraltrade.vectors import CollectionSpec, Field, Filter, Plan, Store

SPEC = CollectionSpec(
    name="things", dimension=128, connectivity=16, expansion=100, search_expansion=16, fields=(Field("group", "int"),)
)
ROWS = 6_000


def market_like(rows: int, seed: int) -> np.ndarray:
    """An AR(1) latent state of few dimensions, projected: neighbourhoods as market states have them."""
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((rows, 12))
    for row in range(1, rows):
        latent[row] = 0.98 * latent[row - 1] + 0.2 * rng.standard_normal(12)
    return np.tanh(latent @ rng.standard_normal((12, SPEC.dimension)) * 0.5).astype(np.float32)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "s"
    with Store(path, [SPEC], seal_rows=2_000, graph_rows=4_000) as store:
        vectors = market_like(ROWS, 1)
        store.collections["things"].add(vectors, ts_ns=np.arange(ROWS), group=np.arange(ROWS) % 10)
        store.optimize()
        stats = store.stats()["collections"]["things"]
        assert stats["graphs"] == 1 and stats["expansions"][0] >= SPEC.search_expansion
    return path


def open_graph(path, **plan) -> Store:
    return Store(path, [SPEC], read_only=True, plan=Plan(exact_rows=50, gather_rows=100, graph_selectivity=0.0, **plan))


def recall(things, queries, **scope) -> float:
    hit = total = 0
    for query in queries:
        hits, truth = things.search(query, 10, **scope), things.search(query, 10, exact=True, **scope)
        assert hits.plan[0].how == "graph", hits.plan
        hit += len(np.intersect1d(hits.ids, truth.ids))
        total += len(truth)
    return hit / total


@pytest.mark.parametrize(
    "scope",
    [{}, {"where": Filter.lt("group", 5)}, {"as_of": ROWS // 2}, {"where": Filter.ne("group", 3), "start": 1_000}],
)
def test_graph_finds_what_an_exact_scan_finds(path, scope):
    with open_graph(path) as store:
        things = store.collections["things"]
        queries = market_like(ROWS, 1)[100::300]
        assert recall(things, queries, **scope) >= 0.95
        for query in queries:
            hits = things.search(query, 10, **scope)
            assert (hits.known_ns <= scope.get("as_of", ROWS)).all()
            if "where" in scope:
                allowed = things.range(where=scope["where"], start=scope.get("start"), limit=None)
                assert set(hits.ids.tolist()) <= set(allowed.ids.tolist())


def test_a_scan_answers_when_the_visit_budget_ends(path):
    with open_graph(path, visits_per_expansion=1) as store:
        things = store.collections["things"]
        hits = things.search(market_like(50, 2)[49], 10, where=Filter.eq("group", 3))
        assert hits.plan[0].how == "signs" and len(hits) == 10 and set(hits.column("group").tolist()) == {3}


def damaged(path, at):
    graph = next(path.glob("*.graph"))
    whole = graph.read_bytes()
    at %= len(whole)
    graph.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
    return graph, whole


@pytest.mark.parametrize("at", [0, 100, -40_000, -1])
def test_without_its_graph_a_segment_is_scanned(path, at):
    graph, whole = damaged(path, at)
    try:
        with open_graph(path) as store:
            things = store.collections["things"]
            query = market_like(50, 2)[49]
            hits = things.search(query, 10)
            assert hits.plan[0].how == "signs"
            assert len(np.intersect1d(hits.ids, things.search(query, 10, exact=True).ids)) >= 8
            stats = store.stats()["collections"]["things"]
            assert stats["graphs"] == 0
            assert [graph.name in lost for lost in stats["graphs_lost"]] == [True]
            with pytest.raises(LogCorrupt, match="graph"):
                store.verify()
    finally:
        graph.write_bytes(whole)


@pytest.mark.parametrize("missing", [False, True])
def test_the_owner_builds_a_lost_graph_again(path, tmp_path, missing):
    shutil.copytree(path, tmp_path / "s")
    graph, whole = damaged(tmp_path / "s", 1_000)
    if missing:
        graph.unlink()
    with Store(tmp_path / "s", [SPEC], seal_rows=2_000, graph_rows=4_000) as store:
        store._builder.wait()
        stats = store.stats()["collections"]["things"]
        assert (stats["graphs"], stats["graphs_lost"], stats["rows"]) == (1, [], ROWS)
        store.verify()
    again = next((tmp_path / "s").glob("*.graph"))
    assert again.name != graph.name
    assert again.read_bytes() == whole, "the same rows give the same graph"


def test_closing_cancels_a_build(tmp_path):
    store = Store(tmp_path / "s", [SPEC], seal_rows=3_000, graph_rows=1_000)
    store.collections["things"].add(market_like(3_000, 3), ts_ns=0)
    store.close()
    with Store(tmp_path / "s", [SPEC], seal_rows=3_000, graph_rows=1_000) as store:
        assert store.collections["things"].count() == 3_000
        store.optimize()
        assert store.stats()["collections"]["things"]["graphs"] == 1
