"""Files -> candidates and rejections: grouping, encodings, lines."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command_api.importer import ndjson
from command_api.importer.answers import answers_of, upsert
from command_api.importer.ndjson import NdjsonFile, candidate_of
from command_api.importer.shopify_file import ShopifyFile
from command_api.importer.source import Candidate, Rejection

HEADER = "Handle,Title,Variant SKU,Variant Price\n"


def shopify(folder: Path, content: str | bytes) -> list[Candidate | Rejection]:
    file = folder / "shop.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(ShopifyFile(file, "USD"))


def skus(read: Candidate | Rejection) -> list[str]:
    assert isinstance(read, Candidate), read
    return [variant["sku"] for variant in read.product["variants"]]


def test_rows_of_one_handle_are_one_product_even_apart(tmp_path: Path) -> None:
    rows = "a,A,a-1,1\nb,B,b-1,1\na,,a-2,2\nc,C,c-1,1\na,,a-3,3\nb,,b-2,2\n"
    read = shopify(tmp_path, HEADER + rows)
    assert [skus(each) for each in read] == [["c-1"], ["a-1", "a-2", "a-3"], ["b-1", "b-2"]]


@settings(deadline=None)
@given(handles=st.lists(st.sampled_from("abc "), max_size=20))
def test_any_order_of_rows_gives_each_handle_once_with_all_its_rows(
    tmp_path_factory: pytest.TempPathFactory, handles: list[str]
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([handle, "T", f"{handle}{n}", "1"] for n, handle in enumerate(handles))
    read = shopify(tmp_path_factory.mktemp("files"), HEADER + text.getvalue())
    found = {each.product["slug"]: skus(each) for each in read if isinstance(each, Candidate)}
    assert len(found) + handles.count(" ") == len(read)
    for handle in set(handles) - {" "}:
        assert found[handle] == [f"{handle}{n}" for n, each in enumerate(handles) if each == handle]


def test_quoted_newlines_doubled_quotes_bom_and_crlf_are_read(tmp_path: Path) -> None:
    content = (
        '\ufeffHandle,Title,"Body (HTML)",Variant Price\r\na,"An ""A""","<p>1</p>\r\n<p>ü</p>",1\r\nb,B,,\r\n'
    )
    first, second = shopify(tmp_path, content)
    assert isinstance(first, Candidate)
    assert first.product["name"] == 'An "A"'
    assert first.product["description"] == "<p>1</p>\r\n<p>ü</p>"
    assert (first.line, second.line) == (2, 4)


def test_empty_lines_say_nothing_and_a_row_without_a_handle_is_rejected(tmp_path: Path) -> None:
    read = shopify(tmp_path, HEADER + "a,A,a-1,1\n\n,,,\n,B,b-1,1\n")
    assert skus(read[0]) == ["a-1"]
    assert isinstance(read[1], Rejection)
    assert (len(read), read[1].reason) == (2, "line 5: Handle is empty")


def test_a_row_that_is_no_utf_8_is_rejected_alone(tmp_path: Path) -> None:
    first, second = shopify(tmp_path, HEADER.encode() + b"a,Caf\xe9,a-1,1\nb,Caf\xc3\xa9,b-1,1\n")
    assert isinstance(first, Rejection)
    assert "not UTF-8" in first.reason
    assert isinstance(second, Candidate)
    assert second.product["name"] == "Café"


def test_a_header_alone_is_an_empty_catalogue(tmp_path: Path) -> None:
    assert shopify(tmp_path, HEADER) == []


def line_of(**members: Any) -> bytes:
    return json.dumps(members).encode()


def test_a_line_is_the_body_of_a_post_and_a_status() -> None:
    read = candidate_of(1, line_of(slug="a", name="A", status="archived"))
    assert isinstance(read, Candidate)
    assert (read.product, read.wanted_status) == ({"slug": "a", "name": "A"}, "archived")


def test_a_line_without_a_status_asks_for_none() -> None:
    read = candidate_of(1, line_of(slug="a", name="A"))
    assert isinstance(read, Candidate)
    assert read.wanted_status is None


