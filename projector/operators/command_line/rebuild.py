"""`python -m projector rebuild NAME`: builds a view again from the log beside the live one, then switches."""

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any

from projector.errors import RebuildIsLocked
from projector.operators.assembly import operations
from projector.operators.command_line.progress import progress
from projector.operators.command_line.reposition import run_reposition
from projector.operators.command_line.session import (
    DONE,
    FAILED,
    USAGE,
    action_of,
    add_action_arguments,
    run_command,
    say_json,
)
from projector.projections import BY_NAME, REBUILDABLE, rebuildable
from projector.rebuild.rebuild import Differs, Rebuild, Reporter, Wanted, lock_of, rebuild_of, record_of
from projector.rebuild.workers import DEFAULT_WORKERS_MAX, default_workers
from projector.settings import ProjectorSettings
from projector.stores import Stores
from shared.ops.arguments import positive
from shared.ops.program import CODES_OF_SIGNALS
from shared.ops.terminal import Terminal
from shared.telemetry import conventions as c
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import trace

DIFFERS, IS_LOCKED = 4, 5
_EXIT_CODES = (
    "Exit codes: 0 done; 1 failed (continue with --resume); 2 wrong usage or settings; 4 the rebuilt view "
    "differs from the live one, nothing was switched; 5 another process works on this projection's rebuild; "
    f"{CODES_OF_SIGNALS} (continue with --resume). Needs a direct connection to PostgreSQL: no pooler in "
    "transaction mode."
)


def add_rebuild_arguments(parser: ArgumentParser) -> None:
    """The action on the rebuild, and its options."""
    parser.epilog = _EXIT_CODES
    names = ", ".join(REBUILDABLE)
    parser.add_argument("projection", nargs="?", choices=list(REBUILDABLE), metavar="NAME", help=names)
    parser.add_argument(
        "--all",
        action="store_true",
        help="every view, one after the other, and then each is placed at the ends of the topic; one that is "
        "unfinished is resumed",
    )
    what = parser.add_mutually_exclusive_group()
    for flag, effect in (
        ("--resume", "continue a rebuild that was stopped"),
        ("--cancel", "drop the shadow; the live view does not change"),
        ("--rollback", "make the previous view the live one again"),
        ("--finish", "drop the previous view; after this there is no rollback"),
        ("--show", "show how far the rebuild is, and change nothing"),
    ):
        what.add_argument(flag, action="store_true", help=effect)
    parser.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        default=default_workers(),
        help=f"number of processes (default: one for each processor, at most {DEFAULT_WORKERS_MAX})",
    )
    parser.add_argument(
        "--no-switch", action="store_true", help="stop after the comparison; --resume switches"
    )
    parser.add_argument(
        "--accept-differences",
        action="store_true",
        help="switch although the shadow differs from the live view",
    )
    parser.add_argument(
        "--without-comparison",
        action="store_true",
        help="do not compare: if the live view is broken or does not run",
    )
    parser.add_argument(
        "--live-lag-max",
        type=positive,
        metavar="N",
        help="wait while the live view is more than N events behind (default: REBUILD_LIVE_LAG_EVENTS_MAX)",
    )
    parser.add_argument("--json", action="store_true", help="print progress and result as JSON lines")
    add_action_arguments(parser, needs_reason=False)


async def run_rebuild(given: Namespace, settings: ProjectorSettings, terminal: Terminal) -> int:
    """The exit codes are those of `_EXIT_CODES`. Of several views, the first code that is not 0."""
    if given.all == bool(given.projection):
        terminal.complain("name a projection, or say --all")
        return USAGE
    if not given.all:
        if lacking := BY_NAME[given.projection].lacks(settings):
            terminal.complain(f"{given.projection} cannot be rebuilt: set {lacking}")
            return USAGE
        return await _rebuild(given, settings, terminal)
    codes = []
    for name in rebuildable(settings):
        one = Namespace(**{**vars(given), "projection": name})
        codes.append(await _rebuild(one, settings, terminal))
        if codes[-1] == DONE and not (given.show or given.finish or given.cancel or given.no_switch):
            others = {"projection": [name], "all": False, "dry_run": False, "restored": False}
            placed = Namespace(**{**vars(given), **others})
            codes.append(await run_reposition(placed, settings, terminal))
    return next((code for code in codes if code != DONE), DONE)


