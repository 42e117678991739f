"""Texts for people: each page is in an index, each link leads somewhere, each page that code names exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source_files import ROOT, nobody

DOCS = ROOT / "docs"
DECISIONS = DOCS / "decisions"
_SKIPPED = {".venv", ".local", ".git", "build", "site"}
_LINK = re.compile(r"!?\[[^\]\n]*\]\(([^)\s]+)\)")
_NAMED_PAGE = re.compile(r"[\w./-]*\w\.md\b")
_NAMED_FOLDER = re.compile(r"`((?:command_api|query_api|projector|shared|tests|deploy|docs)/[\w./-]*)`")
_NAMED_FILE = re.compile(r"`(?!NNNN)([\w./-]+\.(?:py|sql|lua|sh|ya?ml))`")
# They name pages that they make themselves.
_MAKE_PAGES = {DOCS / "site", ROOT / "tests" / "documents"}
_CODE = (".py", ".sql", ".sh", ".yml", ".yaml", ".toml", ".lua")


def _files() -> list[Path]:
    tops = [top for top in sorted(ROOT.iterdir()) if top.name not in _SKIPPED]
    files = [file for top in tops for file in ([top] if top.is_file() else sorted(top.rglob("*")))]
    return [file for file in files if "node_modules" not in file.parts]


def _pages() -> list[Path]:
    return [file for file in _files() if file.suffix == ".md"]


def _without_code(text: str) -> str:
    """Fenced blocks and code spans hold commands and their output, no headings and no links."""
    return re.sub(r"`[^`\n]*`", "``", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings; one that comes again is numbered."""
    fenced = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    anchors: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", fenced, flags=re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")
        number = 0
        while (made := anchor if not number else f"{anchor}-{number}") in anchors:
            number += 1
        anchors.add(made)
    return anchors


def _links(page: Path) -> Iterator[tuple[str, Path, str]]:
    """Each relative link as written, the file that it leads to, and the anchor in it."""
    for link in _LINK.findall(_without_code(page.read_text())):
        if not re.match(r"[a-z]+:", link):
            path, _, anchor = link.partition("#")
            yield link, (page.parent / path).resolve() if path else page, anchor


def broken_links(page: Path) -> Iterator[str]:
    """What a reader who follows every relative link of this page would complain of."""
    for link, target, anchor in _links(page):
        if not target.exists():
            yield f"{link}: no such file"
        elif anchor and anchor not in _anchors(target):
            yield f"{link}: no such heading"


def _not_in(index: Path, pages: list[Path]) -> list[str]:
    linked = {target for _, target, _ in _links(index)}
    return [page.name for page in pages if page not in linked]


def test_every_relative_link_leads_somewhere() -> None:
    broken = {page.relative_to(ROOT).as_posix(): list(broken_links(page)) for page in _pages()}
    assert {page: links for page, links in broken.items() if links} == {}


def test_every_page_of_the_documentation_is_in_its_index() -> None:
    pages = [
        page for page in sorted(DOCS.iterdir()) if page.suffix in (".md", ".yaml") or page.name == "schemas"
    ]
    assert _not_in(DOCS / "README.md", [p for p in pages if p.name != "README.md"]) == []


def test_every_decision_is_in_the_index_of_decisions() -> None:
    assert _not_in(DECISIONS / "README.md", sorted(DECISIONS.glob("[0-9]*.md"))) == []


def test_every_page_that_code_names_exists() -> None:
    code = [file for file in _files() if file.suffix in _CODE or file.name.startswith("Dockerfile")]
    unknown = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in code
        if file != Path(__file__) and file.parent not in _MAKE_PAGES
        for name in _NAMED_PAGE.findall(file.read_text())
        if not (ROOT / name.lstrip("./")).exists() and not (DOCS / name).exists()
    ]
    assert unknown == []


def test_every_file_and_folder_that_a_page_names_exists() -> None:
    # A file may be named by the end of its path. What the changelog says of a release stays, whatever moves.
    files = [f"/{file.relative_to(ROOT).as_posix()}" for file in _files()]
    gone = [
        f"{page.relative_to(ROOT)}: {name}"
        for page in _pages()
        if page.name != "CHANGELOG.md"
        for name in (*_NAMED_FOLDER.findall(page.read_text()), *_NAMED_FILE.findall(page.read_text()))
        if not (ROOT / name).exists() and not any(file.endswith(f"/{name}") for file in files)
    ]
    assert gone == []


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        ("[a](there.md)", []),
        ("[a](there.md#two-words-and-one)", []),
        ("[a](#here)\n# Here", []),
        ("[a](https://elsewhere.test/nothing.md)", []),
        ("`[a](in-code.md)`\n```\n[a](in-code.md)\n```", []),
        ("[a](gone.md)", ["gone.md: no such file"]),
        ("[a](there.md#gone)", ["there.md#gone: no such heading"]),
        ("```\n# here\n```\n[a](#here)", ["#here: no such heading"]),
    ],
)
def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path, text: str, complaints: list[str]) -> None:
    (tmp_path / "there.md").write_text("## Two words, and `one`\n")
    page = tmp_path / "page.md"
    page.write_text(text)
    assert list(broken_links(page)) == complaints


def test_a_page_that_is_in_no_index_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("[one](one.md)")
    assert _not_in(tmp_path / "README.md", [tmp_path / "one.md", tmp_path / "two.md"]) == ["two.md"]


def _glossary() -> dict[str, list[str]]:
    """The names in a line, as they stand there -> the words that are not used for the same."""
    rows = re.findall(
        r"^\| (.+?) \| .+? \| (.*?) \|$", (DOCS / "glossary.md").read_text(), flags=re.MULTILINE
    )
    lines = [row for row in rows if row[0] not in ("term", "---")]
    return {names: others.split(", ") for names, others in lines}


def test_in_the_glossary_one_name_means_one_thing() -> None:
    glossary = _glossary()
    terms = [term for names in glossary for term in names.split(", ")]
    assert len(terms) > 50
    assert [term for term in terms if terms.count(term) > 1] == []
    # Where a word is the name of something else, brackets say of what: "offset (that is Kafka's)".
    unexplained = {
        names: [word for word in others if word in terms]
        for names, others in glossary.items()
        if set(others) & set(terms)
    }
    assert unexplained == {}


def test_each_page_says_first_whom_it_is_for() -> None:
    """But for the indexes, and what is read by way of one: decisions and runbooks."""
    every = [
        *DOCS.glob("*.md"),
        *(DOCS / "onboarding").glob("*.md"),
        DOCS / "runbooks" / "README.md",
        *(ROOT / "deploy").rglob("*.md"),
        ROOT / "CONTRIBUTING.md",
    ]
    beginnings = {
        page: re.split(r"^# .*\n+", page.read_text(), maxsplit=1, flags=re.MULTILINE)[1] for page in every
    }
    nobody(
        f"{page.relative_to(ROOT)}: {text[:40]}"
        for page, text in sorted(beginnings.items())
        if page != DOCS / "README.md" and not text.startswith("For ")
    )
