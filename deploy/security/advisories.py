"""Asks the package index which locked packages have known weaknesses (pip-audit).

The index may be away, or be a mirror without advisories. Then nothing is known, and the check says so and
does not fail: `make check` works without a network.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

SECONDS_MAX = 120
SECONDS_OF_A_REQUEST_MAX = 10

# Identifier of an accepted advisory -> why it does no harm here, and when to look again.
ACCEPTED: Mapping[str, str] = {}


class Audit(NamedTuple):
    """How many packages the index knew, how many it did not know, and the weaknesses of those it knew."""

    known_packages: int
    unknown_packages: int
    weaknesses: tuple[str, ...]


def audit(requirements: Path, python: str) -> Audit | None:
    """The audit of the packages in `requirements`; None if the index did not answer."""
    command = [
        python, "-m", "pip_audit", "--requirement", str(requirements), "--no-deps", "--disable-pip",
        "--format", "json", "--progress-spinner", "off", "--timeout", str(SECONDS_OF_A_REQUEST_MAX),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS_MAX)
        return read(json.loads(done.stdout))
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None


def read(document: dict[str, Any]) -> Audit:
    """pip-audit's JSON answer, without the accepted advisories."""
    packages = document["dependencies"]
    known = [package for package in packages if "vulns" in package]
    weaknesses = tuple(
        f"{package['name']} {package['version']}: {one['id']}"
        + (f", corrected in {', '.join(one['fix_versions'])}" if one["fix_versions"] else "")
        for package in known
        for one in package["vulns"]
        if ACCEPTED.keys().isdisjoint({one["id"], *one.get("aliases", ())})
    )
    return Audit(len(known), len(packages) - len(known), weaknesses)
