"""The campaign tool: what it notes, what it refuses, and that it finds what is wrong."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

from neuraltrade.core.layouts import CONTROLS  # noqa: E402

import campaign as tool  # noqa: E402  (tools is no package)
import campaigns  # noqa: E402
from campaigns import bounds, denials, determinism, sequences  # noqa: E402
from campaigns.books import Books, half_even  # noqa: E402
from campaigns.sequence_model import SequenceModel  # noqa: E402
from campaigns.state import State, StateRefused  # noqa: E402

CHILD = """
import os, signal, sys
sys.path.insert(0, {tools!r})
import campaign, campaigns
campaigns.compiled = lambda modules: False
campaign.SAVE_SECONDS = 0.0
real = campaign.run_chunk
def run_chunk(name, seed, index):
    if index == {kill_at}:
        os.kill(os.getpid(), {signal})
    return real(name, seed, index)
campaign.run_chunk = run_chunk
sys.argv = ["campaign.py", "R6", "--count", "1500", "--seed", "5", "--state", {state!r}]
sys.exit(campaign.main())
"""


def run_child(state, kill_at=-1, number=signal.SIGKILL):
    code = CHILD.format(tools=str(TOOLS), state=str(state), kill_at=kill_at, signal=int(number))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ)


def told_without_seconds(child):
    """The result line up to its clock, which rounds the same run one way or the other."""
    return child.stdout.rpartition(", ")[0]


def test_a_killed_campaign_goes_on_where_it_was(tmp_path):
    whole, cut = tmp_path / "whole.json", tmp_path / "cut.json"
    assert run_child(whole).returncode == 0
    assert run_child(cut, kill_at=1).returncode == -signal.SIGKILL
    noted = json.loads(cut.read_text())
    assert (noted["done"], noted["cases"]) == ([[0, 1]], 500)
    done = run_child(cut)
    assert done.returncode == 0
    assert done.stdout.startswith("R6: 1,500 sequences, 0 mismatches, ")
    told, expected = (json.loads(path.read_text()) | {"seconds": 0} for path in (cut, whole))
    assert told == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.json", "whole.json"]
    before = cut.read_bytes()
    again = run_child(cut)
    assert again.returncode == 0
    assert cut.read_bytes() == before, "a full count has nothing left to run"
    assert told_without_seconds(again) == told_without_seconds(done)


def test_control_c_leaves_a_state_that_goes_on(tmp_path):
    state = tmp_path / "state.json"
    stopped = run_child(state, kill_at=2, number=signal.SIGINT)
    assert stopped.returncode == 130
    assert "goes on from" in stopped.stdout
    assert json.loads(state.read_text())["done"] == [[0, 2]]
    assert run_child(state).returncode == 0


def test_control_c_is_heard_while_others_work(tmp_path):
    """Two workers, and an interrupt once a chunk is done: the state is saved, and nobody is left waiting."""
    state = tmp_path / "state.json"
    code = CHILD.format(tools=str(TOOLS), state=str(state), kill_at=-1, signal=0)
    code = code.replace('"--count", "1500"', '"--count", "2000", "--workers", "2"').replace(
        "sys.exit(campaign.main())",
        "real_add = campaign.State.add\n"
        "def add(self, chunk, outcome):\n"
        "    real_add(self, chunk, outcome)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "campaign.State.add = add\n"
        "if __name__ == '__main__':\n"
        "    sys.exit(campaign.main())",
    )
    script = tmp_path / "child.py"
    script.write_text(code)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, env=os.environ)
    assert (done.returncode, done.stderr) == (130, "")
    assert json.loads(state.read_text())["cases"] == 500


@pytest.mark.parametrize(
    ("key", "value"), [("version", 99), ("seed", 6), ("campaign", "bounds"), ("chunk", 7), ("format", 2)]
)
def test_a_state_of_something_else_is_refused(tmp_path, key, value):
    path = tmp_path / "state.json"
    state = State.open(path, "sequences", 1, 5, 500)
    state.add(0, campaigns.Outcome(500, {"fills": 3}))
    state.save()
    assert State.open(path, "sequences", 1, 5, 500).cases == 500
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(StateRefused, match=f"{key} is"):
        State.open(path, "sequences", 1, 5, 500)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}'])
def test_a_torn_state_is_refused(tmp_path, text):
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(StateRefused, match="is no state file"):
        State.open(path, "sequences", 1, 5, 500)
    assert path.read_text() == text


def test_chunks_join_whatever_their_order(tmp_path):
    state = State.open(tmp_path / "state.json", "sequences", 1, 5, 10)
    for chunk in (3, 0, 1, 5, 2):
        state.add(chunk, campaigns.Outcome(10, {"fills": chunk}, []))
    assert (state.ranges, state.cases, state.tallies) == ([[0, 4], [5, 6]], 50, {"fills": 11})
    assert [state.is_done(chunk) for chunk in range(7)] == [True, True, True, True, False, True, False]


def wrong_fee(self, slot, quantity, price):
    return half_even(quantity * price, self.divisor) and 1


def planted(monkeypatch, owner, name, function):
    monkeypatch.setattr(owner, name, function)
    return sequences.run_chunk(7, 0)


def test_the_model_and_the_engine_agree():
    outcome = sequences.run_chunk(7, 0)
    assert (outcome.cases, outcome.failures) == (500, [])
    assert min(outcome.tallies.values()) > 0, outcome.tallies


def test_a_wrong_fee_is_found_and_its_script_is_shrunk(monkeypatch):
    outcome = planted(monkeypatch, Books, "fee", wrong_fee)
    assert len(outcome.failures) > 300
    failure = next(f for f in outcome.failures if f.number % sequences.PREDICTED)
    text = sequences.reproduce(7, failure.number)
    assert text.startswith(f"sequence {failure.number} of seed 7: Wrong: fill of order ")
    assert not text.splitlines()[0].endswith("holds")
    assert sum(" -> " in line for line in text.splitlines()) <= 2, "one call is enough for a wrong fee"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("may_join", "were answered"),
        ("check_volume", "more than"),
        ("first_eligible_day", "good for day|before its time"),
        ("may_end_alone", "for no reason"),
        ("levels", "did not reach|was possible"),
    ],
)
def test_each_promise_is_looked_at(monkeypatch, name, says):
    """What the model is told wrongly it misses in the engine."""
    lies = {
        "may_join": lambda self, one, two: False,
        "check_volume": lambda self, order, quantity: (_ for _ in ()).throw(sequences.Wrong("took more than it may")),
        "first_eligible_day": lambda self, order: -1,
        "may_end_alone": lambda self, order, kind: True,
        "levels": lambda self, order: (1,),
    }
    outcome = planted(monkeypatch, SequenceModel, name, lies[name])
    assert any(word in failure.reason for failure in outcome.failures for word in says.split("|"))


def test_a_rejection_without_a_reason_is_found(monkeypatch):
    def play(sequence, real=sequences.play):
        engine, events, rows = real(sequence)
        return engine, [(*e[:8], 0 if e[9] == 7 else e[8], *e[9:]) for e in events], rows

    outcome = planted(monkeypatch, sequences, "play", play)
    assert any("does not say why" in failure.reason for failure in outcome.failures)


def test_a_case_is_a_function_of_seed_and_number():
    one, two = (sequences.scripts.block(11, 3)[17] for _ in range(2))
    assert (one.rows, one.prices, one.number) == (two.rows, two.prices, 3 * sequences.CHUNK + 17)
    assert one.rows != sequences.scripts.block(12, 3)[17].rows
    assert sequences.reproduce(11, one.number).splitlines()[0].endswith("holds")


def test_the_compiled_model_says_what_the_source_says():
    """In a process of its own: modules that were imported stay what they are."""
    code = (
        f"import sys; sys.path.insert(0, {str(TOOLS)!r})\n"
        "import campaign, campaigns\n"
        "fast = campaigns.compiled(campaigns.models_of('sequences'))\n"
        "from campaigns import sequences, books, sequence_model\n"
        "assert not fast or books.__file__.endswith('.so') and sequence_model.__file__.endswith('.so')\n"
        "outcome = sequences.run_chunk(7, 0)\n"
        "print(fast, outcome)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in (f"{fast} {sequences.run_chunk(7, 0)}" for fast in (True, False))


@pytest.mark.parametrize(
    "given",
    [["none"], ["R6", "--count", "0"], ["R6", "--count", "many"], ["R6", "--workers", "0"], ["R6", "--seed", "-1"]],
)
def test_bad_arguments_end_with_2(monkeypatch, capsys, given):
    monkeypatch.setattr(sys, "argv", ["campaign.py", *given])
    with pytest.raises(SystemExit) as ended:
        tool.main()
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_a_digest_that_differs_is_told_with_its_variant(monkeypatch, tmp_path):
    """An interpreter that computes something else: a script that answers with digests of its own."""
    liar = tmp_path / "liar"
    liar.write_text('#!/bin/sh\necho \'{"digests": ["0"], "python": "2.7", "march": "none"}\'\n')
    liar.chmod(0o755)
    monkeypatch.setenv("NEURALTRADE_INTERPRETERS", str(liar))
    monkeypatch.setattr(determinism, "variants", lambda: [determinism.Variant("liar", interpreter=str(liar))])
    failures, tallies = determinism.differences(1, 2, 1)
    assert [(failure.number, failure.reason.split(",")[0]) for failure in failures] == [(2, "liar: 0")]
    assert (tallies["compared"], tallies["on 2.7 none"]) == (1, 1)


def test_interpreters_that_are_named_take_part(monkeypatch):
    monkeypatch.setenv("NEURALTRADE_INTERPRETERS", "/one/python:/two/python")
    assert [variant.interpreter for variant in determinism.variants()][-2:] == ["/one/python", "/two/python"]


def test_truth_lies_within_bounds():
    outcome = bounds.run_chunk(3, 0)
    assert (outcome.cases, outcome.failures) == (20, [])
    assert outcome.tallies["open"] >= 5, outcome.tallies


def test_a_truth_outside_its_bounds_is_found(monkeypatch):
    """Bounds that are narrower than they may be: worst and best change places."""
    honest = bounds.judge

    def judge(case):
        worst, best, truth, ambiguous = honest(case)
        return best, worst, truth, ambiguous

    monkeypatch.setattr(bounds, "judge", judge)
    failures = bounds.run_chunk(3, 0).failures
    assert len(failures) >= 5
    told = bounds.reproduce(3, failures[0].number)
    assert told.splitlines()[0].endswith("WRONG")
    assert "Trade(bar=" in told
    assert "bar " in told


def test_a_gap_through_a_stop_may_leave_the_bounds():
    """What the docs say they do not promise: the stop at 98 may be hit after the entry at 102, or not."""
    trade = bounds.Trade(0, 2, 1, 10, 0, 102, 98, 0, False)
    ticks = [np.array(bar) for bar in ([100, 100], [100, 99, 98, 99, 102, 101], [90, 90], [90, 90], [90, 90])]
    worst, best, truth, _ = bounds.judge(bounds.Case(0, ticks, [trade], "touch", 0))
    assert (worst, best, truth) == (-40, -120, -120)


CELLS = [denials.Cell("max_position", "limit", "first lots", data, "interpreted") for data in denials.DATA]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.data)
def test_a_cell_of_the_matrix_holds(cell):
    assert denials.judge(cell) == ""


def test_a_limit_that_does_not_bind_is_found(monkeypatch):
    """A control whose limit lies a unit higher than the cell takes it to be."""
    honest = denials.run

    def lax(cell, quantity, limit, stop, before, limits):
        return honest(cell, quantity, limit, stop, before, {name: value + 1 for name, value in limits.items()})

    monkeypatch.setattr(denials, "run", lax)
    assert denials.judge(CELLS[0]).startswith("beyond the limit: denials []")


def test_the_matrix_names_every_control():
    """All but self-trade and the two losses, which need a story: tests/core/test_gate_matrix.py tells it."""
    named = {name for kind in denials.KINDS for name in denials.controls(kind)}
    rest = {"mode", "reference", "prevent_self_trade", "max_daily_loss", "max_drawdown"}
    assert named - {"kill_switch", "reduce_only"} == set(CONTROLS) - rest
    assert len(set(denials.cells())) == len(denials.cells()) > 8_000
