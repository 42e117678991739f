"""The address of OpenSearch: what is refused at start, what a password may contain, and the index's name."""

from pathlib import Path

import pytest

from shared.ops.secret import Secret
from shared.ops.settings import load_settings
from shared.search.opensearch.address import SearchAddress, unverified_hosts
from shared.search.opensearch.mapping import alias_of, index_name
from shared.search.opensearch.settings import SearchServerSettings


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"SEARCH_URL": "opensearch:9200"}, "SEARCH_URL: expected https://"),
        ({"SEARCH_URL": "https://h:9200/?pretty"}, "SEARCH_URL: expected https://"),
        ({"SEARCH_URL": "https://ann:hunter2@:9200"}, "SEARCH_URL: the host is missing"),
        ({"SEARCH_URL": "https://ann:hunter2/3@h:9200"}, "SEARCH_URL: "),
        ({"SEARCH_URL": "http://h:9200", "SEARCH_CA_FILE": "ca.pem"}, "SEARCH_CA_FILE and the like need"),
        ({"SEARCH_INDEX_PREFIX": "Products"}, "SEARCH_INDEX_PREFIX: String should match"),
    ],
)
def test_a_mistake_ends_the_start_and_is_named(
    given: dict[str, str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").write_text("a certificate")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        load_settings(SearchServerSettings)
    said = capsys.readouterr().err
    assert told in said
    assert "hunter2" not in said


def test_without_an_address_there_is_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(SearchServerSettings).search_address is None


def test_user_and_password_are_those_that_the_address_has_now(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("https://ann:a%40b@h:9200/path/")
    address = SearchAddress(Secret.from_file(file))
    assert (address.server, address.log_in()) == ("https://h:9200/path", ("ann", "a@b"))
    file.write_text("https://h:9200")
    assert address.log_in() is None


def test_only_https_is_verified() -> None:
    assert unverified_hosts("http://ann:b@h:9200") == ["h"]
    assert unverified_hosts("https://h:9200") == unverified_hosts("") == []


def test_a_release_with_other_fields_has_an_index_of_its_own() -> None:
    """Who changes a field changes this name, and every installation builds its index anew."""
    assert alias_of("products-search") == "products-search-1-f2c10b9a"
    assert index_name("products-search", 2) == "products-search-1-f2c10b9a-2"
