"""CachedEncoder: the same vectors as without it, computed once."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.embedding import CachedEncoder, HashEncoder, MarketState
from neuraltrade.ports import Encoder


class Counting:
    """An encoder that counts its calls."""

    name, dimension = "counting", 64

    def __init__(self):
        self.calls = 0

    def encode(self, bars):
        self.calls += 1
        return HashEncoder(64).encode(bars)


def changed(bars, row):
    close = bars.close.copy()
    close[row] = (bars.high[row] + bars.low[row]) / 2
    return nt.Bars(bars.symbol, bars.ts_ns, bars.open, bars.high, bars.low, close, bars.volume)


def test_a_history_and_its_beginnings_are_encoded_once():
    bars, inner = nt.datasets.load("AAPL")[:120], Counting()
    encoder = CachedEncoder(inner)
    assert isinstance(encoder, Encoder) and (encoder.name, encoder.dimension) == ("counting", 64)
    whole = encoder.encode(bars)
    for count in (120, 7, 1):
        assert np.array_equal(encoder.encode(bars[:count]), whole[:count])
    assert (inner.calls, encoder.hits, encoder.misses) == (1, 3, 1)
    with pytest.raises(ValueError, match="read-only"):
        whole[0, 0] = 1.0


def test_another_history_is_encoded_anew():
    bars, inner = nt.datasets.load("AAPL")[:120], Counting()
    encoder = CachedEncoder(inner)
    encoder.encode(bars)
    renamed = nt.Bars("ABC", *bars.columns())
    for other in (changed(bars, 119), bars[1:], renamed, nt.datasets.load("AAPL")[:121]):
        assert np.array_equal(encoder.encode(other), HashEncoder(64).encode(other))
    assert inner.calls == 5
    encoder.encode(bars)  # the beginning of the longest
    assert inner.calls == 5


def test_what_is_kept_has_a_bound():
    series = [nt.datasets.load(name)[:100] for name in ("AAPL", "IBM", "MSFT")]
    each = 100 * (64 * 4 + 6 * 8)
    encoder = CachedEncoder(Counting(), capacity_bytes=2 * each)
    for bars in series:
        encoder.encode(bars)
    assert encoder.stats() == {"histories": 2, "bytes": 2 * each, "hits": 0, "misses": 3, "hit_rate": 0.0}
    encoder.encode(series[2])
    encoder.encode(series[0])
    assert (encoder.hits, encoder.misses) == (1, 4)
    small = CachedEncoder(Counting(), capacity_bytes=each - 1)
    assert len(small.encode(series[0])) == 100 and small.stats()["histories"] == 0


def test_wrong_arguments():
    with pytest.raises(nt.InputError, match=r"encoder must be a ports\.Encoder, was int"):
        CachedEncoder(3)
    with pytest.raises(nt.InputError, match="capacity_bytes must be an integer >= 0, was -1"):
        CachedEncoder(MarketState(), -1)
    with pytest.raises(nt.InputError, match="bars must be Bars"):
        CachedEncoder(MarketState()).encode([1, 2])


def test_a_store_embeds_equal_bars_once(tmp_path):
    bars = nt.datasets.load("IBM")[:80]
    with nt.AgentDB.open(tmp_path / "m") as db:
        assert np.array_equal(db.observe(bars), db.observe(bars))
        stats = db.stats()["embedding_cache"]
        assert (stats["hits"], stats["misses"], stats["hit_rate"]) == (1, 1, 0.5)
