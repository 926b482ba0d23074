"""Parameters of strategies: declared by annotation, overridden by name, checked by type."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

import neuraltrade as nt


class Cross(nt.Strategy):
    fast: int = 10
    slow: int = 50
    band: float = 0.5
    both: bool = False
    mode: str = "trend"
    table: ClassVar[tuple[int, ...]] = (1, 2)

    def on_bar(self, ctx):
        pass


class Wider(Cross):
    slow: int = 100
    extra: float = 1


def test_parameters_are_annotated_attributes_in_order():
    assert Cross.parameter_defaults() == {"fast": 10, "slow": 50, "band": 0.5, "both": False, "mode": "trend"}


def test_a_subclass_keeps_its_parents_parameters_and_overrides_defaults():
    assert Wider.parameter_defaults() == {
        "fast": 10,
        "slow": 100,
        "band": 0.5,
        "both": False,
        "mode": "trend",
        "extra": 1.0,
    }
    assert Cross.parameter_defaults()["slow"] == 50


def test_keywords_override():
    made = Cross(fast=5, band=2, both=np.bool_(True))
    assert made.parameter_values() == {"fast": 5, "slow": 50, "band": 2.0, "both": True, "mode": "trend"}
    assert type(made.band) is float
    assert repr(Wider(fast=3)) == "Wider(fast=3, slow=100, band=0.5, both=False, mode='trend', extra=1.0)"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fsat": 5}, "argument 'fsat': Cross has no such parameter; did you mean 'fast'?"),
        ({"fast": 5.0}, "argument 'fast' of Cross must be an int, was 5.0"),
        ({"fast": True}, "must be an int, was True"),
        ({"fast": "5"}, "must be an int, was '5'"),
        ({"fast": 2**60}, r"must be within \+-2\*\*53"),
        ({"band": True}, "must be a float, was True"),
        ({"both": 1}, "must be a bool, was 1"),
        ({"mode": 3}, "must be a str, was 3"),
        ({"table": (3,)}, "has no such parameter"),
    ],
)
def test_a_wrong_name_or_type_is_named(given, message):
    with pytest.raises(nt.InputError, match=message):
        Cross(**given)


def test_nothing_is_set_when_one_is_wrong():
    made = Cross()
    with pytest.raises(nt.InputError):
        made._apply({"fast": 7, "slow": "x"}, "params")
    assert made.fast == 10


@pytest.mark.parametrize(
    ("annotation", "default", "message"),
    [
        (list, [1], "annotated int, float, bool or str"),
        (int, 1.5, "default of Bad.value must be an int, was 1.5"),
        ("complex", 1j, "annotated int, float, bool or str"),
    ],
)
def test_a_wrong_declaration_is_refused_when_the_class_is_made(annotation, default, message):
    with pytest.raises(nt.InputError, match=message):
        type("Bad", (nt.Strategy,), {"__annotations__": {"value": annotation}, "value": default})


def test_a_parameter_needs_a_default_and_a_free_name():
    with pytest.raises(nt.InputError, match=r"Bad\.value: a parameter needs a default"):
        type("Bad", (nt.Strategy,), {"__annotations__": {"value": int}})
    with pytest.raises(nt.InputError, match=r"taken by nt\.Strategy"):
        type("Bad", (nt.Strategy,), {"__annotations__": {"init": int}, "init": 3})


def test_on_bar_must_be_written():
    class Idle(nt.Strategy):
        pass

    with pytest.raises(nt.InputError, match="Idle has no on_bar"):
        nt.backtest(nt.datasets.load("GOOG"), Idle)
