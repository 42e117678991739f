"""`remake-topics`: arguments, output and exit codes; 0 done, 1 failed, 2 usage."""

import argparse
import asyncio
import json
from dataclasses import asdict

from command_api.relay.ports import LogUnavailable, RelayError
from command_api.remake.app import EVENTS_PER_SECOND, Remade, remake_topics
from command_api.remake.settings import RemakeSettings
from shared.access.command import NotAllowed, add_token_argument, operator_of
from shared.access.operator_actions import add_actor_and_reason
from shared.access.operator_log import OperatorLog
from shared.access.scopes import Scope
from shared.ops.logs import configure_logs, get_logger
from shared.ops.process import EXIT_FAILED, run_until_done
from shared.ops.process_names import REMAKE_TOPICS
from shared.ops.program import CODES_OF_SIGNALS
from shared.ops.settings import EXIT_USAGE, load_settings
from shared.ops.terminal import Terminal, process_terminal

_log = get_logger(__name__)


def add_remake_arguments(parser: argparse.ArgumentParser) -> None:
    """What happens to topics that exist, who does it, and why."""
    parser.epilog = (
        f"Exit codes: 0 done; 1 failed, run it again; 2 wrong usage or settings; {CODES_OF_SIGNALS}."
    )
    parser.add_argument(
        "--delete", action="store_true",
        help="delete the topics first, with all their records: if they have the events of another log, or of "
        "a part of this log that a restore has undone",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")
    add_actor_and_reason(parser, needs_reason=True)
    add_token_argument(parser)


def run_remake_command(args: argparse.Namespace) -> int:
    """Run the command in this process; returns its exit code."""
    settings, terminal = load_settings(RemakeSettings), process_terminal()
    configure_logs(REMAKE_TOPICS, settings, terminal.errors)
    return run_until_done(
        REMAKE_TOPICS,
        lambda stop: remake(args, settings, terminal),
        shutdown_seconds_max=settings.shutdown_seconds_max,
    )


async def remake(args: argparse.Namespace, settings: RemakeSettings, terminal: Terminal) -> int:
    """Remakes the topics, prints what was done, returns the exit code."""
    scope = Scope.OPS_READ if args.dry_run else Scope.OPS_WRITE
    try:
        operator = await operator_of(settings, args.token, args.acting_as, scope)
    except NotAllowed as refused:
        terminal.complain(f"remake-topics refused: {refused}")
        return EXIT_USAGE if refused.is_usage else EXIT_FAILED
    told = _OperatorLog(operator, args.reason, deletes=args.delete)
    try:
        done = await remake_topics(settings, deletes=args.delete, is_dry_run=args.dry_run, start=told.started)
    except RelayError as error:
        where = "the event log is unavailable: " if isinstance(error, LogUnavailable) else ""
        terminal.complain(f"remake-topics failed: {where}{error}")
        told.ended("failed", str(error))
        return EXIT_FAILED
    except asyncio.CancelledError:
        terminal.complain("stopped; run it again")
        told.ended("stopped", "")
        raise
    told.ended("done", f"{done.newest_position} events are published again")
    terminal.say(json.dumps(_as_json(done, args)) if args.json else _as_text(done, is_dry_run=args.dry_run))
    return 0


class _OperatorLog(OperatorLog):
    """Also whether topics are deleted."""

    def __init__(self, actor: str, reason: str, *, deletes: bool) -> None:
        super().__init__(REMAKE_TOPICS, actor, reason)
        self._deletes = deletes

    def _write(self, result: str, detail: str) -> None:
        _log.info(
            "operator action",
            actor=self._actor,
            action=self._action,
            reason=self._reason,
            result=result,
            detail=detail,
            deletes=self._deletes,
        )


def _as_json(done: Remade, args: argparse.Namespace) -> dict[str, object]:
    return {**asdict(done), "seconds": done.seconds, "dry_run": args.dry_run}


def _as_text(done: Remade, *, is_dry_run: bool) -> str:
    would = "would be " if is_dry_run else ""
    lines = [
        f"{would}deleted: {', '.join(done.deleted) or 'no topic'}",
        f"{would}created: {', '.join(done.created) or 'no topic'}",
    ]
    if is_dry_run:
        lines.append(f"the relay would publish {done.newest_position} events again")
    else:
        lines.append(
            f"the relay publishes {done.newest_position} events again, from the first one on: about "
            f"{done.seconds} s at {EVENTS_PER_SECOND} a second. How far it is: relay_lag_events"
        )
    return "\n".join(lines)
