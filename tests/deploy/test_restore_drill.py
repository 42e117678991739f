"""A restore drill makes the databases of the component again, and does not touch their archives."""

from collections.abc import Iterator, Sequence

import pytest

from tests.deploy import operator_rules
from tests.deploy.components import rendered_with
from tests.deploy.custom_resources import errors_of
from tests.deploy.kustomization import KUSTOMIZE, Manifest, find, render
from tests.deploy.workload_rules import of_kind


def faults(restored: Sequence[Manifest], running: Sequence[Manifest]) -> Iterator[str]:
    """Same PostgreSQL, database and archive, other names, memory enough, and nothing written there."""
    for one in of_kind(running, "Cluster"):
        name, spec = one["metadata"]["name"], one["spec"]
        drill = find(restored, "Cluster", f"{name}-restored")["spec"]
        if drill["imageName"] != spec["imageName"]:
            yield f"{name}: another PostgreSQL"
        for limit in ("storage", "walStorage"):
            if drill[limit] != spec[limit]:
                yield f"{name}: another {limit}"
        wanted = spec["postgresql"]["parameters"]["max_connections"]
        if drill["postgresql"]["parameters"]["max_connections"] != wanted:
            yield f"{name}: recovery refuses other max_connections"
        recovery, initial = drill["bootstrap"]["recovery"], spec["bootstrap"]["initdb"]
        if (recovery["database"], recovery["owner"]) != (initial["database"], initial["owner"]):
            yield f"{name}: another database"
        (source,) = drill["externalClusters"]
        (plugin,) = spec["plugins"]
        parameters = {**plugin["parameters"], "serverName": name}
        if (source["name"], source["plugin"]["parameters"]) != (recovery["source"], parameters):
            yield f"{name}: another archive"
        roles = drill.get("managed", {}).get("roles", [])
        if not roles or any(role not in spec["managed"]["roles"] for role in roles):
            yield f"{name}: nobody knows the passwords of its roles"
        if drill.get("plugins"):
            yield f"{name}: writes into the archive that it is made from"
    yield from (error for one in restored for error in errors_of(one))
    yield from operator_rules.memory(restored)


def test_a_drill_restores_both_databases() -> None:
    assert list(faults(render(KUSTOMIZE / "restore-drill"), rendered_with("cloudnative-pg"))) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"imageName": "ghcr.io/cloudnative-pg/postgresql:17"},
        {"plugins": [{"name": "barman-cloud.cloudnative-pg.io", "isWALArchiver": True}]},
        {"storage": {"size": "1Gi"}},
        {"postgresql": {"parameters": {"max_connections": "100"}}},
        {"externalClusters": [{"name": "event-store", "plugin": {"name": "any", "parameters": {}}}]},
        {"managed": {"roles": []}},
        {"misspelt": True},
        {"resources": {}},
    ],
    ids=lambda fault: next(iter(fault)),
)
def test_a_wrong_drill_is_noticed(fault: Manifest) -> None:
    restored = render(KUSTOMIZE / "restore-drill")
    find(restored, "Cluster", "event-store-restored")["spec"].update(fault)
    assert any(faults(restored, rendered_with("cloudnative-pg")))
