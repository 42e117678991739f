"""`python -m projector dead-letters list | show | retry | discard | park`."""

from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Sequence
from functools import partial
from typing import get_args
from uuid import UUID

from projector.applying.records import ErrorClass
from projector.operators.assembly import Operations
from projector.operators.command_line.session import (
    DONE,
    FAILED,
    SOME_FAILED,
    USAGE,
    action_of,
    add_action_arguments,
    add_command,
    add_looking_arguments,
    run_operation,
    say_json,
    say_table,
)
from projector.parking.answers import ListedDeadLetter, Result
from projector.parking.dead_letters import DeadLetters, Listed, Summary
from projector.parking.ports import Narrowed
from projector.projections import NAMES
from projector.settings import ProjectorSettings
from shared.ops.program import CODES_OF_SIGNALS
from shared.ops.terminal import Terminal

_CAUSE_CHARACTERS_MAX = 140
_NONE = "no matching dead letters"
_EXIT_CODES = (
    "Exit codes: 0 done; 1 an outage; 2 wrong usage or no such dead letter; "
    f"3 some could not be retried or discarded; {CODES_OF_SIGNALS}."
)


def add_dead_letter_arguments(parser: ArgumentParser) -> None:
    """The sub-commands."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = _command(commands, "list", "list parked products and records, oldest first")
    _add_choice(listing, needs_projection=False)
    _add_class(listing)
    showing = _command(commands, "show", "print the parked records: bytes, headers, cause")
    _add_choice(showing, needs_projection=False)
    for looking in (listing, showing):
        add_looking_arguments(looking)
    _add_changes(commands)
    parking = _command(commands, "park", "park one record that stops a projection")
    _add_projection(parking, is_needed=True)
    parking.add_argument("--partition", type=int, required=True, metavar="P", help="`status` names it")
    parking.add_argument("--offset", type=int, required=True, metavar="N", help="`status` names it")
    add_action_arguments(parking, needs_reason=True)


def _command(commands: "_SubParsersAction[ArgumentParser]", name: str, summary: str) -> ArgumentParser:
    return add_command(commands, name, summary, epilog=_EXIT_CODES)


def _add_changes(commands: "_SubParsersAction[ArgumentParser]") -> None:
    retrying = _command(commands, "retry", "apply dead letters again, each product's events in order")
    _add_choice(retrying, needs_projection=True)
    retrying.add_argument(
        "--from-log",
        action="store_true",
        help="read the events from the log, because the records from Kafka are damaged",
    )
    retrying.add_argument(
        "--resend-unknown",
        action="store_true",
        help="also send mails whose outcome is unknown; the recipient may get them twice",
    )
    discarding = _command(commands, "discard", "give dead letters up; the view skips their versions")
    _add_choice(discarding, needs_projection=True)
    discarding.add_argument(
        "--first-only", action="store_true", help="of each product, discard only the event that failed"
    )
    for parser, needs_reason in ((retrying, False), (discarding, True)):
        _add_class(parser)
        parser.add_argument("--all", action="store_true", help="all dead letters of the projection")
        parser.add_argument("--dry-run", action="store_true", help="change nothing; print what would be done")
        add_action_arguments(parser, needs_reason=needs_reason)


def _add_projection(parser: ArgumentParser, *, is_needed: bool) -> None:
    parser.add_argument("--projection", required=is_needed, help=f"one of {', '.join(NAMES)}")


def _add_choice(parser: ArgumentParser, *, needs_projection: bool) -> None:
    _add_projection(parser, is_needed=needs_projection)
    parser.add_argument("--product", type=UUID, metavar="ID", help="only dead letters of this product")
    parser.add_argument(
        "--id",
        dest="dead_letter_id",
        type=int,
        metavar="N",
        help="only this dead letter; `list` shows the ids",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def _add_class(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--class",
        dest="error_class",
        choices=get_args(ErrorClass),
        metavar="CLASS",
        help=f"only of this error class: {', '.join(get_args(ErrorClass))}",
    )


async def run_dead_letters(given: Namespace, settings: ProjectorSettings, terminal: Terminal) -> int:
    """0: done. 1: an outage. 2: wrong usage, or no such dead letter. 3: some could not be retried or
    discarded.
    """

    async def command(operations: Operations) -> int:
        dead_letters = operations.dead_letters
        match given.action:
            case "list":
                return await _list(dead_letters, given, terminal)
            case "show":
                narrowed = Narrowed(given.product, given.dead_letter_id)
                listed = await dead_letters.show(given.projection, narrowed)
                say_json(terminal, listed.shown)
                _tell_of_more(listed, terminal)
                return DONE
            case "park":
                action = action_of(given, "park")
                await dead_letters.park(given.projection, given.partition, given.offset, action)
                place = f"{given.partition}, offset {given.offset}"
                terminal.say(f"{given.projection}: will park partition {place} when it reads that record")
                return DONE
            case _:
                return await _change(dead_letters, given, terminal)

    return await run_operation(settings, terminal, command)


async def _list(dead_letters: DeadLetters, given: Namespace, terminal: Terminal) -> int:
    listed = await dead_letters.listed(given.projection, _narrowed(given))
    if given.json:
        say_json(terminal, listed.shown)
    elif not listed.shown:
        terminal.say(_NONE)
    else:
        titles = (
            "id",
            "projection",
            "product",
            "class",
            "events",
            "tries",
            "parked at",
            "record",
            "cause",
        )
        say_table(terminal, titles, [_row(dead_letter) for dead_letter in listed.shown])
    _tell_of_more(listed, terminal)
    return DONE


def _narrowed(given: Namespace) -> Narrowed:
    return Narrowed(given.product, given.dead_letter_id, given.error_class)


def _tell_of_more(listed: Listed, terminal: Terminal) -> None:
    if listed.total > len(listed.shown):
        terminal.complain(
            f"{len(listed.shown)} of {listed.total} shown; see --help for the options that select fewer"
        )


def _row(one: ListedDeadLetter) -> tuple[object, ...]:
    return (
        one.dead_letter_id, one.projection, one.product_id, one.error_class, one.events, one.attempts,
        one.parked_at.isoformat(timespec="seconds"), f"{one.topic}[{one.partition}]@{one.offset}",
        _short(one.cause),
    )  # fmt: skip


async def _change(dead_letters: DeadLetters, given: Namespace, terminal: Terminal) -> int:
    if not (given.product or given.dead_letter_id is not None or given.error_class or given.all):
        terminal.complain("choose dead letters with --product, --id, --class or --all")
        return USAGE
    chosen, action = (given.projection, _narrowed(given)), action_of(given, given.action)
    results: list[Result] = []
    # A JSON document is printed whole; tables page by page.
    tell = results.extend if given.json else partial(_tell, terminal)
    if given.action == "retry":
        summary = await dead_letters.retry(
            *chosen,
            action,
            tell,
            from_log=given.from_log,
            resend_unknown=given.resend_unknown,
            is_dry=given.dry_run,
        )
    else:
        summary = await dead_letters.discard(
            *chosen, action, tell, first_only=given.first_only, is_dry=given.dry_run
        )
    if given.json:
        say_json(terminal, results)
    return _sum_up(summary, given, terminal)


def _sum_up(summary: Summary, given: Namespace, terminal: Terminal) -> int:
    """Prints how many were done and how many are left; returns the exit code."""
    if summary.stopped_by is not None:
        terminal.complain(f"stopped by an outage; run the command again later: {summary.stopped_by}")
    line = _NONE
    if summary.done or summary.failed or summary.parked_now:
        did = {"retry": "retried", "discard": "discarded"}[given.action]
        line = f"{summary.done} {'would be ' if given.dry_run else ''}{did}, {summary.failed} failed"
        if summary.parked_now is not None:
            line += f"; matching dead letters parked now: {summary.parked_now}"
    # A JSON document is alone on stdout.
    (terminal.complain if given.json else terminal.say)(line)
    if summary.stopped_by is not None:
        return FAILED
    return SOME_FAILED if summary.failed else DONE


def _tell(terminal: Terminal, results: Sequence[Result]) -> None:
    titles = ("id", "product", "outcome", "released", "left", "cause")
    rows = [
        (one.dead_letter_id, one.product_id, one.outcome, one.released, one.left, _short(one.cause))
        for one in results
    ]
    say_table(terminal, titles, rows)


def _short(cause: str | None) -> str | None:
    """In one line; PostgreSQL's errors have several lines."""
    if cause is None:
        return None
    cause = " ".join(cause.split())
    if len(cause) <= _CAUSE_CHARACTERS_MAX:
        return cause
    return cause[: _CAUSE_CHARACTERS_MAX - 1] + "…"
