"""Types of arguments of command lines: a wrong one is refused in words for the user, not with our names."""

import os
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
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


@dataclass(frozen=True, slots=True)
class ApiAddress:
    """The type of `--url`; the default comes from the variable of the address, or from that of the port."""

    url_variable: str
    port_variable: str
    port: int

    def default(self) -> str:
        port = os.environ.get(self.port_variable) or str(self.port)
        return os.environ.get(self.url_variable) or f"http://127.0.0.1:{port}"

    def __call__(self, text: str) -> str:
        """The same text. Raises `ArgumentTypeError`."""
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ArgumentTypeError(f"{text!r} is not an http or https address{self._origin(text)}")
        try:
            has_port = parts.port != 0
        except ValueError:
            has_port = False
        if not has_port:
            raise ArgumentTypeError(f"the port of {text!r} is not from 1 to 65535{self._origin(text)}")
        return text

    def _origin(self, text: str) -> str:
        """The user typed no `--url`: argparse checks the default, too, and names the argument."""
        if text != self.default():
            return ""
        return f" (from {self.url_variable if os.environ.get(self.url_variable) else self.port_variable})"
