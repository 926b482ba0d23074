"""tools/compare_peers.py: inputs as described, measures that mean what they say, arguments checked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools" / "peers"))
import our_library  # noqa: E402

import inputs  # noqa: E402


def test_minute_bars_are_valid_and_the_same_every_time() -> None:
    bars, again = inputs.minute_bars(500), inputs.minute_bars(500)
    assert all(np.array_equal(bars[name], again[name]) for name in bars)
    assert np.all(np.diff(bars["ts_ns"]) == inputs.MINUTE_NS)
    assert np.all(bars["high"] >= np.maximum(bars["open"], bars["close"]))
    assert np.all(bars["low"] <= np.minimum(bars["open"], bars["close"]))
    assert len(np.unique(bars["close"])) == 500


def test_latent_vectors_are_neighbours_in_time() -> None:
    vectors, queries = inputs.latent_vectors(300, 4)
    assert (vectors.shape, vectors.dtype, queries.shape) == ((300, 512), np.float32, (4, 512))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    near, far = (unit[100] @ unit[101]), (unit[100] @ unit[250])
    assert near > 0.8 > far
    assert float(unit[100] @ (queries[0] / np.linalg.norm(queries[0]))) < near


def test_exact_neighbours_agree_with_sorting_everything() -> None:
    vectors, queries = inputs.latent_vectors(200, 3)
    cosine = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)) @ queries.T
    assert np.array_equal(inputs.exact_neighbours(vectors, queries, 10), np.argsort(-cosine, axis=0)[:10].T)


def test_recall_counts_what_was_found() -> None:
    truth = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert inputs.recall(truth, truth) == 1.0
    assert inputs.recall(np.array([[4, 3, 9, 9], [5, 5, 5, 5]]), truth) == 0.375


def test_quantised_keeps_direction() -> None:
    vectors, _ = inputs.latent_vectors(50, 1)
    codes = inputs.quantised(vectors)
    assert codes.dtype == np.int8
    assert np.all(np.abs(codes).max(axis=1) == 127)
    assert np.max(np.abs(codes - vectors * (127.0 / np.abs(vectors).max(axis=1, keepdims=True)))) <= 0.5


def test_arrays_are_written_once(tmp_path: Path) -> None:
    folder = inputs.write(tmp_path / "a", {"x": np.arange(3)})
    inputs.write(tmp_path / "a", {"x": np.arange(4)})
    assert np.array_equal(inputs.read(folder)["x"], np.arange(3))


@pytest.mark.parametrize(("name", "judged"), [("Pairs", 1_500), ("MarketMaker", 1_501)])
def test_library_rows_count_what_was_judged_and_done(name: str, judged: int) -> None:
    data, compiled, plain = our_library.cases(1_501)[name]()
    found = our_library.measured(data, compiled, plain, 1)
    assert found["judged"] == judged
    assert found["same_digest"] is True
    assert found["orders"] >= found["signals"]
    assert found["fills"] > 0
    assert "equal digest" in our_library.strategy_row(name, found)["accuracy"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "P99"], "--only: no row P99, there are P1, P2, P3, P4, P5, P6, P7"),
        (["--times", "4"], "--times must be at least 5, was 4"),
        (["--row-set", "2M"], "invalid choice: '2M'"),
    ],
)
def test_wrong_arguments_exit_2(arguments: list[str], words: str) -> None:
    command = [sys.executable, ROOT / "tools" / "compare_peers.py", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert words in done.stderr


def test_memory_has_rows_of_its_own() -> None:
    command = [sys.executable, ROOT / "tools" / "compare_peers.py", "memory", "--only", "P1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--only: no row P1, there are P7, P8, P9, P10, P11, P12, P13, P14, CEILINGS" in done.stderr


def test_equal_recall_takes_the_fastest_point_that_reaches_it() -> None:
    import memory_rows

    points = [{"recall": 0.99, "p50_ms": 3.0}, {"recall": 0.98, "p50_ms": 2.0}, {"recall": 0.9, "p50_ms": 1.0}]
    assert memory_rows.reaching(points, 0.98) == points[1]
    assert memory_rows.reaching(points, 0.995) is None


def test_intervals_differ_and_have_the_selectivity_asked_for() -> None:
    import our_memory

    filters = our_memory.intervals(0.1, 50, 3)
    lows = np.array([one.parts[0].value for one in filters])
    assert np.allclose([one.parts[1].value for one in filters] - lows, 0.1)
    assert len(np.unique(lows)) == 50 and lows.min() >= 0.0 and lows.max() <= 0.9
    columns = our_memory.columns_of(90, 110)
    assert (
        columns["symbol"][:2] == ["S90", "S91"] and columns["ts_ns"][10] - columns["ts_ns"][9] == our_memory.MINUTE_NS
    )
