"""The table of connections for those who size PostgreSQL says what the code opens."""

import re

from tests.deploy.components import rendered_with
from tests.deploy.config_rules import (
    CONNECTIONS_MAX,
    CONNECTIONS_RESERVED,
    connections_of_a_pod,
    environments,
)
from tests.deploy.kustomization import KUSTOMIZE
from tests.deploy.processes import ON_DEMAND, SCHEDULED, SERVICES
from tests.deploy.scales import scales

_PAGE = (KUSTOMIZE / "README.md").read_text()
_TABLE = _PAGE.partition("| | connections a pod |")[2].partition("\n\n")[0]


def _rows() -> dict[str, tuple[int, int]]:
    """Name of a process or job -> connections to the event store and to the read model, at full scale."""
    found = {}
    for line in _TABLE.splitlines()[2:]:
        name, _, _, event_store, read_model = (cell.strip() for cell in line.strip("|").split("|"))
        short = re.sub(r"^cron job |:.*$", "", name)
        found[short] = (int(event_store or 0), int(read_model or 0))
    return found


def test_each_row_and_the_sum_are_what_the_code_opens() -> None:
    objects = rendered_with("autoscaling-prometheus")
    given, every = environments(objects), scales(objects)
    wanted = {}
    for name in (*SERVICES, *SCHEDULED, *ON_DEMAND):
        pods = every[name].most + 1 if name in SERVICES else 1
        opened = connections_of_a_pod(name, given[name])
        wanted[name] = (pods * opened["event store"], pods * opened["read model"])
    rows = _rows()
    total = rows.pop("sum")
    assert rows == wanted
    assert total == (sum(one for one, _ in wanted.values()), sum(two for _, two in wanted.values()))


def test_the_page_names_the_limits_that_the_sum_is_held_against() -> None:
    event_store, read_model = CONNECTIONS_MAX["event store"], CONNECTIONS_MAX["read model"]
    assert f"The event store must allow {event_store} connections and the read model {read_model}." in _PAGE
    assert f"Of these, {CONNECTIONS_RESERVED} each are reserved" in _PAGE
