"""`replay`: arguments, progress and exit codes; 0 done, 1 failed, 2 usage, 130 Ctrl-C, 143 SIGTERM."""

import argparse
import asyncio
import json
import math
import re
import time
from typing import Any, TextIO
from uuid import UUID

from command_api.relay.ports import LogUnavailable, RelayError
from command_api.replay.app import Order, Outcome, run_replay
from command_api.replay.operator_log import OperatorLog
from command_api.replay.ports import Selection
from command_api.replay.replay import Tally
from command_api.replay.settings import ReplaySettings
from shared.access.command import NotAllowed, add_token_argument, operator_of
from shared.access.operator_actions import add_actor_and_reason
from shared.access.scopes import Scope
from shared.contract.addresses import topics
from shared.contract.codec import STORED_TYPES
from shared.kafka.topics import TopicIsMissing
from shared.ops.logs import configure_logs, get_logger
from shared.ops.process import EXIT_FAILED, run_until_done
from shared.ops.process_names import REPLAY
from shared.ops.program import CODES_OF_SIGNALS
from shared.ops.progress_bar import progress_bar
from shared.ops.settings import EXIT_USAGE, load_settings
from shared.ops.terminal import Terminal, process_terminal

PROCESS = REPLAY
_POSITION_MAX = 2**63 - 1
_TOPIC = re.compile(r"(?!\.\.?$)[A-Za-z0-9._-]{1,249}")
_TYPES = tuple(stored.event_type for stored in STORED_TYPES)
_log = get_logger(__name__)


