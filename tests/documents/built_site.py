"""What a browser would ask for when it shows a page of the built site, and where its links lead."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Attribute of an element -> whether the browser loads it by itself.
_LOADED = {
    ("script", "src"), ("img", "src"), ("img", "srcset"), ("iframe", "src"), ("source", "src"),
    ("video", "src"), ("object", "data"), ("embed", "src"), ("link", "href"),
}  # fmt: skip
_FOLLOWED = {("a", "href")}
# Of the elements `link`, these are no assets.
_RELATIONS = {"prev", "next", "canonical", "alternate", "edit"}
_IN_STYLE = re.compile(r"url\(\s*['\"]?([^)'\"]+)|@import\s+['\"]([^'\"]+)")


class Page(HTMLParser):
    """The addresses and the anchors of one page."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.followed: list[str] = []
        self.anchors: set[str] = set()
        self.feed(file.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.anchors |= {named[name] for name in ("id", "name") if name in named}
        for name, value in named.items():
            if (tag, name) in _LOADED and not set(named.get("rel", "").split()) & _RELATIONS:
                self.loaded.append(value)
            elif (tag, name) in _FOLLOWED:
                self.followed.append(value)
            elif name == "style":
                self.loaded += in_style(value)


def in_style(text: str) -> list[str]:
    """What a style sheet makes the browser load."""
    return [one or other for one, other in _IN_STYLE.findall(text)]


def external(addresses: list[str]) -> list[str]:
    """Those of another server."""
    return [address for address in addresses if urlsplit(address).netloc]


def complaints(site: Path) -> Iterator[str]:
    """Every asset of another server, every file that is missing, every link that leads nowhere."""
    site = site.resolve()
    pages = {file: Page(file) for file in site.rglob("*.html")}
    for file, page in pages.items():
        place = file.relative_to(site)
        yield from (f"{place}: loads {address}" for address in external(page.loaded))
        for address in (*page.loaded, *page.followed):
            if (missing := _missing(site, file, address, pages)) is not None:
                yield f"{place}: {missing}"
    for file in site.rglob("*.css"):
        for address in in_style(file.read_text()):
            if urlsplit(address).netloc:
                yield f"{file.relative_to(site)}: loads {address}"


def _missing(site: Path, file: Path, address: str, pages: dict[Path, Page]) -> str | None:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    path = unquote(parts.path)
    begin = site if path.startswith("/") else file.parent
    target = (begin / path.lstrip("/")).resolve() if path else file
    if target.is_dir():
        target /= "index.html"
    if not target.exists():
        return f"{address}: no such file"
    anchor = unquote(parts.fragment)
    # Material writes `#__…` for its own script.
    if anchor and target in pages and not anchor.startswith("__") and anchor not in pages[target].anchors:
        return f"{address}: no such anchor"
    return None
