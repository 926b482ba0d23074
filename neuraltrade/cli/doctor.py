"""`neuraltrade doctor`: how the core was built, what this machine has, and whether they fit."""

from __future__ import annotations

import os
import platform
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from .._version import __version__
from ..core import cpu, quant
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


def cpu_model() -> str:
    """The processor's own name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def examine() -> dict[str, Any]:
    """Everything `doctor` tells, and `problems`: empty when all is well."""
    built = cpu.build_info()
    packages = requirements()
    missing = [name for name, (version, optional) in packages.items() if version is None and not optional]
    problems = [f"this CPU lacks {name}, which the build uses" for name in cpu.missing()]
    problems += [f"the package {name} is missing: pip install {name}" for name in missing]
    return {
        "version": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "location": str(Path(sys.modules["neuraltrade"].__file__ or "").parent),
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "build": built,
        "kernels": quant.variant(),
        "packages": {name: version for name, (version, _) in packages.items()},
        "caches": caches(),
        "problems": problems,
    }


@click.command()
@json_option
def doctor(as_json: bool) -> int:
    """Show build flags, CPU, kernels, versions and cache folders; exit 1 if something does not fit.

    \b
    Example: neuraltrade doctor --json
    """
    out, found = Output(as_json), examine()
    built = found["build"]
    options = [name for name in ("sanitize", "debug") if built[name]]
    out.rows(
        {
            "neuraltrade": f"{found['version']} in {found['location']}",
            "python": f"{found['python']} on {found['platform']}",
            "cpu": f"{found['cpu']}, {found['cores']} cores",
            "build": f"-march={built['march']}, {built['compiler']}{''.join(f', {name}' for name in options)}",
            "features": " ".join(built["features"]) or "baseline",
            "kernels": found["kernels"],
            "usearch": f"{built['usearch']} headers",
            **found["caches"],
        }
    )
    out.say()
    out.rows({name: version or "not installed (optional)" for name, version in found["packages"].items()})
    out.say()
    out.say("\n".join(found["problems"]) or "everything fits")
    out.answer(found)
    return 1 if found["problems"] else 0
