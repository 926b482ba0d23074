"""How the native core was built, and whether this CPU can run it. Built for the baseline so that it runs anywhere."""

cdef extern from "nt_build.h":
    const char* NT_BUILD_MARCH
    const char* NT_BUILD_COMPILER
    const char* NT_BUILD_FEATURES
    const char* NT_BUILD_USEARCH
    int NT_BUILD_SANITIZE
    int NT_BUILD_DEBUG
    int NT_BUILD_CHECK

cdef extern from *:
    """
    #include "nt_build.h"
    #include <string.h>
    #if defined(__x86_64__)
    #define NT_CHECK(feature) if (strcmp(name, feature) == 0) return __builtin_cpu_supports(feature) != 0;
    static int nt_cpu_has(const char *name) { __builtin_cpu_init(); NT_BUILD_EACH_FEATURE(NT_CHECK) return 0; }
    #else
    static int nt_cpu_has(const char *name) { (void)name; return 0; }
    #endif
    """
    int nt_cpu_has(const char* name) noexcept nogil


def build_info() -> dict:
    """How the core was compiled: march, compiler, features it may use, sanitizers, debug checks, balance checks, USearch version."""
    return {
        "march": NT_BUILD_MARCH.decode(),
        "compiler": NT_BUILD_COMPILER.decode(),
        "features": NT_BUILD_FEATURES.decode().split(),
        "sanitize": bool(NT_BUILD_SANITIZE),
        "debug": bool(NT_BUILD_DEBUG),
        "check": bool(NT_BUILD_CHECK),
        "usearch": NT_BUILD_USEARCH.decode(),
    }


def has(str feature) -> bool:
    """Whether this CPU has `feature` (gcc's names: "avx2", "avx512f" ...); False for names the build does not know."""
    return nt_cpu_has(feature.encode()) != 0


def missing() -> list:
    """Features that the core was compiled with and this CPU lacks; empty where the core can run."""
    return [feature for feature in build_info()["features"] if not has(feature)]
