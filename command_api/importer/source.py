"""The content of a file in any format: candidates for the API, and rejections."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

WantedStatus = Literal["draft", "active", "archived"]
WANTED_STATUSES: tuple[WantedStatus, ...] = ("draft", "active", "archived")


@dataclass(frozen=True)
class Lines:
    """The lines of a product in its file, so that each rejection can name the line and the cell.

    `rows`: the lines on which its rows begin. `variants` and `images`: one line for each, in their order.
    `fields`: the line of each field of the product itself. `labels`: what the file calls a field; None in
    NDJSON, which uses the API's own names.
    """

    rows: tuple[int, ...]
    variants: tuple[int, ...] = ()
    images: tuple[int, ...] = ()
    fields: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] | None = None

    def __str__(self) -> str:
        return lines_text(self.rows)


@dataclass(frozen=True)
class Candidate:
    """A product that could be read; whether it is accepted, the API decides.

    `product` is the product of an upsert: an absent field is kept, null clears it. `wanted_status` None keeps
    the status. `original` is what the reject file repeats: the rows of the CSV, or None if `product` is
    enough to write it. `handle` is set if the slug was made of the words of a handle.
    """

    lines: Lines
    product: dict[str, Any]
    wanted_status: WantedStatus | None = None
    original: Any = None
    handle: str | None = None
    is_unlisted: bool = False

    @property
    def line(self) -> int:
        return self.lines.rows[0]


@dataclass(frozen=True)
class Rejection:
    """A product that cannot be loaded, and the reason; `original` as in `Candidate`, or a line that is not
    JSON. `lines` in words, and `key` the slug, where they are known.
    """

    line: int
    reason: str
    original: Any
    lines: str = ""
    key: str | None = None


class Source(Protocol):
    """A stream of products; its memory does not grow with their descriptions."""

    @property
    def unknown_columns(self) -> tuple[str, ...]: ...

    @property
    def bytes_total(self) -> int: ...

    @property
    def bytes_read(self) -> int: ...

    def line_of(self, slug: str) -> int | None:
        """The first line of the product with this slug (in normal form); None if the file has none."""
        ...

    def __iter__(self) -> Iterator[Candidate | Rejection]: ...


def lines_text(lines: tuple[int, ...]) -> str:
    """`line 2`, `lines 2 and 5`, `lines 2, 5 and 9`, `lines 2 to 4`."""
    first, last = lines[0], lines[-1]
    if len(lines) == 1:
        return f"line {first}"
    if len(lines) > 2 and lines == tuple(range(first, last + 1)):
        return f"lines {first} to {last}"
    return f"lines {', '.join(map(str, lines[:-1]))} and {last}"
