"""The pages of the site, at the same places as in the repository, so that their links lead where they lead there.

The navigation is the index docs/README.md: its headings are the sections, the links in its tables are the pages.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
INDEX = ROOT / "docs" / "README.md"
# Pages that readers get by a link of another page: an index of their own lists them.
_FOLDERS_WITH_AN_INDEX = ("docs/decisions", "docs/runbooks")
_LINK = re.compile(r"(?<!!)\[([^\]\n]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
_CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

Section = dict[str, list[dict[str, str]]]


def links(page: Path) -> Iterator[tuple[str, Path]]:
    """The text of each relative link outside code, and the file or folder that it leads to."""
    for text, target, _ in _LINK.findall(_CODE.sub("", page.read_text())):
        if not re.match(r"[a-z]+:", target):
            yield text, (page.parent / target).resolve()


def navigation() -> list[Section]:
    """The sections of the index with their pages, each page where it is named first."""
    named: set[Path] = set()
    sections: list[Section] = []
    for heading, text in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", INDEX.read_text(), re.DOTALL | re.MULTILINE):
        entries: list[dict[str, str]] = []
        for row in re.findall(r"^\| (\[.*?) \|", text, re.MULTILINE):
            for target in _targets(row):
                if target.suffix == ".md" and target not in named:
                    named.add(target)
                    entries.append({title(target): target.relative_to(ROOT).as_posix()})
        sections.append({heading: entries})
    return sections


def _targets(row: str) -> Iterator[Path]:
    for _, target, _ in _LINK.findall(row):
        yield (INDEX.parent / target).resolve()


def title(page: Path) -> str:
    """Its first heading."""
    heading = _HEADING.search(page.read_text())
    assert heading is not None, page
    return re.sub(r"`", "", heading[1])


def pages() -> list[Path]:
    """Every page that the index leads to, and what the indexes of decisions and runbooks lead to."""
    found = [ROOT / name for section in navigation() for entry in next(iter(section.values())) for name in entry.values()]
    for folder in _FOLDERS_WITH_AN_INDEX:
        found += sorted((ROOT / folder).glob("*.md"))
    return list(dict.fromkeys(found))


def copy_pages(folder: Path) -> None:
    """The pages, and each file that one of them links to; a folder becomes a page that lists its files."""
    known = set(pages())
    for page in known:
        _copy(page, folder)
        for _, target in links(page):
            if target.is_dir():
                _list_folder(target, folder)
            elif target not in known:
                _copy(target, folder)
        for picture in re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", page.read_text()):
            _copy((page.parent / picture).resolve(), folder)


def _copy(file: Path, folder: Path) -> None:
    place = folder / file.relative_to(ROOT)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, place)


def _list_folder(source: Path, folder: Path) -> None:
    place = folder / source.relative_to(ROOT) / "README.md"
    if (source / "README.md").exists():
        return
    files = sorted(file for file in source.iterdir() if file.is_file())
    for file in files:
        _copy(file, folder)
    lines = [f"# {source.relative_to(ROOT)}", "", *(f"- [{file.name}]({file.name})" for file in files)]
    place.write_text("\n".join(lines) + "\n")
