"""Finds secrets in the files of the repository: keys, tokens, and passwords in addresses.

The search is detect-secrets' own. What it finds is compared with `.secrets.baseline` by file and hash, not by
line, so that a line that moves is no finding. The passwords of `make up` are known: each is the name of its
role.
"""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

BASELINE = ".secrets.baseline"


class Finding(NamedTuple):
    """What may be a secret. The hash is that of detect-secrets; the secret itself is never kept."""

    file: str
    kind: str
    secret_hash: str
    line: int


def found(root: Path, python: str) -> list[Finding]:
    """What detect-secrets finds in the files that git knows, with the plugins and filters of the baseline.

    Raises CalledProcessError.
    """
    baseline = root / BASELINE
    known = json.loads(baseline.read_text()) if baseline.exists() else {}
    filters = [one for one in known.get("filters_used", []) if "pattern" in one]
    options = [
        part
        for one in filters
        for pattern in one["pattern"]
        for part in (f"--{_option(one['path'])}", pattern)
    ]
    # From the root: the names in the answer are relative to where the program runs.
    command = [python, "-m", "detect_secrets", "scan", *options]
    scan = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    # The hashes in the baseline look like secrets themselves.
    return sorted(one for one in _findings(json.loads(scan.stdout)) if one.file != BASELINE)


def _option(filter_path: str) -> str:
    """`…regex.should_exclude_secret` is the filter of the option `exclude-secrets`."""
    return filter_path.rsplit(".", 1)[-1].removeprefix("should_").replace("_", "-") + "s"


def unknown(root: Path, findings: Iterable[Finding]) -> list[Finding]:
    """The findings that are not in the baseline."""
    baseline = root / BASELINE
    known = _findings(json.loads(baseline.read_text())) if baseline.exists() else []
    accepted = {(one.file, one.kind, one.secret_hash) for one in known}
    return [one for one in findings if (one.file, one.kind, one.secret_hash) not in accepted]


def _findings(document: dict[str, Any]) -> list[Finding]:
    return [
        Finding(file, one["type"], one["hashed_secret"], one["line_number"])
        for file, several in document["results"].items()
        for one in several
    ]
