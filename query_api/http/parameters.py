"""Parameters that several addresses share, as OpenAPI describes them."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from query_api.cursors import CURSOR_CHARACTERS_MAX
from query_api.errors import BadParameter
from shared.contract.money import MoneyError, minor_units
from shared.contract.text import NFC_SHRINKS_TO_A_QUARTER, normal_text
from shared.ops.plain_values import canonical_uuid, whole_number

LIMIT_DEFAULT, LIMIT_MAX = 50, 200
CATEGORY_CHARACTERS_MAX = 512
_STATUS = "(draft|active|archived)"
STATUSES_PATTERN = f"^{_STATUS}(,{_STATUS}){{0,2}}$"


def _in_normal_form(value: Any) -> Any:
    """The stored form of a name. A text that is too long in every form is not changed: its length refuses
    it.
    """
    if not isinstance(value, str) or len(value) > NFC_SHRINKS_TO_A_QUARTER * CATEGORY_CHARACTERS_MAX:
        return value
    return normal_text(value)


def _digits_only(value: Any) -> Any:
    """Digits only: pydantic alone would also accept `1_0`, `1.0`, `+5` and blanks."""
    return whole_number(value) if isinstance(value, str) else value


def _uuid_only(value: Any) -> Any:
    """Hyphenated form only: pydantic alone would also accept braces, `urn:uuid:` and no hyphens."""
    return canonical_uuid(value) if isinstance(value, str) else value


WholeNumber = Annotated[int, BeforeValidator(_digits_only)]
Id = Annotated[UUID, BeforeValidator(_uuid_only)]
# PostgreSQL text cannot hold NUL, so no product can match one.
Text = Annotated[
    str, Field(min_length=1, max_length=255, pattern="^[^\\u0000]*$"), BeforeValidator(_in_normal_form)
]
CategoryPath = Annotated[
    str,
    Field(min_length=1, max_length=CATEGORY_CHARACTERS_MAX, pattern="^[^\\u0000]*$"),
    BeforeValidator(_in_normal_form),
]


class Paging(BaseModel):
    """The parameters of every list; undeclared ones are refused."""

    model_config = ConfigDict(extra="forbid")

    limit: WholeNumber = Field(LIMIT_DEFAULT, ge=1, le=LIMIT_MAX, description="Items on a page.")
    cursor: str | None = Field(
        None,
        pattern="^[A-Za-z0-9_-]+$",
        max_length=CURSOR_CHARACTERS_MAX,
        description="`next_cursor` of the page before, with the same parameters.",
    )


def known_currency(currency: str | None) -> str | None:
    """The same currency. Raises `BadParameter` if it is not an ISO 4217 currency for prices."""
    try:
        if currency is not None:
            minor_units(currency)
    except MoneyError as error:
        raise BadParameter("currency", str(error)) from error
    return currency
