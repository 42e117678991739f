"""A rebuild over a shadow and a log in memory: stopped in any phase it goes on, to the fold of the log."""

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projector.applying.ports import Held
from projector.errors import CannotGoOn, Unavailable
from projector.projections import PRODUCT_CACHE
from projector.rebuild.bulk_fold import BulkFold
from projector.rebuild.ports import CATCHING_UP, COMPARED, LOADING, SWITCHED
from projector.rebuild.rebuild import Differs, Rebuild, Reporter, Wanted
from projector.rebuild.rebuilding import Target
from projector.rebuild.worker import Slices
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from tests.in_memory.shadow import InMemoryRebuild
from tests.unit.projector.feed import VIEWS, fold_of
from tests.unit.projector.histories import created, history, new_product_id, priced, random_history
from tests.unit.projector.in_memory_stores import WrittenInMemoryLog
from tests.unit.projector.records import broken, folded, stored

OWNER_ID = UUID(int=1)
WANTED = Wanted(
    workers=3, products_in_memory_max=250_000, accepts_differences=False, compares=True, switches=True,
    live_lag_events_max=1, live_wait_seconds_max=1.0,
)  # fmt: skip


class Stopped(Exception):
    """As by Ctrl-C."""


class World:
    """One view and its log. `stop_at` ends a rebuild at a step: a slice, or a phase that begins."""

    name = "product_view"
    why_left_out = ""

    def __init__(self, name: str = name) -> None:
        self.name = name
        self.fold = fold_of(name)
        self.store = InMemoryRebuild(name, stored)
        self.log = WrittenInMemoryLog()
        self.streams: list[list[RecordedEvent]] = []
        self.stop_at: str | None = None
        self.steps: list[str] = []
        self.at_step: dict[str, Callable[[], Awaitable[None]]] = {}
        self._position = 0

    def target(self, stores: Any, owner_id: UUID) -> Target[Any]:
        async def no_generation() -> int:
            return 0

        return Target(self.store, self.store, self.fold, no_generation)

    async def wait_until_live_has(self, position: int, stores: Any, seconds_max: float) -> None:
        await self.step("waiting")

    async def step(self, name: str) -> None:
        self.steps.append(name)
        if name == self.stop_at:
            raise Stopped
        if name in self.at_step:
            await self.at_step.pop(name)()

    async def load_slices(
        self, slices: Slices, left: list[int], count: int, events: Callable[[int], None]
    ) -> None:
        for which in left:
            await self.step(f"slice {which}")
            bulk: BulkFold[Any] = BulkFold(self.fold)
            rows = await self.log.reading.slice_rows(slices.target, slices.slices, which)
            bulk.feed(rows)
            await self.store.load(which, len(rows), bulk.changes(), bulk.failures)
            events(len(rows))

    def rebuild(self) -> Rebuild:
        """As one more command has it."""

        def phase(name: str, detail: str) -> None:
            self.steps.append(name)
            if name == self.stop_at:
                raise Stopped

        return Rebuild(
            cast("Any", self), cast("Any", None),
            Reporter(phase, lambda count: None, lambda count: None), OWNER_ID,
            log=self.log.reading, load_slices=self.load_slices,
        )  # fmt: skip

    async def happen(self, *happened: e.ProductEvent, live: bool = True) -> list[RecordedEvent]:
        """A new product, in the log and in the live view."""
        stream = history(new_product_id(), *happened, first_position=self._position + 1)
        self._position += len(stream)
        self.streams.append(stream)
        await self.log.keep(stream)
        if live:
            self.store.live[stream[0].product_id] = self.folded(stream)
        return stream

    def folded(self, stream: Sequence[RecordedEvent]) -> Held[Any]:
        return Held(*folded(stream, self.fold))

    def expected(self) -> dict[UUID, Held[Any]]:
        """What the log says."""
        return {stream[0].product_id: self.folded(stream) for stream in self.streams}


async def some_products(world: World) -> None:
    for number in range(12):
        await world.happen(created(f"Shirt {number}"), priced("2.00"), e.ProductPublished())
    await world.happen(created(), e.ProductDeleted())


@pytest.fixture(params=[name for name in VIEWS if name != PRODUCT_CACHE.name])
async def world(request: pytest.FixtureRequest) -> World:
    one = World(request.param)
    await some_products(one)
    return one


