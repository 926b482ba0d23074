"""Build of the native core: C libraries from csrc/, one C++ shim over USearch, and a thin Cython module per idea.

Environment
-----------
NEURALTRADE_MARCH            -march of the core, default "native"; wheels use "x86-64-v3". Recorded, checked at import.
NEURALTRADE_SANITIZE=1       AddressSanitizer and UndefinedBehaviorSanitizer, -O1 (-O0 what Cython wrote).
NEURALTRADE_DEBUG=1          bounds checks on, the ledger balance asserted on every event, -Og.
NEURALTRADE_CHECK=1           the ledger's balance is taken on every event and a run that is out of it fails.
NEURALTRADE_STRICT=1         warnings in our C and C++ are errors.
NEURALTRADE_USEARCH_INCLUDE  folder holding usearch/index.hpp, for machines without a registry.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_clib import build_clib
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
CSRC = ROOT / "csrc"
BUILD = ROOT / "build"

USEARCH_VERSION = "2.26.6"
USEARCH_SHA256 = "eefb8dc019ad5a184f6089b22f20b91b3961720e504e97ba2718ad62ed65674b"
USEARCH_HEADERS = ("index.hpp", "index_dense.hpp", "index_plugins.hpp")
USEARCH_VENDORED = ROOT / "third_party"  # present in our sdist only, never in git

MARCH = os.environ.get("NEURALTRADE_MARCH", "native")
SANITIZE = os.environ.get("NEURALTRADE_SANITIZE", "") not in ("", "0")
DEBUG = os.environ.get("NEURALTRADE_DEBUG", "") not in ("", "0")
CHECK = os.environ.get("NEURALTRADE_CHECK", "") not in ("", "0")
STRICT = ["-Werror"] if os.environ.get("NEURALTRADE_STRICT", "") not in ("", "0") else []

# What one instruction set's kernels need, beyond the core's own -march. Each stands in files of its own
# (nt_*_avx2.c), reached only through the table chosen at import.
KERNEL_FLAGS = {
    "avx2": ["-mavx2", "-mfma", "-mbmi", "-mbmi2", "-mpopcnt"],
    "avx512": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512vnni", "-mavx512vpopcntdq", "-mavx2",
               "-mfma", "-mbmi", "-mbmi2", "-mpopcnt"],
}  # fmt: skip
# Macros of gcc that mean "the compiler may emit this", with the name __builtin_cpu_supports knows it by.
CPU_FEATURES = {
    "__SSE4_2__": "sse4.2", "__POPCNT__": "popcnt", "__AVX__": "avx", "__AVX2__": "avx2", "__FMA__": "fma",
    "__BMI__": "bmi", "__BMI2__": "bmi2", "__AVX512F__": "avx512f", "__AVX512BW__": "avx512bw",
    "__AVX512DQ__": "avx512dq", "__AVX512VL__": "avx512vl", "__AVX512VNNI__": "avx512vnni",
    "__AVX512VPOPCNTDQ__": "avx512vpopcntdq", "__AVX512VBMI__": "avx512vbmi", "__AVX512BF16__": "avx512bf16",
}  # fmt: skip


def compiler() -> list[str]:
    """The C compiler as a command, or an error that names the package to install."""
    command = os.environ.get("CC", "gcc").split()
    for name, package in ((command[0], "gcc"), (os.environ.get("CXX", "g++").split()[0], "g++")):
        if shutil.which(name) is None:
            sys.exit(
                f"neuraltrade: no compiler {name}; install the package {package} (Debian: apt-get install {package})"
            )
    return command


def base_flags() -> list[str]:
    """Flags of everything but the import-time CPU check. Contraction is off: a fused multiply-add rounds once
    where the reference rounds twice, and digests must agree between builds."""
    flags = ["-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra", "-fvisibility=hidden", "-g1"]
    if CHECK:
        flags.append("-DNT_CHECK_BALANCE=1")
    if SANITIZE:
        return [*flags, "-O1", "-fno-omit-frame-pointer", *SANITIZERS, "-fno-sanitize-recover=undefined"]
    if DEBUG:
        return [*flags, "-Og", "-DNT_DEBUG=1"]
    return [*flags, "-O3", "-fno-semantic-interposition"]


SANITIZERS = ["-fsanitize=address,undefined"]
HARDENING = [] if SANITIZE or DEBUG else ["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong"]
LINK_FLAGS = SANITIZERS if SANITIZE else []


# Cython's own code for memory views and the like, compiled once instead of in every module that uses it.
SHARED_BY_CYTHON = "neuraltrade.core._cyutility"
CORES = len(os.sched_getaffinity(0))


def march_flags() -> list[str]:
    return [f"-march={MARCH}"] if platform.machine() in ("x86_64", "AMD64") else []


def emitted_features() -> list[str]:
    """CPU features that code compiled with our -march may use."""
    command = [*compiler(), *march_flags(), "-dM", "-E", "-x", "c", os.devnull]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1]
        sys.exit(f"neuraltrade: the compiler refuses -march={MARCH} (NEURALTRADE_MARCH): {reason}")
    macros = {line.split()[1] for line in done.stdout.splitlines()}
    return [name for macro, name in CPU_FEATURES.items() if macro in macros]


def write_build_header() -> Path:
    """build/generated/nt_build.h: how this build was made, compiled into neuraltrade.core.cpu."""
    command = [*compiler(), "-dumpfullversion"]
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    features = emitted_features()
    text = (
        "/* Written by setup.py. */\n"
        f'#define NT_BUILD_MARCH "{MARCH}"\n'
        f'#define NT_BUILD_COMPILER "{Path(compiler()[-1]).name} {version}"\n'
        f"#define NT_BUILD_SANITIZE {int(SANITIZE)}\n"
        f"#define NT_BUILD_DEBUG {int(DEBUG)}\n"
        f"#define NT_BUILD_CHECK {int(CHECK)}\n"
        f'#define NT_BUILD_USEARCH "{USEARCH_VERSION}"\n'
        f'#define NT_BUILD_FEATURES "{" ".join(features)}"\n'
        "/* clang-format off */\n#define NT_BUILD_EACH_FEATURE(X) "
        + " ".join(f'X("{name}")' for name in CPU_FEATURES.values())
        + "\n"
    )
    path = BUILD / "generated" / "nt_build.h"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
    return path


def usearch_include() -> Path:
    """Folder with usearch/index.hpp: given, carried by our sdist, unpacked earlier, or fetched and verified now."""
    given = os.environ.get("NEURALTRADE_USEARCH_INCLUDE")
    if given:
        if not (Path(given) / "usearch" / "index.hpp").is_file():
            sys.exit(f"neuraltrade: NEURALTRADE_USEARCH_INCLUDE={given} holds no usearch/index.hpp")
        return Path(given)
    for folder in (USEARCH_VENDORED, BUILD / f"usearch-{USEARCH_VERSION}"):
        if (folder / "usearch" / "index.hpp").is_file():
            return folder
    return fetch_usearch(BUILD / f"usearch-{USEARCH_VERSION}")


def fetch_usearch(target: Path) -> Path:
    """Download the pinned source archive with pip, check its SHA-256, unpack headers and licence into `target`."""
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "usearch",
                   f"usearch=={USEARCH_VERSION}", "-d", scratch]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        archive = Path(scratch) / f"usearch-{USEARCH_VERSION}.tar.gz"
        if not archive.is_file():
            sys.exit(
                f"neuraltrade: pip could not fetch the source archive of usearch {USEARCH_VERSION} "
                f"(set NEURALTRADE_USEARCH_INCLUDE to a folder with usearch/index.hpp to build without a registry): "
                f"{(done.stderr.strip().splitlines() or ['no output'])[-1]}"
            )
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != USEARCH_SHA256:
            sys.exit(f"neuraltrade: usearch-{USEARCH_VERSION}.tar.gz has SHA-256 {digest}, expected {USEARCH_SHA256}")
        unpacked = Path(scratch) / "usearch-headers"
        (unpacked / "usearch").mkdir(parents=True)
        prefix = f"usearch-{USEARCH_VERSION}/"
        with tarfile.open(archive) as tar:
            wanted = {f"{prefix}include/usearch/{name}": unpacked / "usearch" / name for name in USEARCH_HEADERS}
            wanted[f"{prefix}LICENSE"] = unpacked / "usearch" / "LICENSE"
            for member, path in wanted.items():
                source = tar.extractfile(member)
                if source is None:
                    sys.exit(f"neuraltrade: usearch-{USEARCH_VERSION}.tar.gz has no {member}")
                path.write_bytes(source.read())
        shutil.rmtree(target, ignore_errors=True)
        unpacked.rename(target)
    return target


def c_libraries() -> list[tuple[str, dict[str, object]]]:
    """One static library per instruction set, the C++ shim apart. Order is link order: users before used."""
    sources = sorted(p.relative_to(ROOT).as_posix() for p in CSRC.glob("*.c"))
    headers = sorted(p.relative_to(ROOT).as_posix() for p in CSRC.glob("*.h*"))
    kernels = {isa: [s for s in sources if s.endswith(f"_{isa}.c")] for isa in KERNEL_FLAGS}
    if platform.machine() not in ("x86_64", "AMD64"):
        kernels = {}
    core = [s for s in sources if not s.endswith(tuple(f"_{isa}.c" for isa in KERNEL_FLAGS))]
    common = [*base_flags(), *STRICT]
    shared = {"include_dirs": ["csrc", "build/generated"], "obj_deps": {"": headers}}
    strict = ["-std=gnu11", "-Werror=implicit-function-declaration", "-Werror=return-type"]
    libraries = []
    cpp = sorted(p.relative_to(ROOT).as_posix() for p in CSRC.glob("*.cpp"))
    if cpp:
        include = ["csrc", "build/generated", str(usearch_include())]
        usearch = ["-DUSEARCH_USE_NUMKONG=0", "-DUSEARCH_USE_OPENMP=0", "-Wno-unused-parameter"]
        flags = [*common, *HARDENING, *march_flags(), "-std=c++17", *usearch]
        libraries.append(("ntcpp", {**shared, "sources": cpp, "include_dirs": include, "cflags": flags}))
    if core:
        flags = [*common, *HARDENING, *march_flags(), *strict]
        libraries.append(("ntcore", {**shared, "sources": core, "cflags": flags}))
    for isa, files in kernels.items():
        if files:
            flags = [*common, *KERNEL_FLAGS[isa], *strict]
            libraries.append((f"nt{isa}", {**shared, "sources": files, "cflags": flags}))
    return libraries


def wrapper_flags(march: list[str]) -> list[str]:
    """Flags of what Cython wrote. What takes time stands in csrc; here -O3 gains nothing and compiles 20% longer."""
    optimised = ["-O0"] if SANITIZE else [] if DEBUG else ["-O2"]
    return [*base_flags(), *optimised, *HARDENING, *march, "-Wno-unused-parameter", "-Wno-sign-compare"]


def extensions(libraries: list[tuple[str, dict[str, object]]]) -> list[Extension]:
    """One extension per .pyx, linked against the static libraries, and what Cython shares between them."""
    depends = [p.relative_to(ROOT).as_posix() for p in sorted(CSRC.iterdir()) if p.is_file()]
    names = [name for name, _ in libraries]
    found = []
    for pyx in sorted((ROOT / "neuraltrade").rglob("*.pyx")):
        relative = pyx.relative_to(ROOT)
        is_cpu = relative.stem == "cpu"
        # The CPU check itself must run on any machine, so it is built for the baseline and links nothing of ours.
        march = [] if is_cpu else march_flags()
        flags = wrapper_flags(march)
        found.append(
            Extension(
                ".".join(relative.with_suffix("").parts),
                [relative.as_posix()],
                include_dirs=["csrc", "build/generated"],
                libraries=[] if is_cpu else [*names, "stdc++", "m"],
                depends=[] if is_cpu else depends,
                extra_compile_args=flags,
                extra_link_args=LINK_FLAGS,
                define_macros=[("CYTHON_USE_TYPE_SPECS", "0")],
            )
        )
    shared = f"{SHARED_BY_CYTHON.replace('.', '/')}.c"  # written into the build folder
    flags = wrapper_flags([])  # for the baseline: the CPU check imports it
    found.append(Extension(SHARED_BY_CYTHON, [shared], extra_compile_args=flags, extra_link_args=LINK_FLAGS))
    return found


class BuildExtensions(build_ext):
    """Cython, after the libraries: `build_ext --inplace` alone must work."""

    def finalize_options(self) -> None:
        from Cython.Build import cythonize  # noqa: PLC0415  (a build requirement, absent when only metadata is read)

        if self.distribution.ext_modules:
            self.distribution.ext_modules = cythonize(
                self.distribution.ext_modules,
                build_dir=str(BUILD / "cython"),
                compiler_directives={
                    "language_level": 3, "boundscheck": DEBUG, "wraparound": False, "cdivision": True,
                    "initializedcheck": False, "embedsignature": True, "warn.undeclared": False,
                },
                show_all_warnings=False,
                include_path=["."],
                nthreads=CORES if CORES > 1 else 0,
                shared_utility_qualified_name=SHARED_BY_CYTHON,
            )  # fmt: skip
        super().finalize_options()
        if self.parallel is None:
            self.parallel = CORES

    def run(self) -> None:
        write_build_header()
        if self.distribution.has_c_libraries():
            self.run_command("build_clib")
        super().run()


class BuildLibraries(build_clib):
    """The libraries' files side by side; setuptools alone compiles one after the other."""

    def build_libraries(self, libraries: list[tuple[str, dict[str, object]]]) -> None:
        compile_some = self.compiler.compile

        def compile_all(sources: list[str], **options: object) -> list[str]:
            with ThreadPoolExecutor(CORES) as pool:
                objects = list(pool.map(lambda source: compile_some([source], **options), sources))
            return [name for found in objects for name in found]

        self.compiler.compile = compile_all
        super().build_libraries(libraries)


class SourceDistribution(sdist):
    """The sdist carries the three USearch headers with their licence, so building from it downloads nothing."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        source = usearch_include() / "usearch"
        target = Path(base_dir) / "third_party" / "usearch"
        target.mkdir(parents=True, exist_ok=True)
        for name in (*USEARCH_HEADERS, "LICENSE"):
            if (source / name).is_file():
                shutil.copyfile(source / name, target / name)


def main() -> None:
    os.chdir(ROOT)
    compiling = {"build", "build_ext", "build_clib", "bdist_wheel", "install", "develop", "editable_wheel", "sdist"}
    libraries = c_libraries() if compiling & set(sys.argv) else []
    setup(
        libraries=libraries,
        ext_modules=extensions(libraries),
        cmdclass={"build_clib": BuildLibraries, "build_ext": BuildExtensions, "sdist": SourceDistribution},
    )


if __name__ == "__main__":
    main()