async def _rebuild(given: Namespace, settings: ProjectorSettings, terminal: Terminal) -> int:
    phases: list[str] = []

    async def command(stores: Stores) -> int:
        try:
            with progress(terminal, as_json=given.json) as reporter:
                noting = reporter._replace(phase=_also_noted(phases, reporter.phase))
                result = await _locked(given, stores, noting, terminal)
        except RebuildIsLocked as locked:
            terminal.complain(str(locked))
            return IS_LOCKED
        except Differs as differs:
            _tell_differences(differs, given, terminal)
            return DIFFERS
        except asyncio.CancelledError:
            if not phases:  # nothing has begun: there is nothing to continue
                raise
            terminal.complain(f"stopped; continue with: rebuild {given.projection} --resume")
            return FAILED
        if result is not None:
            _say(result, terminal, as_json=given.json)
        return DONE

    return await run_command(settings, terminal, command)


async def _locked(
    given: Namespace, stores: Stores, reporter: Reporter, terminal: Terminal
) -> dict[str, Any] | None:
    """Everything but `--show` holds the lock from the first statement to the last."""
    projection = REBUILDABLE[given.projection]
    if given.show:
        record = await record_of(projection, stores)
        if record is None and not given.json:
            terminal.say(f"{given.projection}: no unfinished rebuild, and no previous view to roll back to")
        else:
            shown = None if record is None else record._asdict() | {"reached_position": record.position}
            say_json(terminal, shown)
        return None
    async with lock_of(projection, stores) as owner_id:
        rebuild = rebuild_of(projection, stores, reporter, owner_id)
        action, auditing = action_of(given, _name_of(given)), operations(stores).auditing
        attributes = {c.PROJECTION: given.projection, c.ACTION: action.action}
        with trace(
            f"{c.REBUILD} {given.projection}", SpanKind.INTERNAL, attributes=attributes, refusals=Differs,
            is_sampled=True,
        ):  # fmt: skip
            async with auditing.long_action(action, given.projection, terminal.complain) as tell:
                result = await _chosen(rebuild, given, stores.settings)
                tell(_as_text(result))
        return result


def _name_of(given: Namespace) -> str:
    chosen = [flag for flag in ("resume", "cancel", "rollback", "finish") if getattr(given, flag)]
    return f"rebuild-{chosen[0]}" if chosen else "rebuild"


async def _chosen(rebuild: Rebuild, given: Namespace, settings: ProjectorSettings) -> dict[str, Any]:
    for flag, act, done in (
        (given.cancel, rebuild.cancel, "the shadow is dropped; the live view has not changed"),
        (given.rollback, rebuild.switch_back, "the previous view is live again"),
        (given.finish, rebuild.finish, "the previous view is dropped"),
    ):
        if flag:
            await act()
            return {"projection": given.projection, "done": done}
    wanted = Wanted(
        given.workers,
        settings.rebuild_products_in_memory_max,
        given.accept_differences,
        not given.without_comparison,
        not given.no_switch,
        given.live_lag_max or settings.rebuild_live_lag_events_max,
        settings.rebuild_live_wait_seconds_max,
    )
    begin = rebuild.resume if given.resume else rebuild.start_or_resume if given.all else rebuild.start
    comparison = await begin(wanted)
    result: dict[str, Any] = {"projection": given.projection, "switched": wanted.switches}
    if comparison is not None:
        result |= {
            "rows": comparison.rows,
            "digest": comparison.checksum,
            "equal": not comparison.differences,
            "left_out": comparison.left_out,
        }
    return result


def _also_noted(phases: list[str], show: Callable[[str, str], None]) -> Callable[[str, str], None]:
    def begins(name: str, detail: str) -> None:
        phases.append(name)
        show(name, detail)

    return begins


def _tell_differences(differs: Differs, given: Namespace, terminal: Terminal) -> None:
    comparison = differs.comparison
    if given.json:
        say_json(
            terminal, {"projection": given.projection, "equal": False, "differences": comparison.differences}
        )
        return
    terminal.say("\n".join(comparison.differences))
    where = REBUILDABLE[given.projection].shadow_is
    terminal.complain(
        f"{differs}. Nothing was switched. The shadow is {where}. Then run\n"
        f"  rebuild {given.projection} --resume --accept-differences   to switch, or\n"
        f"  rebuild {given.projection} --cancel                        to drop the shadow"
    )


def _say(result: dict[str, Any], terminal: Terminal, *, as_json: bool) -> None:
    if as_json:
        say_json(terminal, result)
    else:
        terminal.say(f"{result['projection']}: {_as_text(result)}")


def _as_text(result: dict[str, Any]) -> str:
    if "done" in result:
        return str(result["done"])
    lines = [f"rebuilt and {'live' if result['switched'] else 'ready; --resume switches'}"]
    if "rows" in result:
        equal = "equal to the live view before" if result["equal"] else "different from the live view before"
        lines.append(f"{result['rows']} rows, checksum {result['digest']}, {equal}")
        if result["left_out"]:
            why = REBUILDABLE[result["projection"]].why_left_out
            lines.append(f"{result['left_out']} products left out of the comparison: {why}")
    return "\n  ".join(lines)
