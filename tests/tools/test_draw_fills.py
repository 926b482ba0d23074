"""tools/draw_fills.py: the committed pictures are what the engine does now, and each choice shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import neuraltrade as nt

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools" / "pictures"))
import draw  # noqa: E402
import fixture  # noqa: E402
import scenes  # noqa: E402
import ticks  # noqa: E402

EVERY = (*scenes.PICTURES, *ticks.PICTURES)
NAMES = [picture.name for picture in EVERY]
PICTURES = pytest.mark.parametrize("picture", EVERY, ids=NAMES)
ROOM = {
    picture.name: room for room, pictures in ((draw, scenes.PICTURES), (ticks, ticks.PICTURES)) for picture in pictures
}
FOLDER = ROOT / "docs" / "pictures"
# One choice that the table of policies splits off another; it is written there.
WITHOUT_A_PICTURE = {"contingent_from_working"}


@PICTURES
def test_the_committed_picture_is_what_the_engine_does_now(picture: scenes.Picture | ticks.TickPicture) -> None:
    assert (FOLDER / f"{picture.name}.svg").read_text(encoding="utf-8") == ROOM[picture.name].picture_svg(picture)


def test_every_choice_has_its_picture_and_no_file_is_left_over() -> None:
    assert set(nt.FillPolicy.CHOICES) - WITHOUT_A_PICTURE <= set(NAMES)
    assert {file.stem for file in FOLDER.glob("*.svg")} == set(NAMES)
    page = (ROOT / "docs" / "fills.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"](pictures/{name}.svg)" in page


@PICTURES
def test_a_picture_shows_every_value_and_a_difference(picture: scenes.Picture | ticks.TickPicture) -> None:
    outcomes = {tuple(ROOM[picture.name].outcome(scene.run())) for scene in picture.scenes}
    assert len(outcomes) > 1
    if picture.name in nt.FillPolicy.CHOICES:
        shown = [scene.policy[picture.name] for scene in picture.scenes]
        assert shown == list(nt.FillPolicy.CHOICES[picture.name]) or set(shown) == set(
            nt.FillPolicy.CHOICES[picture.name]
        )


@PICTURES
def test_a_picture_is_small_and_says_what_it_shows(picture: scenes.Picture | ticks.TickPicture) -> None:
    text = (FOLDER / f"{picture.name}.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    names = {child.tag.rpartition("}")[2]: child.text or "" for child in root}
    assert names["title"] == picture.title and names["desc"].startswith(picture.description)
    assert (
        len(text) < 20_000 and "prefers-color-scheme: dark" in text and "http" not in text.replace("http://www.w3", "")
    )
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for place in root.iter("{http://www.w3.org/2000/svg}text"):
        assert 0 <= float(place.attrib["x"]) <= width and 0 <= float(place.attrib["y"]) <= height


def test_what_is_drawn_is_what_was_filled() -> None:
    scene = scenes.CHOICES[0].scenes[0]
    result = scene.run()
    parts = "".join(draw.panel(scene, result, draw.Scale(85.0, 110.0, 0.0, 0.0)))
    assert parts.count('<path class="buy" ') == len(result.fills) == 1
    assert "buy 10 at 103" in parts and ">b2: buy 10 at 103<" in parts


def test_words_that_would_overlap_are_moved_apart() -> None:
    places = draw.apart([50.0, 10.0, 12.0, 50.0])
    assert places == [50.0, 10.0, 22.0, 62.0]
    assert np.diff(sorted(places)).min() >= 12.0


def test_check_names_what_changed(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "tools" / "draw_fills.py"]
    made = subprocess.run([*command, tmp_path], capture_output=True, text=True, check=True)
    assert "market_at.svg: written" in made.stdout and len(list(tmp_path.glob("*.svg"))) == len(NAMES)
    assert subprocess.run([*command, "--check", tmp_path], capture_output=True, check=False).returncode == 0
    (tmp_path / "path.svg").write_text("<svg/>")
    (tmp_path / "old.svg").write_text("<svg/>")
    done = subprocess.run([*command, "--check", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["path.svg: not what the engine does now", "old.svg: no such picture any more"]
    assert (tmp_path / "path.svg").read_text() == "<svg/>"


def test_the_page_has_the_fixture_table() -> None:
    page = (ROOT / "docs" / "fills.md").read_text(encoding="utf-8")
    assert "\n".join(fixture.table()) in page


def test_the_page_has_every_preset_and_choice() -> None:
    page = (ROOT / "docs" / "fills.md").read_text(encoding="utf-8")
    for name in nt.FillPolicy.presets():
        assert f"| `{name}`" in page
    for name, values in nt.FillPolicy.CHOICES.items():
        assert f"`{name}`" in page and all(f"`{value}`" in page for value in values)


def test_the_table_of_presets_is_what_they_are() -> None:
    page = (ROOT / "docs" / "fills.md").read_text(encoding="utf-8")
    names = ("market_at", "limit_fill", "limit_gap", "stop_gap", "path", "contingent_from")
    assert f"| preset | {' | '.join(names)} |" in page
    for preset in nt.FillPolicy.presets():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{preset}`"))
        policy = nt.FillPolicy.preset(preset)
        for name, cell in zip(names, row.strip("| ").split(" | ")[1:], strict=True):
            assert cell == "n/a" or cell.startswith(getattr(policy, name)), (preset, name)
