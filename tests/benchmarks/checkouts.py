"""What a change gained is seen beside the commit before it, on the same servers and in the same minutes.

`BENCH_BEFORE` names another checkout of this repository, with a `.venv` of its own. Its four processes are
started with its interpreter and its code; servers and load are those of this checkout.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
BEFORE = "BENCH_BEFORE"
HOW_TO_GET_BEFORE = (
    "Without the commit before. For its rows: `git worktree add FOLDER COMMIT`, then `make .venv/.complete` "
    f"in FOLDER, and `{BEFORE}=FOLDER make bench` here."
)


@dataclass(frozen=True)
class Checkout:
    """A folder with the code of the system, and the interpreter that has its dependencies."""

    name: str
    folder: Path
    python: str


THIS = Checkout("this checkout", REPOSITORY, sys.executable)


def checkout_before() -> Checkout | None:
    """The one that `BENCH_BEFORE` names; None without it. Raises RuntimeError if nothing can run there."""
    given = os.environ.get(BEFORE)
    if not given:
        return None
    folder = Path(given).resolve()
    python = folder / ".venv" / "bin" / "python"
    if not python.exists():
        raise RuntimeError(f"{BEFORE}: {python} does not exist; run `make .venv/.complete` in {folder}")
    return Checkout(f"before ({_commit(folder)})", folder, str(python))


def _commit(folder: Path) -> str:
    answer = subprocess.run(
        ["git", "-C", str(folder), "rev-parse", "--short=8", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout.strip()
