"""A product that a projection could not apply: really parked, and released at the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.process import Job
from tests.end_to_end.catalogue import Catalogue, unique, variant
from tests.end_to_end.system import REPOSITORY, System
from tests.eventually import eventually

PROJECTION = "product_view"


@asynccontextmanager
async def parked_product(system: System, catalogue: Catalogue, folder: Path) -> AsyncIterator[str]:
    """Its id. The table refuses its name until the end; then an operator's retry applies it."""
    name = unique("Refused")

    def run(sql: str) -> None:
        system.servers.postgres.run_sql(sql, system.read_model.name)

    await asyncio.to_thread(run, f"ALTER TABLE views.product_view ADD CONSTRAINT no CHECK (name <> '{name}')")
    try:
        product_id = (await catalogue.create(name=name, variants=[variant(unique("R"))]))["id"]
        yield product_id
    finally:
        await asyncio.to_thread(run, "ALTER TABLE views.product_view DROP CONSTRAINT no")
    retry = ("projector", "dead-letters", "retry", "--projection", PROJECTION, "--product", product_id)
    environment = {**system.environment(), "READ_MODEL_DSN": system.read_model.projector}
    command = Job("retry", retry, environment, REPOSITORY, folder / "retry.log")
    await asyncio.to_thread(command.start)

    async def is_released() -> None:
        projections = (await catalogue.read_as_it_is("/v1/status")).json()["projections"]
        assert sum(one["parked_events"] for one in projections) == 0

    await eventually(is_released)
