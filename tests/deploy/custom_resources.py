"""Custom resources against the schemas of their operators, strictly (`schemas/`)."""

from collections.abc import Iterator

import jsonschema

from tests.deploy.kustomization import Manifest
from tests.deploy.schemas.store import schema_of

CORE_GROUPS = (
    "apps", "autoscaling", "batch", "networking.k8s.io", "policy", "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
)  # fmt: skip


def is_custom(one: Manifest) -> bool:
    """Whether an operator brings the kind."""
    group, slash, _ = str(one["apiVersion"]).partition("/")
    return bool(slash) and group not in CORE_GROUPS


def errors_of(one: Manifest) -> Iterator[str]:
    """What the schema of its kind says against an object. Raises LookupError for a kind without a schema."""
    validator = jsonschema.Draft202012Validator(schema_of(one["apiVersion"], one["kind"]))
    for error in validator.iter_errors(one):
        place = "/".join(str(step) for step in error.absolute_path)
        yield f"{one['kind']} {one['metadata']['name']}: {place}: {error.message[:300]}"
