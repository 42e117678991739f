"""redis-py's errors become the use case's, once and here."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import ResponseError

from projector.errors import Refused, Unavailable
from shared.redis.client import is_transient
from shared.redis.product_keys import GenerationFrozen, GenerationMoved


@contextmanager
def translated() -> Iterator[None]:
    """Raise `Unavailable` or `Refused` instead of redis-py's errors; anything else is a bug and passes.

    Out of memory is an answer like any other error, but it passes by itself: eviction or an operator helps.
    """
    try:
        yield
    except Exception as error:
        text = f"Redis: {type(error).__name__}: {error}"
        if isinstance(error, GenerationMoved | GenerationFrozen):
            raise Unavailable(text) from error
        if is_transient(error) or str(error).startswith(("OOM", "MISCONF")):
            raise Unavailable(text) from error
        if isinstance(error, ResponseError):
            raise Refused(text) from error
        raise
