#!/usr/bin/env python3
"""Measures us and our peers on the same inputs, in one run on one machine, and prints the table as Markdown.

Usage: tools/compare_peers.py [--row-set 100k|1M] [--rows N] [--only P1,P7] [--times 5] [--json FILE]
       tools/compare_peers.py memory [--rows N] [--only P7,P8] [--store FOLDER]     P7 to P14 of one store
       tools/compare_peers.py --prepare PEER     make a peer's environment and stop

P1  SMA cross over one-minute bars, compiled strategy        beside vectorbt 1.2.0 from_signals
P2  the same with on_bar in Python                           beside backtesting.py 0.6.6
P3  every statistic of the result of P1                      beside vectorbt 1.2.0 stats()
P4  a search over pairs of averages, two threads               beside vectorbt 1.2.0, 100 pairs as columns
P5  session memory: position lookup, order check, recent     beside an empty method of a Cython class
P6  random order flow through gate, book and match, from C   beside nothing: latencies of the gate, allocations
P7  kNN k=10 in int8 rows of 512, one query at a time        beside the USearch package 2.26.6 on the same codes
CACHE  repeated questions, Zipf 1.1 over 5,000 vectors        beside the same questions with nothing kept
P15 each strategy of the library, compiled, whole path         beside the same in Python; memory's part apart
P17 an archived backtest of 10 MB read back, checked          beside reading and unpacking its file bare
MEMORY: P7 beside USearch, hnswlib and faiss at equal recall; P8 filters, P9 as of, P10 inserts, P11 ingest while
searching, P12 lookups, P13 memory, P14 embedding; CEILINGS: what codes and signs keep of float32's neighbours
INDICATORS  every indicator TA-Lib has, and some it has not    beside TA-Lib 0.8.2, or pandas' rolling where it has none

Each peer runs in a virtual environment of its own, made on first use in the user's cache folder (NEURALTRADE_PEERS to
put it elsewhere). Both sides are warmed up; figures are medians of --times runs (P1, P2: of the process's own time),
with fastest, slowest and the clock's in the JSON.
What was computed stands beside how fast: final equity and trade counts, recall@10 against an exact float32 scan.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools" / "peers"))
import environments  # noqa: E402
import memory_rows  # noqa: E402

ROW_SETS = {"100k": 100_000, "1M": 1_000_000}
# backtesting.py takes seconds for each 100,000 bars; both sides of P2 get the same prefix.
INTERPRETED_ROWS_MAX = 200_000
QUERIES = 1_000
SEARCH_ROWS, SEARCH_PAIRS = 100_000, 10_000
EXPANSIONS = "32,64,96,128,192,256,384"

Row = dict[str, Any]


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def rate(count: int, timed: dict[str, float]) -> float:
    """By the process's own time: both sides work on one core, and other work on the machine stretches the clock."""
    return count / timed["cpu_s"]


def bars_folder(rows: int) -> Path:
    """Bars and crossing signals as .npy files, made once."""
    import inputs  # noqa: PLC0415
    import ours  # noqa: PLC0415

    folder = environments.cache() / "inputs" / f"minute-bars-{rows}"
    if not (folder / "complete").exists():
        columns = inputs.minute_bars(rows)
        inputs.write(folder, {**columns, **ours.crossings(columns)})
    return folder


def vectors_folder(rows: int) -> Path:
    """Vectors, queries, their int8 codes and the true neighbours as .npy files, made once."""
    import inputs  # noqa: PLC0415

    folder = environments.cache() / "inputs" / f"latent-{rows}"
    if not (folder / "complete").exists():
        vectors, queries = inputs.latent_vectors(rows, QUERIES)
        arrays = {"vectors": vectors, "queries": queries, "truth": inputs.exact_neighbours(vectors, queries, 10)}
        codes = {"codes": inputs.quantised(vectors), "query_codes": inputs.quantised(queries)}
        inputs.write(folder, {**arrays, **codes})
    return folder


