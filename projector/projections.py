"""The one list of projections. A new view is a folder in `views/` and a line here."""

from typing import TYPE_CHECKING

from projector.cache_projection import CacheProjection
from projector.notifications.projection import NotificationsProjection
from projector.projection import Projection
from projector.rebuild.rebuilding import Rebuilding
from projector.search_projection import SearchProjection
from projector.state_topic import fold as product_state
from projector.state_topic.projection import StatesProjection
from projector.table_projection import TableProjection
from projector.views import product_document
from projector.views.analytics import fold as analytics
from projector.views.analytics.postgres import AnalyticsTables
from projector.views.category_view import fold as category_view
from projector.views.category_view.postgres import CategoryViewTables
from projector.views.inventory import fold as inventory
from projector.views.inventory.postgres import InventoryTables
from projector.views.product_view.postgres import ProductViewTables
from projector.views.product_view.redis import list_generations

if TYPE_CHECKING:
    from projector.settings import ProjectorSettings

# A consistency token waits for this view, so it does not wait for a fuller batch.
PRODUCT_VIEW = TableProjection(
    name="product_view",
    fold=product_document.FOLD,
    make_tables=ProductViewTables,
    make_listener=list_generations,
    waits_for_batch=False,
)
CATEGORY_VIEW = TableProjection(name="category_view", fold=category_view.FOLD, make_tables=CategoryViewTables)
INVENTORY = TableProjection(name="inventory", fold=inventory.FOLD, make_tables=InventoryTables)
ANALYTICS = TableProjection(name="analytics", fold=analytics.FOLD, make_tables=AnalyticsTables)
PRODUCT_CACHE = CacheProjection("product_cache", product_document.FOLD)
SEARCH_INDEX = SearchProjection("search_index", product_document.FOLD)
PRODUCTS_STATE = StatesProjection("products_state", product_state.FOLD)
NOTIFICATIONS = NotificationsProjection()

PROJECTIONS: tuple[Projection, ...] = (
    PRODUCT_VIEW,
    CATEGORY_VIEW,
    INVENTORY,
    ANALYTICS,
    PRODUCT_CACHE,
    SEARCH_INDEX,
    PRODUCTS_STATE,
    NOTIFICATIONS,
)
NAMES = tuple(one.name for one in PROJECTIONS)
WEBHOOKS = "webhooks"
"""Delivered from the log (projector/webhooks): no projection of the topic, but paused like one."""
CONTROLLED = (*NAMES, WEBHOOKS)
BY_NAME = {one.name: one for one in PROJECTIONS}
REBUILDABLE: dict[str, Rebuilding] = {
    one.name: one.rebuilding for one in PROJECTIONS if one.rebuilding is not None
}
"""The projections that can be rebuilt from the log, by name."""


def rebuildable(settings: "ProjectorSettings") -> tuple[str, ...]:
    """Those of them that have all their settings."""
    return tuple(name for name in REBUILDABLE if BY_NAME[name].lacks(settings) is None)


def default_projections(settings: "ProjectorSettings") -> tuple[Projection, ...]:
    """The projections that run if none is named: those with all their settings."""
    return tuple(one for one in PROJECTIONS if one.lacks(settings) is None)
