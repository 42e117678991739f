"""The kinds of reads that take turns when more arrive than can be worked on; hot reads do not wait.

Lists and reports cost more than a product, so they never get all places.
"""

from shared.ops.http.asgi import Scope
from shared.ops.overload.lanes import Lane

_LISTS_PATH = "/v1/products"
_EXPORT_PATH = "/v1/products/export"
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
    return _PRODUCTS if path.startswith(f"{_LISTS_PATH}/") else _REPORTS
