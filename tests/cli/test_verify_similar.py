"""`neuraltrade verify` and `neuraltrade similar` on a small store and audit log."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.cli.app import run
from neuraltrade.cli.similar_situations import spread_out

HORIZON = 20
BARS = nt.datasets.load("AAPL")[:800]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with memory/ and audit/."""
    folder = tmp_path_factory.mktemp("made")
    with nt.AgentDB.open(folder / "memory") as db:
        ids = db.observe(BARS)
        followed = BARS.close[HORIZON:] / BARS.close[:-HORIZON] - 1.0
        db.observations.update(ids[:-HORIZON], known_ns=BARS.ts_ns[HORIZON:], outcome=followed)
        db.flush()
    signer = nt.Signer.generate(folder / "key.pem")
    with nt.AuditLog.open(folder / "audit", signer=signer) as log:
        for number in range(1, 30):
            log.append(nt.Signal(id=number, ts_ns=number, symbol="AAPL", direction="long"))
        log.checkpoint()
    (folder / "public").write_text(signer.public_key.hex())
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def answer(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, dict]:
    status = run([*map(str, arguments), "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_whole_folder_verifies(capsys: pytest.CaptureFixture[str], made: Path) -> None:
    status, found = answer(capsys, "verify", made, "--key", (made / "public").read_text())
    assert (status, found["ok"]) == (0, True)
    assert [one["kind"] for one in found["checked"]] == ["audit log", "store"]
    assert found["checked"][0]["records"] == 29


def test_text_says_ok(capsys: pytest.CaptureFixture[str], made: Path) -> None:
    assert run(["verify", str(made / "audit")]) == 0
    assert "audit: ok: " in capsys.readouterr().out


def test_foreign_key_fails(capsys: pytest.CaptureFixture[str], made: Path) -> None:
    status, found = answer(capsys, "verify", made / "audit", "--key", "ab" * 32)
    assert (status, found["ok"]) == (1, False)
    assert "VerificationFailed" in found["checked"][0]["error"]


def test_every_changed_byte_of_an_audit_log_is_found(capsys: pytest.CaptureFixture[str], copy: Path) -> None:
    path = copy / "audit" / "audit.wal"
    original = path.read_bytes()
    for offset in range(len(original) // 2, len(original) - 300, 211):
        path.write_bytes(original[:offset] + bytes([original[offset] ^ 1]) + original[offset + 1 :])
        status, found = answer(capsys, "verify", copy / "audit")
        assert (status, found["ok"]) == (1, False), offset


def test_a_changed_byte_of_a_store_is_found(capsys: pytest.CaptureFixture[str], copy: Path) -> None:
    path = max((copy / "memory").iterdir(), key=lambda p: p.stat().st_size)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    status, found = answer(capsys, "verify", copy / "memory")
    assert (status, found["ok"]) == (1, False)
    assert "LogCorrupt" in found["checked"][0]["error"]


def test_folder_with_neither_exits_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["verify", str(tmp_path)]) == 2
    assert "has none" in capsys.readouterr().err


def test_similar_knows_nothing_later_than_asked(capsys: pytest.CaptureFixture[str], made: Path) -> None:
    as_of = nt.clock.iso(int(BARS.ts_ns[500]))
    status, found = answer(capsys, "similar", made, "--symbol", "AAPL", "--as-of", as_of, "-k", "5", "--apart", "0")
    assert status == 0
    assert found["ts_ns"] == BARS.ts_ns[500]
    rows = [int(np.searchsorted(BARS.ts_ns, nt.clock.as_ns(one["time"]))) for one in found["similar"]]
    assert len(rows) == 5
    assert max(rows) <= 500 - HORIZON
    for row, one in zip(rows, found["similar"], strict=True):
        assert one["outcome"] == pytest.approx(BARS.close[row + HORIZON] / BARS.close[row] - 1.0, rel=1e-6)


def test_similar_situations_stand_apart(capsys: pytest.CaptureFixture[str], made: Path) -> None:
    _, found = answer(capsys, "similar", made, "--symbol", "AAPL", "--apart", "30")
    times = sorted(nt.clock.as_ns(one["time"]) for one in found["similar"])
    assert len(times) >= 5
    assert np.diff(times).min() >= 30 * 86_400_000_000_000


def test_spread_out_keeps_the_nearest_of_each_episode_and_symbol() -> None:
    times = np.array([100, 105, 103, 200, 95])
    assert spread_out(["A", "A", "B", "A", "A"], times, 10) == [0, 2, 3]
    assert spread_out(["A", "A", "B", "A", "A"], times, 0) == [0, 1, 2, 3, 4]


def test_similar_of_an_unknown_symbol_exits_2(capsys: pytest.CaptureFixture[str], made: Path) -> None:
    assert run(["similar", str(made), "--symbol", "IBM"]) == 2
    assert "no observation of 'IBM'" in capsys.readouterr().err