async def test_a_rebuilt_view_is_equal_and_live_from_the_switch_on(world: World) -> None:
    before = world.store.live
    comparison = await world.rebuild().start(WANTED)
    assert comparison is not None
    assert (comparison.rows, list(comparison.differences), comparison.left_out) == (13, [], 0)
    assert (world.store.live, world.store.previous, world.store.shadow) == (world.expected(), before, None)
    assert world.store.live is not before
    record = world.store.record
    assert record is not None
    assert (record.phase, sorted(record.slices_done), record.events_done) == (SWITCHED, [0, 1, 2], 38)
    assert record.proof == "equal: 13 rows, checksum"


STEPS = ["slice 0", "slice 1", "slice 2", "indexing", "catching up", "comparing", "waiting", "switching"]
PHASES = dict(zip(STEPS, [LOADING] * 4 + [CATCHING_UP] * 3 + [COMPARED], strict=True))


@pytest.mark.parametrize("step", STEPS)
async def test_stopped_at_any_step_it_goes_on_there_and_does_nothing_twice(step: str) -> None:
    world = World()
    await some_products(world)
    before, world.stop_at = dict(world.store.live), step
    with pytest.raises(Stopped):
        await world.rebuild().start(WANTED)
    record = world.store.record
    assert record is not None
    assert record.phase == PHASES[step]
    assert world.store.live == before
    with pytest.raises(CannotGoOn, match="unfinished"):
        await world.rebuild().start(WANTED)
    # What happens meanwhile is caught up with.
    await world.happen(created("Meanwhile"), priced("9.00"))
    world.stop_at = None
    await world.rebuild().resume(WANTED)
    assert world.store.live == world.expected()
    loaded = [one for one in world.steps if one.startswith("slice")]
    repeated = [step] if step.startswith("slice") else []
    # A comparison that was made is not made again.
    assert world.steps.count("waiting") == (2 if step == "waiting" else 1)
    assert sorted(loaded) == sorted(["slice 0", "slice 1", "slice 2", *repeated])


@pytest.mark.parametrize("step", ["slice 1", "waiting"])
async def test_while_a_server_is_away_it_ends_and_goes_on_when_it_is_back(world: World, step: str) -> None:
    async def away() -> None:
        world.store.failure = Unavailable("away")

    world.at_step[step] = away
    with pytest.raises(Unavailable):
        await world.rebuild().start(WANTED)
    world.store.failure = None
    await world.rebuild().resume(WANTED)
    assert world.store.live == world.expected()


@pytest.mark.parametrize("step", ["slice 1", "waiting"])
async def test_what_happens_during_a_rebuild_is_in_the_new_view(world: World, step: str) -> None:
    async def happens() -> None:
        await world.happen(created("Meanwhile"), priced("9.00"))

    world.at_step[step] = happens
    await world.rebuild().start(WANTED)
    assert world.store.live == world.expected()


async def test_a_live_view_that_is_wrong_is_told_and_replaced_only_when_that_is_wanted(world: World) -> None:
    wrong = world.streams[3][0].product_id
    world.store.live[wrong] = Held(7, None)
    with pytest.raises(Differs) as differs:
        await world.rebuild().start(WANTED)
    assert list(differs.value.comparison.differences) == [f"{wrong}: differs"]
    assert world.store.live[wrong] == Held(7, None)
    await world.rebuild().resume(WANTED._replace(accepts_differences=True))
    assert world.store.live == world.expected()
    assert world.store.record is not None
    assert world.store.record.proof.startswith("differences accepted")


async def test_without_comparison_the_live_view_is_not_waited_for(world: World) -> None:
    await world.happen(created("Unseen"), live=False)
    assert await world.rebuild().start(WANTED._replace(compares=False)) is None
    assert "waiting" not in world.steps
    assert world.store.live == world.expected()


async def test_a_roll_back_makes_the_previous_view_live_and_only_once(world: World) -> None:
    with pytest.raises(CannotGoOn, match="nothing to roll back"):
        await world.rebuild().switch_back()
    before = world.store.live
    await world.rebuild().start(WANTED)
    await world.rebuild().switch_back()
    assert (world.store.live, world.store.shadow, world.store.record) == (before, None, None)
    with pytest.raises(CannotGoOn, match="nothing to roll back"):
        await world.rebuild().switch_back()


