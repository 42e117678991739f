"""Translates redis-py's errors into the projector's, in one place."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import ResponseError

from projector.errors import RedisIsAway, Refused, Unavailable
from projector.waiting import asking
from shared.ops.error_text import named
from shared.redis.errors import is_mistake, is_transient, takes_no_writes
from shared.redis.product_keys import GenerationFrozen, GenerationMoved


@contextmanager
def translated() -> Iterator[None]:
    """Raise `RedisIsAway`, `Unavailable` or `Refused` instead of redis-py's; any other is a bug and passes.

    A Redis that is full or busy, or lacks a permission, answers with an error like any other, but no event is
    at fault: eviction or an operator helps, and nothing is parked meanwhile.
    """
    try:
        with asking("Redis"):
            yield
    except Exception as error:
        text = f"Redis: {named(error)}"
        if isinstance(error, GenerationMoved | GenerationFrozen):
            raise Unavailable(text) from error
        if is_transient(error) and not isinstance(error, ResponseError):
            raise RedisIsAway(text) from error
        if is_transient(error) or takes_no_writes(error) or is_mistake(error):
            raise Unavailable(text) from error
        if isinstance(error, ResponseError):
            raise Refused(text) from error
        raise
