"""`neuraltrade verify`: reads an audit log or a memory from end to end and says whether every byte checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import InputError, LogCorrupt, VerificationFailed
from ..memory import AgentDB
from ..provenance import AuditLog
from .output import Output, json_option
from .places import find_logs, find_stores


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


def check_store(place: Path) -> dict[str, Any]:
    """What verification of one store found."""
    answer: dict[str, Any] = {"kind": "store", "path": str(place)}
    try:
        with AgentDB.open(place, read_only=True) as db:
            found = db.verify()
    except (LogCorrupt, VerificationFailed) as error:
        return {**answer, "ok": False, "error": f"{type(error).__name__}: {error}"}
    return {**answer, "ok": True, **found}


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--key", help="Public key (64 hex digits) that must have signed the audit log.")
@json_option
def verify(path: Path, key: str | None, as_json: bool) -> int:
    """Check the audit log, the store, or both below PATH: every checksum, hash, root and signature.

    Exits 1 if anything does not check. Without --key, the log is held against the key named in it, which proves that it
    is whole but not who signed it.

    \b
    Example: neuraltrade verify neuraltrade-demo
    """
    out = Output(as_json)
    logs, stores = find_logs(path), find_stores(path)
    if not logs and not stores:
        raise InputError(f"path must hold an audit log or a store, {str(path)!r} has neither")
    found = [check_log(place, key) for place in logs] + [check_store(place) for place in stores]
    for one in found:
        details = ", ".join(f"{k} {v}" for k, v in one.items() if k not in ("kind", "path", "ok", "error"))
        out.say(f"{one['kind']} {one['path']}: {'ok' if one['ok'] else 'FAILED'}: {one.get('error', details)}")
    ok = all(one["ok"] for one in found)
    out.answer({"ok": ok, "checked": found})
    return 0 if ok else 1
