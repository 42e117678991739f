"""The migrations that code needs are exactly those that run before its deploy."""

import pytest

from shared.contract.schemas import EVENT_STORE, READ_MODEL, Schema
from shared.postgres.migrations import read_migrations


@pytest.mark.parametrize(
    ("package", "schema"), [("command_api.postgres", EVENT_STORE), ("projector.postgres", READ_MODEL)]
)
def test_each_migration_before_a_deploy_is_needed_and_no_other(package: str, schema: Schema) -> None:
    before = tuple(file.name for file in read_migrations(package) if file.phase == "before")
    assert schema.needed == before, "add the new migration to shared/contract/schemas.py"
