"""A price move in a form that gives a true average when it is summed up.

Percentages do not: after -50 % and then +100 % the price is as before, but their mean is +25 %. Logarithms of
the ratios do: their mean is the geometric mean of the ratios, and a move and its reverse sum up to zero. They
are rounded decimals, not floats, so that a sum does not depend on the order in which it was made.
"""

from decimal import Context, Decimal, InvalidOperation
from math import log
from typing import NamedTuple

from projector.errors import HistoryDoesNotFold
from shared.contract.events import Money

_EXACT = Context(prec=34)
_DECIMAL_PLACES = 12
_LOG_RATIO_PLACES = Decimal(1).scaleb(-_DECIMAL_PLACES)
_PLACES_PER_UNIT = 10.0**_DECIMAL_PLACES
# Between these amounts a logarithm is below 64. Its error, in places: 0.0004 of the quotient, 0.007 of `log`,
# 0.007 of the product.
_FLOATS_MIN, _FLOATS_MAX = 1e-6, 1e20
_SURELY_NEARER = 0.48


class PriceMove(NamedTuple):
    """`direction`: 1 up, -1 down, 0 neither: the same amount, or other currencies, which do not compare.

    `currency` is the new price's. `log_ratio`: ln(new / old), None where one of them is 0 or they do not
    compare.
    """

    currency: str
    direction: int
    log_ratio: Decimal | None


def price_move(before: Money, after: Money) -> PriceMove:
    """The move from one price to another. Raises `HistoryDoesNotFold` if one is no amount of money."""
    old, new = _amount(before), _amount(after)
    if before.currency != after.currency:
        return PriceMove(after.currency, 0, None)
    direction = (new > old) - (new < old)
    if not old or not new:
        return PriceMove(after.currency, direction, None)
    return PriceMove(after.currency, direction, _log_ratio(old, new))


def _log_ratio(old: Decimal, new: Decimal) -> Decimal:
    """Rounded as the exact logarithm is.

    Floats find the same digits ten times as fast, unless the value is so near the middle between two that
    their own error, at most 0.015 of the last place, could decide.
    """
    old_float, new_float = float(old), float(new)
    if _FLOATS_MIN < old_float < _FLOATS_MAX and _FLOATS_MIN < new_float < _FLOATS_MAX:
        places = log(new_float / old_float) * _PLACES_PER_UNIT
        nearest = round(places)
        if abs(places - nearest) < _SURELY_NEARER:
            return Decimal(nearest).scaleb(-_DECIMAL_PLACES)
    return exact_log_ratio(old, new)


def exact_log_ratio(old: Decimal, new: Decimal) -> Decimal:
    """ln(new / old), rounded once."""
    return _EXACT.quantize(_EXACT.ln(_EXACT.divide(new, old)), _LOG_RATIO_PLACES)


def _amount(money: Money) -> Decimal:
    try:
        amount = Decimal(money.amount)
    except InvalidOperation as error:
        raise HistoryDoesNotFold(f"{money.amount!r} is no amount") from error
    if not amount.is_finite() or amount < 0:
        raise HistoryDoesNotFold(f"{money.amount!r} is no amount")
    return amount
