"""Copies of a store that open like it: made under another name, so that half a copy is never taken for one."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

from ..core.folders import make_folder, sync_folder
from ..errors import InputError
from . import log as wal_log
from .files import FileEntry, Manifest, write_manifest


def check_target(target: Path) -> None:
    """Raises InputError where something stands already."""
    if os.path.lexists(target):
        raise InputError(f"path must not exist, but does: {target}")


def copy_store(source: Path, manifest: Manifest, target: Path) -> None:
    """Copy what the manifest names and the log; durable, whole or not at all. Nothing may change meanwhile.

    Segments are linked where the disk allows. A process that is killed leaves a folder `.NAME.partial-*` beside the
    target.
    """
    make_folder(target.parent)
    scratch = target.with_name(f".{target.name}.partial-{uuid.uuid4().hex[:8]}")
    scratch.mkdir()
    try:
        for entry in files_of(manifest):
            try:
                os.link(source / entry.file, scratch / entry.file)
            except OSError:
                shutil.copyfile(source / entry.file, scratch / entry.file)
        for number, file in wal_log.list_files(source):
            if number >= manifest.wal_first:
                shutil.copyfile(file, scratch / file.name)
        _sync(scratch.iterdir())
        write_manifest(scratch, manifest)
        os.rename(scratch, target)  # refuses a folder that holds anything
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    sync_folder(target.parent)


def files_of(manifest: Manifest) -> list[FileEntry]:
    """Every file of the folder that the manifest names; archived segments stay where they are."""
    return [file for entry in manifest.collections.values() for segment in entry.segments for file in segment.files]


def _sync(files: Iterable[Path]) -> None:
    for file in files:
        with open(file, "rb") as handle:
            os.fsync(handle.fileno())
