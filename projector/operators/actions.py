"""What the audit log accepts as the actor and the reason of an action, from a command line or over HTTP."""

from projector.audit.ports import ACTOR_CHARACTERS_MAX, REASON_CHARACTERS_MAX


def needed_reason(text: str) -> str:
    """Raises `ValueError`."""
    if not text.strip():
        raise ValueError("a reason is required")
    return bounded_reason(text)


def bounded_reason(text: str) -> str:
    """Raises `ValueError`."""
    return _bounded(text, "reason", REASON_CHARACTERS_MAX)


def bounded_actor(text: str) -> str:
    """Raises `ValueError`."""
    if not text.strip():
        raise ValueError("the actor is empty")
    return _bounded(text, "actor", ACTOR_CHARACTERS_MAX)


def _bounded(text: str, name: str, characters_max: int) -> str:
    text = " ".join(text.split())
    if len(text) > characters_max:
        raise ValueError(f"the {name} has more than {characters_max} characters")
    if not text.isprintable():
        raise ValueError(f"the {name} has control characters")
    return text
