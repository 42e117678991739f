"""The commands that a page tells its reader to type, with the output that it shows for each.

A block of the language `console` has commands behind `$ `, or behind the prompt of psql (`event_store=# `),
each followed by what it prints. A comment in front of a block says why no test types it:
`<!-- not run: needs a cluster -->`; or that it needs another state than the rest of its page, and is typed in
a tour of its own: `<!-- typed with: access control -->`.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

REPOSITORY = Path(__file__).parents[2]
# What a reader may type into a shell is written in blocks of these languages.
SHELL_LANGUAGES = ("console", "sh", "bash", "shell", "shell-session")
_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->")
_TYPED_WITH = re.compile(r"<!-- typed with: (.+?) -->")
_PROMPT = re.compile(r"(?:\$|(?P<database>\w+)=#) ")


@dataclass(frozen=True)
class Command:
    """One command, on as many lines as it takes, and the lines that the page shows behind it."""

    text: str
    line: int
    shown: list[str] = field(default_factory=list)
    database: str | None = None
    """Where the command is SQL: the name in the prompt."""


@dataclass(frozen=True)
class Block:
    """One fenced block. `line` is its first line of content, counted from 1."""

    language: str
    text: str
    line: int
    reason_not_to_run: str | None
    typed_with: str | None = None
    """The part of its page that it belongs to; None: the page itself."""


def blocks(page: Path) -> Iterator[Block]:
    """Every fenced block of the page, also those in lists."""
    before: Token | None = None
    for token in MarkdownIt().parse(page.read_text()):
        if token.type == "fence":
            assert token.map is not None
            comment = before.content if before and before.type == "html_block" else ""
            reason, part = _NOT_RUN.search(comment), _TYPED_WITH.search(comment)
            language = token.info.split()[0] if token.info else ""
            yield Block(
                language,
                token.content,
                token.map[0] + 2,
                reason[1] if reason else None,
                part[1] if part else None,
            )
        before = token


def shell_blocks(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language in SHELL_LANGUAGES]


def commands(block: Block) -> Iterator[Command]:
    """In order. Lines before the first prompt belong to nothing, so they are refused."""
    lines = block.text.splitlines()
    number = 0
    while number < len(lines):
        prompt = _PROMPT.match(lines[number])
        if prompt is None:
            raise ValueError(f"line {block.line + number}: no command, and no output of one: {lines[number]}")
        begin, text, database = number, lines[number][prompt.end() :], prompt["database"]
        wants_more = _shell_wants_more if database is None else _psql_wants_more
        while wants_more(text) and number + 1 < len(lines):
            number += 1
            text += "\n" + lines[number]
        number += 1
        shown = []
        while number < len(lines) and not _PROMPT.match(lines[number]):
            shown.append(lines[number])
            number += 1
        yield Command(text, block.line + begin, shown, database)


def _shell_wants_more(text: str) -> bool:
    """Whether the shell would wait for another line: an open quotation, loop or here-document."""
    if text.endswith("\\"):
        return True
    parsed = subprocess.run(["bash", "-n", "-c", text], capture_output=True, text=True, check=False)
    return parsed.stderr != ""


def _psql_wants_more(text: str) -> bool:
    return not text.startswith("\\") and not text.endswith(";")


def pages() -> list[Path]:
    """Every page of the repository: those that are in git, and those that are not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return sorted(REPOSITORY / name for name in set(listed.split()) if (REPOSITORY / name).exists())
