"""The live index follows the topic, goes on where it was, and is built anew beside itself where it has to."""

import asyncio
import math
import time
from pathlib import Path
from uuid import UUID

import pytest

from query_api.errors import ReadModelBehind, SearchUnavailable
from query_api.search.feed_limits import FeedLimits
from query_api.search.feed_ports import StatesUnavailable
from query_api.search.index_run import UNTRIED
from query_api.search.reporting import IndexReport
from shared.contract.consistency_token import ConsistencyToken
from shared.ops.metrics.search import SEARCH_INDEX_LAG_STATES
from tests.eventually import eventually
from tests.in_memory.state_topic import InMemoryProductIndex
from tests.unit.query_api.search_feed_world import ONE, OTHER, QUICK, THIRD, FeedWorld, state

DAY = 24 * 3600.0
NEW_LOG = UUID(int=99)


@pytest.fixture
def world(tmp_path: Path) -> FeedWorld:
    return FeedWorld(tmp_path)


async def test_an_index_answers_once_it_has_caught_up_and_then_follows(world: FeedWorld) -> None:
    world.topic.is_away = True
    world.topic.publish(state(ONE, 1, 1), state(OTHER, 1, 2, partition=1))
    async with world.process():
        with pytest.raises(SearchUnavailable):
            world.live.current  # noqa: B018
        world.topic.is_away = False
        await world.shows({ONE: 1, OTHER: 1})
        world.topic.publish(state(ONE, 2, 3), state(OTHER, 2, 4, partition=1, document=None))
        await world.shows({ONE: 2})


async def test_an_empty_topic_makes_an_empty_index_that_answers(world: FeedWorld) -> None:
    async with world.process():
        await world.shows({})


async def test_a_feed_that_is_behind_waits_for_records_and_never_spins(world: FeedWorld) -> None:
    """Kafka's client returns at once from a read that may not wait, and then nothing else gets a turn."""
    world.topic.publish(state(ONE, 1, 1), state(OTHER, 1, 2))
    world.topic.fetched_records_max = 1
    async with world.process():

        def has_read_again() -> None:
            assert len(world.topic.waits) >= 5

        await eventually(has_read_again)
        assert set(world.topic.waits) == {QUICK.read_seconds_max}
        world.topic.fetched_records_max = None
        world.topic.arrived.set()
        await world.shows({ONE: 1, OTHER: 1})


async def test_a_restarted_process_goes_on_from_its_checkpoint(world: FeedWorld) -> None:
    world.topic.publish(state(ONE, 1, 1))
    async with world.process():
        await world.shows({ONE: 1})
    world.topic.publish(state(OTHER, 1, 2))
    world.indexes.commits.clear()
    async with world.process():
        await world.shows({ONE: 1, OTHER: 1})
    assert [one.product_id for commit in world.indexes.commits for one in commit] == [OTHER]
    assert len(world.indexes.content) == 1


async def test_a_restarted_process_answers_from_its_folder_while_kafka_is_away(world: FeedWorld) -> None:
    world.topic.publish(state(ONE, 1, 1))
    async with world.process():
        await world.shows({ONE: 1})
    world.topic.is_away = True
    async with world.process():
        await world.shows({ONE: 1})
        assert world.feed.live_run is not None
        with pytest.raises(StatesUnavailable):
            world.feed.live_run.check()


async def test_an_outage_ends_by_itself(world: FeedWorld) -> None:
    async with world.process():
        await world.shows({})
        world.topic.is_away = True
        run = world.feed.live_run
        assert run is not None

        def is_in_trouble() -> None:
            assert run.trouble == "StatesUnavailable: no broker"

        await eventually(is_in_trouble)
        world.topic.publish(state(ONE, 1, 1))
        world.topic.is_away = False
        await world.shows({ONE: 1})
        run.check()


