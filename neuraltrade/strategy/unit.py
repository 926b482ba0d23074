"""What a strategy becomes on its way to machine code: trees, and everything they refer to by name."""

from __future__ import annotations

import ast
import numbers
from dataclasses import dataclass, field
from typing import Any

from .handle import Handle


@dataclass
class Unit:
    """What a strategy becomes: trees by function name, the constants they refer to, texts and symbols they name."""

    attributes: dict[str, tuple[str, Any]]
    """NAME of self -> ("int" ..., parameter index), ("constant", value), ("handle", value) or ("none", reason)."""
    methods: dict[str, Any]
    functions: dict[Any, str] = field(default_factory=dict)
    trees: dict[str, ast.FunctionDef] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    parameter_count: int = 0
    needs_times: bool = False
    over_ticks: bool = False

    def place(self, file: str, line: int) -> int:
        """File and line as one number: what compiled code notes before it may raise."""
        if file not in self.places:
            self.places.append(file)
        return self.places.index(file) << 32 | line

    def constant(self, value: Any) -> str:
        """Name of a module-level constant of the generated code that holds `value`."""
        for name, known in self.constants.items():
            if type(known) is type(value) and repr(known) == repr(value):
                return name
        name = f"__nt_constant_{len(self.constants)}"
        self.constants[name] = value
        return name

    def lines(self, name: str) -> dict[str, Any]:
        """Handles by line of `self.NAME`, an indicator of several; empty for one line or a plain tuple."""
        value = self.attributes[name][1]
        return {} if isinstance(value, Handle) or not hasattr(value, "_asdict") else value._asdict()

    def text(self, text: str) -> int:
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text)

    def first_slot(self) -> int:
        """Parameter index that will hold the slot of the run's first symbol: above 0 where several strategies run."""
        return self.symbol_slot("")

    def symbol_slot(self, symbol: str) -> int:
        """Parameter index that will hold the slot of that symbol (-1 where the data has none)."""
        if symbol not in self.symbols:
            self.symbols.append(symbol)
        return self.parameter_count + self.symbols.index(symbol)


def is_numbers(value: Any) -> bool:
    """Whether it is a tuple or list of numbers, or of such tuples."""
    if not isinstance(value, (tuple, list)) or not value:
        return False
    return all(isinstance(v, numbers.Real) for v in value) or all(is_numbers(v) for v in value)


def one_type(values: Any) -> tuple[Any, ...]:
    """A tuple that can be indexed by a variable: all integers, or all floats."""
    if not isinstance(values[0], numbers.Real):
        return tuple(one_type(v) for v in values)
    if all(isinstance(v, numbers.Integral) for v in values):
        return tuple(int(v) for v in values)
    return tuple(float(v) for v in values)
