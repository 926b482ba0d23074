"""`neuraltrade demo`: the main job end to end, into a folder, twice."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest

import neuraltrade as nt
from neuraltrade.cli.app import run
from neuraltrade.cli.main_job import HORIZON, MARKER, NEIGHBOURS, SYMBOLS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "made"


@pytest.fixture(scope="module")
def answer(folder: Path) -> dict:
    return run_demo(folder)


def run_demo(folder: Path) -> dict:
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        assert run(["demo", str(folder), "--json"]) == 0
    return json.loads(text.getvalue())


def test_every_bar_is_remembered_and_every_closed_trade_judged(answer: dict, folder: Path) -> None:
    assert answer["remembered"]["observations"] == sum(len(nt.datasets.load(symbol)) for symbol in SYMBOLS)
    assert answer["stats"]["trades"] >= 20
    assert sum(answer["verdicts"].values()) == answer["remembered"]["traces"] == answer["stats"]["trades"]
    with nt.AgentDB.open(folder / "memory", read_only=True) as db:
        for trace in db.traces.range(limit=None).records():
            assert len(trace.counterfactuals) >= 2
            assert db.signals.get(trace.decision_id).causal_links


def test_similar_situations_were_known_then(answer: dict) -> None:
    assert len(answer["similar"]) == NEIGHBOURS
    for one in answer["similar"]:
        bars = nt.datasets.load(one["symbol"])
        row = int((bars.ts_ns == nt.clock.as_ns(one["time"])).nonzero()[0][0])
        assert row + HORIZON < len(bars)
        assert one["outcome"] == pytest.approx(bars.close[row + HORIZON] / bars.close[row] - 1.0, rel=1e-6)


def test_audit_log_and_store_verify(answer: dict, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signer = nt.Signer.load(folder / "key.pem")
    assert run(["verify", str(folder), "--key", signer.public_key.hex(), "--json"]) == 0
    checked = json.loads(capsys.readouterr().out)["checked"]
    assert checked[0]["records"] == answer["audit"]["records"]
    assert checked[0]["unsigned"] == 0
    assert checked[0]["root"] == answer["audit"]["root"]


def test_a_verdict_leads_back_to_what_was_seen(answer: dict, folder: Path) -> None:
    with nt.AuditLog.open(folder / "audit", read_only=True) as log:
        last = log.get(len(log) - 1)
        kinds = [type(step.record).__name__ for step in log.lineage(last.id)]
    assert kinds == ["ReflexionTrace", "Signal", "Observation"]


def test_page_is_whole(answer: dict) -> None:
    page = Path(answer["report"]).read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    assert "Similar situations" in page
    assert "Verdicts" in page
    assert answer["audit"]["root"] in page
    assert answer["digest"] in page


def test_again_in_the_same_folder_decides_the_same(answer: dict, folder: Path) -> None:
    again = run_demo(folder)
    for name in ("digest", "stats", "remembered", "verdicts", "similar"):
        assert again[name] == answer[name], name


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    (tmp_path / "report.html").write_text("mine")
    assert run(["demo", str(tmp_path)]) == 2
    assert "holds something else" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "thesis.txt"]
    assert (tmp_path / "report.html").read_text() == "mine"


def test_a_file_is_not_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "made").write_text("")
    assert run(["demo", str(tmp_path / "made")]) == 2
    assert "is a file" in capsys.readouterr().err


def test_a_demo_at_work_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / MARKER).write_text("{}")
    with nt.AgentDB.open(tmp_path / "memory"):
        assert run(["demo", str(tmp_path)]) != 0
    assert "is owned by another store object" in capsys.readouterr().err
    assert (tmp_path / "memory" / "MANIFEST").exists()
