"""`neuraltrade verify`: reads audit logs, memories and archives from end to end and says whether every byte checks."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import click

from ..errors import InputError, LogCorrupt, VerificationFailed
from ..memory import AgentDB
from ..provenance import AuditLog
from ..results.archive import Archive
from .output import Output, json_option
from .places import find_archives, find_logs, find_stores


def check_log(place: Path, key: str | None) -> dict[str, Any]:
    """What verification of one audit log found; `error` where it does not check."""
    answer: dict[str, Any] = {"kind": "audit log", "path": str(place)}
    try:
        with AuditLog.open(place, read_only=True) as log:
            report = log.verify(public_key=key)
    except (LogCorrupt, VerificationFailed) as error:
        return {**answer, "ok": False, "error": f"{type(error).__name__}: {error}"}
    found = {name: getattr(report, name) for name in report.__struct_fields__}
    return {**answer, "ok": True, **found}


def check_store(place: Path, archive: Archive | None = None) -> dict[str, Any]:
    """What verification of one store found, with what of it lies in an archive."""
    answer: dict[str, Any] = {"kind": "store", "path": str(place)}
    try:
        with AgentDB.open(place, read_only=True, archive=archive) as db:
            found = db.verify()
    except (LogCorrupt, VerificationFailed) as error:
        return {**answer, "ok": False, "error": f"{type(error).__name__}: {error}"}
    return {**answer, "ok": True, **found}


def check_archive(place: Path) -> dict[str, Any]:
    """What verification of one archive found."""
    answer: dict[str, Any] = {"kind": "archive", "path": str(place)}
    try:
        with Archive.open(place, read_only=True) as cold:
            found = cold.verify()
    except LogCorrupt as error:
        return {**answer, "ok": False, "error": f"{type(error).__name__}: {error}"}
    return {**answer, "ok": True, **found}


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--archive", help="Path or URL of the archive that old rows of the store were moved to.")
@click.option("--key", help="Public key (64 hex digits) that must have signed the audit log.")
@json_option
def verify(path: Path, archive: str | None, key: str | None, as_json: bool) -> int:
    """Check the audit log, the store and the archive in PATH or below: every checksum, hash, root and signature.

    Exits 1 if anything does not check. Without --key, the log is held against the key named in it, which proves that it
    is whole but not who signed it.

    \b
    Example: neuraltrade verify neuraltrade-demo
    """
    out = Output(as_json)
    logs, stores, archives = find_logs(path), find_stores(path), find_archives(path)
    if not logs and not stores and not archives:
        raise InputError(f"path must hold an audit log, a store or an archive, {str(path)!r} has none")
    found = [check_log(place, key) for place in logs]
    with contextlib.nullcontext() if archive is None else Archive.open(archive, read_only=True) as cold:
        found += [check_store(place, cold) for place in stores]
    found += [check_archive(place) for place in archives]
    for one in found:
        details = ", ".join(f"{k} {v}" for k, v in one.items() if k not in ("kind", "path", "ok", "error"))
        out.say(f"{one['kind']} {one['path']}: {'ok' if one['ok'] else 'FAILED'}: {one.get('error', details)}")
    ok = all(one["ok"] for one in found)
    out.answer({"ok": ok, "checked": found})
    return 0 if ok else 1
