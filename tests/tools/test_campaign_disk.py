"""The campaigns that stand between a process and its disk: that they see what is wrong when something is."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

from campaigns import asof, damage, disk, faults, kills, threads  # noqa: E402  (tools is no package)
from campaigns import store_model as stores  # noqa: E402
from campaigns.power import Call  # noqa: E402
from campaigns.power_disk import Disk  # noqa: E402


def in_shim(code: str) -> str:
    """What a program prints that runs with the shim and the campaigns' modules."""
    shim = str(disk.built(disk.SOURCE, disk.FLAGS, ".so"))
    environment = {**os.environ, "LD_PRELOAD": shim, "NEURALTRADE_SHIM": shim}
    head = f"import sys; sys.path.insert(0, {str(TOOLS)!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", head + code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_shim_records_what_is_done_in_its_order(tmp_path):
    told = in_shim(f"""
import os
from campaigns import disk, power
shim = disk.Shim()
def work():
    with open({str(tmp_path)!r} + "/a", "wb") as handle:
        handle.write(b"one")
        handle.flush()
        os.fsync(handle.fileno())
    os.rename({str(tmp_path)!r} + "/a", {str(tmp_path)!r} + "/b")
    with open("/dev/null", "wb") as handle:
        handle.write(b"not watched")
    os.unlink({str(tmp_path)!r} + "/b")
calls, _ = power.recorded(shim, {str(tmp_path)!r}, [("all", work)])
for call in calls:
    print(call.kind, call.path, call.other, call.data, call.offset)
""")
    kinds = [disk.OPEN, disk.WRITE, disk.SYNC, disk.CLOSE, disk.RENAME, disk.UNLINK]
    rest = ["a  b'' 0", "  b'one' 0", "  b'' 0", "  b'' 0", "a b b'' 0", "b  b'' 0"]
    assert told.splitlines() == [f"{kind} {text}" for kind, text in zip(kinds, rest, strict=True)]


@pytest.mark.parametrize("what", ["File", "Folder"])
def test_syncs_that_do_nothing_are_found(what):
    told = in_shim(f"""
from campaigns import disk, power, power_disk
disk.keep = lambda *_: None
real = power_disk.Disk._sync
power_disk.Disk._sync = lambda self, node: None if isinstance(node, power_disk.{what}) else real(self, node)
print(len(power.chunk(3, 0).failures))
""")
    assert int(told) > 5


def test_a_file_keeps_what_was_synced_and_may_lose_the_rest(tmp_path):
    made = Disk()
    for kind, path, other, data, offset in (
        (disk.OPEN, "a", "", b"", 0), (disk.WRITE, "", "", b"x" * 600, 0), (disk.SYNC, "", "", b"", 0),
        (disk.WRITE, "", "", b"y" * 600, 600),
    ):  # fmt: skip
        made.do(Call(kind, 1, 0, path, other, data, offset, 0))
    found = {False: set(), True: set()}
    for folder_synced in (False, True):
        if folder_synced:
            made.do(Call(disk.OPEN, 2, 0, ".", "", b"", 0, 0))
            made.do(Call(disk.SYNC, 2, 0, "", "", b"", 0, 0))
        for seed in range(60):
            place = tmp_path / f"{folder_synced}-{seed}"
            made.lay_out(place, np.random.default_rng(seed))
            file = place / "a"
            found[folder_synced].add(file.read_bytes() if file.exists() else None)
    synced, both = b"x" * 600, b"x" * 600 + b"y" * 600
    assert None in found[False] and None not in found[True]
    assert {synced, both, synced + bytes(600)} < found[True], "dropped, kept, and longer without its bytes"
    assert any(len(one) == 1_200 and one.count(b"y") not in (0, 600) for one in found[True]), "torn at a sector"
    assert all(one.startswith(synced) for one in found[True])


@pytest.mark.parametrize("lie", ["a row", "a score", "a deletion", "nothing"])
def test_an_acknowledgement_that_does_not_hold_is_found(tmp_path, lie):
    case = kills.StoreCase(tmp_path, np.random.default_rng(1))
    said: list = [["add", "things", 9], "done", ["update", 3, 5, 77], "done", ["add", "things", 30]]
    with stores.opened(case.path) as store:
        for operation in [tuple(one) for one in said if one != "done"]:
            stores.perform(store, operation, tmp_path)
        if lie == "a row":
            store.collections["things"].delete([12])
        elif lie == "a score":
            store.collections["things"].update(5, known_ns=50, score=1)
        elif lie == "a deletion":
            said += ["done", ["delete", [4]], "done"]
    told = case.settle(said, {})
    assert told == "" if lie == "nothing" else "neither as before it nor as after it" in told


@pytest.mark.parametrize("number", range(6))
def test_damage_that_is_not_told_is_found(tmp_path, monkeypatch, number):
    """The file is left whole, or its checks are switched off: the campaign must say so."""
    damage.fixture.cache_clear()
    made = damage.fixture(tmp_path)
    target, path = made.targets[number], made.paths[number]
    assert damage.one_case(made, 1, 6 * 11 + number) == ""
    assert path.read_bytes() == target.whole
    body, _ = damage.damaged(target, 1, 11)
    assert body != target.whole
    assert target.check(path, body, -1) in ("not told", "a damaged graph is used")
    damage.fixture.cache_clear()


def test_damages_of_a_file_are_all_different():
    whole = bytes(range(100, 140))
    target = damage.Target("a", whole, [0, 16, 24], lambda *_: "")
    bodies = {damage.damaged(target, 1, number)[0] for number in range(target.damages)}
    flips = {whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :] for at in range(40) for bit in range(8)}
    assert flips | {whole[:cut] for cut in range(40)} < bodies
    assert len(bodies) == target.damages


def test_a_store_that_lies_under_a_fault_is_found(tmp_path):
    case = faults.StoreCase(tmp_path, np.random.default_rng(4))
    assert case.step() == ""
    case.durable[-1].rows["things"].pop(2)
    assert "does not hold what was acknowledged" in case.mended()


@pytest.mark.parametrize("leak", ["search", "count", "nothing"])
def test_a_store_that_tells_the_future_is_found(tmp_path, monkeypatch, leak):
    world = asof.World(tmp_path / "s", np.random.default_rng(5))
    things = world.things
    real = getattr(things, leak, None)

    def forgets_when(*args, as_of=None, **scope):
        return real(*args, **scope)

    if real is not None:
        monkeypatch.setattr(things, leak, forgets_when)
    with world.store:
        told = [world.search({}) for _ in range(40)]
    assert any(told) == (leak != "nothing")


class Countdown:
    """An event that is set once it was asked so often."""

    def __init__(self, left: int) -> None:
        self.left = left

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("lost", [0, 1])
def test_a_reader_that_sees_too_little_is_found(tmp_path, lost):
    made = threads.Round(tmp_path / "s", (1, 0))
    with made.store:
        made.writing(np.random.default_rng(1))
        real = made.store.collections["things"].range

        class Short:
            def __init__(self, **scope):
                self.ids = real(**scope).ids[lost:]

        made.store.collections["things"].range = Short
        made.ended = Countdown(40)
        made.reading(np.random.default_rng(2))
    assert made.asked == 40
    assert bool(made.wrong) == bool(lost)
    assert all("lacks what was acknowledged" in one for one in made.wrong)
