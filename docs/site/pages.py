"""The pages of the site, at the same places as in the repository, so that their links need no change.

The navigation is the index docs/README.md: its headings are the sections, the links in its tables are the
pages.
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
_FOLDER_LINK = re.compile(r"\]\(([^):\s]+)/\)")
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

Entry = dict[str, "str | list[Entry]"]


def links(page: Path) -> Iterator[tuple[str, Path]]:
    """The text of each relative link outside code, and the file or folder that it leads to."""
    for text, target, _ in _LINK.findall(_CODE.sub("", page.read_text())):
        if not re.match(r"[a-z]+:", target):
            yield text, (page.parent / target).resolve()


def navigation() -> list[Entry]:
    """The sections of the index with their pages, each page where it is named first."""
    named: set[Path] = set()
    sections: list[Entry] = []
    for heading, text in re.findall(
        r"^## (.+?)\n(.*?)(?=^## |\Z)", INDEX.read_text(), re.DOTALL | re.MULTILINE
    ):
        entries: list[Entry] = []
        for row in re.findall(r"^\| (\[.*?) \|", text, re.MULTILINE):
            for target in _targets(row):
                if target.suffix == ".md" and target not in named:
                    named.add(target)
                    entries.append(_entry(target))
        sections.append({heading: entries})
    return sections


def _entry(page: Path) -> Entry:
    """A page; with the pages of its folder below it, if it is the index of one."""
    place = _place(page)
    if page.parent.relative_to(ROOT).as_posix() not in _FOLDERS_WITH_AN_INDEX:
        return {title(page): place}
    others = sorted(other for other in page.parent.glob("*.md") if other != page)
    below: list[Entry] = [{title(each): _place(each)} for each in (page, *others)]
    return {title(page): below}


def _place(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _targets(row: str) -> Iterator[Path]:
    for _, target, _ in _LINK.findall(row):
        yield (INDEX.parent / target).resolve()


def title(page: Path) -> str:
    """Its first heading."""
    heading = _HEADING.search(page.read_text())
    assert heading is not None, page
    return re.sub(r"`", "", heading[1])


def pages() -> list[Path]:
    """The index, and every page that the navigation leads to."""
    return [INDEX, *(ROOT / place for place in _places(navigation()))]


def _places(entries: list[Entry]) -> Iterator[str]:
    for entry in entries:
        for below in entry.values():
            if isinstance(below, str):
                yield below
            else:
                yield from _places(below)


def copy_pages(folder: Path) -> list[Path]:
    """The pages, and each file that one of them links to. Returns the pages that list a folder's files."""
    known = set(pages())
    lists: list[Path] = []
    for page in known:
        _copy(page, folder)
        for _, target in links(page):
            if target.is_dir() and not (target / "README.md").exists():
                lists.append(_list_folder(target, folder))
            elif target not in known:
                _copy(target / "README.md" if target.is_dir() else target, folder)
        for picture in _PICTURE.findall(page.read_text()):
            _copy((page.parent / picture).resolve(), folder)
        copied = folder / page.relative_to(ROOT)
        copied.write_text(_FOLDER_LINK.sub(r"](\1/README.md)", copied.read_text()))
    return list(dict.fromkeys(lists))


def _copy(file: Path, folder: Path) -> None:
    place = folder / file.relative_to(ROOT)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, place)


def _list_folder(source: Path, folder: Path) -> Path:
    place = source.relative_to(ROOT) / "README.md"
    files = sorted(file for file in source.iterdir() if file.is_file())
    for file in files:
        _copy(file, folder)
    lines = [f"# {source.relative_to(ROOT)}", "", *(f"- [{file.name}]({file.name})" for file in files)]
    (folder / place).write_text("\n".join(lines) + "\n")
    return place
