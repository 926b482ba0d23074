#!/usr/bin/env python3
"""Regenerate neuraltrade/market/data/*.csv.gz from the PyPI package `bokeh_sampledata` (two pinned wheels).

AAPL, IBM and MSFT come from release 2026.1 (Quandl WIKI, declared public domain), GOOG from release 2025.0, whose
series is the one that backtesting.py ships and that published figures are computed on. Every price of a row is
multiplied by adjusted / raw close, normalised to 1 on the last row, so that the last prices are those that traded
and no split or dividend makes a jump; volume is multiplied by the splits alone. Rounded to 4 decimals, which keeps
high >= max and low <= min because rounding is monotone.

Run: python tools/make_datasets.py        (needs pip and its registry; writes identical bytes every time)
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "neuraltrade" / "market" / "data"
WHEELS = {
    "2025.0": "d5f7b637273c84ee89271261511f7aa9e0aeba60a21e22579fcfc1a69f878071",
    "2026.1": "f40331a40ca30c64a1c1471835aad9006b61b0d9731a3f649ee8cbbf48d3822f",
}
SOURCES = {"AAPL": "2026.1", "GOOG": "2025.0", "IBM": "2026.1", "MSFT": "2026.1"}
SPLIT_MIN = 1.5  # a day-over-day change of the adjustment factor above this is a split, below it a dividend

Row = tuple[str, float, float, float, float, int, float]  # date, open, high, low, close, volume, adjusted close


def fetch(version: str, folder: Path) -> zipfile.ZipFile:
    """Download one wheel with pip and check its SHA-256."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    subprocess.run([*pip, f"bokeh_sampledata=={version}", "-d", str(folder)], check=True)
    (path,) = folder.glob(f"bokeh_sampledata-{version}-*.whl")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != WHEELS[version]:
        sys.exit(f"make_datasets: {path.name} has SHA-256 {digest}, expected {WHEELS[version]}")
    return zipfile.ZipFile(path)


def read(wheel: zipfile.ZipFile, name: str) -> list[Row]:
    """Rows of one ticker; the two releases store them differently."""
    names = wheel.namelist()
    if f"bokeh_sampledata/_data/{name}.csv" in names:
        text = wheel.read(f"bokeh_sampledata/_data/{name}.csv").decode()
        found = list(csv.reader(io.StringIO(text)))[1:]
    else:
        text = gzip.decompress(wheel.read("bokeh_sampledata/_data/stocks.csv.gz")).decode()
        found = [row[1:] for row in csv.reader(io.StringIO(text)) if row[0] == name]
    return [(d, float(o), float(h), float(lo), float(c), int(v), float(a)) for d, o, h, lo, c, v, a in found]


def adjust(rows: list[Row]) -> list[str]:
    """CSV lines of the adjusted series, oldest first."""
    last = rows[-1][6] / rows[-1][4]
    lines = []
    split = 1.0
    next_factor = last
    for date, o, h, low, c, volume, adjusted in reversed(rows):
        factor = adjusted / c
        if next_factor / factor > SPLIT_MIN:
            split *= round(next_factor / factor)
        next_factor = factor
        prices = [repr(round(price * (factor / last), 4)) for price in (o, h, low, c)]
        lines.append(",".join([date, *prices, str(round(volume * split))]))
    return lines[::-1]


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        wheels = {version: fetch(version, Path(scratch)) for version in WHEELS}
        for name, version in SOURCES.items():
            text = "\n".join(["date,open,high,low,close,volume", *adjust(read(wheels[version], name))]) + "\n"
            path = DATA / f"{name}.csv.gz"
            path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
            print(f"{path.name}: {text.count(chr(10)) - 1} rows, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
