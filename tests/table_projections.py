"""The views in PostgreSQL by name, for tests that go through all of them."""

from typing import Any

from projector.projections import PROJECTIONS
from projector.table_projection import TableProjection

TABLES: dict[str, TableProjection[Any]] = {
    one.name: one for one in PROJECTIONS if isinstance(one, TableProjection)
}
