"""Panel: union clock, order, lookup, refusals."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import neuraltrade as nt


def bars(symbol, stamps):
    flat = np.full(len(stamps), 5.0)
    return nt.Bars(symbol, stamps, flat, flat, flat, flat, flat)


def test_union_clock_and_rows():
    panel = nt.Panel([bars("B", [2, 4, 6]), bars("A", [1, 2, 3])])
    assert panel.symbols == ("B", "A") and len(panel) == 2
    assert panel.ts_ns.tolist() == [1, 2, 3, 4, 6] and not panel.ts_ns.flags.writeable
    assert panel.rows("B").tolist() == [1, 3, 4] and panel.rows("A").tolist() == [0, 1, 2]
    assert [one.symbol for one in panel] == ["B", "A"] and panel["A"] is panel.bars[1]
    assert "A" in panel and "C" not in panel


def test_a_shared_clock_is_not_copied():
    one, two = bars("A", [1, 2]), bars("B", [1, 2])
    assert nt.Panel([one, two]).ts_ns is one.ts_ns


def test_between_equality_pickle_repr():
    panel = nt.Panel(bars(name, [1, 2, 3]) for name in ("A", "B"))
    assert panel.between(2, 3).ts_ns.tolist() == [2]
    assert pickle.loads(pickle.dumps(panel)) == panel and panel != panel.between(2) and panel != 1
    assert repr(panel).startswith("Panel([A, B], 3 times, 1970")
    with pytest.raises(nt.InputError, match="no bars of A"):
        panel.between(9)


@pytest.mark.parametrize(("given", "message"), [
    ([], "bars is empty"),
    (None, "bars must be a list of Bars, was NoneType"),
    (bars("A", [1]), "bars must be a list of Bars, was Bars"),
    ([bars("A", [1]), 5], r"bars\[1\] must be Bars, was int"),
    ([bars("A", [1]), bars("A", [2])], r"bars\[1\] repeats the symbol 'A'"),
])  # fmt: skip
def test_wrong_panels(given, message):
    with pytest.raises(nt.InputError, match=message):
        nt.Panel(given)


def test_unknown_symbol_suggests_the_nearest():
    panel = nt.Panel([bars("AAPL", [1]), bars("MSFT", [1])])
    with pytest.raises(nt.InputError, match="symbol 'AAPLE' is not in the panel; did you mean 'AAPL'"):
        panel["AAPLE"]
    with pytest.raises(nt.InputError, match="there are AAPL, MSFT"):
        panel[0]
