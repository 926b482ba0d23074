"""Thousands of random scripts through the engine and through a slow model of it: the same fills, states and answers.

Beside the model, promises that hold whatever the model says: exits only reduce, a family closes no more than its entry
opened, and of two joined orders the one that fills ends the other in the same step.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt

_spec = importlib.util.spec_from_file_location("order_scripts", Path(__file__).with_name("order_scripts.py"))
scripts = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(scripts)

SCRIPTS = 125  # for each seed; the campaign R6 runs many more through a model of every account


@pytest.mark.parametrize("seed", range(100, 106))
def test_promises_hold_under_every_policy(make_engine, seed):
    """Paths without an order and limits that must be gone through, which the model does not walk."""
    rng = np.random.default_rng(seed)
    traded = 0
    for number in range(SCRIPTS):
        pick = {name: allowed[int(rng.integers(len(allowed)))] for name, allowed in scripts.CHOICES.items()}
        pick["path"] = str(rng.choice(["worst", "best"]))
        policy, bars = (
            nt.FillPolicy(limit_fill=str(rng.choice(["touch", "penetrate"])), **pick),
            scripts.random_bars(rng),
        )
        engine, answers = scripts.run_engine(make_engine, policy, bars, scripts.random_script(rng, bars))
        fills = scripts.as_tuples(engine.fills())
        scripts.check_promises(
            engine.orders(), fills, scripts.joined_pairs(answers), f"seed {seed}, script {number}, {policy}"
        )
        traded += len(fills)
    assert traded > 10 * SCRIPTS


@pytest.mark.parametrize("seed", range(12))
def test_engine_and_model_agree(make_engine, seed):
    rng = np.random.default_rng(seed)
    seen = {"fills": 0, "partly": 0, "oco": 0, "modify": 0, "children": 0, "expired": 0}
    for number in range(SCRIPTS):
        policy, bars = scripts.random_policy(rng), scripts.random_bars(rng)
        label = f"seed {seed}, script {number}, {policy}"
        _, answers, book = scripts.compare(make_engine, policy, bars, scripts.random_script(rng, bars), label)
        for name, _, answer in answers:
            seen[name] = seen.get(name, 0) + (answer > 0)
        seen["fills"] += len(book.fills)
        seen["partly"] += sum(o.status == "partially_filled" or 0 < o.filled < o.quantity for o in book.orders)
        seen["children"] += sum(o.parent != 0 and o.filled > 0 for o in book.orders)
        seen["expired"] += sum(o.status == "expired" for o in book.orders)
    assert min(seen.values()) > SCRIPTS // 4, seen
