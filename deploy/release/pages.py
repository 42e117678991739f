"""The pages that have a section for each release: CHANGELOG.md and docs/upgrading.md."""

import posixpath
import re
from pathlib import Path

CHANGELOG = "CHANGELOG.md"
UPGRADING = "docs/upgrading.md"
UNRELEASED = "Unreleased"
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\((?![a-z]+:|#)([^)]+)\)")
_FROM = re.compile(r"\AFrom [\d.]+\.\s*")


def sections(page: Path) -> dict[str, str]:
    """Version or `Unreleased` -> the text below its heading. A changelog has the date behind the version."""
    parts = _HEADING.split(page.read_text())[1:]
    return {title.split(" ")[0]: body.strip() for title, body in zip(parts[::2], parts[1::2], strict=True)}


def releases(page: Path) -> list[str]:
    """The released versions of a page, the newest first."""
    return [title for title in sections(page) if re.fullmatch(r"\d+\.\d+\.\d+", title)]


def says_something(text: str) -> bool:
    """Whether anything stands there beside subheadings, and the release that one comes from."""
    return any(line and not line.startswith("#") for line in _FROM.sub("", text).splitlines())


def notes(root: Path, version: str, files_at: str) -> str:
    """The text of a release's page: what is new, then what to do. Raises KeyError.

    The page is elsewhere, so relative links become links below the address `files_at`.
    """
    new, to_do = (_with_links_to(files_at, root, page, version) for page in (CHANGELOG, UPGRADING))
    return f"{new}\n\n## Upgrading\n\n{to_do}\n"


def _with_links_to(files_at: str, root: Path, page: str, version: str) -> str:
    def whole(link: re.Match[str]) -> str:
        path, hash_, anchor = link[1].partition("#")
        file = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
        return f"]({files_at}/{file}{hash_}{anchor})"

    return _LINK.sub(whole, sections(root / page)[version])
