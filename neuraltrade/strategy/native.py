"""Machine code of compiled strategies: made by numba once, kept as an object file, loaded by LLVM alone ever after.

A cached object is position-independent code without a single outside symbol: intrinsics reach the engine through the
context they are given. Its name is a BLAKE3 hash of everything that decided its bytes (the translated tree with its
line numbers, versions, CPU), its first bytes are a hash of the rest, so a damaged file is compiled again, never run.
The folder is NEURALTRADE_CACHE_DIR, else `neuraltrade` below XDG_CACHE_HOME or ~/.cache; where it cannot be written,
or others could write to it, nothing is kept.
"""

from __future__ import annotations

import ast
import ctypes
import logging
import os
import pickle
import platform
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import blake3
import numpy as np

from ..core.layouts import API_NAMES, CONTEXT_DTYPE
from ..errors import CompileError, StrategyError
from .unit import Unit

_ENTRY = "nt_strategy_entry"
_MAGIC = b"NTOBJ001"
_HASH_BYTES = 32
_INTRINSICS = (
    *("at", "value", "previous", "crossed_above", "crossed_below", "state_get", "state_set"),
    *("ago_ts_ns", "close_position", "target", "cancel", "cancel_all", "halt", "is_active", "signal", "similar"),
)
_ORDERS = ("trade", "order", "trailing_stop", "modify", "oco")
_TICKS = ("depth_price", "depth_size", "queue_ahead")
_ARITHMETIC = (
    *("add", "subtract", "multiply"),
    *("true_divide", "to_int", "floor", "ceil", "round_half_even", "sqrt", "square", "minimum", "maximum"),
    *("shift_right", "bound", "order_of"),
    *("among", "past_bar"),
)
_LOADED_MAX = 256
_log = logging.getLogger("neuraltrade.strategy")


class NativeCode:
    """A strategy as a C function `int64_t (nt_context *, void *user)`; `user` is where a raised exception is left."""

    def __init__(self, machine: Any, from_cache: bool) -> None:
        self._machine = machine  # owns the code
        self.from_cache = from_cache
        self.address: int = machine.get_function_address(_ENTRY)


_loaded: dict[str, NativeCode] = {}  # by key, oldest first; a run keeps its own alive


class _ExceptionInfo(ctypes.Structure):
    """numba's excinfo_t, as far as it concerns exceptions with constant arguments."""

    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_int32))


class Failure:
    """Where compiled code leaves the exception it raised, and its place: pass `address` as the strategy's `user`."""

    def __init__(self, files: Sequence[str] = (), entry: str = "on_bar") -> None:
        self._files = tuple(files)
        self._entry = entry
        self._slot = np.zeros(2, np.uint64)
        self.address: int = self._slot.ctypes.data

    def explain(self, error: StrategyError) -> StrategyError:
        """`error` with the exception that compiled code raised, and the user's line, as message and cause."""
        pointer = int(self._slot[0])
        if pointer == 0:
            return error
        info = _ExceptionInfo.from_address(pointer)
        kind, arguments, _ = pickle.loads(ctypes.string_at(info.data, info.size))  # bytes of our own object code
        cause = kind(*(arguments or ()))
        file, line = divmod(int(self._slot[1]), 1 << 32)
        at = f"{self._files[file]}:{line}: " if line else ""
        explained = StrategyError(
            f"{at}{kind.__name__}: {cause} ({self._entry} at bar {error.bar})", bar=error.bar, ts_ns=error.ts_ns
        )
        explained.__cause__ = cause
        return explained


def native_code(unit: Unit, entry: str) -> NativeCode:
    """The machine code of `unit`, from the cache or compiled now. Raises CompileError with the user's line."""
    import llvmlite.binding as llvm  # noqa: PLC0415  (0.06 s, only for compiled strategies)

    key = _key(unit, llvm)
    if key in _loaded:
        return _loaded[key]
    path = _cache_path(key)
    code = _read(path) if path is not None else None
    from_cache = code is not None
    if code is None:
        code = _compile(unit, entry)
        if path is not None:
            _write(path, code)
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple().create_target_machine(codemodel="jitdefault", jit=True)
    machine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target)
    machine.add_object_file(llvm.ObjectFileRef.from_data(code))
    machine.finalize_object()
    if len(_loaded) >= _LOADED_MAX:
        _loaded.pop(next(iter(_loaded)))
    _loaded[key] = NativeCode(machine, from_cache)
    return _loaded[key]


