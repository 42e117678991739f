"""How a page is taken apart, how output is compared, and that no command of any page is forgotten."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.documents.console_blocks import REPOSITORY, Block, commands, pages, shell_blocks
from tests.documents.shown_output import Examples
from tests.documents.tours import TOURS, TYPED_UNDER_LOAD

_ID, _OTHER = "01a20462-4cca-708c-afb8-22185b42001c", "01a22453-5cff-7126-9355-99312fd4b57d"


def block(text: str) -> Block:
    return Block("console", text, 1, None)


def test_a_command_takes_as_many_lines_as_the_shell_wants() -> None:
    text = "$ echo 'a\nb' \\\n  c\na\nb c\n$ for n in 1 2; do\n  echo $n\ndone\n1\n2\n"
    text += "$ cat <<END\nx\nEND\nx\n$ true # no\n"
    read = [(command.text, command.shown) for command in commands(block(text))]
    assert read == [
        ("echo 'a\nb' \\\n  c", ["a", "b c"]),
        ("for n in 1 2; do\n  echo $n\ndone", ["1", "2"]),
        ("cat <<END\nx\nEND", ["x"]),
        ("true # no", []),
    ]


def test_sql_behind_the_prompt_of_psql_goes_to_its_database() -> None:
    text = "views=# SELECT 1\n  AS one;\n one\nviews=# \\i file.sql\n$ true\n"
    read = [(command.text, command.shown, command.database) for command in commands(block(text))]
    assert read == [
        ("SELECT 1\n  AS one;", [" one"], "views"),
        ("\\i file.sql", [], "views"),
        ("true", [], None),
    ]


def test_a_line_that_no_command_has_printed_is_refused() -> None:
    with pytest.raises(ValueError, match="line 1: no command"):
        list(commands(block("make up\n$ true\n")))


def test_a_block_in_a_list_is_found_and_the_mark_in_front_of_a_block_is_its_own(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "1. One\n\n   ```console\n   $ a\n   ```\n\n<!-- not run: why -->\n\n```sh\nb\n```\n\n"
        "```console\n$ c\n```\n\n<!-- typed with: tokens -->\n\n```console\n$ d\n```\n"
    )
    found = [(one.text, one.line, one.reason_not_to_run, one.typed_with) for one in shell_blocks(page)]
    assert found == [
        ("$ a\n", 4, None, None),
        ("b\n", 10, "why", None),
        ("$ c\n", 14, None, None),
        ("$ d\n", 20, None, "tokens"),
    ]


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a  b", "a b\n\n"),
        ("...\nb", "x\na\nb"),
        ("a\n...", "a"),
        ('{"a":1,...}', '{"a":1,"b":2}'),
        (f"id {_ID}, again {_ID}", f"id {_OTHER}, again {_OTHER}"),
        ("took 3.5 s at 2026-11-28T22:44:19.70Z", "took 12 s at 2027-01-02T03:04:05Z"),
        ("products-events[10]@13", "products-events[2]@7"),
        ("----+---", "------+----"),
    ],
)
def test_an_output_that_is_as_shown_agrees(shown: str, printed: str) -> None:
    assert Examples().differ(shown.splitlines(), printed) is None


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a", "a\nb"),
        ("a\nb", "a"),
        ("a", ""),
        ("...\nb", "a"),
        ("HTTP/1.1 201 Created", "HTTP/1.1 409 Conflict"),
        ("etag: 1", "etag: 2"),
        (f"id {_ID}, again {_ID}", f"id {_OTHER}, again {_ID}"),
        ("took 3.5 s", "took long"),
    ],
)
def test_an_output_that_is_not_as_shown_differs(shown: str, printed: str) -> None:
    assert Examples().differ(shown.splitlines(), printed) is not None


def test_what_was_printed_for_an_id_takes_its_place_later() -> None:
    examples = Examples()
    assert examples.differ([f'{{"id":"{_ID}"}}'], f'{{"id":"{_OTHER}"}}') is None
    assert examples.in_command(f"curl /v1/products/{_ID}") == f"curl /v1/products/{_OTHER}"
    assert examples.differ([_ID], _OTHER) is None
    assert examples.differ([_ID], _ID) is not None


def test_each_command_of_a_page_is_typed_by_a_tour_or_the_page_says_why_not() -> None:
    typed = {(stop.page, stop.part) for tour in TOURS for stop in tour.stops}
    forgotten = [
        f"{page.relative_to(REPOSITORY)}:{one.line}"
        for page in pages()
        for one in shell_blocks(page)
        if (page, one.typed_with) not in typed and one.reason_not_to_run is None
        and page not in TYPED_UNDER_LOAD
    ]  # fmt: skip
    assert forgotten == []


def test_a_page_that_is_typed_under_load_is_named_by_its_test() -> None:
    for page, test in TYPED_UNDER_LOAD.items():
        assert page.name in (REPOSITORY / test).read_text(), test
        assert shell_blocks(page), page


def test_a_page_of_a_tour_has_commands_and_is_typed_once() -> None:
    stops = [(stop.page, stop.part) for tour in TOURS for stop in tour.stops]
    assert [stop for stop, times in Counter(stops).items() if times > 1] == []
    assert [
        (page, part)
        for page, part in stops
        if not any(one.reason_not_to_run is None and one.typed_with == part for one in shell_blocks(page))
    ] == []
    for page in {page for page, _ in stops}:
        for one in shell_blocks(page):
            assert one.reason_not_to_run or list(commands(one)), f"{page}:{one.line}"


def reasons() -> Counter[str]:
    """How many blocks of all pages no test types, by the reason that stands in front of them."""
    return Counter(
        one.reason_not_to_run for page in pages() for one in shell_blocks(page) if one.reason_not_to_run
    )


# A new reason, or one more block, is a decision: whoever reads this list sees what nobody has tried.
NOT_RUN = {
    "the cookbook has a recipe that is": 2,
    "CI runs these commands": 1,
    "a debugger waits for its user": 1,
    "a new log has no full partition": 2,
    "a stream has no end": 1,
    "a new log has no removed partition": 1,
    "changes a role for all installations of the server": 1,
    "installs packages of an example": 6,
    "it cuts a release": 2,
    "needs Docker": 5,
    "needs events of its own": 1,
    "needs a cluster": 10,
    "needs a receiver": 1,
    "needs a program that is not installed here": 3,
    "needs a registry": 1,
    "needs a system under load": 1,
    "needs a mail with an unknown outcome": 1,
    "takes minutes": 8,
    "the PostgreSQL of the tests has a pg_verifybackup that does not start": 1,
    "the size of the running log stays": 1,
}


def test_the_blocks_that_no_test_types_are_these() -> None:
    assert dict(reasons()) == NOT_RUN


def test_a_mark_without_a_block_behind_it_is_noticed() -> None:
    for page in pages():
        marks = len(re.findall(r"^ *<!-- (?:not run|typed with): ", page.read_text(), flags=re.MULTILINE))
        marked = sum(bool(one.reason_not_to_run or one.typed_with) for one in shell_blocks(page))
        assert marks == marked, page.relative_to(REPOSITORY)
