"""The parts of OpenSearch's answers that we read."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from projector.errors import Refused, Unavailable
from projector.views.search_index.opensearch.failures import SERVER

_CONFLICT, _BAD_REQUEST = 409, 400


class Stored(NamedTuple):
    """A document as it is stored. `source` is its JSON."""

    index_name: str
    version: int
    seq_no: int
    primary_term: int
    source: bytes


class Written(NamedTuple):
    """Both None: another document was as new or newer, and stays."""

    seq_no: int | None
    primary_term: int | None


class _Error(msgspec.Struct):
    type: str = ""
    reason: str | None = None


class _Found(msgspec.Struct, rename=lambda name: name if name in ("found", "error") else f"_{name}"):
    index: str
    id: str
    found: bool = False
    version: int = 0
    seq_no: int = 0
    primary_term: int = 0
    source: msgspec.Raw = msgspec.Raw(b"{}")
    error: _Error | None = None


class _AllFound(msgspec.Struct):
    docs: list[_Found]


class _Item(msgspec.Struct, rename={"seq_no": "_seq_no", "primary_term": "_primary_term"}):
    status: int
    seq_no: int | None = None
    primary_term: int | None = None
    error: _Error | None = None


class _Items(msgspec.Struct):
    items: list[dict[str, _Item]]


class _Aliases(msgspec.Struct):
    aliases: dict[str, Any]


class _Shards(msgspec.Struct):
    failed: int


class _Refreshed(msgspec.Struct, rename={"shards": "_shards"}):
    shards: _Shards


_found = msgspec.json.Decoder(_AllFound)
_items = msgspec.json.Decoder(_Items)
_indexes = msgspec.json.Decoder(dict[str, _Aliases])
_refreshed = msgspec.json.Decoder(_Refreshed)


def read_found(answer: bytes) -> dict[str, Stored]:
    """Of `_mget`, by key; absent ones are not there. Raises `Unavailable`."""
    found = {}
    for one in _found.decode(answer).docs:
        if one.error is not None:
            raise Unavailable(f"{SERVER}: {one.error.type}: {one.error.reason}")
        if one.found:
            found[one.id] = Stored(one.index, one.version, one.seq_no, one.primary_term, bytes(one.source))
    return found


def read_written(answer: bytes) -> Sequence[Written]:
    """Of `_bulk`, in the order of the writes.

    Raises `Unavailable` if one may be accepted later, else `Refused` if one is the fault of its document.
    """
    refusal: _Item | None = None
    written = []
    for item in _items.decode(answer).items:
        (one,) = item.values()
        if one.status == _BAD_REQUEST:
            refusal = refusal or one
        elif one.error is not None and one.status != _CONFLICT:
            raise Unavailable(_why(one))
        written.append(Written(one.seq_no, one.primary_term))
    if refusal is not None:
        raise Refused(_why(refusal))
    return written


def read_aliases(answer: bytes) -> dict[str, list[str]]:
    """Of `_alias`: the aliases of each index."""
    return {name: list(one.aliases) for name, one in _indexes.decode(answer).items()}


def failed_shards(answer: bytes) -> int:
    """Of `_refresh`."""
    return _refreshed.decode(answer).shards.failed


def _why(one: _Item) -> str:
    error = _Error() if one.error is None else one.error
    return f"{SERVER}: {one.status} {error.type}: {error.reason}"
