"""The kinds of reads that take turns when more arrive than can be worked on; hot reads do not wait.

Lists and reports cost more than a product, so they never get all places. The past of a product is a report.
"""

from shared.ops.http.asgi import Scope
from shared.ops.overload.lanes import Lane

_LISTS_PATH = "/v1/products"
_EXPORT_PATH = "/v1/products/export"
_BY_NAME = ("by-sku", "by-slug")
_PRODUCTS, _LISTS, _REPORTS = "products", "lists", "reports"


def lanes(places_max: int) -> tuple[Lane, ...]:
    """Of `places_max` places, lists get half at most, and reports a quarter."""
    return (
        Lane(_PRODUCTS),
        Lane(_LISTS, max(1, places_max // 2)),
        Lane(_REPORTS, max(1, places_max // 4)),
    )


def lane_of(scope: Scope) -> str:
    """The lane of a request. All that is not about products is a report: categories, analytics, status."""
    path: str = scope["path"]
    if path in (_LISTS_PATH, _EXPORT_PATH):
        return _LISTS
    if not path.startswith(f"{_LISTS_PATH}/") or _is_past(path, scope["query_string"]):
        return _REPORTS
    return _PRODUCTS


def _is_past(path: str, query_string: bytes) -> bool:
    """`/v1/products/{id}/history` and the like, or a version: a product as it is takes no parameters."""
    first, _, second = path.removeprefix(f"{_LISTS_PATH}/").partition("/")
    return bool(query_string) or (second != "" and first not in _BY_NAME)
