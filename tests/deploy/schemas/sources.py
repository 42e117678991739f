"""Where each schema comes from: the releases that deploy/kustomize/components/README.md tells to install.

The operators publish their definitions in their Go modules, except Strimzi, whose definitions are made from
the classes of a Maven artifact (`Definitions.java`). All of them have the licence Apache-2.0.
"""

from typing import NamedTuple

LICENCE = "Apache-2.0"


class GoModule(NamedTuple):
    """A module with definitions (CustomResourceDefinition): `kinds` maps a path in it to a version of the
    API.
    """

    name: str
    version: str
    folder: str
    kinds: dict[str, str]


class MavenArtifact(NamedTuple):
    """An artifact whose classes are the definitions of these kinds."""

    group: str
    name: str
    version: str
    classes: tuple[str, ...]


GO_MODULES = (
    GoModule(
        "github.com/kedacore/keda/v2",
        "v2.21.0",
        "config/crd/bases",
        {"keda.sh_scaledobjects.yaml": "v1alpha1", "keda.sh_triggerauthentications.yaml": "v1alpha1"},
    ),
    GoModule(
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        "example/prometheus-operator-crd",
        {
            "monitoring.coreos.com_servicemonitors.yaml": "v1",
            "monitoring.coreos.com_podmonitors.yaml": "v1",
            "monitoring.coreos.com_prometheusrules.yaml": "v1",
        },
    ),
    GoModule(
        "sigs.k8s.io/gateway-api",
        "v1.6.3",
        "config/crd/standard",
        {
            "gateway.networking.k8s.io_gateways.yaml": "v1",
            "gateway.networking.k8s.io_httproutes.yaml": "v1",
        },
    ),
    GoModule(
        "github.com/cert-manager/cert-manager",
        "v1.21.2",
        "deploy/crds",
        {"cert-manager.io_certificates.yaml": "v1", "cert-manager.io_issuers.yaml": "v1"},
    ),
    GoModule(
        "github.com/external-secrets/external-secrets",
        "v1.3.2",
        "config/crds/bases",
        {"external-secrets.io_externalsecrets.yaml": "v1"},
    ),
    GoModule(
        "github.com/cloudnative-pg/cloudnative-pg",
        "v1.30.0",
        "config/crd/bases",
        {
            "postgresql.cnpg.io_clusters.yaml": "v1",
            "postgresql.cnpg.io_poolers.yaml": "v1",
            "postgresql.cnpg.io_scheduledbackups.yaml": "v1",
        },
    ),
    GoModule(
        "github.com/cloudnative-pg/plugin-barman-cloud",
        "v0.15.0",
        "config/crd/bases",
        {"barmancloud.cnpg.io_objectstores.yaml": "v1"},
    ),
)

_MODEL = "io.strimzi.api.kafka.model"
STRIMZI = MavenArtifact(
    "io.strimzi",
    "api",
    "1.2.0",
    (
        f"{_MODEL}.kafka.Kafka",
        f"{_MODEL}.nodepool.KafkaNodePool",
        f"{_MODEL}.topic.KafkaTopic",
        f"{_MODEL}.user.KafkaUser",
    ),
)
STRIMZI_API_VERSION = "kafka.strimzi.io/v1"
