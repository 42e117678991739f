"""A search engine without an index: it looks at each product. The reference for the real ones."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from uuid import UUID

from query_api.search.lexicon import Lexicon, with_corrections
from query_api.search.query import (
    TIERS,
    AttributeFilter,
    Clause,
    FacetRange,
    Facets,
    FacetValue,
    Found,
    Hit,
    HitPosition,
    Phrase,
    SearchFilters,
    SearchQuery,
    Suggestions,
    TextQuery,
)
from query_api.search.text_query import written
from shared.contract.views import ProductDocument
from shared.search.entry import SortKeys, entry_of, facts_like, value_of_fact
from shared.search.words import folded, words_of

Predicate = Callable[[ProductDocument], bool]
_STEPS = [0, *(step * 10**decade for decade in range(12) for step in (1, 2, 5))]


class InMemorySearchEngine:
    """Implements `SearchEngine` over documents."""

    def __init__(self) -> None:
        self._products: dict[UUID, ProductDocument] = {}

    def put(self, document: ProductDocument) -> None:
        self._products[document.id] = document

    def delete(self, product_id: UUID) -> None:
        self._products.pop(product_id, None)

    @property
    def mark(self) -> object | None:
        return None

    async def search(self, query: SearchQuery) -> Found:
        text, corrected = self._corrected(query.filters.text, query.filters.statuses)
        filters = list(_filters(query.filters))
        matching = self._matching((each for _, each in filters), text)
        hits = [_hit(product, query.filters, text) for product in matching]
        hits.sort(key=lambda hit: hit.position)
        if query.filters.sort.startswith("-"):
            hits.reverse()
        if query.after is not None:
            after = query.after
            is_behind = (
                (lambda hit: hit.position < after)
                if query.filters.sort.startswith("-")
                else (lambda hit: hit.position > after)
            )
            hits = [hit for hit in hits if is_behind(hit)]
        return Found(
            hits[: query.hits_max],
            len(matching) if query.with_total else None,
            self._facets(query, filters, text) if query.facets else None,
            corrected,
        )

    async def suggest(self, text: TextQuery, *, statuses: Sequence[str], items_max: int) -> Suggestions:
        used, corrected = self._corrected(text, statuses)
        assert used is not None
        filters = SearchFilters(statuses=tuple(statuses), text=text, sort="relevance")
        found = await self.search(SearchQuery(filters, None, items_max))
        visible = [product for product in self._products.values() if product.status in statuses]
        brands = Counter(
            each.brand for each in visible if each.brand and _matches_all(used, words_of(each.brand))
        )
        categories = Counter(
            path
            for each in visible
            for path in entry_of(each).categories
            if _matches_all(used, words_of(path))
        )
        return Suggestions(found.hits, _top(brands, items_max), _top(categories, items_max), corrected)

    def _matching(self, filters: Iterable[Predicate], text: TextQuery | None) -> list[ProductDocument]:
        wanted = list(filters)
        return [
            product
            for product in self._products.values()
            if all(is_wanted(product) for is_wanted in wanted)
            and (text is None or _tier(text, product) is not None)
        ]

    def _facets(
        self, query: SearchQuery, filters: Sequence[tuple[str, Predicate]], text: TextQuery | None
    ) -> Facets:
        values: dict[str, Sequence[FacetValue]] = {}
        prices: Sequence[FacetRange] | None = None
        for name in query.facets:
            others = [each for facet, each in filters if facet != name]
            products = self._matching(others, text)
            if name == "price":
                prices = _price_ranges(products, query.filters.currency or "")
                continue
            counts = Counter(value for product in products for value in _values(name, product))
            if name == "status":
                counts = Counter({k: n for k, n in counts.items() if k in query.visible_statuses})
            top = _top(counts, 2_000 if name == "category" else 100)
            shown = {each.value for each in top}
            chosen = [value for value in _chosen(name, query) if value not in shown]
            values[name] = [*top, *(FacetValue(value, counts[value]) for value in chosen)]
        return Facets(values, prices)

    def _corrected(
        self, text: TextQuery | None, statuses: Sequence[str]
    ) -> tuple[TextQuery | None, str | None]:
        if text is None:
            return None, None
        counts: Counter[str] = Counter()
        skus = set()
        for product in self._products.values():
            if product.status not in statuses:
                continue
            skus.update(folded(variant.sku) for variant in product.variants)
            for fields in _fields(product):
                counts.update({word for words in fields for word in words})
        required = tuple(_correct(clause, counts, skus) for clause in text.required)
        if required == text.required:
            return text, None
        used = text._replace(required=required)
        return used, written(used)


def _correct(clause: Clause, counts: Counter[str], skus: set[str]) -> Clause:
    own = clause.phrases[0]
    if clause.is_literal or clause.sku in skus:
        return clause

    def is_known(place: int, word: str) -> bool:
        if own.is_prefix and place == len(own.words) - 1:
            return any(known.startswith(word) for known in (*counts, *skus))
        return word in counts

    unknown = [word for place, word in enumerate(own.words) if not is_known(place, word)]
    return with_corrections(clause, {word: Lexicon(counts).corrections(word) for word in unknown})


def _fields(product: ProductDocument) -> list[Sequence[Sequence[str]]]:
    """The texts of name, brand, tags and description as words."""
    entry = entry_of(product)
    return [[entry.name], [entry.brand_words], entry.tag_words, [entry.description]]


def _tier(text: TextQuery, product: ProductDocument) -> int | None:
    """The worst word's best field; None: not found."""
    skus = [folded(variant.sku) for variant in product.variants]
    fields = _fields(product)
    if any(_clause_tier(clause, skus, fields) is not None for clause in text.excluded):
        return None
    if not text.required:
        return len(TIERS) - 1
    if text.whole in skus:
        return 0
    tiers = [_clause_tier(clause, skus, fields) for clause in text.required]
    found = [tier for tier in tiers if tier is not None]
    return max(found) if len(found) == len(tiers) else None


