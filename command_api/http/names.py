"""Names in request bodies: normalised first, then measured, so that two names that look the same are one.

Everything that is compared or looked up has the normal form (shared/contract/text.py): names, slugs, SKUs,
barcodes, brands, product types, categories, tags, option names and values. Descriptions, attributes,
addresses and texts of images are content, and stay unchanged. Sizes are in characters of the normal form.
"""

from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from shared.contract.text import NFC_SHRINKS_TO_A_QUARTER, normal_slug, normal_text, slug_problem

NAME_CHARACTERS_MAX = 255
CATEGORY_CHARACTERS_MAX = 512
TAGS_MAX = 250
OPTIONS_MAX = 10
# Invisible characters, in the regular expressions of OpenAPI and Rust; `\s` is white space of every script.
# At the end of a word a joiner or an emoji's variation selector (200d, fe0f) changes the visible text.
_NOT_SEEN_LAST = (
    r"\s\u00ad\u061c\u115f\u1160\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
)
_NOT_SEEN = _NOT_SEEN_LAST + r"\u034f\u200d\ufe0f"
_SEGMENT = f"[^/{_NOT_SEEN}](?:[^/]*[^/{_NOT_SEEN_LAST}])?"


def _in_normal_form(characters_max: int, normal: Callable[[str], str] = normal_text) -> BeforeValidator:
    """The normal form; a text that is certainly too long is not changed, and its length refuses it."""

    def normalise(value: Any) -> Any:
        if not isinstance(value, str) or len(value) > NFC_SHRINKS_TO_A_QUARTER * characters_max:
            return value
        return normal(value)

    return BeforeValidator(normalise)


def _check_slug(slug: str) -> str:
    problem = slug_problem(slug)
    if problem is not None:
        raise ValueError(problem)
    return slug


def _check_sku(value: str) -> str:
    if not value.isprintable():
        character = next(each for each in value if not each.isprintable())
        raise ValueError(f"{character!r} cannot stand in a SKU, which is printable characters")
    return value


def _without_repeats(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _refuse_equal_names(value: Any, validate: ValidatorFunctionWrapHandler) -> dict[str, str]:
    """Refuses two option names with the same normal form: one value would be lost."""
    options: dict[str, str] = validate(value)
    if len(options) < len(value):
        (name, _), *_ = Counter(map(normal_text, value)).most_common(1)
        raise ValueError(f"two options have the name {name!r}")
    return options


ShortText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_CHARACTERS_MAX, pattern=f"[^{_NOT_SEEN}]"),
    _in_normal_form(NAME_CHARACTERS_MAX),
]
Slug = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_CHARACTERS_MAX),
    Field(
        description="Letters, marks and digits of every script, `_`, and `-` between them; begins with a"
        " letter or a digit. Signs (™, emoji) are refused. Stored in NFC without invisible characters."
    ),
    AfterValidator(_check_slug),
    _in_normal_form(NAME_CHARACTERS_MAX, normal_slug),
]
Sku = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_CHARACTERS_MAX),
    Field(description="Printable characters, compared exactly, stored in NFC."),
    AfterValidator(_check_sku),
    _in_normal_form(NAME_CHARACTERS_MAX),
]
Barcode = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_CHARACTERS_MAX),
    _in_normal_form(NAME_CHARACTERS_MAX),
]
Category = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=CATEGORY_CHARACTERS_MAX, pattern=f"^{_SEGMENT}(?:/{_SEGMENT})*$"
    ),
    _in_normal_form(CATEGORY_CHARACTERS_MAX),
]
Tags = Annotated[list[ShortText], Field(max_length=TAGS_MAX), AfterValidator(_without_repeats)]
Options = Annotated[
    dict[ShortText, ShortText], Field(max_length=OPTIONS_MAX), WrapValidator(_refuse_equal_names)
]
