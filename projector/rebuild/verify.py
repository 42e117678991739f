"""Compares a view with a fold of the log, product by product: all of them, or a random sample.

Each product is folded up to its version in the view, and must have at least the version that the view has
applied, so a lag is no difference. The log itself is checked, too: versions without a
gap and without a duplicate, in the order of positions, up to the version in the stream's row.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Generic
from uuid import UUID

from projector.applying.ports import Change, Fold, S
from projector.rebuild.bulk_fold import BulkFold, LogRow
from projector.rebuild.verify_ports import Standing, StreamScan, Verified, ViewCheck

PRODUCTS_AT_A_TIME = 500
_DIFFERENCES_SHOWN_MAX = 20
_POSITION, _KEY, _VERSION = itemgetter(0), itemgetter(1), itemgetter(2)


class Verification(Generic[S]):
    """The verification of one projection; run it once."""

    def __init__(
        self,
        name: str,
        log: StreamScan,
        fold: Fold[S],
        view: ViewCheck[S],
        report: Callable[[int], None],
    ) -> None:
        self._name = name
        self._log = log
        self._fold = fold
        self._view = view
        self._report = report
        self._products = self._events = self._parked = self._not_there = self._different = 0
        self._lines: list[str] = []

    async def products_to_compare(self, sample: int | None) -> int:
        """How many products `run` will compare, for a progress bar. Raises `Unavailable`."""
        return sample or await self._log.count_products(await self._log.newest_position())

    async def run(self, sample: int | None) -> Verified:
        """`sample` None: every product, and the rows that products share. Raises `Unavailable`."""
        # First: with another log, or an older copy of it, there may be no product to compare.
        newest = await self._log.newest_position()
        if self._view.log_position > newest:
            self._differs(
                [f"the view has applied position {self._view.log_position}, the log ends at {newest}"]
            )
        # Products that are gone with a removed partition count in rows that products share: also those that
        # leave, or come back, while the others are compared.
        removed = None if sample else await self._log.removed_partition(0, newest)
        async for versions in self._wanted(sample):
            await self._compare(versions)
        if sample is None and removed is None:
            removed = await self._log.removed_partition(0, newest)
        if sample is None and removed is None:
            self._differs(await self._view.unexpected_shared())
        return Verified(
            self._name,
            self._view.log_position,
            self._products,
            self._events,
            self._parked,
            self._not_there,
            self._different,
            self._lines,
            removed,
        )

    async def _wanted(self, sample: int | None) -> AsyncIterator[dict[UUID, int]]:
        if sample is None:
            async for versions in self._log.stream_versions(PRODUCTS_AT_A_TIME):
                yield versions
            return
        picked = list((await self._log.sampled_versions(sample)).items())
        for start in range(0, len(picked), PRODUCTS_AT_A_TIME):
            yield dict(picked[start : start + PRODUCTS_AT_A_TIME])

    async def _compare(self, versions: dict[UUID, int]) -> None:
        standing = await self._view.standing(versions)
        streams = {key: list(rows) for key, rows in groupby(await self._log.stream_rows(versions), _KEY)}
        changes: list[Change[S]] = []
        compared: list[UUID] = []
        faults: dict[UUID, list[str]] = {}
        for product_id, newest in versions.items():
            rows = streams.get(product_id.bytes, [])
            self._events += len(rows)
            self._parked += standing[product_id].is_parked
            if lines := stream_faults(product_id, rows, newest):
                faults[product_id] = lines
                continue
            change, is_compared = self._expected(product_id, rows, standing[product_id])
            changes += change
            compared += [product_id] * is_compared
        await self._report_faults(faults)
        self._products += len(compared)
        self._differs(await self._view.unexpected(compared, changes))
        self._report(len(versions))

    async def _report_faults(self, faults: dict[UUID, list[str]]) -> None:
        """Not those of products that left between the read of their versions and that of their events."""
        gone = await self._log.gone(faults) if faults else set()
        for product_id, lines in faults.items():
            if product_id not in gone:
                self._differs(lines)

    def _expected(
        self, product_id: UUID, rows: Sequence[LogRow], there: Standing
    ) -> tuple[list[Change[S]], bool]:
        """The change that the view should have, and whether there is anything to compare."""
        position_due = 0 if there.is_parked else there.position_due
        due = max((row[2] for row in rows if row[0] <= position_due), default=0)
        if there.stream_version is None:
            self._not_there += 1
            return [], False
        last = max(due, there.stream_version)
        if last > max(map(_VERSION, rows), default=0):
            self._differs([f"{product_id}: the view has version {last}, which the log does not have"])
            return [], False
        bulk: BulkFold[Any] = BulkFold(self._fold)
        bulk.feed([row for row in rows if row[2] <= last])
        for failed in bulk.failures.values():
            self._differs([f"{product_id}: version {failed.stream_version} does not fold: {failed.cause}"])
        return list(bulk.changes()), True

    def _differs(self, lines: Sequence[str]) -> None:
        self._different += len(lines)
        self._lines += lines[: max(0, _DIFFERENCES_SHOWN_MAX - len(self._lines))]


def stream_faults(product_id: UUID, rows: Sequence[LogRow], newest: int) -> list[str]:
    """The faults of a stream; `newest` is the version in its row, read before its events."""
    versions = list(map(_VERSION, rows))
    if versions != list(range(1, len(versions) + 1)):
        return [f"{product_id}: its versions in the log are {_shown(versions)}"]
    if len(versions) < newest:
        return [f"{product_id}: its row in the log says version {newest}, its events end at {len(versions)}"]
    positions = list(map(_POSITION, rows))
    if positions != sorted(set(positions)):
        return [f"{product_id}: its positions in the log are {_shown(positions)}"]
    return []


def _shown(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_DIFFERENCES_SHOWN_MAX]))
    return shown if len(numbers) <= _DIFFERENCES_SHOWN_MAX else f"{shown}, and more"
