"""Numbers and ids have one spelling; a compressed body or another charset is told from a plain one."""

from uuid import UUID

import pytest

from shared.ops.plain_values import canonical_uuid, whole_number


@pytest.mark.parametrize(
    "text", ["1_0", "1.0", "+5", " 5", "5 ", "-1", "\uff15", "٣", "", "1e3", "0x1", "9" * 19]
)
def test_what_is_not_plain_digits_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="whole number in digits"):
        whole_number(text)


def test_plain_digits_are_a_number() -> None:
    assert [whole_number(text) for text in ("0", "007", "200")] == [0, 7, 200]


ID = "01920000-0000-7000-8000-00000000000a"


@pytest.mark.parametrize(
    "text", [f"{{{ID}}}", f"urn:uuid:{ID}", ID.replace("-", ""), f" {ID}", f"{ID}\n", "x"]
)
def test_another_spelling_of_an_id_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="must be a UUID"):
        canonical_uuid(text)


def test_an_id_is_taken_in_any_case() -> None:
    assert canonical_uuid(ID.upper()) == UUID(ID)
