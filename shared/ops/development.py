"""Defaults that suit development on one machine, and what becomes of them elsewhere.

`make up` works without any setting, because addresses, passwords and keys have defaults. Where others reach a
process, a forgotten variable must not send it to 127.0.0.1, or let it sign with a key that everybody can read
here. So each such default is marked in its settings class, and a process that listens on another address than
loopback does not start while one of them is unset. No list repeats the marks.

A setting that is given counts, also if it is the default: `127.0.0.1` is right for a proxy in the same pod.
`refused_elsewhere` is for values that are wrong for others in any case.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.ops.http.local_requests import stays_here
from shared.ops.secret import Secret

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Development:
    """The mark. `refused_elsewhere`: (value, default) -> why the value is refused, or None."""

    refused_elsewhere: Callable[[Any, Any], str | None] = lambda _value, _default: None


def _if_published(value: Secret, default: Secret) -> str | None:
    if value.read() != default.read():
        return None
    return "everybody can read this value in the source: set one of your own"


DevelopmentDefault = Annotated[T, Development()]
"""The default is for one machine: elsewhere the setting must be given."""
DevelopmentSecret = Annotated[T, Development(_if_published)]
"""The same; and the default itself is refused elsewhere, because it protects nothing."""


def development_fields(settings: type[BaseModel]) -> Iterator[tuple[str, FieldInfo, Development]]:
    """The marked fields of a class."""
    for name, field in settings.model_fields.items():
        for mark in field.metadata:
            if isinstance(mark, Development):
                yield name, field, mark


def unfit_elsewhere(settings: BaseModel, listen_host: str, unused: frozenset[str]) -> Iterator[str]:
    """A line for each setting that would do on one machine only; `unused` are fields that have no effect."""
    if is_loopback(listen_host):
        return
    why = f"LISTEN_HOST is {listen_host}"
    for name, field, mark in development_fields(type(settings)):
        value = getattr(settings, name)
        if name in unused:
            continue
        if name not in settings.model_fields_set or value == "":
            yield f"{name.upper()}: is needed, because {why}; its default is for development on one machine"
        elif reason := mark.refused_elsewhere(value, field.default):
            yield f"{name.upper()}: {reason}, because {why}"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a socket that is bound to this host; a name counts by its addresses.

    A name that cannot be resolved is none.
    """
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    except (OSError, ValueError, UnicodeError):
        return False
    return bool(addresses) and all(stays_here(address) for address in addresses)
