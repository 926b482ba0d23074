"""What was built, and what it runs on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from .._version import __version__
from . import cpu, quant


def config() -> dict[str, Any]:
    """Version, how the core was compiled, which kernels run, and the machine; plain values, JSON-able.

    build : march, compiler, CPU features it may use, sanitizers, debug checks, USearch version. kernels : "avx512",
    "avx2" or "serial". problems : what this machine lacks; empty when all is well.
    """
    return {
        "version": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "location": str(Path(__file__).parents[1]),
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "build": cpu.build_info(),
        "kernels": quant.variant(),
        "problems": [f"this CPU lacks {name}, which the build uses" for name in cpu.missing()],
    }


def cpu_model() -> str:
    """The processor's own name, or the architecture where it does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def describe(found: dict[str, Any]) -> dict[str, str]:
    """`config()` as names and lines of text."""
    built = found["build"]
    options = [f", {name}" for name in ("sanitize", "debug", "check") if built[name]]
    return {
        "neuraltrade": f"{found['version']} in {found['location']}",
        "python": f"{found['python']} on {found['platform']}",
        "cpu": f"{found['cpu']}, {found['cores']} cores",
        "build": f"-march={built['march']}, {built['compiler']}{''.join(options)}",
        "features": " ".join(built["features"]) or "baseline",
        "kernels": found["kernels"],
        "usearch": f"{built['usearch']} headers",
    }


def show_config() -> None:
    """Print how this package was built and what it runs on; `neuraltrade doctor` tells more.

    >>> import neuraltrade as nt
    >>> nt.show_config()
    neuraltrade  ...
    python       3...
    cpu          ...
    build        -march=...
    features     ...
    kernels      ...
    usearch      2.26.6 headers
    """
    for name, text in describe(config()).items():
        print(f"{name:<11}  {text}")
