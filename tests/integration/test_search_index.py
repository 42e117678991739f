"""The search index as a view: the suites of all views, and what only OpenSearch can do to it."""

from functools import partial
from typing import Any

import pytest

from projector.views.search_index.opensearch.indexes import SearchIndexes
from tests.integration.projector_stores import PostgresStores
from tests.integration.search_index_world import (
    indexes,
    live,
    opensearch,
    search_prefix,
    search_url,
    search_view,
)
from tests.integration.view_world import PROJECTION, read_model
from tests.unit.projector.view_suites import FenceSuite, ParkingSuite, ViewSuite

__all__ = ["indexes", "live", "opensearch", "read_model", "search_prefix", "search_url"]
pytestmark = [pytest.mark.servers, pytest.mark.prove]


class TestOpenSearchView(ViewSuite, FenceSuite, ParkingSuite):
    @pytest.fixture
    def stores(self, read_model: Any, live: SearchIndexes) -> PostgresStores:
        return PostgresStores(read_model, PROJECTION, partial(search_view, live, read_model))
