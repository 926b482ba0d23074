"""The native core: thin Cython over csrc/. Importing it checks that this CPU can run what the compiler emitted."""

from . import cpu

_missing = cpu.missing()
if _missing:
    raise ImportError(
        f"neuraltrade was built with -march={cpu.build_info()['march']} and this CPU lacks {', '.join(_missing)}: "
        "install a wheel, or rebuild here with NEURALTRADE_MARCH=x86-64-v3 (or x86-64-v2) in the environment"
    )
