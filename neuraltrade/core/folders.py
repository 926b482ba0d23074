"""Folders whose names outlast a loss of power."""

from __future__ import annotations

import os
from pathlib import Path


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Make renames and new names in a folder durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: str | os.PathLike[str]) -> None:
    """Make a folder and what is missing above it, each name made durable in the folder that holds it.

    A file synced in a folder whose own name is not durable is lost with it. One that is there is left alone, its name
    taken as durable. Raises OSError, FileExistsError where a file stands in the way.
    """
    path = Path(folder).absolute()
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for made in reversed(missing):
        made.mkdir(exist_ok=True)
        sync_folder(made.parent)
