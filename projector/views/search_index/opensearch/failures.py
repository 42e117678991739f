"""Translates the errors of OpenSearch into the projector's, in one place."""

from collections.abc import Iterator
from contextlib import contextmanager

from projector.errors import Refused, Unavailable
from projector.waiting import asking
from shared.search.opensearch.client import OpenSearchError, OpenSearchRefused

SERVER = "OpenSearch"
_OF_THE_VALUES = (400, 413)


@contextmanager
def translated(*, has_values: bool = False) -> Iterator[None]:
    """Raise `Unavailable` or `Refused`; any other error is a bug and passes.

    `has_values`: the request carries documents. Otherwise no event is at fault, whatever the answer: an index
    that is missing, a disk that is full or a right that is missing needs an operator, and nothing is parked.
    """
    try:
        with asking(SERVER):
            yield
    except OpenSearchError as error:
        text = f"{SERVER}: {error}"
        if has_values and isinstance(error, OpenSearchRefused) and error.status in _OF_THE_VALUES:
            raise Refused(text) from error
        raise Unavailable(text) from error
