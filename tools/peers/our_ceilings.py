"""What int8 codes and sign bits keep of the neighbours that float32 vectors have, on four kinds of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

import neuraltrade as nt
from neuraltrade.core import quant

from inputs import exact_neighbours, latent_vectors, recall

K, QUERIES, RERANK = 10, 200, 200


def clustered(rows: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
    """500 Gaussian clusters in 512 dimensions, deviation 0.35 of the distance between centres' coordinates."""
    random = np.random.default_rng(11)
    centres = random.standard_normal((500, 512)).astype(np.float32)
    chosen = random.integers(0, 500, rows + queries)
    noise = random.standard_normal((rows + queries, 512)).astype(np.float32)
    vectors = centres[chosen] + np.float32(0.35) * noise
    return vectors[:rows], vectors[rows:]


def independent(rows: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
    vectors = np.random.default_rng(12).standard_normal((rows + queries, 512)).astype(np.float32)
    return vectors[:rows], vectors[rows:]


def market(rows: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
    """Bundled daily bars through MarketState, without each series' first 272; every 60th is a query."""
    encode = nt.embedding.MarketState().encode
    whole = np.concatenate([encode(nt.datasets.load(name))[272:] for name in ("AAPL", "IBM", "MSFT", "GOOG")])
    asked = np.zeros(len(whole), bool)
    asked[:: max(1, len(whole) // queries)] = True
    return np.ascontiguousarray(whole[~asked][:rows]), np.ascontiguousarray(whole[asked][:queries])


KINDS = {"latent": latent_vectors, "clustered": clustered, "iid": independent, "market": market}


def ceilings(rows: int) -> dict[str, dict[str, Any]]:
    """recall@10 against float32 of an exact scan of the codes, and of signs reranked by codes."""
    found = {}
    for name, make in KINDS.items():
        vectors, queries = make(rows, QUERIES)
        truth = exact_neighbours(vectors, queries, K)
        codes, norms = quant.quantize(np.ascontiguousarray(vectors))
        signs = quant.signs(codes)
        asked, asked_norms = quant.quantize(np.ascontiguousarray(queries))
        exact, staged = [], []
        for query, norm in zip(asked, asked_norms, strict=True):
            exact.append(quant.scan(codes, norms, query, norm, K)[0].tolist())
            bits = quant.signs(query[None, :])[0]
            staged.append(quant.scan_signs(signs, codes, norms, bits, query, norm, K, rerank=RERANK)[0].tolist())
        found[name] = {"rows": len(vectors), "int8": recall(exact, truth), "signs": recall(staged, truth)}
    return found
