"""Every search engine finds the same, in the same order, with the same counts."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from query_api.search.query import (
    AttributeFilter,
    FacetRange,
    FacetValue,
    Found,
    SearchFilters,
    SearchQuery,
)
from query_api.search.synonyms import NO_SYNONYMS, Synonyms
from query_api.search.text_query import parse_text
from shared.contract.events import Money, Variant
from shared.contract.views import ProductDocument
from tests.searching import Catalogue, InMemoryCatalogue, OpenSearchCatalogue, TantivyCatalogue

START = datetime(2026, 1, 1, tzinfo=UTC)


_SLOW = [pytest.mark.servers, pytest.mark.prove]
_OPENSEARCH = pytest.param(1, marks=_SLOW, id="opensearch")
_FIVE_SHARDS = pytest.param(5, marks=_SLOW, id="opensearch-of-five-shards")


@pytest_asyncio.fixture(params=["in-memory", "tantivy", _OPENSEARCH, _FIVE_SHARDS])
async def catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Catalogue]:
    made: Catalogue
    if request.param == "in-memory":
        made = InMemoryCatalogue()
    elif request.param == "tantivy":
        made = TantivyCatalogue(tmp_path)
    else:
        made = OpenSearchCatalogue(request.getfixturevalue("opensearch_server"), shards=request.param)
    yield made
    if isinstance(made, OpenSearchCatalogue):
        await made.client.close()
    made.close()


def shown(number: int, **fields: Any) -> ProductDocument:
    """Product `number`, created after those with lower ones; its variant `SKU-<number>` costs 10.00 USD."""
    created_at = START + timedelta(hours=number)
    usual: dict[str, Any] = {
        "id": UUID(int=number), "version": 1, "status": "active", "slug": f"slug-{number}",
        "name": f"Item {number}", "description": None, "brand": None, "product_type": None, "category": None,
        "tags": (), "attributes": {}, "images": (), "variants": (priced(f"SKU-{number}"),),
        "created_at": created_at, "updated_at": created_at, "published_at": None,
    }  # fmt: skip
    return ProductDocument(**{**usual, **fields})


def priced(sku: str, amount: str = "10.00", currency: str = "USD") -> Variant:
    return Variant(sku=sku, options={}, price=Money(amount, currency))


async def search(
    catalogue: Catalogue,
    text: str | None = None,
    *,
    facets: tuple[str, ...] = (),
    hits_max: int = 100,
    synonyms: Synonyms = NO_SYNONYMS,
    visible: tuple[str, ...] = ("active", "archived", "draft"),
    **filters: Any,
) -> Found:
    query = None if text is None else parse_text(text, synonyms)
    sort = filters.pop("sort", "-updated_at" if text is None else "relevance")
    wanted = SearchFilters(text=query, sort=sort, **filters)
    return await catalogue.engine.search(
        SearchQuery(wanted, None, hits_max, facets, with_total=True, visible_statuses=visible)
    )


def numbers(found: Found) -> Sequence[int]:
    return [hit.product_id.int for hit in found.hits]


async def found(catalogue: Catalogue, text: str | None = None, **more: Any) -> Sequence[int]:
    return numbers(await search(catalogue, text, **more))


async def test_a_better_field_comes_before_a_worse_one_then_the_newest(catalogue: Catalogue) -> None:
    catalogue.put(
        shown(1, description="A blue thing"),
        shown(2, tags=("blue",)),
        shown(3, brand="Blue"),
        shown(4, name="Blue shirt"),
        shown(5, variants=(priced("blue"),)),
        shown(6, name="Deep blue"),
        shown(7, name="Red"),
    )
    answer = await search(catalogue, "blue")
    assert [(hit.product_id.int, hit.tier) for hit in answer.hits] == [
        (5, "sku"), (6, "name"), (4, "name"), (3, "brand"), (2, "tags"), (1, "description"),
    ]  # fmt: skip
    assert answer.total == 6


async def test_all_words_have_to_match_and_the_worst_one_decides(catalogue: Catalogue) -> None:
    catalogue.put(
        shown(1, name="Linen shirt", brand="Wren"),
        shown(2, name="Linen shirt by Wren"),
        shown(3, name="Linen trousers", brand="Wren"),
    )
    answer = await search(catalogue, "wren shirt")
    assert [(hit.product_id.int, hit.tier) for hit in answer.hits] == [(2, "name"), (1, "brand")]


async def test_the_last_word_may_go_on_and_others_may_not(catalogue: Catalogue) -> None:
    catalogue.put(shown(1, name="Trail running shoes"), shown(2, name="Trailhead runner"))
    assert await found(catalogue, "trail run") == [1]
    assert await found(catalogue, "run trail") == []
    assert await found(catalogue, "running trail") == [1]
    assert await found(catalogue, "trail") == [2, 1]
    assert await found(catalogue, '"trail"') == [1]


async def test_a_phrase_is_in_order_and_in_one_field(catalogue: Catalogue) -> None:
    catalogue.put(
        shown(1, name="Ocean blue shirt"),
        shown(2, name="Blue ocean"),
        shown(3, name="Ocean", brand="Blue"),
        shown(4, tags=("ocean", "blue")),
    )
    assert await found(catalogue, '"ocean blue"') == [1]
    assert sorted(await found(catalogue, "ocean blue")) == [1, 2, 3, 4]


async def test_excluded_words_and_phrases_exclude(catalogue: Catalogue) -> None:
    catalogue.put(
        shown(1, name="Blue shirt"), shown(2, name="Blue shirt", tags=("outlet",)), shown(3, name="Red")
    )
    assert await found(catalogue, "blue -outlet") == [1]
    assert await found(catalogue, '-"blue shirt"') == [3]
    assert await found(catalogue, "-SKU-3") == [2, 1]


async def test_case_diacritics_and_markup_do_not_matter(catalogue: Catalogue) -> None:
    catalogue.put(
        shown(1, name="Größe Łódź"),
        shown(2, description="<p class='intro'>Crème&nbsp;brûlée</p>"),
        shown(3, brand="ΣΟΦΟΣ"),
    )
    assert await found(catalogue, "GROSSE lodz") == [1]
    assert await found(catalogue, "creme brulee") == [2]
    assert await found(catalogue, "intro") == []
    assert await found(catalogue, "σοφος") == [3]


async def test_scripts_without_spaces_are_found_by_their_parts(catalogue: Catalogue) -> None:
    catalogue.put(shown(1, name="青いシャツ"), shown(2, name="シャツ白"), shown(3, name="हिन्दी किताब"))
    assert await found(catalogue, "シャツ") == [2, 1]
    assert await found(catalogue, "青いシ") == [1]
    assert await found(catalogue, "किताब") == [3]


async def test_a_sku_is_found_in_any_case_whole_or_by_its_beginning(catalogue: Catalogue) -> None:
    catalogue.put(
        shown(1, variants=(priced("OBS-M"), priced("OBS-L"))),
        shown(2, variants=(priced("ä #1"),)),
        shown(3, name="obs m"),
        shown(4, variants=(priced("x.*"),)),
    )
    answer = await search(catalogue, "obs-m")
    assert [(hit.product_id.int, hit.tier) for hit in answer.hits] == [(1, "sku"), (3, "name")]
    assert await found(catalogue, "ä #1") == [2]
    assert await found(catalogue, "obs-") == [3, 1], "the beginning of a SKU is in the last tier"
    assert await found(catalogue, "x.*") == [4]


async def test_each_beginning_of_a_sku_from_three_characters_on_finds_it(catalogue: Catalogue) -> None:
    catalogue.put(shown(1, variants=(priced("ÄB-12345-678"),)), shown(2, variants=(priced("ab-1"),)))
    for characters in range(3, 13):
        expected = [2, 1] if characters <= 4 else [1]
        assert await found(catalogue, "ÄB-12345-678"[:characters]) == expected, characters
    assert await found(catalogue, "ÄB-12345-6789") == []
    assert await found(catalogue, "äb-12345-67x") == []


@pytest.mark.parametrize(
    ("typed", "corrected"),
    [("shrit", "shirt"), ("shirtt", "shirt"), ("headfones", "headphones"), ("linnen shrit", "linen shirt")],
)
async def test_a_word_that_no_product_has_finds_the_nearest_one(
    catalogue: Catalogue, typed: str, corrected: str
) -> None:
    catalogue.put(shown(1, name="Linen shirt"), shown(2, name="Linen headphones"))
    answer = await search(catalogue, typed)
    assert answer.corrected == corrected
    assert len(answer.hits) == 1


async def test_what_is_not_corrected(catalogue: Catalogue) -> None:
    catalogue.put(shown(1, name="Shirt 42 xl", variants=(priced("ABC-123"),)), shown(2, name="Shore"))
    for typed in ("43", "abc-124", "xm", '"shrit"', "-shrit shor", "short"):
        assert (await search(catalogue, typed)).corrected in (None, "shirt"), typed
    assert (await search(catalogue, "43")).hits == []
    assert (await search(catalogue, '"shrit"')).hits == []
    assert await found(catalogue, "shor") == [2], "a beginning of a word is no mistake"


async def test_a_whole_text_that_is_a_sku_does_not_keep_its_words_from_being_corrected(
    catalogue: Catalogue,
) -> None:
    catalogue.put(shown(1, variants=(priced("blu shrt"),)), shown(2, name="Blue shirt"))
    answer = await search(catalogue, "blu shrt")
    assert numbers(answer) == [1, 2]
    assert answer.corrected == "blue shirt"


async def test_a_correction_tells_nothing_of_products_that_are_not_asked_for(catalogue: Catalogue) -> None:
    catalogue.put(
        shown(1, name="Secret lamp", status="draft", variants=(priced("LAMB"),)), shown(2, name="Lamb")
    )
    catalogue.put(shown(3, name="Gone"))
    catalogue.delete(UUID(int=3))
    for typed, corrected in (("secrat", None), ("lamp", "lamb"), ("gome", None), ("secret", None)):
        assert (await search(catalogue, f"{typed} ", statuses=("active",))).corrected == corrected, typed
    drafts = await search(catalogue, "secrat", statuses=("draft",))
    assert drafts.corrected == "secret"


async def test_synonyms_find_what_they_stand_for(catalogue: Catalogue) -> None:
    synonyms = Synonyms({("sofa",): [("couch",)], ("running", "shoes"): [("trainers",)]})
    catalogue.put(shown(1, name="Grey couch"), shown(2, name="Grey sofa"), shown(3, name="Trainers"))
    assert await found(catalogue, "grey sofa", synonyms=synonyms) == [2, 1]
    assert await found(catalogue, "running shoes", synonyms=synonyms) == [3]


async def test_a_brand_within_a_category_is_that_of_both(catalogue: Catalogue) -> None:
    """Also if both have blanks, and in searches by words, counts and facets."""
    catalogue.put(
        shown(1, brand="b c", category="a/x"),
        shown(2, brand="c", category="a b"),
        shown(3, brand="b c", category="a"),
        shown(4, brand="c", category="a"),
        shown(5, brand="b c", category="a b/x"),
        shown(6, brand="b c", category="a", status="draft"),
    )
    for text, sort in ((None, "name"), ("item", "relevance"), ("item", "name")):
        for brand, category, expected in (
            ("b c", "a", [1, 3]), ("c", "a b", [2]), ("c", "a", [4]), ("b c", "a b", [5]), ("c", "b", []),
        ):  # fmt: skip
            filters = {"brand": brand, "category": category, "statuses": ("active",), "sort": sort}
            answer = await search(catalogue, text, facets=("brand",), **filters)
            assert sorted(numbers(answer)) == expected
            assert answer.total == len(expected)


async def test_filters_leave_out_what_does_not_match(catalogue: Catalogue) -> None:
    catalogue.put(
        shown(
            1, brand="Wren", category="a/b/c", tags=("x", "y"), attributes={"size": 5, "on": True, "c": "red"}
        ),
        shown(
            2, brand="wren", category="a/bc", tags=("xy",), attributes={"size": "5", "sizes": [1, 2.5, "m"]}
        ),
        shown(3, status="draft", attributes={"size": 5.5, "nested": {"a": 1}}),
        shown(4, variants=(priced("S", "5.00", "EUR"), priced("T", "15.00")), attributes={"size": -3}),
    )

    async def by(**filters: Any) -> Sequence[int]:
        return sorted(await found(catalogue, **filters))

    def has(name: str, value: str) -> Any:
        return (AttributeFilter(name, value=value),)

    def within(name: str, lowest: float | None, highest: float | None) -> Any:
        return (AttributeFilter(name, lowest=lowest, highest=highest),)

    assert await by(brand="Wren") == [1]
    assert await by(category="a/b") == [1]
    assert await by(category="a") == [1, 2]
    assert await by(tag="x") == [1]
    assert await by(sku="SKU-2") == [2]
    assert await by(sku="sku-2") == []
    assert await by(product_ids=(UUID(int=1), UUID(int=9))) == [1]
    assert await by(statuses=("draft",)) == [3]
    assert await by(updated_after=START + timedelta(hours=2)) == [4]
    assert await by(currency="EUR") == [4]
    assert await by(currency="USD", price_min=Decimal("10.01")) == [4]
    assert await by(currency="USD", price_max=Decimal("10")) == [1, 2]
    assert await by(currency="EUR", price_min=Decimal("5"), price_max=Decimal("5")) == [4]
    assert await by(attributes=has("size", "5")) == [1, 2]
    assert await by(attributes=has("on", "true")) == [1]
    assert await by(attributes=has("sizes", "2.5")) == [2]
    assert await by(attributes=within("size", -3, 5)) == [1, 4]
    assert await by(attributes=within("size", 5.1, None), statuses=("active", "draft")) == [3]
    assert await by(attributes=within("size", None, -0.5)) == [4]
    assert await by(attributes=(*has("c", "red"), *within("size", 5, 5))) == [1]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", [2, 4, 1, 3]),
        ("-name", [3, 1, 4, 2]),
        ("price", [3, 1, 2]),
        ("-price", [2, 1, 3]),
        ("updated_at", [2, 1, 4, 3]),
        ("-updated_at", [3, 4, 1, 2]),
        ("id", [1, 2, 3, 4]),
    ],
)
async def test_each_order_has_each_product_once_also_at_equal_values(
    catalogue: Catalogue, sort: Any, expected: Sequence[int]
) -> None:
    catalogue.put(
        shown(1, name="b", updated_at=START, variants=(priced("1", "9.00"), priced("1b", "200.00"))),
        shown(2, name="a", updated_at=START, variants=(priced("2", "10.00"),)),
        shown(3, name="ba", updated_at=START + timedelta(days=1), variants=(priced("3", "8.99"),)),
        shown(4, name="a b", updated_at=START + timedelta(hours=1), variants=(priced("4", "1", "JPY"),)),
    )
    currency = "USD" if "price" in sort else None
    assert await found(catalogue, sort=sort, currency=currency) == expected
    walked: list[int] = []
    after = None
    for _ in range(len(expected) + 1):
        page = await catalogue.engine.search(
            SearchQuery(SearchFilters(sort=sort, currency=currency), after, hits_max=1)
        )
        walked += numbers(page)
        after = page.hits[-1].position if page.hits else after
    assert walked == expected


async def test_a_walk_by_relevance_goes_on_over_the_tiers(catalogue: Catalogue) -> None:
    catalogue.put(
        *(shown(n, name="blue") for n in range(1, 5)), *(shown(n, tags=("blue",)) for n in range(5, 9))
    )
    filters = SearchFilters(text=parse_text("blue"), sort="relevance")
    walked: list[int] = []
    after = None
    while True:
        page = await catalogue.engine.search(SearchQuery(filters, after, hits_max=3))
        if not page.hits:
            break
        walked += numbers(page)
        after = page.hits[-1].position
    assert walked == [4, 3, 2, 1, 8, 7, 6, 5]


async def test_a_facet_ignores_its_own_filter_and_no_other(catalogue: Catalogue) -> None:
    catalogue.put(
        shown(1, brand="A", category="x/1", tags=("t",), attributes={"c": "red"}),
        shown(2, brand="A", category="x/2", attributes={"c": "blue"}),
        shown(3, brand="B", category="x/1", attributes={"c": "red"}),
        shown(4, brand="B", category="y", attributes={"c": 7}),
    )
    answer = await search(catalogue, brand="A", category="x", facets=("brand", "category", "tag", "attr.c"))
    assert answer.facets is not None
    assert answer.facets.values["brand"] == [FacetValue("A", 2), FacetValue("B", 1)]
    assert answer.facets.values["category"] == [
        FacetValue("x", 2),
        FacetValue("x/1", 1),
        FacetValue("x/2", 1),
    ]
    assert answer.facets.values["tag"] == [FacetValue("t", 1)]
    assert answer.facets.values["attr.c"] == [FacetValue("blue", 1), FacetValue("red", 1)]


async def test_counts_are_exact_also_of_values_that_are_rare_in_each_part_of_the_index(
    catalogue: Catalogue,
) -> None:
    for start in range(0, 300, 50):
        # Ten thousand tags of one product each; two hundred others are somewhat less rare, and sort behind.
        catalogue.put(
            *(
                shown(
                    n,
                    tags=(*(f"a-{n}-{each}" for each in range(240)), f"b-{n % 200}"),
                    attributes={"code": [f"{n}-{each}" for each in range(240)] + [f"x-{n % 200}"]},
                )
                for n in range(start, start + 50)
            )
        )
    answer = await search(catalogue, facets=("tag", "attr.code"))
    assert answer.facets is not None
    frequent = sorted(str(each) for each in range(100))
    assert answer.facets.values["tag"] == [FacetValue(f"b-{each}", 2) for each in frequent]
    assert answer.facets.values["attr.code"] == [FacetValue(f"x-{each}", 2) for each in frequent]


async def test_a_text_and_a_number_that_are_written_alike_are_one_value_however_many_there_are(
    catalogue: Catalogue,
) -> None:
    # The number is rarer than more than a thousand texts, so its count is cut where it is counted alone.
    texts = [f"x-{each}" for each in range(1_200)]
    catalogue.put(
        *(shown(n, attributes={"code": texts}) for n in range(1, 4)),
        *(shown(n, attributes={"code": "7"}) for n in range(4, 8)),
        shown(8, attributes={"code": 7}),
        shown(9, attributes={"code": ["7", 7]}),
        shown(10, attributes={"code": True}),
        shown(11, attributes={"code": ["true", True]}),
    )
    chosen = (AttributeFilter("code", value="7.0"), AttributeFilter("code", value="true"))
    for wanted in ((), chosen):
        answer = await search(catalogue, attributes=wanted, facets=("attr.code",))
        assert answer.facets is not None
        counted = answer.facets.values["attr.code"]
        assert counted[:2] == [FacetValue("7", 6), FacetValue("x-0", 3)]
        assert counted[100:] == ([FacetValue("true", 2)] if wanted else [])


async def test_a_chosen_value_is_listed_even_if_nothing_has_it(catalogue: Catalogue) -> None:
    catalogue.put(shown(1, brand="A", attributes={"c": "red"}))
    chosen = (AttributeFilter("c", value="green"),)
    answer = await search(catalogue, brand="Z", attributes=chosen, facets=("brand", "attr.c"))
    assert answer.total == 0
    assert answer.facets is not None
    assert answer.facets.values["brand"] == [FacetValue("Z", 0)]
    assert answer.facets.values["attr.c"] == [FacetValue("green", 0)]


async def test_the_counts_by_status_tell_only_what_the_reader_may_see(catalogue: Catalogue) -> None:
    catalogue.put(shown(1), shown(2, status="draft"), shown(3, status="draft"))
    for visible, expected in (
        (("active",), [FacetValue("active", 1)]),
        (("active", "archived", "draft"), [FacetValue("draft", 2), FacetValue("active", 1)]),
    ):
        answer = await search(catalogue, facets=("status",), visible=visible)
        assert answer.facets is not None
        assert answer.facets.values["status"] == expected


async def test_prices_are_counted_in_ranges_a_product_once_in_each(catalogue: Catalogue) -> None:
    catalogue.put(
        shown(1, variants=(priced("1", "19.99"), priced("2", "10.00"), priced("3", "20.00"))),
        shown(2, variants=(priced("4", "0.99"), priced("5", "3", "JPY"))),
    )
    answer = await search(catalogue, currency="USD", price_min=Decimal(15), facets=("price",))
    assert answer.facets is not None
    assert answer.facets.prices == [
        FacetRange(Decimal("0.00"), Decimal("0.99"), 1),
        FacetRange(Decimal("10.00"), Decimal("19.99"), 1),
        FacetRange(Decimal("20.00"), Decimal("49.99"), 1),
    ]
    assert answer.total == 1


async def test_the_newest_version_counts_and_a_deleted_product_is_gone(catalogue: Catalogue) -> None:
    catalogue.put(shown(1, name="Old name"), shown(2, name="Other"))
    catalogue.put(shown(1, name="New name", version=2))
    answer = await search(catalogue, "name")
    assert [(hit.product_id.int, hit.stream_version) for hit in answer.hits] == [(1, 2)]
    assert await found(catalogue, '"old"') == []
    catalogue.delete(UUID(int=1))
    assert await found(catalogue, "name") == []
    assert await found(catalogue) == [2]


async def test_suggestions_are_names_brands_and_categories(catalogue: Catalogue) -> None:
    catalogue.put(
        shown(1, name="Headphones", brand="Hearth", category="audio/headphones"),
        shown(2, name="Lamp", brand="Hearth", category="home/heaters"),
        shown(3, name="Head", status="draft", brand="Headline", category="audio/headphones"),
    )
    text = parse_text("hea")
    assert text is not None
    answer = await catalogue.engine.suggest(text, statuses=("active",), items_max=5)
    assert [hit.product_id.int for hit in answer.products] == [1, 2], "by name, then by brand"
    assert answer.brands == [FacetValue("Hearth", 2)]
    assert answer.categories == [FacetValue("audio/headphones", 1), FacetValue("home/heaters", 1)]
