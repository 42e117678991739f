"""Archives full partitions of the log, removes those that nobody needs, and brings them back.

A partition is copied to a file, and the file is read back. It is removed only if each of its products was
deleted long ago. The order makes a kill at any point harmless: the file is durable and checked before the log
notes it, the log notes the removal before the partition is detached, and a removal that has begun is finished
by the next run. Nothing is dropped whose file was not read back in the same run.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from command_api.archive.files import Manifest, PartitionFile
from command_api.archive.postgres.partitions import FullPartition, Partitions
from shared.ops.logs import get_logger

_log = get_logger(__name__)


class ArchiveRefused(Exception):
    """The order cannot be done; the text says why."""


class Order(NamedTuple):
    """`deleted_for`: how long ago the products of a removed partition must have been deleted."""

    folder: Path
    removes: bool
    deleted_for: timedelta


Say = Callable[[str], None]


class Outcome(NamedTuple):
    """How many partitions were copied to files, and how many have left the database."""

    archived: int
    removed: int


async def archive_log(partitions: Partitions, order: Order, say: Say) -> Outcome:
    """Archive all full partitions, and remove what may go. What is archived already is not copied again.

    Raises `ArchiveBroken`, asyncpg's errors and OSError; then running it again continues.
    """
    archived = removed = 0
    for name in await partitions.begun_removals():
        await _finish_removal(partitions, order, name, say)
        removed += 1
    for partition in await partitions.full():
        manifest = _known(partitions, order, partition)
        if manifest is None:
            manifest = await _archive(partitions, order, partition, say)
            archived += 1
        if order.removes:
            keeping = await partitions.kept_by(partition, order.deleted_for)
            if keeping:
                say(f"{partition.name}: kept, {_some(keeping)} not deleted for {order.deleted_for.days} days")
                continue
            await _check(partitions, order, manifest)
            await partitions.begin_removal(partition.name)
            await _finish_removal(partitions, order, partition.name, say)
            removed += 1
    return Outcome(archived, removed)


async def restore_log(partitions: Partitions, folder: Path, names: list[str], say: Say) -> int:
    """Bring removed partitions back; no names: all of them. Returns how many. Raises `ArchiveRefused`,
    `ArchiveBroken`.
    """
    wanted = names or await partitions.removed()
    for name in wanted:
        manifest = await partitions.archived(name)
        if manifest is None:
            raise ArchiveRefused(f"{name} was never archived")
        there = await partitions.attachment(name)
        if there.is_attached and not there.is_detaching:
            raise ArchiveRefused(f"{name} is there")
        file = PartitionFile(folder, manifest.log_id, name)
        file.check(manifest.sha256)
        if there.is_detaching:
            await partitions.finish_detaching(name)
        if there.exists:  # a removal was killed before it dropped the table
            await partitions.drop(name)
        await partitions.restore(manifest, file.chunks())
        _log.info("log partition restored", partition=name, events=manifest.events)
        say(f"{name}: restored, {manifest.events} events")
    return len(wanted)


def _known(partitions: Partitions, order: Order, partition: FullPartition) -> Manifest | None:
    """What is noted about it, if its file is there."""
    file = PartitionFile(order.folder, partitions.log_id, partition.name)
    if partition.sha256 is None or partition.events is None or not file.path.exists():
        return None
    return _manifest(partitions, partition, partition.events, partition.sha256)


async def _archive(partitions: Partitions, order: Order, partition: FullPartition, say: Say) -> Manifest:
    file = PartitionFile(order.folder, partitions.log_id, partition.name)
    events = await partitions.count(partition)
    sha256 = await file.write(lambda write: partitions.copy_out(partition.name, write))
    file.check(sha256)
    manifest = _manifest(partitions, partition, events, sha256)
    file.describe(manifest)
    await partitions.note_archived(manifest)
    _log.info("log partition archived", partition=partition.name, events=events, file=str(file.path))
    say(f"{partition.name}: archived, {events} events in {file.path}")
    return manifest


def _manifest(partitions: Partitions, partition: FullPartition, events: int, sha256: str) -> Manifest:
    bounds = partition.lower_position, partition.upper_position
    return Manifest(partitions.log_id, partition.name, *bounds, events, sha256)


async def _check(partitions: Partitions, order: Order, manifest: Manifest) -> None:
    """File and partition, both read now. Raises `ArchiveBroken`, `ArchiveRefused`."""
    PartitionFile(order.folder, manifest.log_id, manifest.partition_name).check(manifest.sha256)
    if await partitions.sha256(manifest.partition_name) != manifest.sha256:
        raise ArchiveRefused(f"{manifest.partition_name} was changed after it was archived: it stays")


async def _finish_removal(partitions: Partitions, order: Order, name: str, say: Say) -> None:
    manifest = await partitions.archived(name)
    assert manifest is not None
    there = await partitions.attachment(name)
    PartitionFile(order.folder, manifest.log_id, name).check(manifest.sha256)
    if there.is_detaching:
        await partitions.finish_detaching(name)
    elif there.is_attached:
        await partitions.detach(name)
    await partitions.drop(name)
    _log.info("log partition removed", partition=name, events=manifest.events)
    say(f"{name}: removed, {manifest.events} events; restore-log {name} brings it back")


def _some(products: list[UUID]) -> str:
    shown = ", ".join(map(str, products[:3]))
    return f"product {shown} was" if len(products) == 1 else f"products {shown} and perhaps others were"
