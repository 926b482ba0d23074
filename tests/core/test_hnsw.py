"""Graphs: recall against exact scans, filters and budgets, files that cannot lie, threads."""

from __future__ import annotations

import errno
import struct
import threading

import numpy as np
import pytest

from neuraltrade import errors
from neuraltrade.core import hnsw, quant, wal
from neuraltrade.errors import InputError

DIMENSION = 128


def latent_vectors(count: int, dimension: int, seed: int) -> np.ndarray:
    """Rows of a slow 12-dimensional AR(1) state through a fixed projection and tanh: neighbourhoods as markets have."""
    rng = np.random.default_rng(seed)
    state, states = np.zeros(12), np.empty((count, 12))
    for row, shock in enumerate(rng.normal(0, 0.3, (count, 12))):
        state = 0.95 * state + shock
        states[row] = state
    return np.tanh(states @ rng.normal(0, 0.3, (12, dimension))).astype(np.float32)


@pytest.fixture(scope="module")
def vectors():
    everything = latent_vectors(4200, DIMENSION, 1)
    codes, inverse_norm = quant.quantize(everything)
    return codes[:4000], inverse_norm[:4000], codes[4000::4], inverse_norm[4000::4]


@pytest.fixture(scope="module")
def graph(vectors):
    return hnsw.Graph.build(*vectors[:2], connectivity=8, expansion=80)


def recall(found, exact):
    return np.mean([len(set(a.tolist()) & set(b.tolist())) / len(b) for a, b in zip(found, exact, strict=True)])


def exact_rows(vectors, k, **choice):
    codes, inverse_norm, queries, norms = vectors
    return [quant.scan(codes, inverse_norm, q, i, k, **choice)[0] for q, i in zip(queries, norms, strict=True)]


def test_recall_grows_with_expansion(vectors, graph):
    codes, inverse_norm, queries, norms = vectors
    exact = exact_rows(vectors, 10)
    seen = []
    for expansion in (10, 40, 160):
        results = [graph.search(q, i, 10, expansion=expansion) for q, i in zip(queries, norms, strict=True)]
        assert all(complete and 10 <= visited <= 4000 for _, _, complete, visited in results)
        for (rows, distances, _, _), query, norm in zip(results, queries, norms, strict=True):
            assert rows.dtype == np.int64 and distances.dtype == np.float32 and len(set(rows.tolist())) == 10
            assert np.array_equal(distances, quant.distances(codes, inverse_norm, query, norm, rows))
            assert (np.diff(distances) >= 0).all()
        seen.append(recall([rows for rows, *_ in results], exact))
    assert seen == sorted(seen) and seen[1] >= 0.93 and seen[2] >= 0.995


def test_every_row_finds_itself(vectors, graph):
    codes, inverse_norm = vectors[:2]
    for row in range(0, 4000, 97):
        rows, distances, _, _ = graph.search(codes[row], inverse_norm[row], 1, expansion=60)
        assert rows[0] == row and abs(distances[0]) < 1e-6


def test_a_beam_of_everything_is_exact(vectors, graph):
    codes, inverse_norm, queries, norms = vectors
    rows, distances, complete, visited = graph.search(queries[0], norms[0], 4000, expansion=4000)
    exact = quant.scan(codes, inverse_norm, queries[0], norms[0], 4000)
    assert complete and visited == 4000  # one thread strands no node
    assert np.array_equal(rows, exact[0]) and np.array_equal(distances, exact[1])


@pytest.mark.parametrize("share", [0.5, 0.05])
def test_filters(vectors, graph, share):
    codes, _, queries, norms = vectors
    mask = (np.random.default_rng(2).random(len(codes)) < share).astype(np.uint8)
    exact = exact_rows(vectors, 10, mask=mask, stop=3000)
    found = []
    for query, norm in zip(queries, norms, strict=True):
        rows, _, complete, _ = graph.search(query, norm, 10, expansion=60, mask=mask, stop=3000)
        assert complete and mask[rows].all() and (rows < 3000).all()
        found.append(rows)
    assert recall(found, exact) >= 0.97
    as_bool = graph.search(queries[0], norms[0], 10, expansion=60, mask=mask.astype(bool), stop=3000)
    assert np.array_equal(as_bool[0], found[0])