# ---- the cache ----------------------------------------------------------------------------------------------------


def _key(unit: Unit, llvm: Any) -> str:
    digest = blake3.blake3(_environment(llvm))
    for name, tree in unit.trees.items():
        digest.update(f"{name}\0{unit.files[name]}\0{ast.dump(tree, include_attributes=True)}\0".encode())
    digest.update(repr(sorted(unit.constants.items())).encode())
    return digest.hexdigest()


@cache
def _environment(llvm: Any) -> bytes:
    """Everything besides the strategy that decides the bytes of its object code."""
    from importlib import metadata  # noqa: PLC0415  (a tenth of what the first run imports, and only for compiling)

    here = Path(__file__).parent
    own = [
        blake3.blake3((here / name).read_bytes()).hexdigest()
        for name in ("intrinsics.py", "order_intrinsics.py", "tick_intrinsics.py", "arithmetic.py", "native.py")
    ]
    versions = [metadata.version("numba"), metadata.version("llvmlite"), platform.python_version(), np.__version__]
    features = llvm.get_host_cpu_features().flatten()
    layout = [CONTEXT_DTYPE.descr, API_NAMES]
    return repr([own, versions, llvm.get_default_triple(), llvm.get_host_cpu_name(), features, layout]).encode()


def cache_directory() -> Path:
    """Where compiled strategies are kept."""
    given = os.environ.get("NEURALTRADE_CACHE_DIR")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "neuraltrade"


def _cache_path(key: str) -> Path | None:
    folder = cache_directory() / "strategies"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = folder.stat()
    except OSError as error:
        _log.warning("compiled strategies are not kept: %s", error)
        return None
    if found.st_uid != os.getuid() or found.st_mode & 0o022:
        _log.warning("compiled strategies are not kept: others can write to %s, and what lies there is run", folder)
        return None
    return folder / f"{key}.nto"


def _read(path: Path) -> bytes | None:
    """Object code of an intact file, else None."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.warning("compiled strategy not read: %s", error)
        return None
    head = len(_MAGIC) + _HASH_BYTES
    code = content[head:]
    if content[: len(_MAGIC)] != _MAGIC or content[len(_MAGIC) : head] != blake3.blake3(code).digest():
        _log.warning("%s is damaged: compiling again", path)
        return None
    return code


def _write(path: Path, code: bytes) -> None:
    """Put the file in place in one step, so that a reader sees all of it or nothing."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as scratch:
            scratch.write(_MAGIC + blake3.blake3(code).digest() + code)
        os.replace(scratch.name, path)
    except OSError as error:
        _log.warning("compiled strategy not kept: %s", error)


# ---- numba ----------------------------------------------------------------------------------------------------------