async def test_after_it_is_finished_there_is_no_way_back(world: World) -> None:
    with pytest.raises(CannotGoOn, match="nothing to finish"):
        await world.rebuild().finish()
    await world.rebuild().start(WANTED)
    await world.rebuild().finish()
    assert (world.store.previous, world.store.record) == (None, None)
    with pytest.raises(CannotGoOn, match="nothing to roll back"):
        await world.rebuild().switch_back()


async def test_a_cancelled_rebuild_leaves_nothing_behind_and_another_may_begin(world: World) -> None:
    with pytest.raises(CannotGoOn, match="no rebuild"):
        await world.rebuild().cancel()
    before = dict(world.store.live)
    await world.rebuild().start(WANTED._replace(switches=False))
    assert world.store.shadow == before
    await world.rebuild().cancel()
    assert (world.store.live, world.store.shadow, world.store.record) == (before, None, None)
    await world.rebuild().start(WANTED)
    assert world.store.live == before


async def test_one_that_other_code_or_another_log_began_is_not_gone_on_with(world: World) -> None:
    await world.rebuild().start(WANTED._replace(switches=False))
    record = world.store.record
    assert record is not None
    for changed in (record._replace(made_by="0.0.1 abc"), record._replace(log_id=UUID(int=9))):
        world.store.record = changed
        with pytest.raises(CannotGoOn, match="cancel it"):
            await world.rebuild().resume(WANTED)
    await world.rebuild().cancel()


async def test_a_hole_in_the_log_ends_it_with_its_place(world: World) -> None:
    holed = history(new_product_id(), created(), priced("2.00"), priced("3.00"), first_position=1000)
    await world.log.keep([holed[0], holed[2]])
    with pytest.raises(CannotGoOn, match=f"lacks version 2 of product {holed[0].product_id}"):
        await world.rebuild().start(WANTED)


async def test_what_does_not_fold_is_left_out_with_its_later_events_and_the_rest_goes_on() -> None:
    world = World()
    await some_products(world)
    bad = await world.happen(created("Bad"), priced("2.00"), priced("3.00"), live=False)
    await world.log.keep([broken(bad[1], schema_version=9)])
    late = await world.happen(created("Late"), priced("2.00"), live=False)

    async def spoil() -> None:
        await world.log.keep([broken(late[1])])

    async def goes_on() -> None:
        """A later event of a product that is left out."""
        later = history(bad[0].product_id, *[priced("4.00")] * 4, first_position=5000)[3]
        await world.log.keep([later])

    world.at_step["slice 0"], world.at_step["waiting"] = spoil, goes_on
    comparison = await world.rebuild().start(WANTED)
    assert comparison is not None
    assert (list(comparison.differences), comparison.left_out) == ([], 2)
    assert (await world.store.failures()).keys() == {bad[0].product_id, late[0].product_id}
    assert world.store.live[bad[0].product_id] == world.folded(bad[:1])
    assert world.store.live[late[0].product_id] == world.folded(late[:1])


@pytest.mark.parametrize("name", [name for name in VIEWS if name != PRODUCT_CACHE.name])
@settings(max_examples=25, deadline=None)
@given(
    histories=st.lists(random_history(), min_size=1, max_size=6),
    later=st.lists(random_history(), max_size=3),
    seed=st.integers(0, 2**32),
)
async def test_stopped_as_often_as_you_like_a_rebuild_ends_as_the_fold_of_the_log(
    name: str,
    histories: Sequence[Sequence[e.ProductEvent]],
    later: Sequence[Sequence[e.ProductEvent]],
    seed: int,
) -> None:
    chance, world = random.Random(seed), World(name)
    for happened in histories:
        await world.happen(*happened)
    wanted, left = WANTED._replace(workers=chance.randint(1, 4)), list(later)
    for step in sorted(chance.sample(STEPS, 3), key=STEPS.index):
        world.stop_at = step
        run = world.rebuild().start if world.store.record is None else world.rebuild().resume
        try:
            await run(wanted)
        except Stopped:
            if left:
                await world.happen(*left.pop())
        if world.store.record is not None and world.store.record.phase == SWITCHED:
            break
    world.stop_at = None
    if world.store.record is None:
        await world.rebuild().start(wanted)
    elif world.store.record.phase != SWITCHED:
        await world.rebuild().resume(wanted)
    expected = world.expected()
    assert {one: world.store.live.get(one) for one in expected} == expected
