"""One virtual environment for each peer, outside the checkout, made on first use and kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# Exact versions: a figure means nothing without them.
REQUIREMENTS = {
    "backtesting": ["backtesting==0.6.6", "pandas<3"],
    "vectorbt": ["vectorbt==1.2.0"],
    "empyrical": ["empyrical-reloaded==0.7.1"],
    "backtrader": ["backtrader==1.9.78.123"],
    "nautilus": ["nautilus_trader==1.221.0", "pandas<3"],
    "usearch": ["usearch==2.26.6", "numpy"],
    "hnswlib": ["hnswlib==0.8.0", "numpy"],
    "faiss": ["faiss-cpu==1.15.1", "numpy"],
    "talib": ["TA-Lib==0.8.2", "pandas"],
    "noop": ["Cython>=3.1,<4", "setuptools>=77"],
}


def cache() -> Path:
    """NEURALTRADE_PEERS, or neuraltrade/peers in the user's cache folder."""
    given = os.environ.get("NEURALTRADE_PEERS")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(given) if given else base / "neuraltrade" / "peers"


def environment(name: str) -> Path:
    """Folder of a peer's environment; its name holds the peer's version and ours of Python."""
    pinned = REQUIREMENTS[name][0].split("==")
    version = f"-{pinned[1]}" if len(pinned) == 2 else ""
    return cache() / f"{name}{version}-py{sys.version_info.major}{sys.version_info.minor}"


def unsanitized() -> dict[str, str]:
    """The environment without a sanitizer that was preloaded for us: other programs need none, and take far longer."""
    return {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}


def python_of(name: str) -> Path | None:
    """The peer's interpreter, or None where its environment was never prepared."""
    folder = environment(name)
    return folder / "bin" / "python" if (folder / "complete").exists() else None


def prepare(name: str) -> Path:
    """Makes the environment unless it is there; raises CalledProcessError with pip's words on stderr."""
    ready = python_of(name)
    if ready is not None:
        return ready
    folder = environment(name)
    print(f"preparing {folder.name}", file=sys.stderr)
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    subprocess.run([base if base.exists() else sys.executable, "-m", "venv", "--clear", folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--upgrade", "pip"], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", *REQUIREMENTS[name]], check=True)
    (folder / "complete").touch()
    return python


def call(name: str, script: str, *arguments: str | Path) -> dict[str, Any]:
    """Runs one of this folder's scripts in the peer's environment; its last line is the answer, as JSON."""
    command = [prepare(name), HERE / script, *map(str, arguments)]
    # The peers must not see our package, nor user settings of Python.
    clean = {key: value for key, value in unsanitized().items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=clean)
    return json.loads(done.stdout.strip().splitlines()[-1])
