"""Finds the endpoint of an address without the framework's router, which tries one route after the other."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from command_api.http.single_commands import Endpoint

# Visible ASCII without a query or a fragment; all else is left to the framework.
_plain = re.compile(rb"/[\x21\x22\x24-\x3e\x40-\x7e]*")


class Found(NamedTuple):
    """`names`: segments of the path, as sent, by their names in the template."""

    endpoint: Endpoint
    path: str
    names: Mapping[str, str]


class _Row(NamedTuple):
    endpoint: Endpoint
    fixed: tuple[tuple[int, str], ...]
    names: tuple[tuple[str, int], ...]


class Addresses:
    """The endpoints by method and number of segments."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._rows: dict[tuple[bytes, int], list[_Row]] = {}
        for endpoint in endpoints:
            segments = endpoint.path.split("/")
            row = _Row(
                endpoint,
                tuple((at, each) for at, each in enumerate(segments) if not each.startswith("{")),
                tuple((each[1:-1], at) for at, each in enumerate(segments) if each.startswith("{")),
            )
            self._rows.setdefault((endpoint.method.encode(), len(segments)), []).append(row)

    def find(self, method: bytes, url: bytes) -> Found | None:
        """None: there is no such endpoint, or the framework has to look at the address."""
        if _plain.fullmatch(url) is None:
            return None
        path = url.decode("ascii")
        segments = path.split("/")
        for row in self._rows.get((method, len(segments)), ()):
            if all(segments[at] == each for at, each in row.fixed):
                names = {name: segments[at] for name, at in row.names}
                return Found(row.endpoint, path, names) if all(names.values()) else None
        return None
