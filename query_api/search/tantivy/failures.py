"""Translates the errors of tantivy, once.

A panic of its code arrives as an exception that is no `Exception`; without this a query that tantivy cannot
answer would end the process.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from query_api.errors import SearchEngineFailed
from shared.ops.error_text import named
from shared.ops.logs import get_logger

_PANIC = "PanicException"
_log = get_logger(__name__)


@contextmanager
def translated() -> Iterator[None]:
    """Raises `SearchEngineFailed` for every error of the index."""
    try:
        yield
    except (OSError, ValueError) as error:
        _log.error("search failed", reason=named(error))
        raise SearchEngineFailed(f"search index: {named(error)}") from error
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        _log.error("search failed", reason=str(error))
        raise SearchEngineFailed("search index: a fault of the engine") from error
