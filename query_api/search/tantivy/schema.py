"""The fields of the embedded index, and a product as a document of it.

tantivy compares texts byte by byte in ranges and orders, so a value of any kind is one
(`shared/search/entry.py`); a numeric column for each attribute would need a new index for each new attribute.
Of a product only its id and version are stored: the documents are in the cache and the table.

Sorting by numbers costs next to nothing, sorting by texts more than the search itself. So the first 16 digits
of each sort key are a number, too. A page of hits reads what is stored of them in 22 µs; from columns that
took 15 µs for each column of each segment.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID
from zlib import crc32

import tantivy
from iso4217 import Currency

from shared.search.entry import Entry, counted_values
from shared.search.words import phrase

WORDS = "words"
PRODUCT, CHECKPOINT = "product", "checkpoint"
TEXT_FIELDS = ("name", "brand_words", "tag_words", "description")
"""In the order of their tiers; before them is the SKU."""
ANY_WORDS = "any_words"
"""The words of all these fields, so that most texts are looked up in one field instead of in four."""
SKU, EXACT_SKU, SKU_START = "sku", "exact_sku", "sku_start"
SKU_STARTS = range(3, 9)
"""How many characters the beginnings of SKUs in their field have. Thousands of SKUs may begin alike, and to
look up each of them takes longer than many searches. Shorter beginnings are not searched; longer ones have
fewer SKUs.
"""
STATUS, BRAND, TAG, CATEGORY, ATTRIBUTE = "status", "brand", "tag", "category", "attribute"
CATEGORY_WORDS = "category_words"
BRAND_IN_CATEGORY = "brand_in_category"
"""Both in one term: a brand within a category is asked for often, and to look at the products of the smaller
one takes ten times as long.
"""
ATTRIBUTE_VALUE = "attribute_value"
NUMBER, CURRENCY, PRICE, PRICE_RANGE, UPDATED_AT = "number", "currency", "price", "price_range", "updated_at"
BY_RANK, BY_NAME, BY_TIME = "by_rank", "by_name", "by_time"
FACET = "facet"
"""All values to count of a product, but those of attributes: the name of the field, a space, the value."""
FACET_FIELDS = (STATUS, BRAND, TAG, CATEGORY, PRICE_RANGE)
SAMPLE = "sample"
"""The levels of a product, by a checksum of its id: of all products, one in 2**n has the level n. And each
level with the status and with each value that lists are filtered by, so that the sample of a category is
found without the others.
"""
SAMPLE_LEVELS = range(5, 17)
STRIDE = "stride"
"""The beginnings of the start numbers: a range of them has few terms, however many numbers it has."""
STRIDE_DIGITS = (4, 6, 8, 10, 12)
ID_HIGH, HIT = "id_high", "hit"
START_DIGITS = 16
LAYOUT = 6
"""Increase it if the fields change: an index of other fields cannot be read."""
_RAW = "raw"
_ID_BYTES, _VERSION_BYTES = 16, 8
_CHECKPOINT_KEY = "checkpoint"


def by_price(currency: str) -> str:
    """The field with the cheapest price in this currency."""
    return f"by_price_{currency.lower()}"


def start_of(sort_field: str) -> str:
    """The field with the first digits of this sort key as a number."""
    return ID_HIGH if sort_field == PRODUCT else f"{sort_field}_start"


def stride(start_field: str, start: int, digits: int) -> str:
    """The term for the first digits of a start number. Terms of so many digits are in the order of the
    numbers.
    """
    return f"{start_field}_{digits:02}_{start >> 4 * (START_DIGITS - digits):0{digits}x}"


def sampled(level: int, status: str | None = None, field: str | None = None, value: str | None = None) -> str:
    """The term for the sample of this level: of all products, or of those with this status and value."""
    return " ".join(part for part in (str(level), status, field, value) if part is not None)


def brand_in_category(brand: str, category: str) -> str:
    """The term for both. With the length, because both may have blanks."""
    return f"{len(category)} {category} {brand}"


def schema() -> tantivy.Schema:
    """The same for every index of this release."""
    builder = tantivy.SchemaBuilder()
    for name in (*TEXT_FIELDS, CATEGORY_WORDS):
        builder.add_text_field(name, tokenizer_name=WORDS, index_option="position")
    builder.add_text_field(ANY_WORDS, tokenizer_name=WORDS, index_option="basic")
    for name in (SKU, EXACT_SKU, SKU_START, CURRENCY, ATTRIBUTE, BRAND_IN_CATEGORY):
        builder.add_text_field(name, tokenizer_name=_RAW, index_option="basic")
    for name in (*FACET_FIELDS, FACET, PRODUCT, ATTRIBUTE_VALUE, NUMBER, PRICE, UPDATED_AT):
        builder.add_text_field(name, fast=True, tokenizer_name=_RAW, index_option="basic")
    by_prices = [by_price(each.code) for each in Currency]
    for name in (BY_RANK, BY_NAME, BY_TIME, *by_prices):
        builder.add_text_field(name, fast=True, tokenizer_name=_RAW, index_option="basic")
    for name in (ID_HIGH, *map(start_of, (BY_RANK, BY_NAME, BY_TIME, *by_prices))):
        builder.add_unsigned_field(name, fast=True, indexed=True)
    for name in (SAMPLE, STRIDE):
        builder.add_text_field(name, tokenizer_name=_RAW, index_option="basic")
    builder.add_text_field(CHECKPOINT, stored=True, tokenizer_name=_RAW, index_option="basic")
    builder.add_bytes_field(HIT, stored=True, indexed=False)
    return builder.build()


def word_analyzer() -> tantivy.TextAnalyzer:
    """Words arrive ready to compare, with blanks between."""
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()


def document_of(entry: Entry, of: tantivy.Schema) -> tantivy.Document:
    """A product. Of lists only those with values are fields."""
    keys = entry.sort_keys
    sorted_by = {
        PRODUCT: keys.product_id,
        BY_RANK: keys.rank,
        BY_NAME: keys.name,
        BY_TIME: keys.updated_at,
        **{by_price(currency): key for currency, key in keys.cheapest.items()},
    }
    counted = {
        STATUS: [entry.status],
        BRAND: [] if entry.brand is None else [entry.brand],
        TAG: entry.tags,
        CATEGORY: entry.categories,
        PRICE_RANGE: entry.price_ranges,
    }
    narrow = {
        CATEGORY: entry.categories,
        BRAND: counted[BRAND],
        TAG: entry.tags,
        BRAND_IN_CATEGORY: [
            brand_in_category(brand, category) for brand in counted[BRAND] for category in entry.categories
        ],
    }
    starts = {start_of(name): int(key[:START_DIGITS], 16) for name, key in sorted_by.items()}
    fields: dict[str, Any] = {
        HIT: bytes.fromhex(keys.product_id) + entry.stream_version.to_bytes(_VERSION_BYTES, "big"),
        UPDATED_AT: entry.updated_at,
        "name": phrase(entry.name),
        "brand_words": phrase(entry.brand_words),
        "tag_words": [phrase(words) for words in entry.tag_words],
        "description": phrase(entry.description),
        ANY_WORDS: phrase(_any_words(entry)),
        CATEGORY_WORDS: [phrase(words) for words in entry.category_words],
        SKU: entry.skus,
        SKU_START: _starts(entry.skus),
        EXACT_SKU: entry.variant_skus,
        SAMPLE: _samples(entry, narrow),
        STRIDE: [stride(name, start, digits) for name, start in starts.items() for digits in STRIDE_DIGITS],
        ATTRIBUTE: entry.attributes,
        ATTRIBUTE_VALUE: counted_values(entry.attributes),
        NUMBER: entry.numbers,
        CURRENCY: entry.currencies,
        PRICE: entry.prices,
        FACET: [f"{name} {value}" for name, values in counted.items() for value in values],
        BRAND_IN_CATEGORY: narrow[BRAND_IN_CATEGORY],
        **counted,
        **sorted_by,
    }
    return _document({name: value for name, value in fields.items() if value} | starts, of)


def _any_words(entry: Entry) -> Sequence[str]:
    """Each once, in any order: this field has no phrases."""
    in_tags = (word for words in entry.tag_words for word in words)
    return list(dict.fromkeys([*entry.name, *entry.brand_words, *in_tags, *entry.description]))


def _starts(skus: Sequence[str]) -> Sequence[str]:
    return list(dict.fromkeys(sku[:length] for sku in skus for length in SKU_STARTS if len(sku) >= length))


def hit_of(document: tantivy.Document) -> tuple[UUID, int]:
    """The id and the version of a product, from what is stored of it."""
    stored = document.get_first(HIT)
    assert isinstance(stored, bytes), "searches find products alone"
    return UUID(bytes=stored[:_ID_BYTES]), int.from_bytes(stored[_ID_BYTES:], "big")


def _samples(entry: Entry, narrow: Mapping[str, Sequence[str]]) -> Sequence[str]:
    chance = crc32(entry.sort_keys.product_id.encode())
    levels = [level for level in SAMPLE_LEVELS if chance % (1 << level) == 0]
    values = [(entry.status, field, value) for field in narrow for value in narrow[field]]
    return [sampled(level, *of) for level in levels for of in ((), (entry.status,), *values)]


def checkpoint_document(text: str, of: tantivy.Schema) -> tantivy.Document:
    """A document without a status, so no search finds it; in the same commit as the products."""
    return _document({PRODUCT: _CHECKPOINT_KEY, CHECKPOINT: text}, of)


def checkpoint_query(of: tantivy.Schema) -> tantivy.Query:
    """Finds that document."""
    return tantivy.Query.term_query(of, PRODUCT, _CHECKPOINT_KEY)


def delete_product(writer: tantivy.IndexWriter, product_id: str) -> None:
    """By the hexadecimal id."""
    writer.delete_documents_by_term(PRODUCT, product_id)


def delete_checkpoint(writer: tantivy.IndexWriter) -> None:
    """The old one, before the new one is added."""
    writer.delete_documents_by_term(PRODUCT, _CHECKPOINT_KEY)


def _document(fields: Mapping[str, Any], of: tantivy.Schema) -> tantivy.Document:
    """With the schema: without it the binding takes numbers for another type, and the writer dies of it."""
    lists = {
        name: list(value) if isinstance(value, list | tuple) else [value] for name, value in fields.items()
    }
    return tantivy.Document.from_dict(lists, of)
