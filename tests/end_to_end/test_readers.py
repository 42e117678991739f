"""Readers report every answer that the contract excludes, and none that an outage excuses."""

import pytest

from tests.end_to_end.reader_answers import OTHER, asked, document, shown
from tests.end_to_end.readers import Asked, Shown, is_failure, is_old_without_token, judge

NOT_FOUND, UNAVAILABLE, BROKEN = (Shown(status, None, b"") for status in (404, 503, 500))
UNCHANGED = Shown(304, '"3"', b"")


@pytest.mark.parametrize(
    ("question", "answer", "may_be_gone"),
    [
        (asked(), shown(3), False),
        (asked(), shown(4), False),
        (asked(), UNAVAILABLE, False),
        (asked(), NOT_FOUND, True),
        (asked(None), NOT_FOUND, False),
        (asked(None), shown(1), False),
        (asked(None), shown(1, OTHER), False),
        (asked(), shown(1, OTHER), True),
        (asked(known_version=3), UNCHANGED, False),
        (asked(is_gone=True), NOT_FOUND, True),
    ],
)
def test_what_the_contract_allows_is_not_wrong(question: Asked, answer: Shown, may_be_gone: bool) -> None:
    assert judge(question, answer, may_be_gone=may_be_gone) is None


@pytest.mark.parametrize(
    ("question", "answer", "may_be_gone", "said"),
    [
        (asked(), shown(2), False, "acknowledged with version 3 and shown with 2"),
        (asked(), NOT_FOUND, False, "was not found"),
        (asked(), BROKEN, False, "was answered 500"),
        (asked(), UNCHANGED, False, "was answered 304"),
        (asked(), shown(3, OTHER), False, f"was answered with {OTHER}"),
        (asked(), Shown(200, '"3"', document(4)), False, "is version 4 and has the ETag"),
        (asked(4, known_version=3), UNCHANGED, False, "acknowledged with version 4 and shown with 3"),
        (asked(known_version=2), UNCHANGED, False, "is version 2 and has the ETag"),
        (asked(is_gone=True), shown(3), True, "was shown after its deletion"),
        (asked(is_gone=True, known_version=3), UNCHANGED, True, "was shown after its deletion"),
    ],
)
def test_what_the_contract_excludes_is_wrong(
    question: Asked, answer: Shown, may_be_gone: bool, said: str
) -> None:
    problem = judge(question, answer, may_be_gone=may_be_gone)
    assert problem is not None
    assert said in problem


@pytest.mark.parametrize(
    ("question", "answer", "is_excused"),
    [
        (asked(has_token=False), shown(2), True),
        (asked(has_token=False), NOT_FOUND, True),
        (asked(is_gone=True, has_token=False), shown(2), True),
        (asked(has_token=False), BROKEN, False),
        (asked(has_token=False), Shown(200, '"3"', document(2)), False),
        (asked(), shown(2), False),
    ],
)
def test_an_old_document_is_excused_only_without_a_token(
    question: Asked, answer: Shown, is_excused: bool
) -> None:
    assert is_old_without_token(question, answer, False) is is_excused


def test_a_failure_is_no_excuse_for_another_answer() -> None:
    assert [is_failure(asked(), answer, False) for answer in (BROKEN, NOT_FOUND, shown(2))] == [
        True,
        False,
        False,
    ]
