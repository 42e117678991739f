"""A release with a new migration soon after the first; then back to the first, whose schema is older."""

import os

import pytest

from tests.cluster.conftest import Record
from tests.cluster.images import NEW_TABLE
from tests.cluster.installation import Installation
from tests.cluster.kubectl import kubectl
from tests.cluster.load import Load
from tests.cluster.nothing_lost import must_have_lost_nothing

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif("CLUSTER_NO_NEXT" in os.environ, reason="there are no images of a next release"),
]


def test_a_release_with_a_migration_and_the_way_back_fail_no_request(
    installed: Installation, load: Load, tag: str, record: Record
) -> None:
    forward = installed.apply(f"{tag}-next")
    tables = _databases_with_the_new_table()
    back = installed.apply(tag)
    load.stop()
    record(
        "a release with a migration, and back", forward_seconds=round(forward, 1),
        back_seconds=round(back, 1), migrated=tables, **load.tally.figures(),
    )  # fmt: skip
    assert tables == ["event_store", "read_model"]
    load.tally.must_have_no_failure()
    must_have_lost_nothing(load.tally)


def _databases_with_the_new_table() -> list[str]:
    question = f"SELECT to_regclass('{NEW_TABLE}') IS NOT NULL"
    psql = ("exec", "postgres-0", "--", "psql", "-XAtU", "postgres", "-c", question, "-d")
    return [name for name in ("event_store", "read_model") if kubectl(*psql, name).strip() == "t"]
