"""What the core says of its build and of this machine."""

from __future__ import annotations

import json

import neuraltrade as nt
from neuraltrade.core import machine


def test_config_is_json_and_agrees_with_its_sources() -> None:
    found = machine.config()
    assert json.loads(json.dumps(found)) == found
    assert found["version"] == nt.__version__
    assert found["build"]["usearch"] == "2.26.6"
    assert found["cores"] >= 1
    assert found["problems"] == []


def test_describe_names_special_builds() -> None:
    found = machine.config()
    special = {"sanitize": True, "debug": True, "check": False}
    found["build"] = {**found["build"], **special, "march": "x86-64-v3", "features": []}
    lines = machine.describe(found)
    assert lines["build"].startswith("-march=x86-64-v3, ")
    assert lines["build"].endswith(", sanitize, debug")
    found["build"] |= {"debug": False, "check": True}
    assert machine.describe(found)["build"].endswith(", sanitize, check")
    assert lines["features"] == "baseline"
