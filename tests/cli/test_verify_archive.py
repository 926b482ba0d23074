"""`neuraltrade verify` over an archive, and over a store whose old rows lie in one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import neuraltrade as nt
from neuraltrade.cli.app import run

pytest.importorskip("zstandard")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    with nt.Archive.open(tmp_path / "cold") as cold, nt.AgentDB.open(tmp_path / "m", seal_rows=40, archive=cold) as db:
        db.observe(nt.datasets.load("IBM")[-50:])
        db.optimize()
        assert db.observations.demote("2099-01-01") == 40
    return tmp_path


def checked(capsys: pytest.CaptureFixture[str], status: int, *arguments: str) -> list[dict]:
    assert run(["verify", *arguments, "--json"]) == status
    return json.loads(capsys.readouterr().out)["checked"]


def test_a_store_is_checked_with_its_archive(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, cold = checked(capsys, 0, str(place), "--archive", str(place / "cold"))
    assert (store["kind"], store["ok"], cold["kind"], cold["objects"]) == ("store", True, "archive", 1)
    assert run(["verify", str(place / "m")]) == 2
    assert "40 rows of observations-00000001.seg were moved to an archive" in capsys.readouterr().err


def test_damage_in_the_archive_is_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = next((place / "cold" / "objects").rglob("*.zst"))
    file.write_bytes(file.read_bytes()[:-1])
    store, cold = checked(capsys, 1, str(place), "--archive", str(place / "cold"))
    assert (store["ok"], cold["ok"]) == (False, False) and file.name in cold["error"] and file.name in store["error"]
