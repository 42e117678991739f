"""What the table of states and the compacted topic must do; a class per adapter inherits a suite."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import pytest

from projector.errors import Fenced
from projector.state_topic.ports import Portion, State, StateTable, StateTopic
from shared.contract.views import ProductDocument, encode_document
from tests.unit.projector.histories import START, created, history, new_product_id
from tests.unit.projector.records import folded


class StoredStates(Protocol):
    """A table of one partition that a test writes to as batches and rebuilds do."""

    async def save(self, product_id: UUID, stream_version: int, document: ProductDocument | None) -> None: ...

    async def mend(self, product_id: UUID, document: ProductDocument) -> None:
        """The same version with another document, as a rebuild may make it."""

    def table(self, *, states_max: int = 500, bytes_max: int = 1 << 22) -> StateTable: ...


class Topics(Protocol):
    """A topic of two partitions, made by whoever asks first."""

    def topic(self) -> StateTopic: ...

    async def read(self) -> Sequence[tuple[UUID, int]]:
        """Product and version of each record of partition 0, in order, those of failed publications not."""


def document(product_id: UUID, name: str = "Shirt") -> ProductDocument:
    found: ProductDocument = folded(history(product_id, created(name)))[1]
    return found


async def portion_of(table: StateTable, partition: int = 0) -> Portion:
    """Of a partition alone."""
    return (await table.unpublished([partition]))[partition]


class StateTableSuite:
    """What waits, in bounded portions; what counts as published, and what no longer does."""

    async def test_what_waits_comes_oldest_first_in_portions_bounded_by_number_and_by_bytes(
        self, states: StoredStates
    ) -> None:
        ids = [new_product_id() for _ in range(5)]
        for number, product_id in enumerate(ids, start=1):
            await states.save(product_id, number, document(product_id, "x" * 1000))
        portion, are_all = await portion_of(states.table(states_max=2))
        assert [state.product_id for state in portion] == ids[:2]
        assert not are_all
        some = await portion_of(states.table(bytes_max=3 * 1200))
        assert (len(some.states), some.are_all) == (2, False)
        assert (await portion_of(states.table(states_max=6))).are_all
        # One that alone is larger than a portion would otherwise wait for ever.
        assert len((await portion_of(states.table(bytes_max=1))).states) == 1
        assert await portion_of(states.table(), 1) == ([], True)

    async def test_what_is_published_waits_no_more_until_it_changes(self, states: StoredStates) -> None:
        product_id, table = new_product_id(), states.table()
        await states.save(product_id, 1, document(product_id))
        old = (await portion_of(table)).states
        assert (await table.waiting([0])).keys() == {0}
        await table.published(old)
        assert (await portion_of(table), await table.waiting([0])) == (([], True), {})
        await states.save(product_id, 3, None)
        assert await portion_of(table) == ([State(product_id, 3, 3, START, None, None)], True)
        # What was published late says nothing of what came after it.
        await table.published(old)
        assert (await table.waiting([0]))[0].states == 1
        await table.published((await portion_of(table)).states)
        assert await table.waiting([0]) == {}

    async def test_an_older_version_changes_nothing(self, states: StoredStates) -> None:
        product_id = new_product_id()
        await states.save(product_id, 3, None)
        await states.save(product_id, 2, document(product_id))
        (state,) = (await portion_of(states.table())).states
        assert (state.stream_version, state.document) == (3, None)

    async def test_a_document_that_a_rebuild_mended_counts_as_unpublished_whoever_published_the_old_one(
        self, states: StoredStates
    ) -> None:
        product_id, table = new_product_id(), states.table()
        await states.save(product_id, 1, document(product_id, "Wrong"))
        wrong = (await portion_of(table)).states
        mended = document(product_id, "Right")
        await states.mend(product_id, mended)
        await table.published(wrong)
        (state,) = (await portion_of(table)).states
        assert state.document == encode_document(mended)

    async def test_a_topic_that_lost_a_partition_gets_all_of_it_again(self, states: StoredStates) -> None:
        ids, table = [new_product_id() for _ in range(3)], states.table()
        for one in ids:
            await states.save(one, 2, None)
        await table.published((await portion_of(table)).states)
        await table.topic_lost([1])
        assert await portion_of(table) == ([], True)
        await table.topic_lost([0])
        assert {state.product_id for state in (await portion_of(table)).states} == set(ids)


class StateTopicSuite:
    """One writer a partition."""

    async def test_opening_a_channel_ends_the_one_before_it_whatever_that_holds(self, topics: Topics) -> None:
        states, key = topics.topic(), new_product_id()
        assert list(await states.empty([0])) == [0]
        old, new = [State(key, version, version, START, b"{}", None) for version in (1, 2)]
        first = await states.open(0)
        await first.publish([old])
        second = await topics.topic().open(0)
        elsewhere = await states.open(1)
        await second.publish([new])
        with pytest.raises(Fenced):
            await first.publish([old, old])
        await second.publish([new])
        await first.abandon()
        for channel in (second, elsewhere):
            await channel.close()
        assert list(await states.empty([0, 1])) == [1]
        assert await topics.read() == [(key, 1), (key, 2), (key, 2)]
