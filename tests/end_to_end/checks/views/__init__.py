"""The list of the views' checks, one file each. `../view_check.py` says what a file must have."""

from tests.end_to_end.checks.view_check import ViewCheck
from tests.end_to_end.checks.views import (
    analytics,
    category_view,
    inventory,
    product_cache,
    product_view,
    products_state,
    search_index,
)

VIEWS: dict[str, ViewCheck] = {
    "product_view": product_view,
    "category_view": category_view,
    "inventory": inventory,
    "analytics": analytics,
    "product_cache": product_cache,
    "products_state": products_state,
    "search_index": search_index,
}
