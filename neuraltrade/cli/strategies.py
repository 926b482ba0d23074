"""Names of strategies on the command line."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import InputError
from ..strategy import Strategy, library
from .inputs import parameters


def known() -> dict[str, type[Strategy]]:
    """Strategies of the library by their names on the command line: SmaCross is sma_cross."""
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): getattr(library, name) for name in library.__all__}


def find(name: str) -> type[Strategy]:
    """A strategy of the library, or `file.py:Class`, or `package.module:Class`; the latter two import that code."""
    place, colon, attribute = name.rpartition(":")
    if not colon:
        names = known()
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(
                f"--strategy must be one of {', '.join(sorted(names))}, or file.py:Class, was {name!r}{hint}"
            )
        return names[name]
    found = getattr(module(place), attribute, None)
    if not (isinstance(found, type) and issubclass(found, Strategy)):
        raise InputError(f"--strategy: {place} has no nt.Strategy named {attribute!r}")
    return found


def chosen(spec: str, given: Mapping[str, Any]) -> type[Strategy] | Strategy:
    """What `momentum` or `momentum(lookback=60, max_fraction=0.5)` says; `given` : parameters of the former."""
    name, bracket, rest = spec.strip().partition("(")
    kind = find(name.strip())
    if not bracket:
        return kind(**given) if given else kind
    if given:
        raise InputError(f"--param: the parameters of {spec!r} are in its brackets")
    if not rest.endswith(")"):
        raise InputError(f"--strategy must look like name or name(parameter=value, ...), was {spec!r}")
    pairs = [pair.strip() for pair in rest[:-1].split(",") if pair.strip()]
    return kind(**parameters(pairs, "--strategy: a parameter")) if pairs else kind


def module(place: str) -> ModuleType:
    """The module in a file or of that dotted name."""
    if not place.endswith(".py"):
        try:
            return importlib.import_module(place)
        except ModuleNotFoundError as error:
            raise InputError(f"--strategy: no module {place!r} ({error})") from error
    if not Path(place).is_file():
        raise InputError(f"--strategy: no file {place!r}")
    spec = importlib.util.spec_from_file_location(Path(place).stem, place)
    if spec is None or spec.loader is None:
        raise InputError(f"--strategy: {place!r} is not a Python file")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded  # compiling a strategy looks its module up
    try:
        spec.loader.exec_module(loaded)
    except SyntaxError as error:
        raise InputError(f"--strategy: {place}:{error.lineno}: {error.msg}") from error
    return loaded
