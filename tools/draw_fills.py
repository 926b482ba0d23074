#!/usr/bin/env python3
"""Draws the pictures of docs/fills.md: the engine runs on small markets, and what it did is drawn, in SVG.

Usage: tools/draw_fills.py [--check] [FOLDER]

Writes one file for each picture to docs/pictures, or to FOLDER. With --check nothing is written: it names the files
that are not what the engine does now, and exits 1 if there are any.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools" / "pictures"))


def main(given: list[str]) -> int:
    import draw  # noqa: PLC0415
    import scenes  # noqa: PLC0415
    import ticks  # noqa: PLC0415

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "pictures")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(given)
    if not options.folder.is_dir():
        parser.error(f"no folder {options.folder}")
    changed = []
    pictures = {picture.name: draw.picture_svg(picture) for picture in scenes.PICTURES}
    pictures |= {picture.name: ticks.picture_svg(picture) for picture in ticks.PICTURES}
    for name, made in pictures.items():
        file = options.folder / f"{name}.svg"
        if not file.exists() or file.read_text(encoding="utf-8") != made:
            changed.append(file.name)
            if not options.check:
                file.write_text(made, encoding="utf-8")
    left_over = sorted({file.name for file in options.folder.glob("*.svg")} - {f"{name}.svg" for name in pictures})
    for name in changed:
        print(f"{name}: {'not what the engine does now' if options.check else 'written'}")
    for name in left_over:
        print(f"{name}: no such picture any more")
    return int(bool(options.check and (changed or left_over)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
