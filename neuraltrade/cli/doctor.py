"""`neuraltrade doctor`: how the core was built, what this machine has, and whether they fit."""

from __future__ import annotations

import os
import re
from importlib import metadata
from typing import Any

import click

from ..core import machine
from ..strategy import cache_directory
from .output import Output, json_option


def requirements() -> dict[str, tuple[str | None, bool]]:
    """Of every package that ours asks for: its version, None where it is absent, and whether it is optional."""
    found: dict[str, tuple[str | None, bool]] = {}
    try:
        lines = metadata.requires("neuraltrade") or []
    except metadata.PackageNotFoundError:  # run from a source tree, built in place
        return found
    for line in lines:
        name, optional = re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0], "extra ==" in line
        if name == "neuraltrade" or (name in found and optional):
            continue
        try:
            found[name] = (metadata.version(name), optional)
        except metadata.PackageNotFoundError:
            found[name] = (None, optional)
    return dict(sorted(found.items()))


def caches() -> dict[str, str]:
    """Folders of caches, and whether they can be written."""
    folder = cache_directory()
    standing = next(place for place in (folder, *folder.parents) if place.exists())
    return {"compiled strategies": f"{folder}{'' if os.access(standing, os.W_OK) else ' (not writable)'}"}


def examine() -> dict[str, Any]:
    """Everything `doctor` tells, and `problems`: empty when all is well."""
    packages = requirements()
    missing = [name for name, (version, optional) in packages.items() if version is None and not optional]
    found = machine.config()
    found["packages"] = {name: version for name, (version, _) in packages.items()}
    found["caches"] = caches()
    found["problems"] += [f"the package {name} is missing: pip install {name}" for name in missing]
    return found


@click.command()
@json_option
def doctor(as_json: bool) -> int:
    """Show build flags, CPU, kernels, versions and cache folders; exit 1 if something does not fit.

    \b
    Example: neuraltrade doctor --json
    """
    out, found = Output(as_json), examine()
    out.rows({**machine.describe(found), **found["caches"]})
    out.say()
    out.rows({name: version or "not installed (optional)" for name, version in found["packages"].items()})
    out.say()
    out.say("\n".join(found["problems"]) or "everything fits")
    out.answer(found)
    return 1 if found["problems"] else 0
