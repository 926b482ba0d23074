"""tools/draw_curves.py: every measured point is drawn, better to the right and faster below."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import draw_curves  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


def points(*pairs: tuple[float, float]) -> list[dict[str, float]]:
    return [{"recall": recall, "p50_ms": ms} for recall, ms in pairs]


def measured() -> dict[str, object]:
    peers = {"usearch": {"points": points((0.9, 0.6), (1.0, 3.0))}, "faiss": {"points": points((0.95, 0.5))}}
    detail = {"ours": {"curve": points((0.99, 0.4), (0.8, 0.1))}, "peers": peers}
    return {"machine": "here", "rows": [{"row": "P7", "work": "kNN; p50", "detail": detail}]}


def test_every_point_is_drawn_where_it_belongs(tmp_path: Path) -> None:
    (tmp_path / "peers.json").write_text(json.dumps(measured()))
    assert draw_curves.main(["--json", str(tmp_path / "peers.json"), "--to", str(tmp_path / "a" / "b.svg")]) == 0
    root = ElementTree.parse(tmp_path / "a" / "b.svg").getroot()
    dots = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in root.iter(f"{SVG}circle")]
    (x_poor, y_fast), (x_good, y_slow) = dots[:2]
    assert len(dots) == 5 and x_poor < x_good and y_fast > y_slow
    assert all(draw_curves.LEFT <= x <= draw_curves.WIDTH - draw_curves.RIGHT for x, _ in dots)
    assert [text.text for text in root.iter(f"{SVG}text") if text.text in draw_curves.COLOURS] == [
        "neuraltrade", "usearch", "faiss"
    ]  # fmt: skip


def test_without_a_graph_it_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "peers.json").write_text(json.dumps({"machine": "here", "rows": []}))
    with pytest.raises(SystemExit):
        draw_curves.main(["--json", str(tmp_path / "peers.json")])
    assert "run tools/compare_peers.py memory" in capsys.readouterr().err