async def test_a_commit_that_fails_is_tried_again_with_all_its_states(world: FeedWorld) -> None:
    async with world.process():
        await world.shows({})
        name = world.live.current.name
        world.indexes.broken.add(name)
        world.topic.publish(state(ONE, 1, 1))
        run = world.feed.live_run
        assert run is not None

        def is_in_trouble() -> None:
            assert run.trouble == "SearchUnavailable: the disk is full"

        await eventually(is_in_trouble)
        world.indexes.broken.clear()
        await world.shows({ONE: 1})


@pytest.mark.parametrize("records_after", [0, 3])
async def test_a_topic_that_was_made_again_is_read_from_its_beginning(
    world: FeedWorld, records_after: int
) -> None:
    world.topic.publish(state(ONE, 1, 1))
    async with world.process():
        await world.shows({ONE: 1})
    world.topic.make_again()
    world.topic.now += 120
    for number in range(records_after):
        world.topic.publish(state(THIRD, number + 1, number + 1))
    expected = {THIRD: records_after} if records_after else {}
    async with world.process():
        await world.shows(expected)


async def test_a_topic_that_is_made_again_meanwhile_is_noticed_even_if_it_is_longer(world: FeedWorld) -> None:
    world.topic.publish(state(ONE, 1, 1))
    async with world.process():
        await world.shows({ONE: 1})
        old = world.live.current
        world.topic.make_again()
        world.topic.now += 150
        world.topic.publish(*(state(OTHER, number, number) for number in range(1, 9)))
        await world.shows({OTHER: 8})
        assert world.live.current is not old
        await world.has_one_index()


async def test_states_of_another_log_make_another_index_that_ignores_the_former_log(world: FeedWorld) -> None:
    world.topic.publish(state(ONE, 9, 90), state(OTHER, 9, 91))
    async with world.process():
        await world.shows({ONE: 9, OTHER: 9})
        world.topic.publish(state(ONE, 1, 1), log_id=NEW_LOG)
        await world.shows({ONE: 1})
        # A publisher that had not heard of it yet.
        world.topic.publish(state(OTHER, 10, 92))
        world.topic.publish(state(THIRD, 1, 2), log_id=NEW_LOG)
        await world.shows({ONE: 1, THIRD: 1})
        assert world.progress.positions == {0: 2}


async def test_states_without_a_log_id_belong_to_the_log_of_the_others(world: FeedWorld) -> None:
    world.topic.publish(state(ONE, 1, 1), log_id=None)
    world.topic.publish(state(OTHER, 1, 2))
    world.topic.publish(state(THIRD, 1, 3), log_id=None)
    async with world.process():
        await world.shows({ONE: 1, OTHER: 1, THIRD: 1})
    assert len(world.indexes.content) == 1


async def test_an_index_that_may_have_missed_deletions_is_not_shown_again(world: FeedWorld) -> None:
    world.topic.publish(state(ONE, 1, 1))
    async with world.process():
        await world.shows({ONE: 1})
    world.skew_seconds = 4 * DAY
    world.topic.is_away = True
    async with world.process():

        def is_tried() -> None:
            run = world.feed.building_run
            assert run is not None
            assert run.trouble == "StatesUnavailable: no broker"

        await eventually(is_tried)
        assert not world.live.is_there
        world.topic.is_away = False
        await world.shows({ONE: 1})
    assert len(world.indexes.content) == 2


async def test_a_process_that_was_without_kafka_for_days_builds_its_index_anew(world: FeedWorld) -> None:
    async with world.process():
        await world.shows({})
        old = world.live.current
        world.topic.is_away = True
        await eventually(lambda: _in_trouble(world))
        world.skew_seconds = 4 * DAY
        world.topic.is_away = False
        world.topic.publish(state(ONE, 1, 1))
        await world.shows({ONE: 1})
        assert world.live.current is not old


