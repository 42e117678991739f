"""`renew-log-id`: arguments, output and exit codes; 0 done, 1 failed, 2 usage."""

import argparse
import asyncio
import json
from dataclasses import asdict

from command_api.relay.ports import LogUnavailable, RelayError
from command_api.renew.app import Renewed, renew_log_id
from command_api.renew.settings import RenewSettings
from shared.access.command import NotAllowed, add_token_argument, operator_of
from shared.access.operator_actions import add_actor_and_reason
from shared.access.operator_log import OperatorLog
from shared.access.scopes import Scope
from shared.ops.logs import configure_logs
from shared.ops.process import EXIT_FAILED, run_until_done
from shared.ops.process_names import RENEW_LOG_ID
from shared.ops.program import CODES_OF_SIGNALS
from shared.ops.settings import EXIT_USAGE, load_settings
from shared.ops.terminal import Terminal, process_terminal


def add_renew_arguments(parser: argparse.ArgumentParser) -> None:
    """Who does it, and why."""
    parser.epilog = (
        "Only after a restore that lost events. Afterwards: remake-topics --delete, and a rebuild of every "
        f"view. Exit codes: 0 done; 1 failed; 2 wrong usage or settings; {CODES_OF_SIGNALS}."
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")
    add_actor_and_reason(parser, needs_reason=True)
    add_token_argument(parser)


def run_renew_command(args: argparse.Namespace) -> int:
    """Run the command in this process; returns its exit code."""
    settings, terminal = load_settings(RenewSettings), process_terminal()
    configure_logs(RENEW_LOG_ID, settings, terminal.errors)
    return run_until_done(
        RENEW_LOG_ID,
        lambda stop: renew(args, settings, terminal),
        shutdown_seconds_max=settings.shutdown_seconds_max,
    )


async def renew(args: argparse.Namespace, settings: RenewSettings, terminal: Terminal) -> int:
    """Renews the id, prints both, returns the exit code."""
    scope = Scope.OPS_READ if args.dry_run else Scope.OPS_WRITE
    try:
        operator = await operator_of(settings, args.token, args.acting_as, scope)
    except NotAllowed as refused:
        terminal.complain(f"renew-log-id refused: {refused}")
        return EXIT_USAGE if refused.is_usage else EXIT_FAILED
    told = OperatorLog(RENEW_LOG_ID, operator, args.reason)
    try:
        done = await renew_log_id(settings, is_dry_run=args.dry_run, start=told.started)
    except RelayError as error:
        where = "the event log is unavailable: " if isinstance(error, LogUnavailable) else ""
        terminal.complain(f"renew-log-id failed: {where}{error}")
        told.ended("failed", str(error))
        return EXIT_FAILED
    except asyncio.CancelledError:
        told.ended("stopped", "")
        raise
    told.ended("done", f"{done.old_log_id} became {done.log_id}")
    terminal.say(json.dumps(asdict(done)) if args.json else _as_text(done, is_dry_run=args.dry_run))
    return 0


def _as_text(done: Renewed, *, is_dry_run: bool) -> str:
    ends = f"the log ends at position {done.newest_position}"
    if is_dry_run:
        return f"log {done.old_log_id} would get a new id; {ends}"
    return f"log {done.old_log_id} is log {done.log_id} now; {ends}"
