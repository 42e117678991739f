"""`python -m deploy.release`: cut a release, show its notes, verify its tag.

bump-my-version edits the files ([tool.bumpversion] in pyproject.toml names them), commits and tags. Git signs
commit and tag if it is configured to (`commit.gpgSign`, `tag.gpgSign`). Nothing is pushed.

Exit codes: 0 done; 1 refused, with the reasons; 2 wrong usage.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from deploy.release import refusals
from deploy.release.pages import UNRELEASED, notes
from deploy.release.version import Version, wanted
from shared.ops.program import end_with

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Runs one command."""
    options = _parser().parse_args(arguments)
    try:
        match options.command:
            case "cut":
                return _cut(root, wanted(root, options.version), is_dry=options.dry_run)
            case "notes":
                print(notes(root, options.version, options.files_at), end="")
                return 0
            case _:
                return _refused(f"{options.tag} is no release", refusals.of_tag(root, options.tag))
    except KeyError as error:
        print(f"there are no notes for {error.args[0]}", file=sys.stderr)
    except ValueError as error:
        print(error, file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.release", description="Cut and verify releases.")
    commands = parser.add_subparsers(dest="command", required=True)
    cut = commands.add_parser("cut", help="new version, changelog, upgrade notes, commit and tag")
    cut.add_argument("version", help="like 1.2.3, or the level that rises: major, minor, patch")
    cut.add_argument("--dry-run", action="store_true", help="check, and show what would change")
    shown = commands.add_parser("notes", help="print what is new in a release and how to upgrade to it")
    shown.add_argument("version", help="like 1.2.3")
    shown.add_argument("--files-at", default=".", help="the address of the files of this release, for links")
    verify = commands.add_parser("verify", help="check that a tag is a release that was cut here")
    verify.add_argument("tag", help="like v1.2.3")
    return parser


def _cut(root: Path, new: Version, *, is_dry: bool) -> int:
    if refused := _refused(f"{new} is not cut", refusals.of_cut(root, new)):
        return refused
    head = subprocess.run(
        ["git", "-C", root, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    )
    bump = [sys.executable, "-m", "bumpversion", "bump", "--new-version", str(new)]
    if is_dry:
        bump += ["--dry-run", "--verbose", "--verbose"]
        print(notes(root, UNRELEASED, "."))
    environment = {**os.environ, "RELEASED_COMMIT": head.stdout.strip()}
    if subprocess.run(bump, cwd=root, env=environment, check=False).returncode != 0:
        print(f"{new} is not cut: see above. `git status` shows what was changed", file=sys.stderr)
        return 1
    if not is_dry:
        print(f"{new} is cut. Look at it, then push branch and tag in one:")
        print(f"  git show v{new} && git push --atomic origin HEAD v{new}")
    return 0


def _refused(what: str, reasons: Iterable[str]) -> int:
    found = list(reasons)
    if found:
        print("\n".join([f"{what}:", *(f"- {reason}" for reason in found)]), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    end_with(main)