def compiled_strategy(rows: int, times: int) -> Row:
    import inputs  # noqa: PLC0415
    import ours  # noqa: PLC0415

    folder = bars_folder(rows)
    mine = ours.compiled(ours.bars_of(inputs.read(folder)), times)
    peer = environments.call("vectorbt", "with_vectorbt.py", folder, str(inputs.FAST), str(inputs.SLOW), str(times))
    ours_rate, orders = rate(rows, mine), rate(rows, peer["orders"])
    with_equity = rate(rows, peer["orders_and_equity"])
    return {
        "row": "P1",
        "work": f"SMA cross, {rows:,} bars, compiled on_bar",
        "ours": f"{ours_rate / 1e6:.1f}M bars/s (indicators, loop, gate, ledger, equity)",
        "peer": f"vectorbt {peer['version']}: {orders / 1e6:.1f}M bars/s from_signals alone, "
        f"{with_equity / 1e6:.1f}M with equity",
        "ratio": f"{ours_rate / orders:.1f}x, {ours_rate / with_equity:.1f}x with equity",
        "accuracy": f"{mine['fills']:,} fills, final equity {mine['final_equity']:.2f}; vectorbt "
        f"{peer['order_count']:,} and {peer['final_equity']:.2f} "
        f"(relative difference {abs(mine['final_equity'] / peer['final_equity'] - 1):.1e})",
        "detail": {"ours": mine, "peer": peer, "bars_per_s": ours_rate, "ratio": ours_rate / orders},
    }


def interpreted_strategy(rows: int, times: int) -> Row:
    import inputs  # noqa: PLC0415
    import ours  # noqa: PLC0415

    folder, shared = bars_folder(rows), min(rows, INTERPRETED_ROWS_MAX)
    columns = inputs.read(folder)
    mine = ours.interpreted(ours.bars_of(columns, shared), times)
    whole = ours.interpreted(ours.bars_of(columns), times) if rows > shared else mine
    arguments = (str(shared), str(inputs.FAST), str(inputs.SLOW), str(times))
    peer = environments.call("backtesting", "with_backtesting.py", "speed", folder, *arguments)
    ours_rate, peer_rate = rate(shared, mine), rate(shared, peer)
    return {
        "row": "P2",
        "work": f"the same, on_bar in Python, {shared:,} bars on both sides",
        "ours": f"{ours_rate / 1e6:.2f}M bars/s ({rate(rows, whole) / 1e6:.2f}M over {rows:,})",
        "peer": f"backtesting.py {peer['version']}: {peer_rate / 1e3:.0f}k bars/s",
        "ratio": f"{ours_rate / peer_rate:.0f}x",
        "accuracy": f"{mine['trades']:,} trades, final equity {mine['final_equity']:.6f}; backtesting.py "
        f"{peer['trades']:,} and {peer['final_equity']:.6f}",
        "detail": {"ours": mine, "ours_whole": whole, "peer": peer, "bars_per_s": ours_rate},
    }


# Our statistic, vectorbt's name for it, and what theirs is multiplied by: percents become fractions.
SAME_STATISTICS = {
    "total_return": ("Total Return [%]", 0.01),
    "max_drawdown": ("Max Drawdown [%]", -0.01),
    "trades": ("Total Closed Trades", 1.0),
    "open_trades": ("Total Open Trades", 1.0),
    "win_rate": ("Win Rate [%]", 0.01),
    "profit_factor": ("Profit Factor", 1.0),
    "expectancy": ("Expectancy", 1.0),
    "best_trade": ("Best Trade [%]", 0.01),
    "worst_trade": ("Worst Trade [%]", 0.01),
    "fees": ("Total Fees Paid", 1.0),
    "final_equity": ("End Value", 1.0),
    "sharpe": ("Sharpe Ratio", 1.0),
    "sortino": ("Sortino Ratio", 1.0),
    "calmar": ("Calmar Ratio", 1.0),
}
# They take a first return of zero into the count where we begin with the second bar: 1e-6 apart over a million bars.
COUNTED_OTHERWISE = ("sharpe", "sortino", "calmar")


