"""P1, P2, P3, P6: the loop compiled and interpreted, statistics, order flow from C, and the memory of a run."""

from __future__ import annotations

import order_flow
import peak_memory

import neuraltrade as nt

import inputs
import ours


class Loop:
    """SMA cross over one-minute bars: seconds, fills, and whether both speeds decide alike."""

    params = (100_000, 1_000_000)
    param_names = ("bars",)
    timeout = 300

    def setup(self, rows: int) -> None:
        self.bars = ours.bars_of(inputs.minute_bars(rows))
        self.compiled = nt.compiled(ours.SmaCross)
        self.run(self.compiled)

    def run(self, strategy: object) -> nt.Result:
        return nt.backtest(self.bars, strategy, cash=1_000_000.0, fill="vectorbt")

    def time_p1_compiled(self, rows: int) -> None:
        self.run(self.compiled).equity  # noqa: B018  (lazy)

    def time_p2_interpreted(self, rows: int) -> None:
        self.run(ours.SmaCross).equity  # noqa: B018  (lazy)

    def track_fills(self, rows: int) -> int:
        return len(self.run(self.compiled).fills)

    def track_digests_equal(self, rows: int) -> int:
        return int(self.run(self.compiled).digest == self.run(ours.SmaCross).digest)


class Statistics:
    """P3: every statistic of a finished run, from a result that has computed none."""

    params = (100_000, 1_000_000)
    param_names = ("bars",)
    number = 1  # the second call on one result would find them computed

    def setup(self, rows: int) -> None:
        bars = ours.bars_of(inputs.minute_bars(rows))
        self.result = nt.backtest(bars, nt.compiled(ours.SmaCross), cash=1_000_000.0)

    def time_p3_statistics(self, rows: int) -> None:
        dict(self.result.stats)

    def time_benchmark(self, rows: int) -> None:
        dict(self.result.benchmark_stats)

    def time_trades(self, rows: int) -> None:
        self.result.trade_stats()

    def time_months_and_falls(self, rows: int) -> None:
        self.result.monthly(), self.result.drawdowns()

    def time_rolling_sharpe(self, rows: int) -> None:
        self.result.rolling(1_440, "sharpe")

    def time_rolling_max_drawdown(self, rows: int) -> None:
        self.result.rolling(1_440, "max_drawdown")


class Memory:
    """The highest resident set of a run over its input and output; indicator columns counted, and left out."""

    params = (1_000_000, 10_000_000)
    param_names = ("bars",)
    timeout = 600

    def setup(self, rows: int) -> None:
        self.measured = peak_memory.in_a_process(rows)

    def track_peak_over_input_and_output(self, rows: int) -> float:
        return float(self.measured["ratio"])

    def track_peak_without_indicators(self, rows: int) -> float:
        return float(self.measured["ratio_without_indicators"])


class OrderFlow:
    """P6: random order flow through gate, book and match, from C, in a process of its own."""

    params = (64, 512)
    param_names = ("places",)
    timeout = 600

    def setup(self, places: int) -> None:
        self.found = order_flow.measure(200, 3, places=places, messages=64)

    def track_orders_per_s(self, places: int) -> float:
        return float(self.found["orders_per_s"])

    def track_messages_per_s(self, places: int) -> float:
        return float(self.found["messages_per_s"])

    def track_gate_p99_ns(self, places: int) -> float:
        return float(self.found["gate"]["p99_ns"])

    def track_no_allocations(self, places: int) -> int:
        return int(self.found["allocations"] == 0)
