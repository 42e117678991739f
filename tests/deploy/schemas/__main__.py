"""`python -m tests.deploy.schemas` writes `stored/` again; it needs `go`, `mvn` and their registries.

After a new version in `sources.py` run it, look at what has changed, and let the tests say whether the
manifests still fit.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.schemas.sources import GO_MODULES, LICENCE, GoModule
from tests.deploy.schemas.store import LOCK, STORED, digest, stored_file
from tests.deploy.schemas.strict import strict_definition
from tests.deploy.schemas.strimzi import strimzi_schemas

Entry = dict[str, str]


def refresh() -> None:
    """Every schema and the lock."""
    shutil.rmtree(STORED, ignore_errors=True)
    STORED.mkdir()
    entries: dict[str, Entry] = {}
    for module in GO_MODULES:
        for source, schema in _of_module(module):
            entries |= _write(schema, {"source": source, "version": module.version})
    for source, version, schema in strimzi_schemas():
        entries |= _write(schema, {"source": source, "version": version})
    LOCK.write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n")


def _write(schema: dict[str, Any], origin: Entry) -> dict[str, Entry]:
    fields = schema["properties"]
    file = stored_file(fields["apiVersion"]["const"], fields["kind"]["const"])
    file.write_text(json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n")
    print(f"{file.name}: {file.stat().st_size:,} bytes")
    return {file.name: origin | {"licence": LICENCE, "sha256": digest(file)}}


def _of_module(module: GoModule) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where it is from, strict schema) of each kind."""
    with tempfile.TemporaryDirectory() as elsewhere:  # not in a module, whose go.mod it would change
        answer = subprocess.run(
            ["go", "mod", "download", "-json", f"{module.name}@{module.version}"],
            cwd=elsewhere, check=True, capture_output=True, text=True,
        )  # fmt: skip
    folder = Path(json.loads(answer.stdout)["Dir"]) / module.folder
    for name, version in module.kinds.items():
        definition = yaml.safe_load((folder / name).read_text())
        yield f"go {module.name} {module.folder}/{name}", strict_definition(definition, version)


if __name__ == "__main__":
    refresh()
