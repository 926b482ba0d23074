# Set-up shared by tools/demo and tools/test: find Python and the compilers, keep .venv, build and install the package.
# Sourced by POSIX sh with ROOT set. pip is used with whatever configuration and environment the caller has.

VENV="$ROOT/.venv"
PYTHON_NEEDED="3.11"

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$1" >&2
    exit 1
}

# What hinders this Python, in words that name the Debian package; nothing where it will do.
python_problem() {
    found=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2], int(sys.version_info >= (3, 11)))' 2>/dev/null) || {
        echo "no working Python $PYTHON_NEEDED or newer found: install the package python3"
        return
    }
    case "$found" in
        *" 0") echo "Python ${found% *} is too old, $PYTHON_NEEDED or newer is needed: install the package python3 of Debian 12 or later" ;;
        *)
            "$1" -c 'import os, sys, sysconfig; sys.exit(not os.path.isfile(os.path.join(sysconfig.get_path("include"), "Python.h")))' \
                || { echo "the headers of Python ${found% *} are missing: install the package $(basename "$1")-dev"; return; }
            "$1" -c 'import ensurepip, venv' 2>/dev/null \
                || echo "the venv module of Python ${found% *} is missing: install the package $(basename "$1")-venv"
            ;;
    esac
}

# Sets PYTHON to the first Python that will do; ends with the problem of the most usual one otherwise.
find_python() {
    first_problem=""
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        problem=$(python_problem "$candidate")
        if [ -z "$problem" ]; then
            PYTHON="$candidate"
            return
        fi
        case "$first_problem" in "" | "no working"*) first_problem="$problem" ;; esac
    done
    fail "$first_problem"
}

# Both compilers, with the C and C++ headers they need.
check_compilers() {
    # CC may be a command with arguments, "ccache gcc".
    # shellcheck disable=SC2086
    set -- ${CC:-gcc}
    command -v "$1" >/dev/null 2>&1 || fail "no C compiler ($1): install the package gcc"
    echo '#include <stdint.h>' | ${CC:-gcc} -fsyntax-only -xc - 2>/dev/null || fail "the C library's headers are missing: install the package libc6-dev"
    # shellcheck disable=SC2086
    set -- ${CXX:-g++}
    command -v "$1" >/dev/null 2>&1 || fail "no C++ compiler ($1): install the package g++"
    echo '#include <vector>' | ${CXX:-g++} -fsyntax-only -xc++ - 2>/dev/null || fail "the C++ library's headers are missing: install the package g++"
}

# Runs a command with its output in build/setup.log; prints what is done, how long it took, and the end of the log on failure.
step() {
    label=$1
    shift
    printf '%s ... ' "$label"
    began=$(date +%s)
    if "$@" >>"$ROOT/build/setup.log" 2>&1; then
        printf '%s s\n' "$(($(date +%s) - began))"
    else
        printf 'failed\n'
        grep -v '^WARNING: Location' "$ROOT/build/setup.log" | tail -n 25 >&2
        fail "$label failed; the whole output is in build/setup.log"
    fi
}

# One hash over everything that shapes the installed package: sources, build options, interpreter, CPU.
source_key() {
    {
        (cd "$ROOT" && find neuraltrade csrc third_party setup.py pyproject.toml README.md LICENSE -type f \
            ! -name '*.so' ! -path '*/__pycache__/*' -exec sha256sum {} + 2>/dev/null | sort)
        env | grep -E '^(NEURALTRADE_(MARCH|SANITIZE|DEBUG|CHECK|USEARCH_INCLUDE)|CC|CXX|CFLAGS|LDFLAGS)=' | sort
        "$VENV/bin/python" -VV
        grep -m1 '^flags' /proc/cpuinfo 2>/dev/null
    } | sha256sum | cut -c1-32
}

# A file that left the source must not travel on in build/lib; compiled objects stay for the next build.
drop_stale_build() {
    for built in "$ROOT"/build/lib*; do
        [ -d "$built" ] || continue
        find "$built" -type f ! -name '*.so' -exec rm -f {} +
        find "$built" -type f -name '*.so' | while read -r library; do
            module=${library#"$built"/}
            [ -f "$ROOT/${module%%.*}.pyi" ] || rm -f "$library"
        done
    done
}

# install_package EXTRA: .venv holds the package, built from these sources, with that extra ("report" or "test").
install_package() {
    mkdir -p "$ROOT/build"
    : >"$ROOT/build/setup.log"
    if ! "$VENV/bin/python" -c 'import pip' >/dev/null 2>&1; then
        find_python
        check_compilers
        rm -rf "$VENV"
        step "virtual environment in .venv ($("$PYTHON" --version))" "$PYTHON" -m venv "$VENV"
        step "newer pip" "$VENV/bin/python" -m pip install --upgrade pip
    fi
    "$VENV/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
        || fail ".venv holds $("$VENV/bin/python" --version), $PYTHON_NEEDED or newer is needed: remove it and run this again"
    key=$(source_key)
    [ "$(cat "$VENV/neuraltrade-$1.key" 2>/dev/null)" = "$key" ] && return
    check_compilers
    drop_stale_build
    rm -f "$VENV"/neuraltrade-*.key
    step "build and installation with extra '$1' (a minute or two)" "$VENV/bin/python" -m pip install "$ROOT[$1]"
    echo "$key" >"$VENV/neuraltrade-$1.key"
    # The test extra holds the report extra.
    [ "$1" != test ] || echo "$key" >"$VENV/neuraltrade-report.key"
}

# Only the installed package may be imported: the source tree has the same name and no compiled modules.
use_installed_package() {
    unset PYTHONPATH
    PYTHONSAFEPATH=1
    export PYTHONSAFEPATH
}
