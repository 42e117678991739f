"""`python -m projector status`: a line for each projection, then one for each partition that is behind."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime, timedelta

from projector.operators.command_line.session import DONE, FAILED, add_looking_arguments, say_json, say_table
from projector.operators.status import PartitionStatus, ProjectionStatus, Status, read_status
from projector.settings import ProjectorSettings
from shared.ops.terminal import Terminal

# As long as the documents of before could have lived.
_RECENTLY = timedelta(days=1)


def add_status_arguments(parser: ArgumentParser) -> None:
    """How much is printed."""
    add_looking_arguments(parser)
    parser.add_argument(
        "--partitions", action="store_true", help="show every partition, not only those behind"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document, with every partition")


async def run_status(given: Namespace, settings: ProjectorSettings, terminal: Terminal) -> int:
    """0; or 1 if a server did not answer: then everything else is printed."""
    status = await read_status(settings)
    if given.json:
        say_json(terminal, status)
    else:
        _say_tables(status, terminal, every_partition=given.partitions)
    return FAILED if status.problems else DONE


def _say_tables(status: Status, terminal: Terminal, *, every_partition: bool) -> None:
    say_table(
        terminal,
        ("projection", "state", "lag events", "parked products", "dead letters", "reason"),
        [_summary(one) for one in status.projections],
    )
    places = [_place(one) for one in status.partitions if every_partition or not _is_well(one)]
    if places:
        terminal.say("")
        titles = ("projection", "partition", "next offset", "lag events", "position", "updated at", "trouble")
        say_table(terminal, titles, places)
    newest = status.newest_log_position
    terminal.say(f"\nnewest position in the log: {'unknown' if newest is None else newest}")
    anew = status.cache_started_anew
    if anew is not None and datetime.now(UTC) - anew.at < _RECENTLY:
        terminal.say(f"the cache was started anew at {anew.at.isoformat(timespec='seconds')}: {anew.reason}")
    for problem in status.problems:
        terminal.say(f"unknown: {problem}")


def _summary(one: ProjectionStatus) -> tuple[object, ...]:
    return one.projection, one.state, one.lag_events, one.parked_products, one.parked_events, one.reason


def _is_well(one: PartitionStatus) -> bool:
    return one.lag_events == 0


def _place(one: PartitionStatus) -> tuple[object, ...]:
    updated_at = one.updated_at.isoformat(timespec="seconds") if one.updated_at else None
    return (
        one.projection, one.partition, one.next_offset, one.lag_events, one.log_position, updated_at,
        one.trouble,
    )  # fmt: skip
