"""How everything here is timed: warmed up, the median of several, with the spread beside it."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import Any

SHORT_WARMUPS = 30  # of work that takes a millisecond: one run leaves the processor's clock where the last work had it


def repeat(work: Callable[[], Any], times: int, warmups: int = 1) -> dict[str, Any]:
    """Seconds of `work`: median, fastest and slowest of `times` runs after `warmups` that do not count.

    cpu_s, cpu_min_s are of the process's own time, which a busy machine stretches less.
    """
    for _ in range(warmups):
        work()
    taken, own = [], []
    for _ in range(times):
        began, began_own = time.perf_counter(), time.process_time()
        work()
        taken.append(time.perf_counter() - began)
        own.append(time.process_time() - began_own)
    spread = {"min_s": min(taken), "max_s": max(taken), "times": times}
    return {
        "median_s": statistics.median(taken),
        **spread,
        "cpu_s": statistics.median(own),
        "cpu_min_s": min(own),
    }


def thousandth(line: Any) -> list[float | None]:
    """A thousand rows, evenly spread to the last one, of an array of numbers; None where it is NaN."""
    step = max(1, len(line) // 1000)
    return [None if math.isnan(value) else float(value) for value in line[::-1][::step]]


def repeat_each(make: Callable[[], Any], work: Callable[[Any], Any], times: int) -> dict[str, Any]:
    """As `repeat`, of `work` on a new object each time, whose making is not timed; one warm-up.

    cpu_s is the median of the process's own time, which a busy machine stretches less.
    """
    work(make())
    taken, own = [], []
    for _ in range(times):
        made = make()
        began, began_own = time.perf_counter(), time.process_time()
        work(made)
        taken.append(time.perf_counter() - began)
        own.append(time.process_time() - began_own)
    spread = {"min_s": min(taken), "max_s": max(taken), "times": times, "cpu_s": statistics.median(own)}
    return {"median_s": statistics.median(taken), **spread}


def latencies(work: Callable[[Any], Any], items: Any, warmups: int = 20) -> dict[str, Any]:
    """Milliseconds of `work(item)`, one item at a time: p50 and p99 over all of them."""
    for item in items[:warmups]:
        work(item)
    taken = []
    for item in items:
        began = time.perf_counter()
        work(item)
        taken.append((time.perf_counter() - began) * 1e3)
    taken.sort()
    return {"p50_ms": taken[len(taken) // 2], "p99_ms": taken[min(len(taken) - 1, len(taken) * 99 // 100)]}
