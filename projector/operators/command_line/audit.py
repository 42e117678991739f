"""`python -m projector audit`: who did what to the projections, the newest first."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime

from projector.audit.ports import Choice, RecordedAction
from projector.operators.assembly import Operations
from projector.operators.auditing import ACTIONS_PER_ANSWER_MAX, Audited, time_with_zone
from projector.operators.command_line.session import (
    DONE,
    add_looking_arguments,
    run_operation,
    say_json,
    say_table,
)
from projector.projections import CONTROLLED
from projector.settings import ProjectorSettings
from shared.ops.arguments import positive
from shared.ops.terminal import Terminal

_ACTIONS_SHOWN = 50
_DETAIL_CHARACTERS_MAX = 100
_TITLES = ("id", "acted at", "actor", "action", "projection", "product", "result", "reason", "detail")


def add_audit_arguments(parser: ArgumentParser) -> None:
    """Which entries of the audit log."""
    add_looking_arguments(parser)
    parser.add_argument("--projection", help=f"only actions on this one of {', '.join(CONTROLLED)}")
    parser.add_argument("--actor", help="only actions of this operator")
    parser.add_argument(
        "--since", type=_time, metavar="TIME", help="only actions since then, such as 2026-11-28T09:00:00Z"
    )
    parser.add_argument(
        "--before", type=positive, metavar="ID", help="only entries older than this one, for the next page"
    )
    parser.add_argument(
        "--limit", type=_limit, default=_ACTIONS_SHOWN, metavar="N",
        help=f"at most so many entries, up to {ACTIONS_PER_ANSWER_MAX} (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON document")


async def run_audit(given: Namespace, settings: ProjectorSettings, terminal: Terminal) -> int:
    """0: done. 1: an outage. 2: there is no such projection."""
    choice = Choice(given.projection, given.actor, given.since, given.before)

    async def command(operations: Operations) -> int:
        found = await operations.auditing.recorded(choice, given.limit)
        if given.json:
            say_json(terminal, found)
        elif not found.items:
            terminal.say("no matching operator actions")
        else:
            say_table(terminal, _TITLES, [_row(one) for one in found.items])
        _tell_of_more(found, terminal)
        return DONE

    return await run_operation(settings, terminal, command)


def _row(one: RecordedAction) -> tuple[object, ...]:
    acted_at = one.acted_at.astimezone(UTC).isoformat(timespec="seconds")
    detail = " ".join(one.detail.split())
    if len(detail) > _DETAIL_CHARACTERS_MAX:
        detail = f"{detail[: _DETAIL_CHARACTERS_MAX - 1]}…"
    return (
        one.action_id, acted_at, one.actor, one.action, one.projection, one.product_id, one.result,
        one.reason or None, detail or None,
    )  # fmt: skip


def _tell_of_more(found: Audited, terminal: Terminal) -> None:
    if found.next_cursor is not None:
        terminal.complain(f"there are older entries: --before {found.next_cursor}")


def _time(text: str) -> datetime:
    try:
        return time_with_zone(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def _limit(text: str) -> int:
    number = positive(text)
    if number > ACTIONS_PER_ANSWER_MAX:
        raise ArgumentTypeError(f"{number} is more than {ACTIONS_PER_ANSWER_MAX}")
    return number