def _clause_tier(clause: Clause, skus: Sequence[str], fields: list[Sequence[Sequence[str]]]) -> int | None:
    if clause.sku in skus:
        return 0
    for tier, texts in enumerate(fields, start=1):
        if any(_contains(words, phrase) for words in texts for phrase in clause.phrases):
            return tier
    sku = clause.sku or ""
    if clause.phrases[0].is_prefix and len(sku) >= 3 and any(each.startswith(sku) for each in skus):
        return len(TIERS) - 1
    return None


def _contains(words: Sequence[str], phrase: Phrase) -> bool:
    count = len(phrase.words)
    for start in range(len(words) - count + 1):
        *first, last = words[start : start + count]
        ends = last.startswith(phrase.words[-1]) if phrase.is_prefix else last == phrase.words[-1]
        if tuple(first) == phrase.words[:-1] and ends:
            return True
    return False


def _matches_all(text: TextQuery, words: Sequence[str]) -> bool:
    return bool(text.required) and all(
        any(_contains(words, phrase) for phrase in clause.phrases) for clause in text.required
    )


def _filters(filters: SearchFilters) -> Iterator[tuple[str, Predicate]]:
    yield "status", lambda product: product.status in filters.statuses
    if filters.category is not None:
        yield "category", lambda product: filters.category in entry_of(product).categories
    if filters.brand is not None:
        yield "brand", lambda product: product.brand == filters.brand
    if filters.tag is not None:
        yield "tag", lambda product: filters.tag in product.tags
    if filters.product_ids is not None:
        ids = filters.product_ids
        yield "ids", lambda product: product.id in ids
    if filters.sku is not None:
        yield "sku", lambda product: any(variant.sku == filters.sku for variant in product.variants)
    if filters.updated_after is not None:
        after = filters.updated_after
        yield "after", lambda product: product.updated_at > after
    if filters.currency is not None:
        yield "currency", lambda product: bool(_prices(product, filters.currency))
        low, high = filters.price_min, filters.price_max
        if low is not None or high is not None:
            yield (
                "price",
                lambda product: any(
                    (low is None or amount >= low) and (high is None or amount <= high)
                    for amount in _prices(product, filters.currency)
                ),
            )
    for wanted in filters.attributes:
        yield f"attr.{wanted.name}", _has_attribute(wanted)


