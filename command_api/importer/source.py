"""What a file is made of, whatever its format: candidates for the API and rejections."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

WantedStatus = Literal["draft", "active", "archived"]
WANTED_STATUSES: tuple[WantedStatus, ...] = ("draft", "active", "archived")


@dataclass(frozen=True)
class Candidate:
    """A product that reads well; only the API's answer accepts it.

    `product` is the body of POST /v1/products, `line` counts from 1, and `original` is what the
    reject file repeats: the rows of the CSV, or None where the product itself says it all.
    """

    line: int
    product: dict[str, Any]
    wanted_status: WantedStatus
    original: Any = None


@dataclass(frozen=True)
class Rejection:
    """What cannot be loaded and why; `original` as in `Candidate`, or the text of a line that is no JSON."""

    line: int
    reason: str
    original: Any


class Source(Protocol):
    """A stream of products whose memory does not grow with their descriptions."""

    @property
    def unknown_columns(self) -> tuple[str, ...]: ...

    @property
    def bytes_total(self) -> int: ...

    @property
    def bytes_read(self) -> int: ...

    def __iter__(self) -> Iterator[Candidate | Rejection]: ...
