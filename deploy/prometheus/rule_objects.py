"""The rules for the Prometheus Operator; `make docs` writes them into the component `monitoring`."""

from pathlib import Path
from typing import Any

import yaml

from deploy.prometheus.configuration import FOLDER

FILE = FOLDER.parent / "kustomize" / "components" / "monitoring" / "rules.yaml"


def rule_objects(folder: Path = FOLDER / "rules") -> list[dict[str, Any]]:
    """One for each file of rules."""
    return [
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": f"product-catalogue-{file.stem}"},
            "spec": yaml.safe_load(file.read_text()),
        }
        for file in sorted(folder.glob("*.yml"))
    ]
