"""Which worker runs which tests: whole files, the slowest first, so that no worker ends long after the other.

Each worker has servers of its own, so a test that breaks one disturbs nobody.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

END_TO_END = "tests/end_to_end/"
SHARING = (END_TO_END, "tests/console/")
"""Folders whose tests share an installation."""
# Seconds alone on a machine with two cores (`python -m tests.durations` prints this table). Only their order
# matters. Files below ten seconds are not here: they fill what the others leave.
SECONDS_BY_FILE: dict[str, float] = {
    "tests/integration/test_quickstart_with_tokens.py": 80,
    "tests/documents/test_operating_pages.py": 110,
    "tests/documents/test_first_pages.py": 100,
    "tests/integration/test_readiness.py": 75,
    "tests/console/test_every_page.py": 85,
    "tests/console/test_pipeline.py": 50,
    "tests/end_to_end/test_faults.py": 71,
    "tests/documents/test_site.py": 60,
    "tests/integration/test_notifications.py": 65,
    "tests/integration/test_products_state.py": 58,
    "tests/end_to_end/test_traces.py": 55,
    "tests/end_to_end/test_webhooks.py": 45,
    "tests/end_to_end/test_edge.py": 40,
    "tests/integration/test_webhook_kills.py": 30,
    "tests/integration/test_webhook_deliveries.py": 20,
    "tests/console/test_subscribers.py": 25,
    "tests/integration/test_digests.py": 43,
    "tests/integration/test_relay.py": 39,
    "tests/edge/test_routes.py": 20,
    "tests/deploy/test_components.py": 20,
    "tests/sharding/test_simulation.py": 15,
    "tests/integration/test_projector_kills.py": 29,
    "tests/integration/test_many_dead_letters.py": 28,
    "tests/integration/test_cut_connections.py": 25,
    "tests/harness/test_killed_runs.py": 24,
    "tests/integration/test_secured_installation.py": 30,
    "tests/integration/test_local_stack.py": 23,
    "tests/observability/test_error_budgets.py": 20,
    "tests/observability/test_alerts.py": 20,
    "tests/end_to_end/test_scraped_metrics.py": 25,
    "tests/integration/test_hanging_names.py": 25,
    "tests/integration/test_rebuild.py": 22,
    "tests/integration/test_projector_faults.py": 20,
    "tests/integration/test_replay.py": 19,
    "tests/integration/test_rebuild_lock.py": 19,
    "tests/end_to_end/test_import_again.py": 14,
    "tests/integration/test_relay_adapters.py": 14,
    "tests/integration/test_secured_servers.py": 11,
    "tests/unit/importer/test_hand_over.py": 14,
    "tests/end_to_end/test_import.py": 13,
    "tests/integration/test_postgres_plumbing.py": 13,
    "tests/integration/test_projector_operators.py": 12,
    "tests/integration/test_projector_status.py": 12,
    "tests/integration/test_verify.py": 10,
    "tests/integration/test_query_races.py": 10,
}


def scope_of(nodeid: str) -> str:
    """What one worker runs as a whole: a file, or all tests that share an installation."""
    return next(filter(nodeid.startswith, SHARING), nodeid.split("::", 1)[0])


def slowest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Scopes by their seconds; within a scope, and among those without seconds, the order stays."""
    seconds: dict[str, float] = {}
    for file, file_seconds in SECONDS_BY_FILE.items():
        seconds[scope_of(file)] = seconds.get(scope_of(file), 0) + file_seconds
    return sorted(items, key=lambda item: -seconds.get(scope_of(item.nodeid), 0))


class SlowestFirst(LoadFileScheduling):  # type: ignore[misc]
    """Hands out scopes in the order in which `slowest_first` has put them."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # it would begin with the file that has the most tests

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)
