"""The site that `make site` builds: whole, without a broken link, and without anything of another server."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.site.build import SiteNotBuilt, build_site
from docs.site.pages import INDEX, ROOT, navigation, pages
from docs.site.topics import read_document, topics_page
from tests.documents.built_site import complaints

_BROWSERS = ("chromium", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if shutil.which("npm") is None:
        pytest.skip("the site needs npm")
    folder = tmp_path_factory.mktemp("site")
    build_site(folder / "site", folder / "work")
    yield folder / "site"
    shutil.rmtree(folder)


def test_no_link_is_broken_and_nothing_comes_from_another_server(site: Path) -> None:
    assert sorted(complaints(site)) == []
    assert len(list(site.rglob("*.html"))) > 100


@pytest.mark.parametrize("page", ["index", "docs/architecture", "docs/security"])
def test_a_browser_draws_every_picture(site: Path, page: str) -> None:
    """A picture that Mermaid cannot read stays text."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        pytest.skip(f"needs one of {', '.join(_BROWSERS)}")
    asked = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=20000",
        "--dump-dom",
    ]
    shown = subprocess.run(
        [*asked, (site / f"{page}.html").as_uri()], capture_output=True, text=True, check=True, timeout=300
    ).stdout
    written = (site / f"{page}.html").read_text().count('<pre class="mermaid">')
    assert (shown.count('<div class="mermaid"'), shown.count('<pre class="mermaid">')) == (written, 0)
    assert written > 0


def test_the_site_has_both_apis_all_topics_and_the_search(site: Path) -> None:
    for name, path in (("command-api", "/v1/products:batch"), ("query-api", "/v1/products/by-sku/{sku}")):
        assert path in (site / "docs" / "apis" / f"{name}.js").read_text()
    topics = (site / "docs" / "apis" / "topics.html").read_text()
    document = read_document(ROOT / "docs" / "asyncapi.yaml")
    assert all(channel in topics for channel in document["channels"])
    assert (site / "search" / "search_index.js").exists()


def test_a_page_that_loads_from_another_server_or_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "there.html").write_text('<h1 id="here">')
    (tmp_path / "page.html").write_text(
        '<link rel="stylesheet" href="https://fonts.example/x.css"><link rel="canonical" href="https://a.example/">'
        '<script src="//cdn.example/x.js"></script><img src="gone.png"><p style="background: url(https://b.example/)">'
        '<a href="there.html#here"></a><a href="there.html#gone"></a><a href="gone.html"></a><a href="https://c.example/">'
    )
    (tmp_path / "a.css").write_text(
        "@import 'https://d.example/a.css'; @font-face { src: url(https://e.example/f) }"
    )
    assert sorted(complaints(tmp_path)) == [
        "a.css: loads https://d.example/a.css",
        "a.css: loads https://e.example/f",
        "page.html: gone.html: no such file",
        "page.html: gone.png: no such file",
        "page.html: loads //cdn.example/x.js",
        "page.html: loads https://b.example/",
        "page.html: loads https://fonts.example/x.css",
        "page.html: there.html#gone: no such anchor",
    ]


def test_a_warning_of_mkdocs_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("npm") is None:
        pytest.skip("the site needs npm")
    monkeypatch.setattr("docs.site.build.topics_page", lambda _: "# Topics\n\n[nowhere](nowhere.md)\n")
    with pytest.raises(SiteNotBuilt, match=r"nowhere\.md"):
        build_site(tmp_path / "site", tmp_path / "work")


def test_every_page_with_a_picture_is_looked_at() -> None:
    drawn = {page for page in pages() if "```mermaid" in page.read_text()}
    assert drawn == {ROOT / "README.md", ROOT / "docs" / "architecture.md", ROOT / "docs" / "security.md"}


def test_every_page_of_docs_is_in_the_index_and_so_in_the_navigation() -> None:
    assert {INDEX, *(ROOT / "docs").rglob("*.md")} <= set(pages())
    sections = [next(iter(section)) for section in navigation()]
    assert sections[0] == "New to the project"


def test_a_message_shows_its_headers_its_payload_and_an_example() -> None:
    page = topics_page(read_document(ROOT / "docs" / "asyncapi.yaml"))
    (message,) = [part for part in page.split("\n### ") if part.startswith("product-price-changed, schema")]
    assert "Headers: [EventHeaders](#eventheaders)." in message
    assert "Payload: [PriceChanged](#pricechanged)." in message
    assert '"previous_price"' in message
