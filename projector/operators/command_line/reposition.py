"""`python -m projector reposition NAME ... | --all`: catches up from the log, moves to the ends."""

import asyncio
from argparse import ArgumentParser, Namespace
from typing import Any

from projector.errors import ProjectorError
from projector.operators.command_line.progress import progress
from projector.operators.command_line.session import (
    DONE,
    FAILED,
    SOME_FAILED,
    USAGE,
    action_of,
    add_action_arguments,
    run_command,
    say_json,
)
from projector.projection import Projection
from projector.projections import BY_NAME, NAMES, default_projections
from projector.rebuild.postgres.log_scan import PostgresLogScan
from projector.rebuild.rebuild import Reporter
from projector.reposition.kafka import KafkaTopic
from projector.reposition.reposition import Plan, Reposition, Repositioned
from projector.settings import ProjectorSettings
from projector.stores import Stores
from shared.ops.program import CODES_OF_SIGNALS
from shared.ops.terminal import Terminal

_EXIT_CODES = (
    "Exit codes: 0 done; 1 failed; 2 wrong usage or settings; 3 some of them failed, the others are done; "
    f"{CODES_OF_SIGNALS}. It can be run again at any time."
)


def add_reposition_arguments(parser: ArgumentParser) -> None:
    """Which projections, who does it, and why."""
    parser.epilog = _EXIT_CODES
    parser.add_argument("projection", nargs="*", metavar="NAME", help=f"some of {', '.join(NAMES)}")
    parser.add_argument("--all", action="store_true", help="all projections that can run with these settings")
    parser.add_argument(
        "--restored",
        action="store_true",
        help="the read model is from a backup: no mail is sent about events up to now, it may have been",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_action_arguments(parser, needs_reason=True)


async def run_reposition(given: Namespace, settings: ProjectorSettings, terminal: Terminal) -> int:
    """The exit codes are those of `_EXIT_CODES`."""
    chosen = _chosen(given, settings, terminal)
    if not chosen:
        return USAGE

    async def command(stores: Stores) -> int:
        results: list[dict[str, Any]] = []
        with progress(terminal, as_json=given.json) as reporter:
            for projection in chosen:
                results.append(await _one(projection, given, stores, reporter))
        if given.json:
            say_json(terminal, results)
        else:
            for result in results:
                (terminal.complain if "error" in result else terminal.say)(_as_text(result))
        failed = sum("error" in result for result in results)
        return DONE if not failed else FAILED if failed == len(results) else SOME_FAILED

    try:
        return await run_command(settings, terminal, command)
    except asyncio.CancelledError:
        terminal.complain("stopped; run it again")
        raise


def _chosen(given: Namespace, settings: ProjectorSettings, terminal: Terminal) -> list[Projection]:
    """Empty for wrong usage, which is said."""
    if given.all == bool(given.projection):
        terminal.complain("name some projections, or say --all")
        return []
    if given.all:
        return list(default_projections(settings))
    unknown = sorted(set(given.projection) - set(NAMES))
    if unknown:
        terminal.complain(f"no such projection: {', '.join(unknown)}; known projections: {', '.join(NAMES)}")
        return []
    chosen = [BY_NAME[name] for name in dict.fromkeys(given.projection)]
    for one in chosen:
        if lacking := one.lacks(settings):
            terminal.complain(f"{one.name} cannot be repositioned: set {lacking}")
            return []
    return chosen


async def _one(
    projection: Projection, given: Namespace, stores: Stores, reporter: Reporter
) -> dict[str, Any]:
    settings = stores.settings
    reporter.phase("repositioning", projection.name)
    shown = 0

    def report(position: int) -> None:
        nonlocal shown
        reporter.events(position - shown)
        shown = position

    reposition = Reposition(
        projection.repositioning(stores, is_restored=given.restored),
        PostgresLogScan(stores.log_pool),
        KafkaTopic(settings.kafka_servers, stores.topic, seconds_max=settings.producer_start_seconds_max),
        partition_count=settings.partition_count,
        report=report,
    )
    try:
        if given.dry_run:
            return _planned(projection.name, await reposition.plan())
        return _done(projection.name, await reposition.run(action_of(given, "reposition")))
    except ProjectorError as error:
        return {"projection": projection.name, "error": str(error)}


def _planned(name: str, plan: Plan) -> dict[str, Any]:
    return {
        "projection": name,
        "dry_run": True,
        "after_position": plan.after,
        "newest_position": plan.newest,
        "published_position": plan.published,
        "end_offsets": plan.end_offsets,
    }


def _done(name: str, done: Repositioned) -> dict[str, Any]:
    return {**_planned(name, done.plan), "dry_run": False, "events": done.events}


def _as_text(result: dict[str, Any]) -> str:
    name = result["projection"]
    if "error" in result:
        return f"{name}: {result['error']}"
    after, newest, published = (
        result[key] for key in ("after_position", "newest_position", "published_position")
    )
    late = f"\n  the relay is at {published}: what it publishes up to {newest} is dropped as known"
    more = late if published < newest else ""
    if result["dry_run"]:
        return f"{name}: would apply the log from position {after + 1} to {newest}, as far as it is new{more}"
    return f"{name}: {result['events']} events applied from the log; at the ends, position {newest}{more}"