def test_filters_that_let_nothing_pass(vectors, graph):
    _, _, queries, norms = vectors
    rows, distances, complete, visited = graph.search(queries[0], norms[0], 10, mask=np.zeros(4000, np.uint8))
    assert len(rows) == len(distances) == 0 and complete and visited == 4000
    assert len(graph.search(queries[0], norms[0], 10, stop=0)[0]) == 0


def test_visit_budget(vectors, graph):
    _, _, queries, norms = vectors
    one = np.zeros(4000, np.uint8)
    one[3999] = 1
    for budget in (1, 50, 500):
        _, _, complete, visited = graph.search(queries[0], norms[0], 10, mask=one, visit_budget=budget)
        assert not complete and budget <= visited <= budget + 16
    free = graph.search(queries[0], norms[0], 10)
    roomy = graph.search(queries[0], norms[0], 10, visit_budget=free[3] + 100)
    assert roomy[2] and np.array_equal(roomy[0], free[0])


def test_builds_are_equal_whatever_the_kernels(vectors, tmp_path):
    codes, inverse_norm = vectors[0][:600], vectors[1][:600]
    before, images = quant.variant(), []
    for name in quant.variants():
        quant.use(name)
        hnsw.Graph.build(codes, inverse_norm, connectivity=6, expansion=40).save(tmp_path / name)
        images.append((tmp_path / name).read_bytes())
    quant.use(before)
    assert len(set(images)) == 1


def test_searches_are_equal_whatever_the_kernels(vectors, graph):
    _, _, queries, norms = vectors
    before, answers = quant.variant(), []
    for name in quant.variants():
        quant.use(name)
        answers.append([graph.search(q, i, 7, expansion=30)[:2] for q, i in zip(queries[:20], norms, strict=False)])
    quant.use(before)
    for other in answers[1:]:
        for (rows, distances), (rows_0, distances_0) in zip(other, answers[0], strict=True):
            assert rows.tobytes() == rows_0.tobytes() and distances.tobytes() == distances_0.tobytes()


@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_small_graphs(count, tmp_path):
    codes, inverse_norm = quant.quantize(latent_vectors(max(count, 1), 64, 3)[:count])
    query = quant.quantize(np.ones(64, np.float32))
    graph = hnsw.Graph.build(codes, inverse_norm, connectivity=4)
    assert len(graph) == count and graph.dimension == 64 and graph.connectivity == 4
    for again in (graph, saved_and_loaded(graph, tmp_path, codes, inverse_norm)):
        rows, distances, complete, _ = again.search(*query, 50, expansion=50)
        exact = quant.scan(codes, inverse_norm, *query, 50)
        assert complete and np.array_equal(rows, exact[0]) and np.array_equal(distances, exact[1])


def saved_and_loaded(graph, folder, codes, inverse_norm, **options):
    graph.save(folder / "graph")
    return hnsw.Graph.load(folder / "graph", codes, inverse_norm, **options)


def test_equal_vectors_are_all_found(tmp_path):
    codes, inverse_norm = quant.quantize(np.ones((300, 64), np.float32))
    graph = hnsw.Graph.build(codes, inverse_norm, connectivity=4, expansion=32)
    rows, distances, _, _ = graph.search(codes[0], inverse_norm[0], 5, expansion=300)
    assert len(set(rows.tolist())) == 5 and len(set(distances.tolist())) == 1


