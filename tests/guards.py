"""A guard for tests: it knows the key "first" of tests/tokens.py, and so every token that it signs."""

from shared.access.guard import Guard
from shared.access.refusal_log import RefusalLog
from shared.access.scopes import Scope
from shared.access.tokens import TokenVerifier
from shared.ops.settings import ProcessSettings
from tests.in_memory.keys import InMemoryKeys
from tests.tokens import RULES, public_keys, token

LOG_REPEATS_SECONDS = 3600.0
"""Longer than any test: how many of the same lines a flood has does not depend on how long it takes."""


def guard(keys: InMemoryKeys | None = None, *, known_max: int = 100, known_seconds_max: float = 60) -> Guard:
    """A guard with keys in memory."""
    verifier = TokenVerifier(keys or InMemoryKeys(public_keys("first")), RULES)
    settings = ProcessSettings(_env_file=None, log_repeats_seconds=LOG_REPEATS_SECONDS)  # type: ignore[call-arg]
    return Guard(verifier, RefusalLog(settings), known_max=known_max, known_seconds_max=known_seconds_max)


def bearer(*scopes: Scope, sub: str = "editor-7") -> dict[str, str]:
    """The header of a good token with these scopes."""
    return {"authorization": f"Bearer {token(scopes, sub=sub)}"}