def add_replay_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `replay`. For a wrong value argparse prints its usage message and exits with 2."""
    parser.epilog = f"Exit codes: 0 done; 1 failed; 2 wrong usage or settings; {CODES_OF_SIGNALS}."
    add = parser.add_argument
    add(
        "--topic",
        required=True,
        type=_topic,
        metavar="T",
        help="full name of the target topic, which must exist",
    )
    add("--create-topic", action="store_true", help="create the topic if it is missing")
    add(
        "--from", dest="first", type=_position, default=1, metavar="P", help="first log position (default: 1)"
    )
    add("--to", dest="last", type=_position, metavar="P", help="last log position (default: the newest)")
    add(
        "--product", dest="product_ids", action="append", default=[], type=_product_id, metavar="ID",
        help="only this product; may be repeated",
    )  # fmt: skip
    add(
        "--type", dest="event_types", action="append", default=[], type=_event_type, metavar="TYPE",
        help=f"only this event type; may be repeated: {', '.join(_TYPES)}",
    )  # fmt: skip
    add("--rate", type=_rate, metavar="N", help="at most N events per second (default: no limit)")
    add("--dry-run", action="store_true", help="count the events, but send nothing to Kafka")
    add("--json", action="store_true", help="print the outcome as one JSON object")
    add_actor_and_reason(parser, needs_reason=False)
    add_token_argument(parser)
    parser.set_defaults(usage_error=parser.error)


def run_replay_command(args: argparse.Namespace) -> int:
    """Run the command in this process; returns its exit code."""
    order, settings = read_order(args)
    terminal = process_terminal()
    configure_logs(PROCESS, settings, terminal.errors)
    return run_until_done(
        PROCESS,
        lambda stop: replay(args, order, settings, terminal, stop),
        shutdown_seconds_max=settings.shutdown_seconds_max,
    )


def read_order(args: argparse.Namespace) -> tuple[Order, ReplaySettings]:
    """The order in the arguments and the environment. Raises `SystemExit` (2) if they are wrong."""
    if args.last is not None and args.first > args.last:
        args.usage_error(f"--from {args.first} is greater than --to {args.last}")
    order = Order(
        topic=args.topic, first=args.first, last=args.last, product_ids=tuple(args.product_ids),
        event_types=tuple(args.event_types), events_per_second=args.rate, create_topic=args.create_topic,
        is_dry_run=args.dry_run,
    )  # fmt: skip
    settings = load_settings(ReplaySettings)
    strays = _strays(order, settings.kafka_topic_prefix)
    if strays:
        args.usage_error(f"{order.topic} does not carry {', '.join(strays)}: choose others with --type")
    return order, settings


async def replay(
    args: argparse.Namespace, order: Order, settings: ReplaySettings, terminal: Terminal, stop: asyncio.Event
) -> int:
    """Replays, prints the position up to which all is confirmed, returns the exit code."""
    scope = Scope.OPS_READ if order.is_dry_run else Scope.OPS_WRITE
    try:
        operator = await operator_of(settings, args.token, args.acting_as, scope)
    except NotAllowed as refused:
        terminal.complain(f"replay refused: {refused}")
        return EXIT_USAGE if refused.is_usage else EXIT_FAILED
    log = OperatorLog(order, operator, args.reason)
    log.started()
    with _Progress(settings.replay_report_interval_seconds, terminal.errors) as progress:
        outcome = await run_replay(order, settings, progress.show, stop)
    log.ended(outcome)
    _report(order, outcome, terminal, as_json=args.json)
    return 0 if outcome.is_complete else EXIT_FAILED


def _strays(order: Order, prefix: str) -> list[str]:
    """The chosen event types that do not belong to this topic, if it is one of the live topics."""
    live = topics(prefix)
    if order.topic not in (live.created, live.updated, live.deleted):
        return []
    return [name for name in order.event_types or _TYPES if live.by_kind(name) != order.topic]


class _Progress:
    """Shows the progress over log positions: a bar on a terminal, otherwise a log line now and then."""

    def __init__(self, interval_seconds: float, file: TextIO) -> None:
        self._interval_seconds = interval_seconds
        self._bar = progress_bar("replaying", None, " positions", file)
        self._told_at = time.monotonic()

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, selection: Selection, tally: Tally) -> None:
        """Cheap enough to be called after each chunk."""
        done = tally.confirmed_position - (selection.first - 1)
        self._bar.total = max(selection.last - (selection.first - 1), 0)
        self._bar.set_postfix_str(f"{tally.events} events", refresh=False)
        self._bar.update(done - self._bar.n)
        if self._bar.disable and time.monotonic() - self._told_at >= self._interval_seconds:
            self._told_at = time.monotonic()
            _log.info(
                "replaying",
                log_position=tally.confirmed_position,
                last_position=selection.last,
                events=tally.events,
            )


def _report(order: Order, outcome: Outcome, terminal: Terminal, *, as_json: bool) -> None:
    """Prints the result on stdout and the error on stderr."""
    if not outcome.is_complete:
        terminal.complain(_complaint(order, outcome))
    if as_json:
        terminal.say(json.dumps(_as_json(order, outcome)))
    elif outcome.tally is not None and outcome.last is not None:
        terminal.say(_as_text(order, outcome.tally, outcome.last))


def _complaint(order: Order, outcome: Outcome) -> str:
    what = f"replay failed: {_line(outcome.error)}" if outcome.error else "replay interrupted"
    if order.is_dry_run:
        return what
    confirmed = outcome.tally.confirmed_position if outcome.tally else order.first - 1
    if confirmed < order.first:
        return f"{what}\nno event is confirmed; start again with --from {order.first}"
    return f"{what}\nconfirmed up to position {confirmed}; continue with --from {confirmed + 1}"


def _line(error: RelayError) -> str:
    if isinstance(error, LogUnavailable):
        return f"the event log is unavailable: {error}"
    return (
        f"{error}; create it with --create-topic"
        if isinstance(error.__cause__, TopicIsMissing)
        else str(error)
    )


def _as_text(order: Order, tally: Tally, last: int) -> str:
    if last < order.first:
        return f"nothing to replay: the last available position is {last}"
    done = "would replay" if order.is_dry_run else "replayed"
    reached = tally.confirmed_position
    where = f"of positions {order.first} to {reached}, to {order.topic}" if reached >= order.first else ""
    return f"{done}: {tally.events} events {where}".rstrip()


def _as_json(order: Order, outcome: Outcome) -> dict[str, Any]:
    """`confirmed_position` is null if no event is confirmed, and in a dry run."""
    reached = outcome.tally.confirmed_position if outcome.tally else 0
    is_confirmed = not order.is_dry_run and order.first <= reached
    return {
        "topic": order.topic,
        "from": order.first,
        "to": outcome.last,
        "products": [str(product_id) for product_id in order.product_ids],
        "types": list(order.event_types),
        "dry_run": order.is_dry_run,
        "events": outcome.tally.events if outcome.tally else 0,
        "confirmed_position": reached if is_confirmed else None,
        "completed": outcome.is_complete,
        "error": _line(outcome.error) if outcome.error else None,
    }


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= _POSITION_MAX:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a log position: positions are whole numbers from 1"
        )
    return int(text)


def _product_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a product id") from error


def _event_type(text: str) -> str:
    if text not in _TYPES:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an event type; the event types are {', '.join(_TYPES)}"
        )
    return text


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not (rate > 0 and math.isfinite(rate)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of events per second above 0")
    return rate


def _topic(text: str) -> str:
    if not _TOPIC.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a topic name: letters, digits, '.', '_' and '-'")
    return text