@pytest.mark.parametrize("mapped", [False, True])
def test_save_and_load(vectors, graph, tmp_path, mapped):
    codes, inverse_norm, queries, norms = vectors
    again = saved_and_loaded(graph, tmp_path, codes, inverse_norm, mapped=mapped)
    assert len(again) == 4000 and again.connectivity == 8 and again.memory_bytes == graph.memory_bytes
    for query, norm in zip(queries, norms, strict=True):
        one, two = graph.search(query, norm, 10), again.search(query, norm, 10)
        assert np.array_equal(one[0], two[0]) and np.array_equal(one[1], two[1]) and one[2:] == two[2:]
    again.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "graph").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again", "graph"]


@pytest.fixture
def small(tmp_path):
    codes, inverse_norm = quant.quantize(latent_vectors(40, 64, 4))
    graph = hnsw.Graph.build(codes, inverse_norm, connectivity=2)
    graph.save(tmp_path / "graph")
    return codes, inverse_norm, (tmp_path / "graph").read_bytes()


@pytest.mark.parametrize("mapped", [False, True])
def test_every_flipped_bit_is_detected(small, tmp_path, mapped):
    codes, inverse_norm, image = small
    bad = tmp_path / "bad"
    bits = [*range(0, 8 * 300, 7), *range(8 * 300, 8 * len(image), 61)]
    for bit in bits:
        damaged = bytearray(image)
        damaged[bit // 8] ^= 1 << (bit % 8)
        bad.unlink(missing_ok=True)
        bad.write_bytes(damaged)
        with pytest.raises(errors.LogCorrupt):
            hnsw.Graph.load(bad, codes, inverse_norm, mapped=mapped)


def test_truncated_longer_foreign_and_newer_files(small, tmp_path):
    codes, inverse_norm, image = small
    bad = tmp_path / "bad"
    for changed in (b"", image[:7], image[:100], image[:4096], image[:-1], image + b"\0", b"PK\3\4" * 2000):
        bad.write_bytes(changed)
        with pytest.raises(errors.LogCorrupt):
            hnsw.Graph.load(bad, codes, inverse_norm)
    newer = bytearray(image)
    newer[8:12] = struct.pack("<I", 2)
    newer[4092:4096] = struct.pack("<I", wal.crc32c(bytes(newer[:4092])))
    bad.write_bytes(newer)
    with pytest.raises(errors.FormatTooNew):
        hnsw.Graph.load(bad, codes, inverse_norm)
    with pytest.raises(FileNotFoundError):
        hnsw.Graph.load(tmp_path / "none", codes, inverse_norm)


def test_links_out_of_bounds_are_refused_even_with_good_checksums(small, tmp_path):
    codes, inverse_norm, image = small
    bad = tmp_path / "bad"
    words = (len(image) - 4096) // 4
    refused = 0
    for word in range(words):
        for value in (40, 0xFFFFFFFE):
            forged = bytearray(image)
            forged[4096 + 4 * word : 4100 + 4 * word] = struct.pack("<I", value)
            crc = wal.crc32c(bytes(forged[4096:]))
            forged[48:52] = struct.pack("<I", crc)
            forged[4092:4096] = struct.pack("<I", wal.crc32c(bytes(forged[:4092])))
            bad.unlink(missing_ok=True)
            bad.write_bytes(forged)
            with pytest.raises(errors.LogCorrupt):
                hnsw.Graph.load(bad, codes, inverse_norm)
            refused += 1
    assert refused == 2 * words > 300


def test_other_vectors_are_stale(small, tmp_path):
    codes, inverse_norm, _ = small
    other = quant.aligned_empty(codes.shape, "i1")
    other[:] = codes
    other[7, 7] ^= 1
    nudged = np.nextafter(inverse_norm, np.float32(1))
    for changed in ((other, inverse_norm), (codes, nudged), (codes[:39], inverse_norm[:39])):
        with pytest.raises(errors.IndexStale, match="other vectors"):
            hnsw.Graph.load(tmp_path / "graph", *changed)


@pytest.mark.parametrize("operation", ["open", "write", "sync", "rename"])
def test_failed_save_leaves_the_old_file(small, tmp_path, operation):
    codes, inverse_norm, image = small
    graph = hnsw.Graph.build(codes[:20], inverse_norm[:20], connectivity=2)
    with pytest.raises(OSError, match="No space"):
        graph.save(tmp_path / "graph", faults=wal.Faults(operation, at=1, error=errno.ENOSPC))
    assert (tmp_path / "graph").read_bytes() == image
    assert [p.name for p in tmp_path.iterdir()] == ["graph"]
    graph.save(tmp_path / "graph", faults=wal.Faults("write", at=1))  # a byte at a time
    loaded = hnsw.Graph.load(tmp_path / "graph", codes[:20], inverse_norm[:20], faults=wal.Faults("read", at=2))
    assert len(loaded) == 20


def test_build_can_be_cancelled_and_reports_progress(vectors):
    codes, inverse_norm = vectors[:2]
    cancel, done = threading.Event(), []

    def progress(rows):
        done.append(rows)
        if rows >= 1000:
            cancel.set()

    assert hnsw.Graph.build(codes, inverse_norm, connectivity=4, cancel=cancel, progress=progress) is None
    assert done == [256, 512, 768, 1024]

    def fail(_rows):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        hnsw.Graph.build(codes, inverse_norm, connectivity=4, progress=fail)


def test_concurrent_searches_agree(vectors, graph):
    _, _, queries, norms = vectors
    expected = [graph.search(q, i, 10)[0] for q, i in zip(queries, norms, strict=True)]
    failures = []

    def work():
        for _ in range(5):
            for row, (query, norm) in enumerate(zip(queries, norms, strict=True)):
                if not np.array_equal(graph.search(query, norm, 10)[0], expected[row]):
                    failures.append(row)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("query_codes", np.zeros(64, np.int8)),
        ("query_codes", np.zeros(DIMENSION, np.float32)),
        ("query_inverse_norm", np.nan),
        ("query_inverse_norm", 0),
        ("k", 0),
        ("k", 2.5),
        ("expansion", 0),
        ("expansion", 2**21),
        ("mask", np.ones(3999, np.uint8)),
        ("mask", np.ones(4000)),
        ("stop", -1),
        ("visit_budget", -1),
    ],
)
def test_bad_search_arguments(vectors, graph, name, value):
    good = {"query_codes": vectors[2][0], "query_inverse_norm": vectors[3][0], "k": 3}
    assert len(graph.search(**good)[0]) == 3
    with pytest.raises(InputError, match=rf"^{name} must"):
        graph.search(**{**good, name: value})


def test_bad_build_arguments(vectors, tmp_path):
    codes, inverse_norm = vectors[:2]
    misaligned = np.zeros(64 * 20 + 1, np.int8)[1:].reshape(20, 64)
    for match, arguments in (
        ("64 bytes", (misaligned if misaligned.ctypes.data % 64 else misaligned[:, 1:], np.ones(20, np.float32))),
        ("codes", (codes.astype(np.int16), inverse_norm)),
        ("codes", (codes[:, ::2], inverse_norm)),
        ("inverse_norm", (codes, inverse_norm[:-1])),
        ("inverse_norm", (codes, inverse_norm.astype(np.float64))),
    ):
        with pytest.raises(InputError, match=match):
            hnsw.Graph.build(*arguments)
    for name, value in (("connectivity", 1), ("connectivity", 257), ("expansion", 0), ("cancel", 1), ("progress", 1)):
        with pytest.raises(InputError, match=name):
            hnsw.Graph.build(codes, inverse_norm, **{name: value})
    with pytest.raises(InputError, match="path"):
        hnsw.Graph.load(3, codes, inverse_norm)
    with pytest.raises(TypeError, match=r"Graph\.build"):
        hnsw.Graph()
