"""Programs that only benchmarks need, from the system."""

import shutil


class MissingTool(RuntimeError):
    """A program is not installed; the text names it and how to get it."""


def require(program: str, package: str) -> str:
    """The path of a program. Raises `MissingTool`."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if path is None:
        raise MissingTool(f"{program} is not installed (Debian: apt-get install {package})")
    return path
