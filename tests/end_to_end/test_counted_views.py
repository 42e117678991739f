"""The checker finds every wrong number in the counting views."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from tests.end_to_end.checks.history import History
from tests.end_to_end.checks.views import analytics, category_view, inventory
from tests.end_to_end.sound_evidence import DELETED, DOLLARS, LIVE, START, created, logged, priced

DAY = START.date()
HOME = {**created("live", "L"), "category": "home/garden", "brand": "B"}
CHANGED = {"sku": "L", "options": {"size": "M"}, "price": DOLLARS[1]}
LOG = [
    logged(1, LIVE, 1, "product-created", HOME, "a"),
    logged(2, DELETED, 1, "product-created", created("deleted", "D"), "b"),
    logged(3, LIVE, 2, "product-price-changed", priced(2, previous=1), "c"),
    logged(4, DELETED, 2, "product-deleted", {}, "d"),
    logged(6, LIVE, 3, "product-published", {}, "e"),
    logged(7, LIVE, 4, "product-variant-changed", CHANGED, "f"),
]
PRICES = {"price_changes": 2, "price_increases": 1, "price_decreases": 1}
SOUND: dict[Any, Any] = {
    category_view: {
        "categories": {"home": (0, 0, 0, 0, 1, 0), "home/garden": (0, 1, 0, 0, 1, 0)},
        "brands": {"B": (0, 1, 0)},
    },
    inventory: {
        "L": (LIVE, "open", START + timedelta(seconds=1), None, 1),
        "D": (DELETED, "closed", START + timedelta(seconds=2), START + timedelta(seconds=4), 4),
    },
    analytics: {
        "changes": {
            (DAY, "home/garden", "B"): {
                "products_created": 1, "products_published": 1, "variants_changed": 1, **PRICES,
            },
            (DAY, None, None): {"products_created": 1, "products_deleted": 1},
        },
        "prices": {(DAY, "home/garden", "B", "USD"): {**PRICES, "compared": 2, "log_ratio_sum": 0.0}},
    },
}  # fmt: skip


@pytest.mark.parametrize("view", SOUND, ids=lambda view: view.PROJECTION)
def test_nothing_is_found_where_nothing_is_wrong(view: Any) -> None:
    assert list(view.problems(History(LOG, "log"), SOUND[view])) == []


@pytest.mark.parametrize(
    ("view", "path", "value"),
    [
        (category_view, ("categories", "home"), (0, 0, 0, 0, 2, 0)),
        (category_view, ("categories", "home/garden"), (1, 0, 0, 0, 1, 0)),
        (category_view, ("categories", "nowhere"), (0, 0, 0, 0, 0, 0)),
        (category_view, ("brands", "B"), (0, 2, 0)),
        (inventory, ("L",), (LIVE, "closed", START, START, 1)),
        (inventory, ("X",), (LIVE, "open", START, None, 1)),
        (analytics, ("changes", (DAY, "home/garden", "B"), "products_published"), 2),
        (analytics, ("changes", (DAY, None, None), "details_changed"), 1),
        (analytics, ("changes", (DAY + timedelta(days=1), None, None)), {"products_created": 1}),
        (analytics, ("prices", (DAY, "home/garden", "B", "USD"), "log_ratio_sum"), 0.1),
        (analytics, ("prices", (DAY, "home/garden", "B", "USD"), "price_decreases"), 0),
    ],
)
def test_a_wrong_number_is_found(view: Any, path: tuple[Any, ...], value: Any) -> None:
    seen = deepcopy(SOUND[view])
    where = seen
    for key in path[:-1]:
        where = where[key]
    where[path[-1]] = value
    assert len(list(view.problems(History(LOG, "log"), seen))) == 1


@pytest.mark.parametrize("view", SOUND, ids=lambda view: view.PROJECTION)
def test_what_is_missing_is_found(view: Any) -> None:
    seen = deepcopy(SOUND[view])
    seen.pop("L", None)
    for rows in [] if view is inventory else seen.values():
        rows.popitem()
    assert len(list(view.problems(History(LOG, "log"), seen))) == (1 if view is inventory else 2)
