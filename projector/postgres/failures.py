"""Translates asyncpg's errors into the projector's, in one place."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from projector.errors import Refused, Unavailable
from projector.waiting import asking
from shared.ops.error_text import named
from shared.postgres.errors import is_permanent_data_error, is_transient


@contextmanager
def translated_read(server: str) -> Iterator[None]:
    """The same for a read of the log: one that the server ended, because it took too long, is no fault of the
    event that needs it. It is tried again and never parks an event.
    """
    with translated(server):
        try:
            yield
        except asyncpg.QueryCanceledError as error:
            raise Unavailable(f"{server}: too slow: {error}") from error


@contextmanager
def translated(server: str) -> Iterator[None]:
    """Raise `Unavailable` or `Refused` instead of the driver's errors; anything else is a bug and passes."""
    try:
        with asking(server):
            yield
    except Exception as error:
        if isinstance(error, asyncpg.LockNotAvailableError):
            # PostgreSQL's text has neither the table nor the holder.
            raise Unavailable(f"{server}: another session holds a lock on a table or row: {error}") from error
        if is_transient(error):
            raise Unavailable(f"{server}: {named(error)}") from error
        if is_permanent_data_error(error):
            raise Refused(f"{server}: {named(error)}") from error
        raise
