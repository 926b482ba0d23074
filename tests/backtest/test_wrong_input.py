"""Every argument of nt.backtest meets every kind of value: it is taken on purpose, or refused by its name."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import neuraltrade as nt

GOOG = nt.datasets.load("GOOG")[:30]


class Hold(nt.Strategy):
    def on_bar(self, ctx):
        ctx.buy()


ODD = {
    **{"nan": float("nan"), "inf": float("inf"), "-inf": -float("inf"), "-1": -1, "0": 0, "1e300": 1e300},
    **{"huge": 10**400, "text": "1", "empty text": "", "bytes": b"1", "True": True, "None": None, "list": []},
    **{"dict": {}, "object": object(), "array": np.array([1.0, 2.0]), "complex": 1j},
    "date": np.datetime64("2020-01-01"),
}
# What each argument takes of these; anything else is refused.
TAKES = {
    **{name: {"0"} for name in ("fees", "slippage", "latency_ns", "seed")},
    **{name: {"None"} for name in ("size", "risk", "recall", "advisor", "account", "benchmark")},
    **{name: {"None", "dict"} for name in ("params", "instruments", "actions", "rates")},
    **{name: {"True"} for name in ("bounds", "close_at_end")},
    "journal": {"None", "list"},
    "risk_free": {"0", "1e300"},
    "periods_per_year": {"None", "1e300"},
    "progress": {"None", "True"},
}
# How a message names what it is about, where a setting is made of it.
NAMES = {"fill": "FillPolicy.preset", "fees": "Fees: rate", "slippage": "Slippage: rate", "size": "Size.units"}
ARGUMENTS = tuple(inspect.signature(nt.backtest).parameters)


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_every_argument_refuses_what_it_cannot_mean(argument):
    taken = set()
    for label, value in ODD.items():
        try:
            nt.backtest(**{"data": GOOG, "strategy": Hold, argument: value})
            taken.add(label)
        except nt.InputError as error:
            assert argument in str(error) or NAMES[argument] in str(error), (label, str(error))
    assert taken == TAKES.get(argument, set()), f"say in TAKES what {argument} takes"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fes": 0.1}, r"backtest has no argument 'fes'; did you mean 'fees'\?"),
        ({"commission": 0.1}, "it takes data, strategy, cash, fees"),
        ({"closeatend": True}, "did you mean 'close_at_end'"),
    ],
)
def test_unknown_arguments_are_refused_with_the_nearest(given, message):
    for kind in (nt.UnknownArgument, TypeError):
        with pytest.raises(kind, match=message):
            nt.backtest(GOOG, Hold, **given)