def test_a_product_without_a_slug_gets_the_one_of_its_name_so_that_it_is_found_again() -> None:
    read = candidate_of(1, line_of(name="Größe & Co."))
    assert isinstance(read, Candidate)
    assert read.product["slug"] == "größe-co"


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"1",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b"\xff",
        line_of(status="gone"),
        line_of(status=None),
        b"[" * 9999,
    ],
)
def test_a_bad_line_is_a_rejection_with_its_number(line: bytes) -> None:
    read = candidate_of(7, line)
    assert isinstance(read, Rejection)
    assert read.line == 7


def test_a_slug_that_comes_again_is_rejected_because_two_versions_would_alternate(tmp_path: Path) -> None:
    file = tmp_path / "f.ndjson"
    file.write_bytes(b"\n".join([b"\xef\xbb\xbf" + line_of(slug="a"), b" ", line_of(slug="a", name="B")]))
    first, second = NdjsonFile(file)
    assert isinstance(first, Candidate)
    assert isinstance(second, Rejection)
    assert second.reason == "line 3: slug 'a' stands on line 1 already"
    assert second.line == 3


@settings(deadline=None)
@given(
    st.recursive(st.none() | st.booleans() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c))
)
def test_an_operation_is_one_line_that_reads_back(value: Any) -> None:
    line = upsert({"value": value}).line
    assert line.count(b"\n") == 1
    assert json.loads(line)["product"] == {"value": value}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"results": []}',
        b'{"results": [{"index": 1, "status": 200}]}',
        b'{"results": [{"index": 0}]}',
    ],
)
def test_what_does_not_answer_every_operation_is_no_answer(body: bytes) -> None:
    assert answers_of(body, 1) is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "not JSON: a key in double quotes is missing (character 2)"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": 1e999}', "the number 1e999 is too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "the number 99999999999999999999… has 5000 digits"),
        (b"[" * 99999, "nested deeper than 100 levels"),
        (b'{"a":' + b"[" * 200 + b"]" * 200 + b"}", "nested deeper than 100 levels"),
        (b"\xff", "not UTF-8 at byte 1"),
        (b'{"slug": "a", "slug": "b"}', 'the key "slug" stands twice in one object'),
        (b'{"a": [{"\xc3\xa9": 1, "\\u00e9": 2}]}', 'the key "\u00e9" stands twice in one object'),
        (line_of(name="\N{TRADE MARK SIGN}"), "there is no slug, and the name"),
        (line_of(slug="a", status=["x"]), 'status ["x"] is none of draft, active, archived'),
        (
            line_of(slug="a", variants=[{"sku": "x"}, {}, {"sku": "x"}]),
            "SKU 'x' stands in variants[0] and in variants[2]",
        ),
    ],
)
def test_what_is_wrong_with_a_line_is_told_in_plain_words(line: bytes, said: str) -> None:
    read = candidate_of(7, line)
    assert isinstance(read, Rejection)
    assert read.reason.startswith(f"line 7: {said}")
    assert "sys." not in read.reason
    assert "recursion" not in read.reason


def test_slugs_are_compared_in_normal_form_and_sent_as_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "f.ndjson"
    file.write_bytes(b"\n".join(line_of(slug=slug) for slug in ("caf\u00e9", "cafe\u0301", "x\u200by", "xy")))
    first, second, third, fourth = NdjsonFile(file)
    assert isinstance(first, Candidate)
    assert isinstance(second, Rejection)
    assert second.reason.endswith("stands on line 1 already")
    assert isinstance(third, Candidate)
    assert third.product["slug"] == "x\u200by"
    assert isinstance(fourth, Rejection)


def test_a_line_over_the_limit_costs_itself_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndjson, "LINE_BYTES_MAX", 100)
    file = tmp_path / "f.ndjson"
    file.write_bytes(line_of(slug="a", text="x" * 950) + b"\n" + line_of(slug="b") + b"\n" + b"y" * 250)
    source = NdjsonFile(file)
    first, second, third = source
    assert isinstance(first, Rejection)
    assert first.reason == "line 1 is longer than 100 bytes; only its beginning was kept"
    assert isinstance(second, Candidate)
    assert isinstance(third, Rejection)
    assert third.line == 3
    assert source.bytes_read == source.bytes_total


def test_byte_order_marks_before_the_first_line_are_dropped(tmp_path: Path) -> None:
    file = tmp_path / "f.ndjson"
    file.write_bytes(b"\xef\xbb\xbf" * 2 + line_of(slug="a"))
    (only,) = NdjsonFile(file)
    assert isinstance(only, Candidate)