def _compile(unit: Unit, entry: str) -> bytes:
    """Object code of `unit`: the body as numba compiles it, inside a C function that keeps its exception."""
    from llvmlite import ir  # noqa: PLC0415
    from numba import types  # noqa: PLC0415
    from numba.core import compiler  # noqa: PLC0415
    from numba.core.compiler_lock import global_compiler_lock  # noqa: PLC0415
    from numba.core.errors import NumbaError  # noqa: PLC0415
    from numba.core.registry import cpu_target  # noqa: PLC0415

    typing_context, target = cpu_target.typing_context, cpu_target.target_context
    flags: Any = compiler.Flags()
    flags.nrt, flags.boundscheck, flags.error_model = False, True, "python"
    flags.no_cpython_wrapper, flags.no_cfunc_wrapper = True, True
    with global_compiler_lock:
        try:
            body = _functions(unit)[entry]
            typing_context.refresh()
            target.refresh()
            done = compiler.compile_extra(typing_context, target, body, (types.uintp, types.uintp), None, flags, {})
        except NumbaError as error:
            raise _translated(error, unit, entry) from error
        library = target.codegen().create_library(_ENTRY)
        module = library.create_ir_module(_ENTRY)
        word = ir.IntType(64)
        function = ir.Function(module, ir.FunctionType(word, [word, word]), _ENTRY)
        builder = ir.IRBuilder(function.append_basic_block())
        callee = target.declare_function(module, done.fndesc)
        status, _ = target.call_conv.call_function(
            builder, callee, done.signature.return_type, (types.uintp, types.uintp), list(function.args)
        )
        with builder.if_then(status.is_error, likely=False):
            slot = builder.inttoptr(function.args[1], status.excinfoptr.type.as_pointer())
            builder.store(status.excinfoptr, slot)
            builder.ret(ir.Constant(word, 1))
        builder.ret(ir.Constant(word, 0))
        library.enable_object_caching()
        library.add_ir_module(module)
        library.add_linking_library(done.library)
        library.finalize()
        library.get_pointer_to_function(_ENTRY)
        return bytes(library._get_compiled_object())


def _functions(unit: Unit) -> dict[str, Any]:
    """The generated functions by name: the entry bare, helpers as numba dispatchers in its globals."""
    from numba import njit  # noqa: PLC0415

    from . import arithmetic  # noqa: PLC0415

    namespace = {"__name__": "neuraltrade.strategy.generated", **_runtime(), **unit.constants}
    for name, tree in unit.trees.items():
        exec(compile(ast.Module([tree], []), unit.files[name], "exec"), namespace)
        bare = namespace[name]
        namespace[name] = njit(**arithmetic.OPTIONS)(bare)
    return {**namespace, name: bare}


@cache
def _runtime() -> dict[str, Any]:
    """Names that translated code may use."""
    import math  # noqa: PLC0415

    from . import arithmetic, intrinsics, order_intrinsics, tick_intrinsics  # noqa: PLC0415

    named = {**intrinsics.SCALARS, **tick_intrinsics.SCALARS, **intrinsics.MATHEMATICS}
    named |= {f"ago_{name}": load for name, load in intrinsics.AGO.items()}
    named |= {f"parameter_{kind}": load for kind, load in intrinsics.PARAMETERS.items()}
    named |= {name: getattr(intrinsics, name) for name in _INTRINSICS}
    named |= {name: getattr(order_intrinsics, name) for name in _ORDERS}
    named |= {name: getattr(tick_intrinsics, name) for name in _TICKS}
    named |= {name: getattr(arithmetic, name) for name in _ARITHMETIC}
    named |= {f"math_{name}": getattr(math, name) for name in ("fabs", "isnan", "isinf", "isfinite", "copysign")}
    return {f"__nt_{name}": value for name, value in named.items()}


def _translated(error: Any, unit: Unit, entry: str) -> CompileError:
    """numba's complaint as one line that starts with the user's file and line."""
    loc = getattr(error, "loc", None)
    files = set(unit.files.values())
    if loc is not None and loc.filename in files:
        where = f"{loc.filename}:{loc.line}"
    else:
        where = f"{unit.files[entry]}:{unit.trees[entry].lineno}"
    lines = [
        line.strip().removeprefix("TypingError: ")
        for line in str(getattr(error, "msg", error)).splitlines()
        if line.strip()
    ]
    telling = next(
        (line for line in lines if line.startswith(("ctx.", "math.", "Cannot unify"))), lines[0] if lines else ""
    )
    if "getitem" in telling:
        return CompileError(
            f"{where}: cannot be compiled: an index into what is no tuple of one type, or an index that is no integer; "
            "make all values of the tuple floats, and the index an int"
        )
    return CompileError(
        f"{where}: cannot be compiled: {telling}; use numbers, bools, tuples and calls of ctx, "
        "each name with one type throughout"
    )
