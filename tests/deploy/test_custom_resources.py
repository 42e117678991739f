"""Objects for operators: each one fits its schema, and each schema refuses what is misspelt."""

import copy
from collections.abc import Iterator

import pytest

from tests.deploy.components import COMPONENTS, FOLDER, rendered_with
from tests.deploy.custom_resources import errors_of, is_custom
from tests.deploy.kustomization import Manifest
from tests.deploy.schemas.store import LOCK, STORED, digest, lock, schema_of

# Fields whose contents are names of the user's own choice: no schema can know them.
OPEN = {"annotations", "config", "labels", "matchLabels", "parameters"}
# Kubernetes' own types inside Strimzi's: its classes say no more than that they are objects.
OPEN_IN_STRIMZI = {"affinity", "resources"}


def custom_objects() -> Iterator[Manifest]:
    """Of all components."""
    for name in COMPONENTS:
        yield from (one for one in rendered_with(name) if is_custom(one))


PAGE = (FOLDER / "README.md").read_text()
OBJECTS = list(custom_objects())


def name_of(one: Manifest) -> str:
    return f"{one['kind']}-{one['metadata']['name']}"


@pytest.mark.parametrize("one", OBJECTS, ids=name_of)
def test_each_custom_resource_fits_the_schema_of_its_operator(one: Manifest) -> None:
    assert list(errors_of(one)) == []


@pytest.mark.parametrize("one", OBJECTS, ids=name_of)
def test_a_misspelt_field_is_refused_wherever_it_stands(one: Manifest) -> None:
    accepted = {path for path, broken in with_a_misspelt_field(one) if not any(errors_of(broken))}
    if one["apiVersion"].startswith("kafka.strimzi.io/"):
        accepted = {path for path in accepted if not OPEN_IN_STRIMZI & set(path)}
    assert {path[-1] for path in accepted} <= OPEN


@pytest.mark.parametrize("one", OBJECTS, ids=name_of)
def test_another_type_of_specification_and_a_field_beside_it_are_refused(one: Manifest) -> None:
    assert any(errors_of(one | {"spec": "none"}))
    assert any(errors_of(one | {"specification": one["spec"]}))


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_page_of_components_names_the_releases_of_these_schemas(component: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{component}` |"))
    files = {
        f"{one['apiVersion'].replace('/', '_')}_{one['kind']}.json"
        for one in rendered_with(component)
        if is_custom(one)
    }
    releases = {lock()[file]["version"].removeprefix("v") for file in files}
    assert releases <= set(row.split("|")[3].strip().split("; "))


def with_a_misspelt_field(one: Manifest) -> Iterator[tuple[tuple[str, ...], Manifest]]:
    """(where, object) with one more field in each mapping of the specification, one at a time."""
    for path in _mappings(one["spec"], ("spec",)):
        broken = copy.deepcopy(one)
        place = broken
        for step in path:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place["misspelt"] = {"none": "none"}
        yield tuple(step for step in path if not step.isdigit()), broken


def _mappings(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        yield path
        for key, inner in value.items():
            yield from _mappings(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _mappings(inner, (*path, str(index)))


def test_a_kind_without_a_schema_is_no_silent_pass() -> None:
    with pytest.raises(LookupError, match=r"no schema for example\.org/v1 Widget"):
        list(errors_of({"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "one"}}))


def test_the_lock_names_each_schema_with_its_source_and_nobody_has_edited_one() -> None:
    files = {file.name: file for file in STORED.iterdir() if file != LOCK}
    assert {name: digest(file) for name, file in files.items()} == {
        name: entry["sha256"] for name, entry in lock().items()
    }
    assert all(entry["source"] and entry["version"] and entry["licence"] for entry in lock().values())


def test_a_schema_names_the_version_and_kind_that_it_is_for() -> None:
    fields = schema_of("gateway.networking.k8s.io/v1", "HTTPRoute")["properties"]
    assert (fields["apiVersion"], fields["kind"]) == (
        {"const": "gateway.networking.k8s.io/v1"},
        {"const": "HTTPRoute"},
    )
