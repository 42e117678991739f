"""A catalogue as the documentation of `eventsourcing` writes it: an aggregate, an application, a projection.

Both of its processes import this module, because stored events name their classes.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import IntegrityError, Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection
from psycopg.sql import SQL

# Threads that write at the same time; the same number of sessions is kept open.
POOL_SIZE = 16
TRIES_MAX = 5


_TABLE = SQL(
    "CREATE TABLE IF NOT EXISTS products (id uuid PRIMARY KEY, name text NOT NULL, description text NOT NULL,"
    " sku text NOT NULL, amount text NOT NULL, version int NOT NULL, events int NOT NULL)"
).format()


class Product(Aggregate):
    """What a command changes."""

    @event("Created")
    def __init__(self, name: str, description: str, sku: str, amount: str) -> None:
        self.name, self.description, self.sku, self.amount = name, description, sku, amount

    @event("PriceChanged")
    def change_price(self, amount: str) -> None:
        """A new price."""
        self.amount = amount


class Products(Application[UUID]):
    """The commands. Each returns the id and the version of its product."""

    def create(self, name: str, description: str, sku: str, amount: str) -> tuple[UUID, int]:
        """A new product."""
        product = Product(name, description, sku, amount)
        self.save(product)
        return product.id, product.version

    def change_price(self, product_id: UUID, amount: str) -> tuple[UUID, int]:
        """Loads, changes and saves; again if another command was faster."""
        for _ in range(TRIES_MAX - 1):
            try:
                return self._change_price(product_id, amount)
            except IntegrityError:
                continue
        return self._change_price(product_id, amount)

    def _change_price(self, product_id: UUID, amount: str) -> tuple[UUID, int]:
        product: Product = self.repository.get(product_id)
        product.change_price(amount)
        self.save(product)
        return product.id, product.version


class ProductRows(PostgresTrackingRecorder):
    """The read model: a row for each product, written in one transaction with how far the projection is."""

    def __init__(self, datastore: PostgresDatastore, **others: Any) -> None:
        super().__init__(datastore, **others)
        self.sql_create_statements.append(_TABLE)

    def add(self, created: Any, tracking: Tracking) -> None:
        """A product's first row."""
        values = (
            created.originator_id,
            created.name,
            created.description,
            created.sku,
            created.amount,
            created.originator_version,
        )
        self._write("INSERT INTO products VALUES (%s, %s, %s, %s, %s, %s, 1)", values, tracking)

    def set_price(self, changed: Any, tracking: Tracking) -> None:
        """A product's new price."""
        self._write(
            "UPDATE products SET amount = %s, version = %s, events = events + 1 WHERE id = %s",
            (changed.amount, changed.originator_version, changed.originator_id),
            tracking,
        )

    def _write(self, statement: str, values: tuple[Any, ...], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(statement, values, prepare=True)


class ProductProjection(Projection[ProductRows]):
    """Applies each event to the rows."""

    name = "products"

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Events of no interest."""

    @process_event.register
    def _created(self, domain_event: Product.Created, tracking: Tracking) -> None:
        self.view.add(domain_event, tracking)

    @process_event.register
    def _price_changed(self, domain_event: Product.PriceChanged, tracking: Tracking) -> None:  # type: ignore[name-defined]
        self.view.set_price(domain_event, tracking)


def environment_of(dsn: str) -> Mapping[str, str]:
    """The settings of its PostgreSQL module."""
    parts = urlsplit(dsn)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path.lstrip("/"),
        "POSTGRES_HOST": str(parts.hostname),
        "POSTGRES_PORT": str(parts.port),
        "POSTGRES_USER": str(parts.username),
        "POSTGRES_PASSWORD": str(parts.password),
        "POSTGRES_POOL_SIZE": str(POOL_SIZE),
        "POSTGRES_MAX_OVERFLOW": str(POOL_SIZE),
    }
