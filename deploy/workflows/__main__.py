"""`python -m deploy.workflows`: workflows are right and safe, forms have their shape, scripts are sound.

Exit code 0 if nothing is found, 1 otherwise. actionlint is no Python package: its path is in ACTIONLINT,
which `.ci/actionlint` sets, or it is on PATH. Without it a line says that it did not look.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.workflows.pins import unpinned
from shared.ops.program import end_with

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
# Schemas that check-jsonschema brings along -> the files that they describe.
SCHEMAS = {
    "vendor.github-workflows": "workflows/*.yml",
    "vendor.dependabot": "dependabot.yml",
    "vendor.github-issue-config": "ISSUE_TEMPLATE/config.yml",
    "vendor.github-issue-forms": "ISSUE_TEMPLATE/[!c]*.yml",
}


def main(root: Path = ROOT) -> int:
    """Runs all checks, also after one has found something."""
    folder = root / ".github"
    results = [
        *(_passes(f"check-jsonschema of {pattern}", command) for pattern, command in _of_shapes(folder)),
        _passes("zizmor", [PROGRAMS / "zizmor", "--offline", "--quiet", "--persona=pedantic", folder]),
        _passes("shellcheck", [PROGRAMS / "shellcheck", *shell_scripts(root)]),
        _actions_are_pinned(folder),
        _actionlint(folder),
    ]
    return 0 if all(results) else 1


def shell_scripts(root: Path) -> list[Path]:
    """All files that git knows and whose first line names a shell."""
    listed = subprocess.run(["git", "-C", root, "ls-files"], check=True, capture_output=True, text=True)
    files = [root / name for name in listed.stdout.splitlines()]
    return [file for file in files if file.is_file() and _first_line(file).endswith((b"bash", b"/sh"))]


def _first_line(file: Path) -> bytes:
    with file.open("rb") as lines:
        first = lines.readline(100).strip()
    return first if first.startswith(b"#!") else b""


def _of_shapes(folder: Path) -> Iterator[tuple[str, Sequence[str | Path]]]:
    for schema, pattern in SCHEMAS.items():
        files = sorted(folder.glob(pattern))
        yield (
            pattern,
            [PROGRAMS / "check-jsonschema", "--quiet", "--builtin-schema", schema, *files],
        )


def _actions_are_pinned(folder: Path) -> bool:
    found = list(unpinned(folder))
    for line in found:
        print(line)
    return not found


def _actionlint(folder: Path) -> bool:
    program = os.environ.get("ACTIONLINT") or shutil.which("actionlint")
    if program is None:
        print("actionlint is not here, so the expressions in the workflows were not looked at (.ci/run does)")
        return True
    workflows = sorted(folder.glob("workflows/*.yml"))
    return _passes("actionlint", [program, "-shellcheck", PROGRAMS / "shellcheck", "-pyflakes=", *workflows])


def _passes(name: str, command: Sequence[str | Path]) -> bool:
    done = subprocess.run(command, check=False)
    if done.returncode != 0:
        print(f"{name} ended with exit code {done.returncode}")
    return done.returncode == 0


if __name__ == "__main__":
    end_with(main)
