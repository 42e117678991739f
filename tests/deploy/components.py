"""The base as a release together with components, as an overlay that lists them renders."""

from tests.deploy.kustomization import BASE, Manifest, render_with
from tests.deploy.kustomization import COMPONENTS as FOLDER


def rendered_with(*components: str) -> list[Manifest]:
    """All objects."""
    return render_with(BASE, *components, "release")


COMPONENTS = sorted(
    file.parent.name for file in FOLDER.glob("*/kustomization.yaml") if file.parent.name != "release"
)
SCALED = ("strimzi", "autoscaling-prometheus", "autoscaling-keda", "autoscaling-keda-strimzi")
# The servers together with what watches them and one way in.
TOGETHER = [
    ("cloudnative-pg", "strimzi", "redis", "opensearch", "monitoring", "ingress"),
    ("cloudnative-pg", "strimzi", "redis", "monitoring", "gateway-api"),
    SCALED,
]