def statistics_of_a_result(rows: int, times: int) -> Row:
    import inputs  # noqa: PLC0415
    import ours  # noqa: PLC0415

    folder = bars_folder(rows)
    mine = ours.every_statistic(ours.bars_of(inputs.read(folder)), times)
    peer = environments.call("vectorbt", "with_vectorbt_stats.py", folder, str(times))
    apart = {}
    for name, (theirs, scale) in SAME_STATISTICS.items():
        one, other = float(mine["values"][name]), scale * peer["values"][theirs]
        apart[name] = abs(one - other) / max(abs(other), 1e-300) if one != other else 0.0
    same = max(value for name, value in apart.items() if name not in COUNTED_OTHERWISE)
    counted = max(apart[name] for name in COUNTED_OTHERWISE)
    took, theirs_took = mine["stats"]["median_s"], peer["stats"]["median_s"]
    cpu, theirs_cpu = mine["stats"]["cpu_s"], peer["stats"]["cpu_s"]
    further = ", ".join(f"{name} {1e3 * timed['cpu_s']:.0f}" for name, timed in mine["further"].items())
    return {
        "row": "P3",
        "work": f"all statistics of a result of {rows:,} bars",
        "ours": f"{len(mine['values'])} in {1e3 * took:.1f} ms, of CPU {1e3 * cpu:.1f} ({further} ms)",
        "peer": f"vectorbt {peer['version']}: {len(peer['values'])} in {1e3 * theirs_took:,.0f} ms, "
        f"of CPU {1e3 * theirs_cpu:,.0f}",
        "ratio": f"{theirs_took / took:.0f}x, of CPU {theirs_cpu / cpu:.0f}x",
        "accuracy": f"{len(apart) - len(COUNTED_OTHERWISE)} of one definition: relative difference at most {same:.1e}; "
        f"{', '.join(COUNTED_OTHERWISE)}, for which vectorbt counts one return more: {counted:.1e}",
        "detail": {"ours": mine, "peer": peer, "relative_difference": apart},
    }


