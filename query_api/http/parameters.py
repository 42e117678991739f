"""Parameters that several addresses share, as OpenAPI describes them."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from query_api.cursors import CURSOR_CHARACTERS_MAX
from query_api.errors import BadParameter
from shared.contract.money import MoneyError, minor_units
from shared.contract.text import NFC_SHRINKS_TO_A_QUARTER, normal_text
from shared.ops.plain_values import canonical_uuid, whole_number

LIMIT_DEFAULT, LIMIT_MAX = 50, 200
CATEGORY_CHARACTERS_MAX = 512
_STATUS = "(draft|active|archived)"
_STREAM_VERSION_MAX = 2**31 - 1
_rfc3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
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


def _rfc3339_only(value: Any) -> Any:
    """RFC 3339 only: pydantic alone would also accept Unix times, and dates without a zone."""
    if not isinstance(value, str) or _rfc3339.fullmatch(value) is None:
        raise ValueError("is not an RFC 3339 time such as 2025-01-31T12:00:00Z (in an address, + is %2B)")
    return value


WholeNumber = Annotated[int, BeforeValidator(_digits_only)]
StreamVersion = Annotated[WholeNumber, Field(ge=1, le=_STREAM_VERSION_MAX)]
Time = Annotated[AwareDatetime, BeforeValidator(_rfc3339_only)]
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


_times: TypeAdapter[datetime] = TypeAdapter(Time)
_versions: TypeAdapter[int] = TypeAdapter(StreamVersion)


def in_utc(parameter: str, time: datetime | None) -> datetime | None:
    """The same time. Raises `BadParameter` if there is none in UTC."""
    try:
        return None if time is None else time.astimezone(UTC)
    except OverflowError as error:
        raise BadParameter(parameter, "is out of range") from error


def moment_of(parameter: str, text: str) -> int | datetime:
    """A version in digits, or an RFC 3339 time. Raises `BadParameter`."""
    try:
        if text.isdecimal():
            return _versions.validate_python(text)
        return _times.validate_python(text).astimezone(UTC)
    except (ValidationError, OverflowError) as error:
        reason = "is neither a version, from 1, nor an RFC 3339 time such as 2025-01-31T12:00:00Z"
        raise BadParameter(parameter, f"{reason} (in an address, + is %2B)") from error


def known_currency(currency: str | None) -> str | None:
    """The same currency. Raises `BadParameter` if it is not an ISO 4217 currency for prices."""
    try:
        if currency is not None:
            minor_units(currency)
    except MoneyError as error:
        raise BadParameter("currency", str(error)) from error
    return currency
