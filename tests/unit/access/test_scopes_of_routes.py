"""Which scope each route needs, written down a second time and by hand.

The other tests compare requests with the table in the code: a wrong row there would be wrong in both.
"""

from tests.unit.access.ports import Port

READ, DRAFTS, AUDIT, EVENTS = "products:read", "products:read-drafts", "products:audit", "events:read"
WRITE, PUBLISH, IMPORT = "products:write", "products:publish", "products:import"
OPS_READ, OPS_WRITE = "ops:read", "ops:write"
_COMMANDS = {
    "POST /v1/products": WRITE,
    "POST /v1/products:batch": WRITE,
    "PUT /v1/imports/{import_id}": IMPORT,
    "PATCH /v1/products/{product_id}": WRITE,
    "DELETE /v1/products/{product_id}": WRITE,
    "PUT /v1/products/{product_id}/variants/{sku}": WRITE,
    "DELETE /v1/products/{product_id}/variants/{sku}": WRITE,
    "PUT /v1/products/{product_id}/variants/{sku}/price": WRITE,
    "POST /v1/products/{product_id}/publish": PUBLISH,
    "POST /v1/products/{product_id}/archive": PUBLISH,
    "POST /v1/products/{product_id}/restore": PUBLISH,
}
_QUERIES = {
    "/v1/products": READ,
    "/v1/products/export": READ,
    "/v1/products/{product_id}": READ,
    "/v1/products/suggest": READ,
    "/v1/products/{product_id}/history": READ,
    "/v1/products/{product_id}/diff": READ,
    "/v1/products/{product_id}/price-history": READ,
    "/v1/products/{product_id}/lowest-price": READ,
    "/v1/products/by-sku/{sku}": READ,
    "/v1/products/by-slug/{slug}": READ,
    "/v1/categories": READ,
    "/v1/brands": READ,
    "/v1/inventory": DRAFTS,
    "/v1/analytics/changes": AUDIT,
    "/v1/analytics/prices": AUDIT,
    "/v1/events": EVENTS,
    "/v1/events/stream": EVENTS,
    "/v1/events/stream-ticket": EVENTS,
    "/v1/imports": DRAFTS,
    "/v1/imports/{import_id}": DRAFTS,
    "/v1/status": OPS_READ,
    "/v1/dead-letters": OPS_READ,
    "/v1/products/{product_id}/projections": OPS_READ,
    "/v1/status/history": OPS_READ,
}
_OPERATORS = {
    "GET /dead-letters": OPS_READ,
    "GET /dead-letters/records": OPS_READ,
    "GET /audit": OPS_READ,
    "POST /dead-letters/retry": OPS_WRITE,
    "POST /dead-letters/discard": OPS_WRITE,
    "POST /dead-letters/park": OPS_WRITE,
    "POST /projections/pause": OPS_WRITE,
    "POST /projections/resume": OPS_WRITE,
}
NEEDED = {
    "command API": _COMMANDS,
    "query API": {
        f"{method} {path}": scope for path, scope in _QUERIES.items() for method in ("GET", "HEAD")
    },
    "operations of the command API": {},
    "operations of the query API": {"POST /search:rebuild": OPS_WRITE},
    "operations of the relay": {},
    "operations of the projector": _OPERATORS,
}


async def test_each_route_needs_the_scope_that_was_decided_for_it(ports: dict[str, Port]) -> None:
    asked = {
        name: {f"{row.method} {row.path}": str(row.needs) for row in port.rows if row.needs is not None}
        for name, port in ports.items()
    }
    assert asked == NEEDED
