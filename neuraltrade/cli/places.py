"""Audit logs, stores and archives, found in a folder or one level below it."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from ..memory.archive import MARKER
from ..provenance.log import FILE_NAME
from ..vectors.files import MANIFEST


def holding(path: Path, name: str) -> list[Path]:
    """Folders with a file of that name: `path` itself first, then its own folders in order of name."""
    if not path.is_dir():
        raise InputError(f"path must be a folder with an audit log, a store or an archive, was {str(path)!r}")
    places = [path, *sorted(place for place in path.iterdir() if place.is_dir())]
    return [place for place in places if (place / name).is_file()]


def find_logs(path: Path) -> list[Path]:
    """Audit logs at `path` or one level below."""
    return holding(path, FILE_NAME)


def find_stores(path: Path) -> list[Path]:
    """Stores at `path` or one level below."""
    return holding(path, MANIFEST)


def find_archives(path: Path) -> list[Path]:
    """Archives at `path` or one level below."""
    return holding(path, MARKER)
