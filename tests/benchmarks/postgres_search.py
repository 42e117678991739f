"""Search as one builds it on PostgreSQL alone: a `tsvector`, a row a product, and a query for each facet.

Written with care: an index for each filter, facets by `GROUP BY`, one connection a request from a pool of 20,
the five counts and the page at the same time. It finds words and their beginnings; it has no tiers, no typos,
and no phrases over HTTP.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec
from fastapi import FastAPI, Request
from starlette.responses import Response

TABLE = """
CREATE TABLE shop_product (
    product_id uuid PRIMARY KEY, name text NOT NULL, brand text, category text, tags text[] NOT NULL,
    material text, cheapest numeric NOT NULL, created_at timestamptz NOT NULL, document bytea NOT NULL,
    words tsvector NOT NULL
)
"""
INDEXES = """
CREATE INDEX ON shop_product USING gin (words);
CREATE INDEX ON shop_product (brand);
CREATE INDEX ON shop_product (category text_pattern_ops);
CREATE INDEX ON shop_product USING gin (tags);
CREATE INDEX ON shop_product (cheapest);
"""
INSERT = """
INSERT INTO shop_product
SELECT id, name, brand, category, string_to_array(tags, '|'), material, cheapest::numeric, now(), document,
       setweight(to_tsvector('simple', name), 'A')
       || setweight(to_tsvector('simple', coalesce(brand, '')), 'B')
       || setweight(to_tsvector('simple', description), 'D')
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[],
            $9::text[])
    AS given (id, name, brand, category, tags, material, cheapest, document, description)
"""
_TEXT = "words @@ to_tsquery('simple', $1)"
_BRAND, _CATEGORY = "($2::text IS NULL OR brand = $2)", "($3::text IS NULL OR category LIKE $3 || '%')"
_ALL = f"{_TEXT} AND {_BRAND} AND {_CATEGORY}"
_PAGE = f"""
SELECT document, count(*) OVER () AS total FROM shop_product WHERE {_ALL}
ORDER BY ts_rank(words, to_tsquery('simple', $1)) DESC, created_at DESC, product_id LIMIT 20
"""
_MOST = "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100"
_BOUNDS = "ARRAY[0, 5, 10, 20, 50, 100, 200, 500]::numeric[]"
_FACETS = {
    # Those of brand and category ignore their own filter, but name it, because all take three arguments.
    "brand": f"SELECT brand, count(*) FROM shop_product WHERE {_TEXT} AND {_CATEGORY}"
    f" AND ($2::text IS NULL OR true) {_MOST}",
    "category": f"SELECT category, count(*) FROM shop_product WHERE {_TEXT} AND {_BRAND}"
    f" AND ($3::text IS NULL OR true) {_MOST}",
    "tag": f"SELECT tag, count(*) FROM shop_product, unnest(tags) AS tag WHERE {_ALL} {_MOST}",
    "material": f"SELECT material, count(*) FROM shop_product WHERE {_ALL} {_MOST}",
    "price": f"SELECT width_bucket(cheapest, {_BOUNDS}), count(*) FROM shop_product WHERE {_ALL}"
    " GROUP BY 1 ORDER BY 1",
}


@asynccontextmanager
async def _pool(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["SHOP_DSN"], min_size=20, max_size=20) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=_pool)
_encode = msgspec.json.Encoder().encode


@app.get("/v1/products")
async def search(request: Request, q: str, brand: str | None = None, category: str | None = None) -> Response:
    """The page, its total and five facets."""
    pool = request.app.state.pool
    arguments = (_query(q), brand, category)
    page, *counted = await asyncio.gather(
        pool.fetch(_PAGE, *arguments), *(pool.fetch(sql, *arguments) for sql in _FACETS.values())
    )
    facets = {name: [_count(row) for row in rows] for name, rows in zip(_FACETS, counted, strict=True)}
    total = page[0]["total"] if page else 0
    items = b",".join(row["document"] for row in page)
    body = b'{"items":[%b],"total":%b,"facets":%b}' % (items, _encode(total), _encode(facets))
    return Response(body, media_type="application/json")


def _query(text: str) -> str:
    """Each word, and the beginning of the last one."""
    *words, last = ("".join(filter(str.isalnum, word)) for word in text.lower().split())
    return " & ".join([*words, f"{last}:*"])


def _count(row: Any) -> dict[str, Any]:
    return {"value": row[0], "count": row[1]}
