"""One case in a hundred of the sequences campaign: a script predicted in full, fill by fill.

The book of tests/core/order_model.py does it, which stands on every price of a bar and asks every order.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

import neuraltrade as nt
from neuraltrade.core.engine import Engine

from campaigns.books import Wrong

_PATH = Path(__file__).resolve().parents[2] / "tests" / "core" / "order_scripts.py"


def _load() -> Any:
    spec = importlib.util.spec_from_file_location("order_scripts", _PATH)
    assert spec is not None and spec.loader is not None  # the file is part of the checkout
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


scripts = _load()


def _engine(bars: Any, **given: Any) -> Engine:
    return Engine(["A"], [bars], fees=nt.Fees(), slippage=nt.Slippage(), size=nt.Size.all_in(), risk=None, **given)


def check(seed: int, number: int) -> int:
    """The case of that number; Wrong where engine and model part. Returns how many fills there were."""
    rng = np.random.default_rng([seed, 1, number])
    policy, bars = scripts.random_policy(rng), scripts.random_bars(rng)
    script = scripts.random_script(rng, bars)
    try:
        _, _, book = scripts.compare(_engine, policy, bars, script, "")
    except AssertionError as error:
        raise Wrong(f"the engine and the book of order_model.py part under {policy}: {error}") from error
    return len(book.fills)