def _has_attribute(wanted: AttributeFilter) -> Predicate:
    def is_so(product: ProductDocument) -> bool:
        given = product.attributes.get(wanted.name)
        values = given if isinstance(given, list | tuple) else [given]
        if wanted.value is not None:
            return bool({*facts_like(wanted.name, wanted.value)} & {*entry_of(product).attributes})
        return any(
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and (wanted.lowest is None or value >= wanted.lowest)
            and (wanted.highest is None or value <= wanted.highest)
            for value in values
        )

    return is_so


def _prices(product: ProductDocument, currency: str | None) -> list[Decimal]:
    return [Decimal(each.price.amount) for each in product.variants if each.price.currency == currency]


def _hit(product: ProductDocument, filters: SearchFilters, text: TextQuery | None) -> Hit:
    keys = entry_of(product).sort_keys
    key = _sort_key(keys, filters)
    if text is None or filters.sort != "relevance":
        return Hit(product.id, product.version, HitPosition(0, key))
    tier = _tier(text, product)
    assert tier is not None
    return Hit(product.id, product.version, HitPosition(tier, key), TIERS[tier])


def _sort_key(keys: SortKeys, filters: SearchFilters) -> str:
    match filters.sort.removeprefix("-"):
        case "name":
            return keys.name
        case "price":
            return keys.cheapest[filters.currency or ""]
        case "id":
            return keys.product_id
        case "updated_at":
            return keys.updated_at
        case _:
            return keys.rank


def _values(name: str, product: ProductDocument) -> set[str]:
    entry = entry_of(product)
    match name:
        case "brand":
            return {product.brand} if product.brand else set()
        case "category":
            return {*entry.categories}
        case "tag":
            return {*product.tags}
        case "status":
            return {product.status}
        case _:
            prefix = facts_like(name.removeprefix("attr."), "x")[0][:16]
            return {value_of_fact(fact) for fact in entry.attributes if fact.startswith(prefix)}


def _chosen(name: str, query: SearchQuery) -> Sequence[str]:
    filters = query.filters
    match name:
        case "status":
            return [each for each in filters.statuses if each in query.visible_statuses]
        case "brand" | "category" | "tag":
            value = {"brand": filters.brand, "category": filters.category, "tag": filters.tag}[name]
            return [] if value is None else [value]
        case _:
            attribute = name.removeprefix("attr.")
            return [
                value_of_fact(facts_like(attribute, each.value)[-1])
                for each in filters.attributes
                if each.name == attribute and each.value is not None
            ]


def _price_ranges(products: Sequence[ProductDocument], currency: str) -> list[FacetRange]:
    smallest = Decimal("0.01") if currency != "JPY" else Decimal(1)
    ranges = []
    for number, lowest in enumerate(_STEPS):
        below = _STEPS[number + 1] if number + 1 < len(_STEPS) else None
        count = sum(
            any(
                lowest <= amount and (below is None or amount < below)
                for amount in _prices(product, currency)
            )
            for product in products
        )
        if count:
            highest = None if below is None else Decimal(below) - smallest
            ranges.append(FacetRange(Decimal(lowest), highest, count))
    return ranges


def _top(counts: Counter[str], values_max: int) -> list[FacetValue]:
    ordered = sorted(counts, key=lambda value: (-counts[value], value))
    return [FacetValue(value, counts[value]) for value in ordered[:values_max]]
