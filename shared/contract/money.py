"""Money without floats: a decimal string in the precision of its currency (ISO 4217)."""

import re
from decimal import Decimal
from functools import lru_cache

from iso4217 import Currency

AMOUNT_INTEGER_DIGITS_MAX = 12
_amount = re.compile(r"(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,4}))?", re.ASCII)


class MoneyError(ValueError):
    """The text is not an amount of the currency; the message says why."""


@lru_cache(maxsize=512)
def minor_units(currency: str) -> int:
    """Decimal places of an ISO 4217 currency: 2 for USD, 0 for JPY. Raises `MoneyError`."""
    try:
        exponent = Currency(currency).exponent
    except ValueError as error:
        raise MoneyError(f"{currency!r} is not an ISO 4217 currency code") from error
    if exponent is None:
        raise MoneyError(f"{currency} has no minor units and cannot price a product")
    return int(exponent)


def normal_amount(amount: str, currency: str) -> str:
    """The amount with exactly its currency's decimals: `50` USD is `50.00`. Raises `MoneyError`.

    More decimals than the currency has are refused, never rounded.
    """
    places = minor_units(currency)
    match = _amount.fullmatch(amount)
    if match is None:
        raise MoneyError("an amount is a decimal string such as 50.00, at most 12 digits before the point")
    whole, fraction = match.group(1), match.group(2) or ""
    if len(fraction) > places:
        raise MoneyError(f"{currency} has {places} decimal places")
    return f"{whole}.{fraction.ljust(places, '0')}" if places else whole


def as_decimal(amount: str) -> Decimal:
    """A number for comparing and for numeric columns; do not calculate shown amounts with it."""
    return Decimal(amount)
