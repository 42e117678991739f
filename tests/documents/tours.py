"""Which pages are typed, on which system, and what a word such as NAME stands for on each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.documents.console_blocks import REPOSITORY


@dataclass(frozen=True)
class Stop:
    """A page of a tour.

    `meant`: what to type for a word that the reader has to replace. `scene`: commands that make the state
    in which the page is read. `in_shell`: it is read in `make shell`, as operators' pages say.
    """

    page: Path
    meant: Mapping[str, str] = field(default_factory=dict)
    scene: Sequence[str] = ()
    in_shell: bool = False


@dataclass(frozen=True)
class Tour:
    """Pages that are read one after the other on one system.

    `options` are those of the `make up` before the first page; None if a page starts the system itself.
    """

    name: str
    options: str | None
    stops: list[Stop]

    def __str__(self) -> str:
        return self.name


def _page(name: str, *scene: str, in_shell: bool = False, **meant: str) -> Stop:
    return Stop(REPOSITORY / name, meant, scene, in_shell)


FIRST_STEPS = Tour("first steps", None, [_page("docs/quickstart.md")])
CALLS = Tour("calls", "", [_page("README.md"), _page("docs/api.md")])

TOURS = [FIRST_STEPS, CALLS]
