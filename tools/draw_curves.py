#!/usr/bin/env python3
"""Draws recall against latency of row P7, one line for us and each peer, from what `compare_peers.py memory` wrote.

Usage: tools/draw_curves.py [--json build/peers.json] [--to docs/curves/nearest.svg]
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 400, 64, 44, 130, 52
COLOURS = {"neuraltrade": "#1a6fb5", "usearch": "#c0392b", "hnswlib": "#7d8b2f", "faiss": "#8e5ea2"}
MISSED = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)  # neighbours, of all
Point = tuple[float, float]  # share of the neighbours that were missed, milliseconds


def lines_of(row: dict[str, Any]) -> dict[str, list[Point]]:
    """name -> points, ours first."""
    detail = row["detail"]
    named = {"neuraltrade": detail["ours"]["curve"], **{name: one["points"] for name, one in detail["peers"].items()}}
    return {
        name: sorted((max(1.0 - point["recall"], MISSED[-1]), point["p50_ms"]) for point in points)[::-1]
        for name, points in named.items()
    }


def scale(low: float, high: float, start: float, end: float, value: float) -> float:
    """A logarithmic axis."""
    return start + (end - start) * math.log(value / low) / math.log(high / low)


def steps_between(low: float, high: float) -> list[float]:
    """1, 2 and 5 times each power of ten."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [step for power in powers for step in (10.0**power, 2 * 10.0**power, 5 * 10.0**power) if low <= step <= high]


def picture(row: dict[str, Any], machine: str) -> str:
    """The SVG."""
    lines = lines_of(row)
    every = [point for points in lines.values() for point in points]
    slowest, fastest = max(ms for _, ms in every) * 1.1, min(ms for _, ms in every) / 1.1
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def at(point: Point) -> tuple[float, float]:
        x = scale(MISSED[0], MISSED[-1], LEFT, right, min(point[0], MISSED[0]))
        return round(x, 1), round(scale(fastest, slowest, bottom, TOP, point[1]), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="18" font-size="14">{row["work"].split(";")[0]}</text>',
        f'<text x="{LEFT}" y="34" fill="#666666">median ms of a query, one at a time; {machine}</text>',
    ]
    for missed in MISSED:
        x = at((missed, fastest))[0]
        parts.append(f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{bottom}" stroke="#e4e4e4"/>')
        parts.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{1.0 - missed:g}</text>')
    for step in steps_between(fastest, slowest):
        y = at((MISSED[0], step))[1]
        parts.append(f'<line x1="{LEFT}" y1="{y}" x2="{right}" y2="{y}" stroke="#e4e4e4"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{step:g}</text>')
    parts.append(f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle">recall@10</text>')
    for name, points in lines.items():
        path = " ".join(f"{x},{y}" for x, y in map(at, points))
        colour = COLOURS[name]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in map(at, points)]
        x, y = at(points[-1])
        parts.append(f'<text x="{x + 8}" y="{y + 4}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "peers.json")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "curves" / "nearest.svg")
    options = parser.parse_args(given)
    measured = json.loads(options.json.read_text(encoding="utf-8"))
    rows = [row for row in measured["rows"] if row["row"] == "P7" and row["detail"]["ours"].get("curve")]
    if not rows:
        parser.error(
            f"{options.json} has no row P7 with a graph: run tools/compare_peers.py memory over 524,288 or more"
        )
    options.to.parent.mkdir(parents=True, exist_ok=True)
    options.to.write_text(picture(rows[0], measured["machine"]), encoding="utf-8")
    print(f"written to {options.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
