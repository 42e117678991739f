"""Types of arguments of command lines: a wrong one is refused in words for the user, not with our names."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from uuid import UUID


def at_least(least: int) -> Callable[[str], int]:
    """A whole number, not below `least`."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and int(text) >= least):
            raise ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
        return int(text)

    return number


positive = at_least(1)


def product_id(text: str) -> UUID:
    """The id of a product. Raises `ArgumentTypeError`."""
    try:
        return UUID(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a product id") from error
