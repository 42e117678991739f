"""The commands of the processes that our pages tell somebody to type, read from the pages themselves."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(
    r"(?P<variables>(?:[A-Z_]+=\S* )*)(?:\.venv/bin/)?python -m "
    r"(?P<package>projector|command_api)(?P<words>[^`\n]*)"
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
# Where the command ends and the shell begins.
_SHELL = {"|", ">", "<", "&&", ";", "&"}


class Documented(NamedTuple):
    """One command, where it stands, and the variables that are set before it."""

    page: str
    package: str
    words: tuple[str, ...]
    variables: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.package} {' '.join(self.words)}"


def commands() -> list[Documented]:
    """Each once, in the order of the pages.

    Those of docs/onboarding name what its reader writes first; test_onboarding.py writes it, and types them.
    """
    written_there = set((ROOT / "docs" / "onboarding").iterdir())
    pages = [ROOT / "README.md", *sorted(set((ROOT / "docs").rglob("*.md")) - written_there)]
    found = {(str(one), one.variables): one for page in pages for one in _of_page(page)}
    return list(found.values())


def _of_page(page: Path) -> Iterator[Documented]:
    text = page.read_text()
    rows = [row for row in text.splitlines() if row.startswith("|") and "docker compose exec" in row]
    for part in (*_FENCE.findall(text), *rows):
        for match in _COMMAND.finditer(part.replace("\\\n", " ")):
            words = list(_words(match["words"].split(" | ")[0].rstrip("'` |")))
            if words:
                variables = tuple(match["variables"].split())
                yield Documented(page.relative_to(ROOT).as_posix(), match["package"], tuple(words), variables)


def _words(text: str) -> Iterator[str]:
    for word in shlex.split(text, comments=True):
        if word in _SHELL or word.startswith((">", "2>")):
            return
        yield word


def filled_in(words: tuple[str, ...], product_id: str, file: str, token: str) -> list[str]:
    """The words as somebody would type them here: with a product, a file and a token that are there."""
    result = list(words)
    for number, word in enumerate(result):
        if number and result[number - 1] == "--token-file":
            result[number] = token
        elif word in ("$ID", "ID") or _UUID.fullmatch(word):
            result[number] = product_id
        elif word in ("$name", "NAME"):
            result[number] = "product_view"
        elif word == "N":
            result[number] = "1"
        elif word == "FILE" or word.endswith((".csv", ".ndjson")):
            result[number] = file
    return result
