"""Handles as they stand in real files: marks, invisible characters, signs, two spellings of one."""

from pathlib import Path

import pytest

from command_api.importer.cells import without_apostrophe_before_digits
from command_api.importer.shopify_file import ShopifyFile
from command_api.importer.slugs import slug_of_handle
from command_api.importer.source import Candidate, Rejection

HEADER = "Handle,Title,Option1 Name,Option1 Value,Variant Price\n"


def read(folder: Path, rows: str) -> list[Candidate | Rejection]:
    file = folder / "shop.csv"
    file.write_text(HEADER + rows, encoding="utf-8")
    return list(ShopifyFile(file, "USD"))


def slugs(found: list[Candidate | Rejection]) -> list[str]:
    return [each.product["slug"] for each in found if isinstance(each, Candidate)]


def reasons(found: list[Candidate | Rejection]) -> list[str]:
    return [each.reason for each in found if isinstance(each, Rejection)]


@pytest.mark.parametrize(
    "handle",
    [
        "हिन्दी-किताब",
        "เสื้อยืด-สีแดง",
        "নীল-শাড়ি".replace("\u09dc", "\u09a1\u09bc"),
        "pillow-i\u0307nsert",
        "caf\u00e9",
        "größen_set",
        "a--b",
    ],
)
def test_a_handle_of_letters_and_marks_is_the_slug(tmp_path: Path, handle: str) -> None:
    assert slugs(read(tmp_path, f"{handle},T,,,1\n")) == [handle]


@pytest.mark.parametrize(
    ("handle", "slug"),
    [
        ("cafe\u0301", "caf\u00e9"),
        ("soft\u00adhyphen", "softhyphen"),
        ("Tea™", "tea"),
        ("mug-🎁-set", "mug-set"),
        ("Two Words / 3", "two-words-3"),
        ("-ends-", "ends"),
        ("_starts", "starts"),
        ("'12345", "12345"),
        ("a.b,c", "a-b-c"),
    ],
)
def test_any_other_handle_becomes_the_slug_of_its_words(handle: str, slug: str) -> None:
    assert slug_of_handle(without_apostrophe_before_digits(handle)) == slug


def test_two_spellings_of_one_handle_are_one_product_wherever_its_rows_stand(tmp_path: Path) -> None:
    rows = "cafe\u0301,Café,Size,S,1\nb,B,,,1\ncaf\u00e9,,,M,2\nca\u200bf\u00e9,,,L,3\n"
    found = read(tmp_path, rows)
    assert sorted(slugs(found)) == ["b", "caf\u00e9"]
    cafe = next(each for each in found if isinstance(each, Candidate) and len(each.product["variants"]) > 1)
    assert [variant["options"]["Size"] for variant in cafe.product["variants"]] == ["S", "M", "L"]
    assert cafe.lines.rows == (2, 4, 5)
    assert cafe.handle is None


def test_a_handle_with_a_sign_is_remembered_for_the_summary(tmp_path: Path) -> None:
    (found,) = read(tmp_path, "Tea™,T,,,1\n")
    assert isinstance(found, Candidate)
    assert (found.handle, found.product["slug"]) == ("Tea™", "tea")


def test_a_made_slug_that_is_another_handle_is_refused_with_both_and_their_lines(tmp_path: Path) -> None:
    found = read(tmp_path, "tea™,T,,,1\ntea,T,,,1\n")
    assert slugs(found) == ["tea"]
    assert reasons(found) == ["line 2: Handle 'tea™' becomes the slug 'tea', and so does 'tea' on line 3"]


def test_of_two_handles_that_make_one_slug_neither_gets_it(tmp_path: Path) -> None:
    found = read(tmp_path, "tea™,T,,,1\ntea®,T,,,1\ncup,C,,,1\n")
    assert slugs(found) == ["cup"]
    assert reasons(found) == [
        "line 2: Handle 'tea™' becomes the slug 'tea', and so does 'tea®' on line 3",
        "line 3: Handle 'tea®' becomes the slug 'tea', and so does 'tea™' on line 2",
    ]


def test_a_handle_without_a_word_is_refused(tmp_path: Path) -> None:
    assert reasons(read(tmp_path, "™,T,,,1\n")) == ["line 2: Handle '™' has no letter and no digit"]


def test_the_line_of_another_product_is_known_by_its_slug(tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_text(HEADER + "a,A,,,1\ntea™,T,,,1\n", encoding="utf-8")
    source = ShopifyFile(file, "USD")
    assert [source.line_of(slug) for slug in ("a", "tea", "b")] == [2, 3, None]
