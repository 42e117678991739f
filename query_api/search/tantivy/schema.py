"""The fields of the embedded index, and a product as a document of it.

All fields are texts but the version. tantivy compares texts byte by byte in ranges and orders, so a value of
any kind is one (`shared/search/entry.py`); a numeric column for each attribute would need a new index for
each new attribute. Nothing is stored: a sort key contains the id, and the documents are in the cache and the
table.
"""

from collections.abc import Mapping
from typing import Any

import tantivy
from iso4217 import Currency

from shared.search.entry import Entry
from shared.search.words import phrase

WORDS = "words"
PRODUCT, VERSION, CHECKPOINT = "product", "version", "checkpoint"
TEXT_FIELDS = ("name", "brand_words", "tag_words", "description")
"""In the order of their tiers; before them is the SKU."""
SKU, EXACT_SKU = "sku", "exact_sku"
STATUS, BRAND, TAG, CATEGORY, ATTRIBUTE = "status", "brand", "tag", "category", "attribute"
CATEGORY_WORDS = "category_words"
NUMBER, CURRENCY, PRICE, PRICE_RANGE, UPDATED_AT = "number", "currency", "price", "price_range", "updated_at"
BY_RANK, BY_NAME, BY_TIME = "by_rank", "by_name", "by_time"
_RAW = "raw"
_CHECKPOINT_KEY = "checkpoint"


def by_price(currency: str) -> str:
    """The field with the cheapest price in this currency."""
    return f"by_price_{currency.lower()}"


def schema() -> tantivy.Schema:
    """The same for every index of this release."""
    builder = tantivy.SchemaBuilder()
    for name in (*TEXT_FIELDS, CATEGORY_WORDS):
        builder.add_text_field(name, tokenizer_name=WORDS, index_option="position")
    for name in (SKU, EXACT_SKU, CURRENCY):
        builder.add_text_field(name, tokenizer_name=_RAW, index_option="basic")
    for name in (PRODUCT, STATUS, BRAND, TAG, CATEGORY, ATTRIBUTE, NUMBER, PRICE, PRICE_RANGE, UPDATED_AT):
        builder.add_text_field(name, fast=True, tokenizer_name=_RAW, index_option="basic")
    for name in (BY_RANK, BY_NAME, BY_TIME, *(by_price(each.code) for each in Currency)):
        builder.add_text_field(name, fast=True, tokenizer_name=_RAW, index_option="basic")
    builder.add_text_field(CHECKPOINT, stored=True, tokenizer_name=_RAW, index_option="basic")
    builder.add_integer_field(VERSION, fast=True)
    return builder.build()


def word_analyzer() -> tantivy.TextAnalyzer:
    """Words arrive ready to compare, with blanks between."""
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()


def document_of(entry: Entry, of: tantivy.Schema) -> tantivy.Document:
    """A product. Of lists only those with values are fields."""
    keys = entry.sort_keys
    fields: dict[str, Any] = {
        PRODUCT: keys.product_id,
        VERSION: entry.stream_version,
        STATUS: entry.status,
        BRAND: entry.brand,
        UPDATED_AT: entry.updated_at,
        "name": phrase(entry.name),
        "brand_words": phrase(entry.brand_words),
        "tag_words": [phrase(words) for words in entry.tag_words],
        "description": phrase(entry.description),
        CATEGORY_WORDS: [phrase(words) for words in entry.category_words],
        SKU: entry.skus,
        EXACT_SKU: entry.variant_skus,
        TAG: entry.tags,
        CATEGORY: entry.categories,
        ATTRIBUTE: entry.attributes,
        NUMBER: entry.numbers,
        CURRENCY: entry.currencies,
        PRICE: entry.prices,
        PRICE_RANGE: entry.price_ranges,
        BY_RANK: keys.rank,
        BY_NAME: keys.name,
        BY_TIME: keys.updated_at,
        **{by_price(currency): key for currency, key in keys.cheapest.items()},
    }
    return _document({name: value for name, value in fields.items() if value}, of)


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
