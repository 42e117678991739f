"""`python -m projector dead-letters list | show | retry | discard | park`."""

from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from projector.operators.assembly import Operations
from projector.operators.command_line.session import (
    DONE,
    FAILED,
    SOME_FAILED,
    USAGE,
    action_of,
    add_action_arguments,
    run_operation,
    say_json,
    say_table,
)
from projector.parking.dead_letter import ListedDeadLetter, Result
from projector.parking.dead_letters import DeadLetters, Listed, Summary
from projector.parking.ports import Narrowed
from projector.projections import NAMES
from projector.settings import ProjectorSettings
from shared.ops.terminal import Terminal

_CAUSE_CHARACTERS_MAX = 140
_NONE = "no matching dead letters"


def add_dead_letter_arguments(parser: ArgumentParser) -> None:
    """The sub-commands."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = commands.add_parser("list", help="what is parked, oldest first")
    _add_choice(listing, needs_projection=False)
    showing = commands.add_parser("show", help="the parked records themselves: bytes, headers, cause")
    _add_choice(showing, needs_projection=False)
    _add_changes(commands)
    parking = commands.add_parser("park", help="let a projection park one record that it cannot get past")
    _add_projection(parking, is_needed=True)
    parking.add_argument("--partition", type=int, required=True)
    parking.add_argument("--offset", type=int, required=True)
    add_action_arguments(parking, needs_reason=True)


def _add_changes(commands: "_SubParsersAction[ArgumentParser]") -> None:
    retrying = commands.add_parser("retry", help="try again, each product's events in order")
    _add_choice(retrying, needs_projection=True)
    retrying.add_argument(
        "--from-log", action="store_true", help="take the events from the log, where Kafka's copy was spoilt"
    )
    retrying.add_argument(
        "--resend-unknown",
        action="store_true",
        help="also mails of which nobody knows whether they were sent",
    )
    discarding = commands.add_parser("discard", help="give up for good; the view passes over the versions")
    _add_choice(discarding, needs_projection=True)
    discarding.add_argument(
        "--first-only", action="store_true", help="of each product only the event that failed"
    )
    for parser, needs_reason in ((retrying, False), (discarding, True)):
        parser.add_argument("--all", action="store_true", help="everything of the projection")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        add_action_arguments(parser, needs_reason=needs_reason)


def _add_projection(parser: ArgumentParser, *, is_needed: bool) -> None:
    parser.add_argument("--projection", required=is_needed, help=f"one of {', '.join(NAMES)}")


def _add_choice(parser: ArgumentParser, *, needs_projection: bool) -> None:
    _add_projection(parser, is_needed=needs_projection)
    parser.add_argument("--product", type=UUID, metavar="ID", help="only of this product")
    parser.add_argument(
        "--letter", type=int, metavar="N", help="only this letter, by the number that list shows"
    )
    parser.add_argument("--class", dest="error_class", metavar="CLASS", help="only of this class of error")
    parser.add_argument("--json", action="store_true", help="one JSON document")


async def run_dead_letters(given: Namespace, settings: ProjectorSettings, terminal: Terminal) -> int:
    """0 done, 3 where some could not be retried or discarded, 1 an outage, 2 usage or no such letter."""

    async def command(operations: Operations) -> int:
        dead_letters = operations.dead_letters
        match given.action:
            case "list":
                return await _list(dead_letters, given, terminal)
            case "show":
                listed = await dead_letters.show(given.projection, _narrowed(given))
                say_json(terminal, listed.shown)
                _tell_of_more(listed, terminal)
                return DONE
            case "park":
                action = action_of(given, "park")
                await dead_letters.park(given.projection, given.partition, given.offset, action)
                place = f"{given.partition}, offset {given.offset}"
                terminal.say(f"{given.projection}: will park partition {place} when it comes to it")
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
            "letter",
            "projection",
            "product",
            "class",
            "events",
            "tries",
            "parked at",
            "record",
            "cause",
        )
        say_table(terminal, titles, [_row(letter) for letter in listed.shown])
    _tell_of_more(listed, terminal)
    return DONE


def _narrowed(given: Namespace) -> Narrowed:
    return Narrowed(given.product, given.letter, given.error_class)


def _tell_of_more(listed: Listed, terminal: Terminal) -> None:
    if listed.total > len(listed.shown):
        terminal.complain(
            f"these are {len(listed.shown)} of {listed.total}: "
            "narrow them with --projection, --product or --class"
        )


def _row(letter: ListedDeadLetter) -> tuple[object, ...]:
    return (
        letter.letter_id, letter.projection, letter.product_id, letter.error_class, letter.events,
        letter.attempts, letter.parked_at.isoformat(timespec="seconds"),
        f"{letter.topic}[{letter.partition}]@{letter.offset}", _short(letter.cause),
    )  # fmt: skip


async def _change(dead_letters: DeadLetters, given: Namespace, terminal: Terminal) -> int:
    if not (given.product or given.letter is not None or given.error_class or given.all):
        terminal.complain("say which: --product, --letter, --class or --all")
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
    """Says what was done and what is left; the exit code."""
    if summary.stopped_by is not None:
        terminal.complain(f"stopped by an outage, go on later: {summary.stopped_by}")
    if not summary.done and not summary.failed:
        line = _NONE
    else:
        did = {"retry": "retried", "discard": "discarded"}[given.action]
        line = f"{summary.done} {'would be ' if given.dry_run else ''}{did}, {summary.failed} failed"
    if summary.parked_now is not None:
        line += f"; matching dead letters parked now: {summary.parked_now}"
    (terminal.complain if given.json else terminal.say)(line)
    if summary.stopped_by is not None:
        return FAILED
    return SOME_FAILED if summary.failed else DONE


def _tell(terminal: Terminal, results: Sequence[Result]) -> None:
    titles = ("letter", "product", "outcome", "released", "left", "cause")
    rows = [
        (one.letter_id, one.product_id, one.outcome, one.released, one.left, _short(one.cause))
        for one in results
    ]
    say_table(terminal, titles, rows)


def _short(cause: str | None) -> str | None:
    """In one line; PostgreSQL's errors have several."""
    if cause is None:
        return None
    cause = " ".join(cause.split())
    if len(cause) <= _CAUSE_CHARACTERS_MAX:
        return cause
    return cause[: _CAUSE_CHARACTERS_MAX - 1] + "…"
