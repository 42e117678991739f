"""Strimzi's kinds, from the classes that its operator reads them with; needs Maven and Java 21 or newer."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.deploy.schemas.sources import STRIMZI, STRIMZI_API_VERSION
from tests.deploy.schemas.strict import METADATA

_PROGRAM = Path(__file__).parent / "Definitions.java"
_PROJECT = """<project>
  <modelVersion>4.0.0</modelVersion><groupId>schemas</groupId><artifactId>schemas</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>
  </dependencies>
</project>
"""


def strimzi_schemas() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(where it is from, version, strict schema) of each kind."""
    with tempfile.TemporaryDirectory() as elsewhere:
        pom, class_path = Path(elsewhere) / "pom.xml", Path(elsewhere) / "class_path"
        pom.write_text(_PROJECT.format(group=STRIMZI.group, name=STRIMZI.name, version=STRIMZI.version))
        maven = ["mvn", "--quiet", "--batch-mode", "dependency:build-classpath"]
        subprocess.run([*maven, f"-Dmdep.outputFile={class_path}"], cwd=elsewhere, check=True)
        java = Path(os.environ["JAVA_HOME"]) / "bin" / "java"
        printed = subprocess.run(
            [java, "-cp", class_path.read_text().strip(), _PROGRAM, *STRIMZI.classes],
            check=True, stdout=subprocess.PIPE, text=True,
        ).stdout  # fmt: skip
    for kind, spec in json.loads(printed).items():
        fields = {"apiVersion": {"const": STRIMZI_API_VERSION}, "kind": {"const": kind}}
        yield (
            f"maven {STRIMZI.group}:{STRIMZI.name} {kind}",
            STRIMZI.version,
            {
                "type": "object",
                "properties": {**fields, "metadata": METADATA, "spec": spec},
                "required": ["apiVersion", "kind", "metadata", "spec"],
                "additionalProperties": False,
            },
        )
