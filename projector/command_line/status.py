"""`python -m projector status [--json]`: a line a projection, then a line a partition."""

import asyncio

from projector.command_line.session import DONE, FAILED, print_json, print_table
from projector.settings import ProjectorSettings
from projector.status import PartitionStatus, ProjectionStatus, Status, read_status


def run_status(settings: ProjectorSettings, *, as_json: bool) -> int:
    """0, or 1 where something could not be asked; what could be is printed all the same."""
    status = asyncio.run(read_status(settings))
    if as_json:
        print_json(status)
    else:
        _print_tables(status)
    return FAILED if status.problems else DONE


def _print_tables(status: Status) -> None:
    print_table(
        ("projection", "state", "lag events", "parked products", "parked events", "reason"),
        [_summary(one) for one in status.projections],
    )
    print()  # noqa: T201
    print_table(
        ("projection", "partition", "next offset", "lag events", "position", "updated at", "trouble"),
        [_place(one) for one in status.partitions],
    )
    print(f"\nnewest position in the log: {status.newest_log_position}")  # noqa: T201
    for problem in status.problems:
        print(f"unknown: {problem}")  # noqa: T201


def _summary(one: ProjectionStatus) -> tuple[object, ...]:
    return one.projection, one.state, one.lag_events, one.parked_products, one.parked_events, one.reason


def _place(one: PartitionStatus) -> tuple[object, ...]:
    updated_at = one.updated_at.isoformat(timespec="seconds") if one.updated_at else None
    return (
        one.projection, one.partition, one.next_offset, one.lag_events, one.log_position, updated_at,
        one.trouble,
    )  # fmt: skip
