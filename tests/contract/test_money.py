"""Amounts in the precision of their currency: never rounded, never a float."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contract.money import MoneyError, as_decimal, minor_units, normal_amount

_currencies = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CLF", "ISK", "TND"])


@pytest.mark.parametrize(
    ("amount", "currency", "normal"),
    [
        ("50", "USD", "50.00"),
        ("50.5", "USD", "50.50"),
        ("0", "USD", "0.00"),
        ("999999999999.99", "USD", "999999999999.99"),
        ("1200", "JPY", "1200"),
        ("1.5", "KWD", "1.500"),
        ("1.2345", "CLF", "1.2345"),
    ],
)
def test_an_amount_gets_exactly_the_decimals_of_its_currency(amount: str, currency: str, normal: str) -> None:
    assert normal_amount(amount, currency) == normal


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("1.0", "JPY"),
        ("1.001", "USD"),
        ("1.000", "USD"),
        ("1.0005", "KWD"),
        ("-1.00", "USD"),
        ("+1", "USD"),
        ("1e2", "USD"),
        ("", "USD"),
        (".5", "USD"),
        ("5.", "USD"),
        ("01", "USD"),
        ("1,5", "USD"),
        (" 1", "USD"),
        ("1\n", "USD"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
        ("1000000000000", "USD"),
        ("٣", "USD"),
        ("1_0", "USD"),
        ("1", "usd"),
        ("1", "XXX"),
        ("1", "XAU"),
        ("1", "ZZZ"),
        ("1", ""),
        ("1", "US"),
        ("1", "EURO"),
    ],
)
def test_what_is_no_amount_of_its_currency_is_refused_and_never_rounded(amount: str, currency: str) -> None:
    with pytest.raises(MoneyError):
        normal_amount(amount, currency)


@given(st.integers(0, 10**12 - 1), st.integers(0, 4), _currencies, st.data())
def test_a_normal_amount_is_the_same_number_in_its_one_spelling(
    whole: int, digits: int, currency: str, data: st.DataObject
) -> None:
    fraction = data.draw(st.text("0123456789", min_size=digits, max_size=digits))
    amount = f"{whole}.{fraction}" if digits else str(whole)
    if digits > minor_units(currency):
        with pytest.raises(MoneyError):
            normal_amount(amount, currency)
        return
    normal = normal_amount(amount, currency)
    assert as_decimal(normal) == Decimal(amount)
    assert normal_amount(normal, currency) == normal
    assert -as_decimal(normal).as_tuple().exponent == minor_units(currency)  # type: ignore[operator]


@given(st.text(max_size=20), st.text(max_size=4) | _currencies)
def test_any_text_is_either_an_amount_or_a_money_error(amount: str, currency: str) -> None:
    try:
        normal = normal_amount(amount, currency)
    except MoneyError:
        return
    assert as_decimal(normal) >= 0