async def test_an_index_without_news_for_days_is_still_young(world: FeedWorld) -> None:
    async with world.process():
        await world.shows({})
        world.skew_seconds = 2 * DAY
        checkpoint = world.live.current.checkpoint
        assert checkpoint is not None

        def is_renewed() -> None:
            later = world.live.current.checkpoint
            assert later is not None
            assert later.saved_at >= checkpoint.saved_at + DAY

        await eventually(is_renewed)
    world.skew_seconds = 5 * DAY
    async with world.process():
        await world.shows({})
    assert len(world.indexes.content) == 1


async def test_a_folder_that_cannot_be_opened_is_replaced(world: FeedWorld) -> None:
    world.topic.publish(state(ONE, 1, 1))
    async with world.process():
        await world.shows({ONE: 1})
        world.indexes.broken.add(world.live.current.name)
    async with world.process():
        await world.shows({ONE: 1})
    assert len(world.indexes.content) == 2


async def test_another_scheme_makes_another_index(world: FeedWorld) -> None:
    world.topic.publish(state(ONE, 1, 1))
    async with world.process():
        await world.shows({ONE: 1})
    world.scheme = "s2"
    async with world.process():
        await world.shows({ONE: 1})
    assert len(world.indexes.content) == 2


async def test_an_operator_gets_another_index_while_the_live_one_goes_on(world: FeedWorld) -> None:
    world.topic.publish(state(ONE, 1, 1))
    async with world.process():
        await world.shows({ONE: 1})
        old = world.live.current
        world.feed.rebuild()

        def is_switched() -> InMemoryProductIndex:
            assert world.live.current is not old
            return world.live.current

        new = await eventually(is_switched)
        assert set(new.products) == {ONE}
        world.topic.publish(state(OTHER, 1, 2))
        await world.shows({ONE: 1, OTHER: 1})
        await world.has_one_index()


async def test_a_waiting_reader_makes_the_commit_come_sooner(world: FeedWorld) -> None:
    world.limits = QUICK._replace(commit_seconds=3600.0, read_seconds_max=0.01)
    async with world.process():
        await world.shows({})
        world.topic.publish(state(ONE, 1, 1))
        await world.progress.reach(ConsistencyToken({0: 1}, ONE, 1), 20)
        assert world.shown() == {ONE: 1}


async def test_states_are_gathered_between_two_commits(world: FeedWorld) -> None:
    world.limits = QUICK._replace(commit_seconds=3600.0, read_seconds_max=0.01)
    async with world.process():
        await world.shows({})
        world.topic.publish(state(ONE, 1, 1))
        await eventually(lambda: _lag(world, 1))
        for number in range(2, 4):
            world.topic.publish(state(ONE, number, number))
            for _ in range(100):
                await asyncio.sleep(0)
        assert world.shown() == {}


async def test_a_reader_that_begins_to_wait_ends_the_gathering(world: FeedWorld) -> None:
    world.limits = QUICK._replace(commit_seconds=3600.0, read_seconds_max=0.01)
    async with world.process():
        await world.shows({})
        world.topic.publish(state(ONE, 1, 1))
        await eventually(lambda: _lag(world, 1))
        await world.progress.reach(ConsistencyToken({0: 1}, ONE, 1), 20)
        assert world.shown() == {ONE: 1}


async def test_an_index_that_catches_up_commits_equal_parts(world: FeedWorld) -> None:
    world.limits = QUICK._replace(catch_up_states_max=10)
    world.topic.publish(*(state(UUID(int=number), 1, number) for number in range(1, 80)))
    async with world.process():
        await world.shows({UUID(int=number): 1 for number in range(1, 80)})
    # 80 offsets, with the marker of the transaction.
    assert [len(commit) for commit in world.indexes.commits if commit] == [*[10] * 7, 9]


@pytest.mark.parametrize(
    ("offset_count", "states"), [(0, 1), (1, 1), (25_000, 25_000), (25_001, 3_126), (200_001, 3_126)]
)
def test_parts_are_one_or_eight_or_eight_times_as_many(offset_count: int, states: int) -> None:
    assert FeedLimits().catch_up_states(offset_count) == states


