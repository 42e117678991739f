"""Translates pydantic's errors into plain English: its own texts use Python's types and patterns."""

from collections.abc import Mapping
from typing import Any

# pydantic's type of error -> our text, with values of the error's context in braces
_TEXTS = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "string_type": "must be a string",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "does not have the form that is documented",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be an array",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "union_tag_invalid": "must name one of {expected_tags} in {discriminator}",
    "union_tag_not_found": "must have {discriminator}",
    "uuid_type": "must be a UUID",
    "uuid_parsing": "must be a UUID",
    "datetime_from_date_parsing": "must be an RFC 3339 time that exists",
    "datetime_parsing": "must be an RFC 3339 time that exists",
    "timezone_aware": "must be a time with its zone",
    "date_from_datetime_parsing": "must be a date that exists",
    "date_parsing": "must be a date that exists",
}


def plain_text(error: Mapping[str, Any]) -> str:
    """The text for one of `ValidationError.errors()`. Our own validators have their own texts."""
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    return _TEXTS.get(error["type"], "is not valid").format(**context)
