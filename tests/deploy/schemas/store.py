"""Reads `stored/`: one strict schema for each version and kind, and the lock that says where it is from."""

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

STORED = Path(__file__).parent / "stored"
LOCK = STORED / "lock.json"


def stored_file(api_version: str, kind: str) -> Path:
    """Where the schema of a kind is, whether it exists or not."""
    group, _, version = api_version.partition("/")
    return STORED / f"{group}_{version}_{kind}.json"


@functools.cache
def schema_of(api_version: str, kind: str) -> dict[str, Any]:
    """Raises LookupError for a kind without a schema: an object that nobody has checked is no success."""
    file = stored_file(api_version, kind)
    if not file.exists():
        raise LookupError(f"no schema for {api_version} {kind}")
    schema: dict[str, Any] = json.loads(file.read_text())
    return schema


def lock() -> dict[str, dict[str, str]]:
    """File name -> source, version, licence, and the SHA-256 of the file."""
    entries: dict[str, dict[str, str]] = json.loads(LOCK.read_text())
    return entries


def digest(file: Path) -> str:
    """As in the lock."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
