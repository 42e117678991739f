"""Prepares Python code for an image: only what is needed at run time, compiled, and the same in each build.

Run while an image is built: `python compiled.py FOLDER PATH_IN_THE_IMAGE`. A process may not write beside its
code, so what is not compiled here would be compiled at each start. The compiled files name no time of day
(PEP 552): from the same source come the same bytes, and a layer that did not change stays the same layer.
"""

import compileall
import os
import shutil
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

# Sources of extension modules, stubs, and tests that packages bring along.
_SOURCES = {".c", ".h", ".hpp", ".cpp", ".pyx", ".pxd", ".pxi", ".pyi", ".a", ".bat"}
_TESTS = {"tests", "test", "_testbase"}
# What tools leave in a virtual environment; one of them, a lock, can be written by everybody.
_LEFT_BEHIND = {".lock", ".gitignore", "CACHEDIR.TAG", "_virtualenv.py", "_virtualenv.pth"}


def prepare(folder: Path, path_in_image: str) -> None:
    """Removes and compiles; `path_in_image` is what a traceback says."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_symlink():
            continue
        if path.is_dir():
            if path.name in _TESTS:
                shutil.rmtree(path)
        elif path.suffix in _SOURCES or path.name in _LEFT_BEHIND or _is_script(path, folder):
            path.unlink()
        else:
            path.chmod(0o755 if os.access(path, os.X_OK) else 0o644)
    done = compileall.compile_dir(
        folder, quiet=1, force=True, workers=0, maxlevels=50,
        stripdir=str(folder), prependdir=path_in_image, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )  # fmt: skip
    if not done:
        sys.exit(f"not all of {folder} could be compiled")


def _is_script(path: Path, folder: Path) -> bool:
    """Start scripts and activate scripts: the images start modules."""
    return path.parent == folder / "bin"


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), sys.argv[2])
