#!/bin/sh
# Creates or updates .venv with an installed Python and the locked packages. It downloads no interpreter.
# PYTHON=/path/to/python chooses one; otherwise it takes the first of the names below that is 3.11 or newer.
set -eu

names=${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}

fail() {
    echo "make: $1" >&2
    exit 1
}

find_python() {
    for name in $names; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$(find_python)
    [ -n "$python" ] || fail "Python 3.11 or newer is needed; not found under these names: $names. Set PYTHON=/path/to/python"
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "$python has no venv or ensurepip module; install it (on Debian or Ubuntu: apt-get install python3-venv)"
    echo "Creating .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
fi

wanted=$(sed -n 's/^uv==\([0-9.]*\).*/uv \1/p' deploy/local/uv.txt)
case "$(.venv/bin/uv --version 2>/dev/null || true)" in
"$wanted"*) ;;
*)
    echo "Installing $wanted"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary=:all: --require-hashes \
        -r deploy/local/uv.txt || fail "$wanted could not be installed (see above)"
    ;;
esac

echo "Installing the locked packages"
UV_PYTHON_DOWNLOADS=never .venv/bin/uv sync --locked --inexact --python .venv/bin/python ||
    fail "the locked packages could not be installed (see above)"
touch .venv/.complete
