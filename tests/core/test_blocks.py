"""Arrays in memory that is kept from run to run: nobody else writes there, and no more waits than is allowed."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.core import blocks

LEAST, KEPT = 1 << 20, 64 << 20


@pytest.fixture(autouse=True)
def _nothing_waits() -> Iterator[None]:
    gc.collect()
    blocks.release()
    yield
    blocks.release()


def test_an_array_is_writable_of_its_type_and_aligned_to_a_huge_page() -> None:
    array = blocks.empty(LEAST, np.int64)
    assert array.shape == (LEAST,) and array.dtype == np.int64 and array.flags.c_contiguous and array.flags.writeable
    assert array.ctypes.data % (2 << 20) == 0
    array[:] = np.arange(LEAST)
    assert int(array.sum()) == LEAST * (LEAST - 1) // 2


@pytest.mark.parametrize(("count", "dtype"), [(0, np.float64), (LEAST // 8 - 1, np.float64), (LEAST, object)])
def test_small_arrays_and_objects_are_numpys_own(count: int, dtype: type) -> None:
    array = blocks.empty(count, dtype)
    assert array.base is None and len(array) == count


def test_what_is_given_back_is_taken_again_and_only_once() -> None:
    first = blocks.empty(LEAST)
    place = first.ctypes.data
    assert blocks.waiting() == 0
    del first
    assert blocks.waiting() == 8 * LEAST
    second, third = blocks.empty(LEAST), blocks.empty(LEAST)
    assert second.ctypes.data == place != third.ctypes.data
    assert blocks.waiting() == 0


def test_a_view_keeps_its_block() -> None:
    view = blocks.empty(LEAST)[10:20]
    view[:] = 7.0
    other = blocks.empty(LEAST)
    other[:] = 1.0
    assert blocks.waiting() == 0 and (view == 7.0).all()


def test_no_more_waits_than_is_allowed_and_release_ends_it() -> None:
    arrays = [blocks.empty(LEAST) for _ in range(12)]  # 96 MiB
    del arrays
    assert blocks.waiting() == KEPT
    blocks.release()
    assert blocks.waiting() == 0
    huge = blocks.empty(KEPT)  # 512 MiB, never written
    del huge
    assert blocks.waiting() == 0


def test_threads_never_share_a_block() -> None:
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(40):
            array = blocks.empty(LEAST // 8, np.int64)
            array[:] = number
            if not (array == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_result_outlives_the_runs_after_it() -> None:
    rows = 200_000
    close = 100.0 + np.sin(np.arange(rows) / 7.0)
    times = np.arange(1, rows + 1) * 60_000_000_000
    bars = nt.Bars("X", times, close, close + 0.5, close - 0.5, close, np.ones(rows))
    up = np.arange(rows) % 14 < 7
    first = nt.backtest(bars, nt.Signals(entries=up, exits=~up), cash=1_000.0)
    equity, digest = first.equity.copy(), first.digest
    for _ in range(3):
        nt.backtest(bars, nt.Signals(entries=~up, exits=up), cash=5_000.0)
    assert np.array_equal(first.equity, equity) and first.digest == digest
    assert nt.backtest(bars, nt.Signals(entries=up, exits=~up), cash=1_000.0).digest == digest
