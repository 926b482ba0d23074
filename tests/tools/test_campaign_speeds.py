"""The campaign of two speeds: a strategy of a number is the same again, and a difference is seen."""

import sys
from pathlib import Path

import neuraltrade as nt

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

from campaigns import speeds  # noqa: E402


def slow_for_both(data, strategy):
    """As if the machine code did what the source does: nothing is compiled here."""
    given = strategy if isinstance(strategy, list) else [strategy]
    plain = [getattr(one, "strategy", one) for one in given]
    return nt.backtest(data, plain if isinstance(strategy, list) else plain[0], **speeds.COSTS)


def test_a_case_that_holds_and_its_text(monkeypatch, tmp_path):
    monkeypatch.setattr(speeds, "outcome", slow_for_both)
    reason, seen = speeds.judged(1, 0, tmp_path)
    assert (reason, seen["traded"]) == ("", 1)
    text = (tmp_path / "generated_1_0.py").read_text()
    assert "class Generated(nt.Strategy)" in text
    told = speeds.reproduce(1, 0)
    assert told.startswith(text)
    assert told.endswith("strategy 0 of seed 1: it holds")


def test_what_differs_is_a_mismatch(monkeypatch, tmp_path):
    def differing(data, strategy):
        return slow_for_both(data[:-1] if type(strategy).__name__ == "CompiledStrategy" else data, strategy)

    monkeypatch.setattr(
        speeds, "outcome", lambda data, strategy: (7, "IndexError") if isinstance(strategy, type) else 0
    )
    assert "ended as (7, 'IndexError') and 0" in speeds.judged(1, 1, tmp_path)[0]
    monkeypatch.setattr(speeds, "outcome", differing)
    reasons = {speeds.judged(1, number, tmp_path)[0] for number in range(4)}
    assert "the digests differ" in reasons


def test_inputs_must_vary():
    assert speeds.check_inputs_vary({}, 8) == ""
    assert "fewer than half" in speeds.check_inputs_vary({"traded": 3}, 200)
    assert speeds.check_inputs_vary({"traded": 190, "power": 3}, 200).startswith("never used: floor")
