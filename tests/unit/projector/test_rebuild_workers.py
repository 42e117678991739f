"""How many processes a rebuild has when nobody says it: its pod and PostgreSQL have room for no more."""

import os

import pytest

from projector.rebuild.workers import DEFAULT_WORKERS_MAX, default_workers


@pytest.mark.parametrize(("processors", "workers"), [(1, 1), (2, 2), (16, 2)])
def test_one_for_each_processor_that_may_be_used_and_at_most_two(
    processors: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine has many; a container may be bound to some of them."""
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)))
    assert default_workers() == workers <= DEFAULT_WORKERS_MAX