def search_over_pairs(rows: int, times: int) -> Row:
    """10,000 pairs over 100,000 bars; over other rows as many pairs in proportion, 100 at least."""
    import our_sweep  # noqa: PLC0415

    rows = min(rows, SEARCH_ROWS)
    mine = our_sweep.in_a_process(rows, max(100, SEARCH_PAIRS * rows // SEARCH_ROWS), times)
    with tempfile.TemporaryDirectory() as scratch:
        chosen = Path(scratch) / "pairs.json"
        chosen.write_text(json.dumps({name: mine[name] for name in ("fast", "slow")}))
        peer = environments.call("vectorbt", "with_vectorbt_sweep.py", bars_folder(rows), chosen, str(times))
    peer_rate = peer["pairs"] * rows / peer["median_s"]
    pairs_of_both = zip(mine["final_equity"], peer["final_equity"], strict=True)
    apart = max(abs(one / other - 1.0) for one, other in pairs_of_both)
    return {
        "row": "P4",
        "work": f"{mine['pairs']:,} pairs of averages x {rows:,} bars, {mine['cores']} threads, 25 statistics of each",
        "ours": f"{mine['bar_steps_per_s'] / 1e6:.0f}M bar-steps/s ({mine['bar_steps_per_cpu_s'] / 1e6:.0f}M by "
        f"processor time), peak {mine['peak_mib']:.0f} MiB, {mine['peak_over_start_mib']:.0f} of them for the search",
        "peer": f"vectorbt {peer['version']}: {peer['pairs']} pairs at {peer_rate / 1e6:.1f}M bar-steps/s, final value "
        f"only, {peer['peak_over_start_mib']:,.0f} MiB",
        "ratio": f"{mine['bar_steps_per_s'] / peer_rate:.1f}x",
        "accuracy": f"{mine['trades']:,} trades; final equity of {peer['pairs']} pairs: relative difference at most "
        f"{apart:.1e}",
        "detail": {"ours": mine, "peer": peer},
    }


def session_memory(rows: int, times: int) -> Row:
    import ours  # noqa: PLC0415

    del rows
    timed = ours.session_calls(max(times, 7))
    noop = timed["no-op"]["median_ns"]
    others = {name: figure["median_ns"] for name, figure in timed.items() if name != "no-op"}
    return {
        "row": "P5",
        "work": "session memory, called from Python",
        "ours": ", ".join(f"{name} {ns:.0f} ns" for name, ns in others.items()),
        "peer": f"empty method of a Cython class: {noop:.0f} ns",
        "ratio": ", ".join(f"{name} {ns / noop:.2f}x" for name, ns in others.items()),
        "accuracy": "exact",
        "detail": timed,
    }


# Bars of each symbol, messages a bar and symbol: about two million messages, half of them orders.
FLOW_STEPS = 4_000


def order_flow_from_c(rows: int, times: int) -> Row:
    import order_flow  # noqa: PLC0415

    found = order_flow.measure(min(rows // 25, FLOW_STEPS), times)
    gate, place = found["gate"], found["place"]
    return {
        "row": "P6",
        "work": f"{found['orders']:,} random orders, {found['cancels']:,} cancels, {found['changes']:,} changes "
        "in 8 symbols, every control of the gate on",
        "ours": f"{found['orders_per_s'] / 1e6:.2f}M orders/s, {found['messages_per_s'] / 1e6:.2f}M messages/s; "
        f"gate p50 {gate['p50_ns']:.0f}, p99 {gate['p99_ns']:.0f}, p99.9 {gate['p999_ns']:.0f} ns (of which "
        f"{found['timer_ns']:.0f} the timer), whole order p99 {place['p99_ns']:.0f} ns; "
        f"{found['allocations']} allocations",
        "peer": "none",
        "ratio": "",
        "accuracy": f"{found['fills_in_all']:,} fills, positions and cash equal to the ledger's to the last unit",
        "detail": found,
    }


def nearest_neighbours(rows: int, times: int) -> Row:
    import inputs  # noqa: PLC0415
    import ours  # noqa: PLC0415

    folder = vectors_folder(rows)
    with tempfile.TemporaryDirectory() as scratch:
        mine = ours.knn(Path(scratch) / "memory", inputs.read(folder), times)
    peer = environments.call("usearch", "with_usearch.py", folder, str(len(os.sched_getaffinity(0))), EXPANSIONS)
    # The cheapest setting of the peer that is at least as accurate as we are; its most accurate where none is.
    reached = [point for point in peer["points"] if point["recall"] >= mine["recall"]]
    equal = reached[0] if reached else max(peer["points"], key=lambda point: point["recall"])
    every = "; ".join(f"{p['recall']:.3f} at {p['p50_ms']:.2f} / {p['p99_ms']:.2f}" for p in peer["points"])
    return {
        "row": "P7",
        "work": f"kNN k=10 in {rows:,} x 512, one query at a time, {QUERIES:,} queries",
        "ours": f"p50 {mine['p50_ms']:.3f} ms, p99 {mine['p99_ms']:.3f} ms; search_many {mine['queries_per_s']:,.0f}/s",
        "peer": f"usearch {peer['version']} at recall {equal['recall']:.3f}: p50 {equal['p50_ms']:.3f} ms, "
        f"p99 {equal['p99_ms']:.3f} ms; batch {equal['queries_per_s']:,.0f}/s",
        "ratio": f"{equal['p50_ms'] / mine['p50_ms']:.1f}x p50, {equal['p99_ms'] / mine['p99_ms']:.1f}x p99",
        "accuracy": f"recall@10 {mine['recall']:.4f}; usearch, recall at p50 / p99 ms: {every}",
        "detail": {"ours": mine, "peer": peer},
    }


def repeated_questions(rows: int, times: int) -> Row:
    import our_cache  # noqa: PLC0415

    return our_cache.row(rows, times)


def library_strategies(rows: int, times: int) -> list[Row]:
    import our_library  # noqa: PLC0415

    return our_library.rows_of(rows, times)


def archived_backtest(rows: int, times: int) -> Row:
    import our_archive  # noqa: PLC0415

    return our_archive.row(rows, times)


def indicators_each(rows: int, times: int) -> Row:
    import our_indicators  # noqa: PLC0415

    folder = bars_folder(rows)
    mine = our_indicators.timed(folder, times)
    peer = environments.call("talib", "with_talib.py", folder, str(times))
    both = {
        name: (1e9 * mine[name]["cpu_s"] / rows, 1e9 * found["cpu_s"] / rows) for name, found in peer["timed"].items()
    }
    apart = {name: our_indicators.apart(mine[name]["rows"], one["rows"]) for name, one in peer["timed"].items()}
    slower = [name for name, (one, other) in both.items() if one >= other]
    return {
        "row": "INDICATORS",
        "work": f"each over {rows:,} rows, ns a row of CPU",
        "ours": ", ".join(f"{name} {one:.2f}" for name, (one, _) in both.items()),
        "peer": f"TA-Lib {peer['version']}, pandas {peer['pandas']} for {', '.join(peer['of_pandas'])}: "
        + ", ".join(f"{name} {other:.2f}" for name, (_, other) in both.items()),
        "ratio": ", ".join(f"{name} {other / one:.1f}x" for name, (one, other) in both.items()),
        "accuracy": "of a thousand rows differ by, at most: "
        + ", ".join(f"{name} {one:.0e}" for name, one in apart.items())
        + f"; slower: {', '.join(slower) or 'none'}",
        "detail": {"ours": mine, "peer": peer, "apart": apart},
    }


ROWS: dict[str, Callable[[int, int], Row | list[Row]]] = {
    "P1": compiled_strategy,
    "P2": interpreted_strategy,
    "P3": statistics_of_a_result,
    "P4": search_over_pairs,
    "P5": session_memory,
    "P6": order_flow_from_c,
    "P7": nearest_neighbours,
    "CACHE": repeated_questions,
    "P15": library_strategies,
    "P17": archived_backtest,
    "INDICATORS": indicators_each,
}


def markdown(rows: list[Row], machine: str) -> str:
    columns = ("row", "work", "ours", "peer", "ratio", "accuracy")
    lines = [machine, "", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join(lines + [f"| {' | '.join(row[column] for column in columns)} |" for row in rows])


def arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("all", "memory"), default="all")
    parser.add_argument("--row-set", choices=sorted(ROW_SETS), default="100k")
    parser.add_argument("--rows", type=int, help="rows of every input, instead of --row-set")
    parser.add_argument("--only", help="rows of the table, comma-separated")
    parser.add_argument("--times", type=int, default=5, help="timed runs, at least 5")
    parser.add_argument("--store", type=Path, help="memory: keep the filled store here, and use it again")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "peers.json")
    parser.add_argument("--prepare", choices=sorted(environments.REQUIREMENTS))
    parsed = parser.parse_args(given)
    known = list(memory_rows.ROWS if parsed.what == "memory" else ROWS)
    parsed.only = known if parsed.only is None else [name.strip().upper() for name in parsed.only.split(",")]
    unknown = [name for name in parsed.only if name not in known]
    if unknown:
        parser.error(f"--only: no row {unknown[0]}, there are {', '.join(known)}")
    if parsed.times < 5:
        parser.error(f"--times must be at least 5, was {parsed.times}")
    return parsed


def memory(count: int, options: argparse.Namespace) -> list[Row]:
    """The rows of one store, filled here or kept from before."""
    folder = vectors_folder(count)
    with tempfile.TemporaryDirectory() as scratch:
        store = options.store or Path(scratch) / "memory"
        store.parent.mkdir(parents=True, exist_ok=True)
        measured = memory_rows.Measured(folder, store, options.times)
        rows = []
        for name in options.only:
            print(f"{name} ...", file=sys.stderr)
            rows.append(memory_rows.ROWS[name](measured))
        return rows


def main(given: list[str]) -> int:
    options = arguments(given)
    if options.prepare:
        environments.prepare(options.prepare)
        return 0
    count = options.rows or ROW_SETS[options.row_set]
    load = os.getloadavg()[0]
    machine = f"{cpu_name()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}, load {load:.1f}"
    rows: list[Row] = memory(count, options) if options.what == "memory" else []
    for name in options.only if options.what == "all" else []:
        print(f"{name} ...", file=sys.stderr)
        found = ROWS[name](count, options.times)
        rows.extend(found if isinstance(found, list) else [found])
    print(markdown(rows, machine))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")
    print(f"\nwritten to {options.json}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
