"""What only the embedded engine does: it keeps answers between commits, refuses too many, survives a bad
state, and goes on from its folder.
"""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest

from query_api.errors import Overloaded, SearchUnavailable
from query_api.search.live import LiveIndex
from query_api.search.ports import IndexCheckpoint, IndexedState
from query_api.search.query import FacetValue, SearchFilters, SearchQuery
from query_api.search.tantivy import counting
from query_api.search.tantivy.corrections import Corrector
from query_api.search.tantivy.engine import TantivyEngine
from query_api.search.tantivy.failures import translated
from query_api.search.tantivy.index import TantivyIndex
from query_api.search.text_query import parse_text
from tests.eventually import eventually
from tests.integration.query_world import product
from tests.searching import TantivyCatalogue

EVERYTHING = SearchQuery(SearchFilters(), None, 10, with_total=True)
CHECKPOINT = IndexCheckpoint({3: 7}, {3: 40}, UUID(int=5), 12.5)


async def test_the_same_search_is_answered_once_until_the_next_commit(tmp_path: Path) -> None:
    catalogue = TantivyCatalogue(tmp_path)
    catalogue.put(product(id=UUID(int=1)))
    first = await catalogue.engine.search(EVERYTHING)
    assert await catalogue.engine.search(EVERYTHING) is first
    catalogue.put(product(id=UUID(int=2)))
    assert (await catalogue.engine.search(EVERYTHING)).total == 2
    catalogue.close()


async def test_equal_searches_at_the_same_time_are_one(tmp_path: Path) -> None:
    catalogue = TantivyCatalogue(tmp_path)
    catalogue.put(product())
    answers = await asyncio.gather(*(catalogue.engine.search(EVERYTHING) for _ in range(20)))
    assert all(answer is answers[0] for answer in answers)
    catalogue.close()


async def test_too_many_searches_are_refused(tmp_path: Path) -> None:
    index = TantivyIndex(tmp_path)
    engine = TantivyEngine(lambda: index, searches_max=1, waiting_max=2)
    queries = [SearchQuery(SearchFilters(brand=str(number)), None, 10) for number in range(8)]
    answers = await asyncio.gather(*map(engine.search, queries), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Overloaded)]
    assert len(refused) == 5
    await engine.search(queries[-1])
    engine.close()
    index.close()


async def test_values_are_counted_exactly_also_if_there_are_more_than_tantivy_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "_BUCKETS_MAX", 20)
    catalogue = TantivyCatalogue(tmp_path)
    rare = [product(id=UUID(int=number), brand=f"Rare {number:02}") for number in range(1, 31)]
    catalogue.put(*rare, *(product(id=UUID(int=number), brand="Usual") for number in range(31, 41)))
    query = SearchQuery(SearchFilters(brand="Rare 30"), None, 1, ("brand", "category", "status"), True)
    found = await catalogue.engine.search(query)
    assert found.total == 1
    assert found.facets is not None
    brands = found.facets.values["brand"]
    assert brands[0] == FacetValue("Usual", 10)
    assert FacetValue("Rare 30", 1) in brands
    everything = SearchQuery(SearchFilters(), None, 1, ("brand", "status"), True)
    assert (await catalogue.engine.search(everything)).total == 40
    catalogue.close()


async def test_without_an_index_a_search_is_refused() -> None:
    live: LiveIndex[TantivyIndex] = LiveIndex("still building")
    engine = TantivyEngine(lambda: live.current)
    with pytest.raises(SearchUnavailable, match="still building"):
        await engine.search(EVERYTHING)
    engine.close()


async def test_a_state_that_cannot_be_read_leaves_its_product_out_and_no_other(tmp_path: Path) -> None:
    catalogue = TantivyCatalogue(tmp_path)
    catalogue.put(product(id=UUID(int=1)), product(id=UUID(int=2)))
    catalogue.index.apply([IndexedState(UUID(int=1), 2, 5, 0, b"{")], CHECKPOINT)
    found = await catalogue.engine.search(EVERYTHING)
    assert [hit.product_id.int for hit in found.hits] == [2]
    catalogue.put(product(id=UUID(int=1), version=3))
    assert (await catalogue.engine.search(EVERYTHING)).total == 2
    catalogue.close()


async def test_an_index_goes_on_from_its_folder(tmp_path: Path) -> None:
    catalogue = TantivyCatalogue(tmp_path)
    assert catalogue.index.checkpoint is None
    catalogue.put(product(id=UUID(int=1)))
    catalogue.index.apply([], CHECKPOINT)
    catalogue.close()
    again = TantivyCatalogue(tmp_path)
    assert again.index.checkpoint == CHECKPOINT
    assert (await again.engine.search(EVERYTHING)).total == 1
    again.close()


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    index = TantivyIndex(tmp_path)
    with pytest.raises(SearchUnavailable):
        TantivyIndex(tmp_path)
    index.close()


def test_a_fault_inside_the_engine_is_an_error_and_not_the_end_of_the_process() -> None:
    panic = type("PanicException", (BaseException,), {})
    with pytest.raises(SearchUnavailable), translated():
        raise panic("called `Option::unwrap()` on a `None` value")
    with pytest.raises(KeyboardInterrupt), translated():
        raise KeyboardInterrupt


def test_words_are_read_again_when_their_share_of_the_time_allows_it(tmp_path: Path) -> None:
    catalogue = TantivyCatalogue(tmp_path)
    times = iter([10.0, 11.0, 20.0, 30.9, 31.0, 31.0])
    corrector = Corrector(0.05, lambda: next(times))
    typed = parse_text("lamb", is_prefix=False)
    assert typed is not None
    catalogue.put(product(name="Lame"))

    def corrected() -> str | None:
        return corrector.corrected(typed, ("active",), catalogue.index.snapshot).text

    assert corrected() == "lame"
    catalogue.put(product(name="Lama"), product(name="Lama"))
    assert corrected() == "lame", "reading took 1 s, so it counts for 20 s"
    assert corrected() == "lame"
    assert corrected() == "lama", "two products of three have it"
    catalogue.close()


async def test_segments_that_have_become_one_are_used_after_a_refresh(tmp_path: Path) -> None:
    catalogue = TantivyCatalogue(tmp_path)
    for number in range(1, 9):
        catalogue.put(product(id=UUID(int=number)))
    index, found = catalogue.index, await catalogue.engine.search(EVERYTHING)
    mark = index.snapshot.mark

    async def is_one() -> None:
        index.refresh()
        assert index.snapshot.searcher.num_segments < 8

    await eventually(is_one, 20)
    assert index.snapshot.mark is mark
    assert await catalogue.engine.search(EVERYTHING) == found
    catalogue.close()
