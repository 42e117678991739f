"""What keeps a release from being cut, and what is wrong with a tag that is to become one."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy.release.pages import CHANGELOG, UNRELEASED, UPGRADING, releases, says_something, sections
from deploy.release.version import Version, of_project

MAIN = "main"
LAST_RELEASE = "tests/last_release/release.py"
MIGRATIONS = ("command_api/postgres/migrations", "projector/postgres/migrations")
_DATE = r"\d{4}-\d{2}-\d{2}"


def of_cut(root: Path, new: Version) -> Iterator[str]:
    """A sentence for each reason not to cut this version here and now."""
    if _git(root, "status", "--porcelain"):
        yield "the working tree has changes: commit or remove them (git status)"
    branch = _git(root, "branch", "--show-current")
    if branch not in (MAIN, f"release/{new.major}.{new.minor}"):
        yield (
            f"{new} is cut on {MAIN}, or for a hotfix on release/{new.major}.{new.minor}; "
            f"this is {branch or 'no branch'}"
        )
    elif branch != MAIN and (added := _migrations_since_the_last_release(root)):
        yield f"a hotfix has no migration, because {MAIN} may have one of the same number: {', '.join(added)}"
    if new <= of_project(root):
        yield f"the version must rise: {new} is not above {of_project(root)}"
    if _git(root, "tag", "--list", f"v{new}"):
        yield f"the tag v{new} exists"
    for page, what in (
        (CHANGELOG, "what is new"),
        (UPGRADING, "what an operator does, or that nothing is to do"),
    ):
        if not says_something(sections(root / page).get(UNRELEASED, "")):
            yield f"{page} does not say under {UNRELEASED} {what}"


def of_tag(root: Path, tag: str) -> Iterator[str]:
    """A sentence for each thing that is wrong with the tag; the clone needs its history."""
    try:
        version = Version.parse(tag.removeprefix("v"))
    except ValueError as error:
        yield str(error)
        return
    if _git(root, "cat-file", "-t", f"refs/tags/{tag}") != "tag":
        yield f"{tag} is no annotated tag: cut releases with `make release`"
    if _git(root, "rev-parse", f"refs/tags/{tag}^{{commit}}") != _git(root, "rev-parse", "HEAD"):
        yield f"{tag} is not the commit that is checked out"
    branches = (MAIN, f"release/{version.major}.{version.minor}")
    lines = [*(f"origin/{branch}" for branch in branches), *branches]
    if not any(_holds(root, line) for line in lines):
        yield f"{tag} is on none of {', '.join(lines)}"
    if of_project(root) != version:
        yield f"pyproject.toml has {of_project(root)}"
    if not re.search(
        rf"^## {re.escape(str(version))} - {_DATE}$", (root / CHANGELOG).read_text(), re.MULTILINE
    ):
        yield f"{CHANGELOG} has no section for {version} with a date"
    if str(version) not in releases(root / UPGRADING):
        yield f"{UPGRADING} has no section for {version}"


def _migrations_since_the_last_release(root: Path) -> list[str]:
    found = re.search(r'^COMMIT = "(\w+)"$', (root / LAST_RELEASE).read_text(), re.MULTILINE)
    assert found is not None, f"{LAST_RELEASE} does not name a commit"
    return _git(root, "diff", "--name-only", found[1], "HEAD", "--", *MIGRATIONS).splitlines()


def _holds(root: Path, line: str) -> bool:
    command = ["git", "-C", str(root), "merge-base", "--is-ancestor", "HEAD", line]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _git(root: Path, *arguments: str) -> str:
    """What git prints; nothing if it fails, as for a tag that does not exist."""
    done = subprocess.run(["git", "-C", root, *arguments], check=False, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""
