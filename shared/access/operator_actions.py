"""What an audit log accepts as the actor and the reason of an action, from a command line or over HTTP."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable

ACTOR_CHARACTERS_MAX = 255
REASON_CHARACTERS_MAX = 1000


def add_actor_and_reason(parser: ArgumentParser, *, needs_reason: bool, asks_for_token: bool = True) -> None:
    """`--actor`, kept as `acting_as`, and `--reason`."""
    check = needed_reason if needs_reason else bounded_reason
    subject = ". With access control it is the token's subject" if asks_for_token else ""
    parser.add_argument(
        "--reason", type=_argument(check), required=needs_reason, default="", help="why; for the audit log"
    )
    parser.add_argument(
        "--actor", dest="acting_as", type=_argument(bounded_actor), metavar="NAME",
        help=f"who; default: the user of this shell{subject}",
    )  # fmt: skip


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


def _argument(check: Callable[[str], str]) -> Callable[[str], str]:
    """argparse shows only the text of its own error."""

    def checked(text: str) -> str:
        try:
            return check(text)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from error

    return checked
