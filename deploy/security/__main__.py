"""`python -m deploy.security`: secrets in files, known weaknesses of packages.

Exit code 0 if nothing is found, 1 otherwise.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from deploy.security import advisories, secret_scan
from shared.ops.program import end_with

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent


def main() -> int:
    """Runs all checks, also after one has found something."""
    checks: tuple[Callable[[], bool], ...] = (_secrets, _packages)
    results = [check() for check in checks]
    return 0 if all(results) else 1


def _secrets() -> bool:
    new = secret_scan.unknown(ROOT, secret_scan.found(ROOT, sys.executable))
    for one in new:
        print(f"{one.file}:{one.line}: {one.kind}")
    if new:
        print(
            "These look like secrets. A real one: remove it and replace it at its issuer. A false one: run\n"
            f"  .venv/bin/detect-secrets scan --baseline {secret_scan.BASELINE}\n"
            "and commit that file."
        )
    return not new


def _packages() -> bool:
    with tempfile.NamedTemporaryFile(suffix=".txt") as requirements:
        command = [
            str(PROGRAMS / "uv"), "export", "--quiet", "--frozen", "--all-groups", "--no-emit-project",
            "--no-hashes", "--output-file", requirements.name,
        ]  # fmt: skip
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        audit = advisories.audit(Path(requirements.name), sys.executable)
    if audit is None:
        print("packages: the package index did not answer; nothing is known about weaknesses")
        return True
    print(
        f"packages: {audit.known_packages} audited, {audit.unknown_packages} without advisories at this index"
    )
    for weakness in audit.weaknesses:
        print(f"packages: {weakness}")
    return not audit.weaknesses


if __name__ == "__main__":
    end_with(main)
