"""Builds with NEURALTRADE_CHECK=1 take the ledger's balance on every event: a unit too much ends the run."""

import ctypes

import pytest

import neuraltrade as nt
from neuraltrade.core.cpu import build_info

CASH = 123_456_789  # minor units: found in memory by it


def poked(engine):
    """The engine's `cash` and `deposits`, wherever they lie in it."""
    words = (ctypes.c_int64 * 400).from_address(engine.context_address)
    ledger = [CASH, CASH, 0, 10**12, 10**6]  # nt_ledger: cash, deposits, interest, divisor, scale
    return words, next(k for k in range(395) if words[k : k + 5] == ledger)


@pytest.mark.skipif(not build_info()["check"], reason="this build does not look at the balance on every event")
@pytest.mark.parametrize("lots", ["average", "fifo"])
def test_a_unit_too_much_ends_the_run(lots, make_engine, make_random_bars):
    engine = make_engine(make_random_bars(1, 9), cash=CASH / 1e6, account=nt.Account(lots=lots))
    words, at = poked(engine)

    def on_bar(ctx):
        if ctx.i == 3:
            words[at + 1] += 1
        ctx.buy(quantity=0.1)

    engine.bind_python(on_bar)
    with pytest.raises(nt.NeuralTradeError, match="bar 3: the ledger does not balance"):
        engine.advance(9)
    assert engine.position_index == 3


def test_otherwise_it_is_told_when_asked(make_engine, make_random_bars):
    engine = make_engine(make_random_bars(1, 9), cash=CASH / 1e6)
    words, at = poked(engine)
    assert engine.ledger()["balance"] == 0
    words[at + 1] += 1
    assert engine.ledger()["balance"] == -1
