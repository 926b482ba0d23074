"""neuraltrade: a trading engine that remembers. `import neuraltrade as nt`; names resolve on first use."""

from __future__ import annotations

import importlib
from typing import Any

from . import core as _core  # noqa: F401  (checks the CPU before anything native runs)
from ._version import __version__

# Public name -> module that defines it. Heavy imports (numba, plotly, pyarrow) happen on first use only.
_EXPORTS = {
    "Account": "core.settings",
    "Archive": "results.archive",
    "Bar": "market.bars",
    "Bars": "market.bars",
    "Between": "backtest.sweep_space",
    "AgentDB": "memory",
    "CompileError": "errors",
    "DeadlineExceeded": "errors",
    "Filter": "vectors",
    "Denial": "core.settings",
    "DependencyMissing": "errors",
    "Dividends": "market.schedules",
    "Fees": "core.settings",
    "Funding": "market.schedules",
    "FillPolicy": "core.settings",
    "FormatTooNew": "errors",
    "IndexStale": "errors",
    "InputError": "errors",
    "Instrument": "core.settings",
    "LogCorrupt": "errors",
    "NeuralTradeError": "errors",
    "Rates": "market.rates",
    "Result": "results",
    "Query": "vectors",
    "QueueModel": "core.settings",
    "RiskLimits": "core.settings",
    "Size": "core.settings",
    "Slippage": "core.settings",
    "Splits": "market.schedules",
    "datasets": "market",
    "Panel": "market.panel",
    "Depth": "market.ticks",
    "Quotes": "market.ticks",
    "Ticks": "market.merge",
    "Trades": "market.ticks",
    "Sessions": "market.sessions",
    "Signals": "strategy",
    "StoreClosed": "errors",
    "StoreLocked": "errors",
    "Strategy": "strategy",
    "StrategyError": "errors",
    "backtest": "backtest",
    "check_lookahead": "backtest",
    "sweep": "backtest.sweep",
    "Sweep": "backtest.sweep_result",
    "compare": "results",
    "cross_validate": "backtest.walk_cross",
    "CrossValidation": "backtest.walk_cross",
    "walk_forward": "backtest.walk",
    "WalkForward": "backtest.walk_result",
    "compiled": "strategy",
    "schedule": "strategy",
    "Observation": "schema",
    "Signal": "schema",
    "Order": "schema",
    "OrderFill": "schema",
    "ReflexionTrace": "schema",
    "TrajectoryStep": "schema",
    "Verdict": "schema",
    "Pattern": "schema",
    "Counterfactual": "schema",
    "Position": "schema",
    "MarketState": "schema",
    "Provenance": "schema",
    "AuditLog": "provenance",
    "Signer": "provenance",
    "show_config": "core.machine",
    "verify_proof": "provenance",
    "ReasoningBank": "reflexion.bank",
    "SessionMemory": "memory.session",
    "UnknownArgument": "errors",
    "VerificationFailed": "errors",
    "accepted": "core.settings",
}
_MODULES = frozenset(
    {
        "clock",
        "core",
        "embedding",
        "indicators",
        "memory",
        "provenance",
        "reflexion",
        "report",
        "results",
        "schema",
        "strategy",
        "vectors",
    }
)
_ELSEWHERE = {"indicators": "core.indicators"}  # modules that are not on the top floor

__all__ = ["__version__", *sorted(_EXPORTS), *sorted(_MODULES - {"core"})]  # noqa: PLE0604  (all are strings)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{_ELSEWHERE.get(name, name)}")
    module = _EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
