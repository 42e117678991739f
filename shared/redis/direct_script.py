"""A script over direct calls: one round trip, which sends the script's name alone."""

from collections.abc import Sequence
from hashlib import sha1
from typing import Any

import hiredis
from redis.exceptions import NoScriptError

from shared.redis.direct_calls import DirectCalls


class DirectScript:
    """Call it with keys and arguments, as redis-py's own scripts; it returns the script's answer.

    Raises redis-py's errors. A server that does not know the script gets it with the first call.
    """

    def __init__(self, calls: DirectCalls, script: bytes) -> None:
        self._calls = calls
        self._script = script
        self._name = script_name(script)

    async def __call__(self, keys: Sequence[Any], args: Sequence[Any]) -> Any:
        parts = (len(keys), *keys, *args)
        try:
            return await self._calls(_packed("EVALSHA", self._name, parts))
        except NoScriptError:
            return await self._calls(_packed("EVAL", self._script, parts))


def script_name(script: bytes) -> str:
    """As Redis itself names it: by SHA-1."""
    return sha1(script, usedforsecurity=False).hexdigest()


def _packed(command: str, script: bytes | str, parts: Sequence[Any]) -> bytes:
    packed: bytes = hiredis.pack_command((command, script, *parts))
    return packed
