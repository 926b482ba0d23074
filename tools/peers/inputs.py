"""Inputs that both sides measure, from fixed seeds, kept as .npy files so that every process reads the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

MINUTE_NS = 60_000_000_000
FIRST_NS = 1_577_836_860_000_000_000  # 2020-01-01 00:01 UTC
FAST, SLOW = 10, 50

LATENT, DIMENSION = 24, 512
AUTOCORRELATION, INNOVATION = 0.98, 0.2
QUERY_SPACING = 50


def minute_bars(rows: int) -> dict[str, np.ndarray]:
    """A geometric random walk of one-minute bars: 2 basis points a minute, four ticks inside each bar."""
    random = np.random.default_rng(20_240_601)
    steps = random.normal(0.0, 0.0001, (rows, 4))
    path = 100.0 * np.exp(np.cumsum(steps.ravel())).reshape(rows, 4)
    first = np.concatenate(([100.0], path[:-1, 3]))
    inside = np.column_stack((first, path))
    return {
        "ts_ns": FIRST_NS + MINUTE_NS * np.arange(rows, dtype=np.int64),
        "open": first,
        "high": inside.max(axis=1),
        "low": inside.min(axis=1),
        "close": np.ascontiguousarray(path[:, 3]),
        "volume": random.uniform(100.0, 1000.0, rows),
    }


def latent_vectors(rows: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
    """float32[rows, 512] and float32[queries, 512]: a 24-dimensional AR(1) state through a fixed Gaussian projection
    and tanh; the queries are states 50 steps apart after the last row."""
    random = np.random.default_rng(20_240_602)
    projection = random.standard_normal((LATENT, DIMENSION))
    steps = rows + QUERY_SPACING * queries
    innovations = random.normal(0.0, INNOVATION, (steps, LATENT))
    state = np.zeros(LATENT)
    latent = np.empty((steps, LATENT))
    for step in range(steps):
        state = AUTOCORRELATION * state + innovations[step]
        latent[step] = state
    asked = latent[rows + QUERY_SPACING - 1 :: QUERY_SPACING]

    def project(states: np.ndarray) -> np.ndarray:
        out = np.empty((len(states), DIMENSION), np.float32)
        for start in range(0, len(states), 65_536):
            out[start : start + 65_536] = np.tanh(states[start : start + 65_536] @ projection)
        return out

    return project(latent[:rows]), project(asked)


def exact_neighbours(vectors: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    """int64[queries, k]: rows nearest by cosine, from float32 products; the truth that recall@k is measured against."""
    inverse = 1.0 / np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    nearest = np.empty((len(queries), k), np.int64)
    for index, query in enumerate(queries):
        similarity = (vectors @ query) * inverse
        best = np.argpartition(-similarity, k)[:k]
        nearest[index] = best[np.argsort(-similarity[best], kind="stable")]
    return nearest


def quantised(vectors: np.ndarray) -> np.ndarray:
    """int8, each vector scaled by its own largest magnitude and rounded: what both sides index in row P7."""
    codes = np.empty(vectors.shape, np.int8)
    for start in range(0, len(vectors), 65_536):
        part = vectors[start : start + 65_536]
        codes[start : start + 65_536] = np.rint(part * (127.0 / np.abs(part).max(axis=1, keepdims=True)))
    return codes


def recall(found: np.ndarray, truth: np.ndarray) -> float:
    """Share of the true neighbours that were found, over all queries."""
    return float(np.mean([len(set(row) & set(true)) / len(true) for row, true in zip(found, truth, strict=True)]))


def write(folder: Path, arrays: dict[str, np.ndarray]) -> Path:
    """One .npy file per array in a new folder, unless they are there already."""
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name, values in arrays.items():
            np.save(folder / f"{name}.npy", values)
        (folder / "complete").touch()
    return folder


def read(folder: Path) -> dict[str, np.ndarray]:
    return {path.stem: np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))}
