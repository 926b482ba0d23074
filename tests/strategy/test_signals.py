"""nt.Signals: arrays checked before the engine sees them."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt

YES = np.array([True, False, True])
NO = np.zeros(3, bool)


def test_columns_take_the_engines_shape():
    bound = nt.Signals(YES, NO, short_entries=NO, stop_loss=0.1, take_profit=[0.1, np.nan, 0.2]).bound(3, 1)
    assert bound["entries"].dtype == np.uint8
    assert bound["entries"].tolist() == [[1], [0], [1]]
    assert bound["short_exits"] is None
    assert bound["stop_loss"].tolist() == [[0.1]] * 3
    np.testing.assert_array_equal(bound["take_profit"], [[0.1], [np.nan], [0.2]])


def test_a_panel_needs_a_column_per_symbol():
    both = np.stack([YES, NO], axis=1)
    assert nt.Signals(both, ~both).bound(3, 2)["entries"].shape == (3, 2)
    with pytest.raises(nt.InputError, match=r"signals have shape \(3,\), the data needs \(3, 2\)"):
        nt.Signals(YES, NO).bound(3, 2)
    with pytest.raises(nt.InputError, match=r"signals have shape \(3,\), the data needs \(4,\)"):
        nt.Signals(YES, NO).bound(4, 1)


def test_arrays_are_copied():
    entries = YES.copy()
    signals = nt.Signals(entries, NO)
    entries[:] = False
    assert signals.bound(3, 1)["entries"].sum() == 2


def test_zeros_and_ones_are_flags():
    assert nt.Signals([0, 1, 1], [1, 0, 0]).bound(3, 1)["entries"].ravel().tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"entries": YES.astype(float)}, "entries must be a boolean array, was float64"),
        ({"entries": [0, 1, 2]}, "entries must be a boolean array"),
        ({"entries": None}, "entries must be a boolean array, was None"),
        ({"exits": None}, "exits must be a boolean array, was None"),
        ({"exits": NO[:2]}, r"exits has shape \(2,\), entries has \(3,\)"),
        ({"entries": np.zeros((1, 1, 3), bool)}, "must have shape"),
        ({"entries": np.zeros(0, bool)}, "n >= 1"),
        ({"stop_loss": 0.0}, "1e-12 or more and below 1, or NaN for none; was 0.0"),
        ({"stop_loss": 1e-13}, "was 1e-13"),
        ({"take_profit": 1e-13}, "was 1e-13"),
        ({"stop_loss": -0.1}, "was -0.1"),
        ({"stop_loss": 1.0}, "was 1.0"),
        ({"stop_loss": float("nan")}, "was nan"),
        ({"stop_loss": [0.1, 0.1]}, r"stop_loss has shape \(2,\)"),
        ({"stop_loss": [0.1, 0.1, 2.0]}, "was 2.0 at row 2"),
        ({"take_profit": [0.1, np.inf, 0.1]}, "was inf at row 1"),
        ({"take_profit": "much"}, "take_profit must be a number or an array"),
        ({"size": [1, 0, 1]}, "units, 1e-9 or more, or NaN for none; was 0.0 at row 1"),
        ({"size": 1e-10}, "was 1e-10"),
    ],
)
def test_wrong_input_is_named(given, message):
    with pytest.raises(nt.InputError, match=message):
        nt.Signals(**{"entries": YES, "exits": NO, **given})


def test_it_says_what_it_holds():
    assert repr(nt.Signals(YES, NO, stop_loss=0.1)) == "Signals(entries, exits, stop_loss; shape (3,))"