async def test_searches_use_what_the_engine_tidies_up_between_commits(world: FeedWorld) -> None:
    world.limits = QUICK._replace(refresh_seconds=0.01)
    world.topic.publish(state(ONE, 1, 1))
    async with world.process():
        await world.shows({ONE: 1})
        await eventually(lambda: _refreshed(world, 3))


async def test_a_token_of_a_parked_product_waits_in_vain_and_that_of_its_neighbour_does_not(
    world: FeedWorld,
) -> None:
    async with world.process():
        # The event at 5 is parked: no state of OTHER comes.
        world.topic.publish(state(ONE, 1, 4), state(ONE, 2, 6))
        await world.shows({ONE: 2})
        await world.progress.reach(ConsistencyToken({0: 6}), 5)
        with pytest.raises(ReadModelBehind):
            await world.progress.reach(ConsistencyToken({0: 7}, OTHER, 1), 0.01)


async def _refreshed(world: FeedWorld, times: int) -> None:
    assert world.indexes.refreshes >= times


async def _in_trouble(world: FeedWorld) -> None:
    run = world.feed.live_run
    assert run is not None
    assert run.trouble is not None


async def _lag(world: FeedWorld, states: int) -> None:
    run = world.feed.live_run
    assert run is not None
    assert run.lag_states() == states


async def test_a_process_is_ready_once_its_index_has_caught_up(world: FeedWorld) -> None:
    async with world.process():
        report = IndexReport(world.feed, start_seconds_max=10.0)

        async def is_ready() -> None:
            try:
                await report.check_start()
            except SearchUnavailable as error:
                raise AssertionError from error

        await eventually(is_ready)
        assert world.shown() == {}
        await report.check()
        world.topic.publish(state(ONE, 1, 7))
        await world.shows({ONE: 1})
        shown = report.state()
        assert shown.positions == {0: 7}
        assert (shown.condition, shown.is_rebuilding, shown.reason) == ("following", False, None)


@pytest.mark.parametrize("exists", [False, True])
async def test_a_process_without_kafka_is_ready_after_a_while_and_without_the_topic_at_once(
    world: FeedWorld, exists: bool
) -> None:
    world.topic.exists, world.topic.is_away = exists, exists
    async with world.process():
        later = IndexReport(world.feed, start_seconds_max=10.0, clock=lambda: time.time() + 11)
        now = IndexReport(world.feed, start_seconds_max=10.0)

        async def is_tried() -> None:
            assert now.state().reason not in (None, UNTRIED, "the index is being built")

        await eventually(is_tried)
        await later.check_start()
        if exists:
            with pytest.raises(SearchUnavailable):
                await now.check_start()
        else:
            await now.check_start()
        with pytest.raises(SearchUnavailable):
            await now.check()
        assert now.state().condition == "missing"


async def test_gauges_are_unknown_without_an_index_and_true_with_one(world: FeedWorld) -> None:
    world.topic.is_away = True
    async with world.process():
        measurement = IndexReport(world.feed, start_seconds_max=10.0).measurement()
        await measurement.take()
        assert math.isnan(SEARCH_INDEX_LAG_STATES._value.get())
        world.topic.is_away = False
        await world.shows({})
        await measurement.take()
        assert SEARCH_INDEX_LAG_STATES._value.get() == 0


async def test_an_index_is_behind_while_the_broker_says_nothing(world: FeedWorld) -> None:
    async with world.process():
        await world.shows({})
        world.topic.silent_seconds = 60.0
        report = IndexReport(world.feed, start_seconds_max=10.0)

        def is_behind() -> None:
            shown = report.state()
            assert (shown.condition, shown.lag_states) == ("behind", None)
            assert shown.behind_seconds is not None
            assert shown.behind_seconds >= 60

        await eventually(is_behind)
        assert report.state().reason == "Kafka has not answered for 60 s"
