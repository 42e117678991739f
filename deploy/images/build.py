"""What a build of the images is told, because a Dockerfile cannot ask for it: version, commit, time."""

import os
import subprocess
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
# The image -> its Dockerfile. Its service in docker-compose.yml and its extra in pyproject.toml are named so.
DOCKERFILES: Mapping[str, str] = {
    "command-api": "Dockerfile.command",
    "query-api": "Dockerfile.query",
    "projector": "Dockerfile.projector",
}


def arguments(environment: Mapping[str, str], root: Path = ROOT) -> dict[str, str]:
    """The build arguments by name. One that stands in the environment is taken from there.

    PYTHON_IMAGE is left out unless it is set: then the Dockerfile's own base is used, which has no digest.
    """
    told = {
        "SERVICE_VERSION": version(root),
        "SERVICE_REVISION": _revision(root),
        "SOURCE_URL": without_credentials(_git(root, "config", "--get", "remote.origin.url")) or "unknown",
        "BUILD_TIME": _time_of_the_commit(root),
    }
    return {
        name: environment.get(name) or told[name]
        for name in ("PYTHON_IMAGE", *told)
        if name in told or environment.get(name)
    }


def version(root: Path = ROOT) -> str:
    """The released version: pyproject.toml is the one place where it is decided."""
    return str(tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"])


def without_credentials(url: str) -> str:
    """An address that may be read by everybody who has the image."""
    parts = urlsplit(url)
    if not parts.scheme:
        return url  # somebody@host:path, the form of ssh: the name is no secret
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()


def is_pinned(image: str) -> bool:
    """Whether the name means the same image for ever."""
    name, _, digest = image.partition("@sha256:")
    return bool(name) and len(digest) == 64 and set(digest) <= set("0123456789abcdef")


def build(tag: str, told: Mapping[str, str]) -> None:
    """Builds the three images; the output of the builder is shown."""
    words = [word for name, value in told.items() for word in ("--build-arg", f"{name}={value}")]
    for image, dockerfile in DOCKERFILES.items():
        name = f"product-catalogue/{image}:{tag}"
        subprocess.run(
            ["docker", "build", "--file", dockerfile, "--tag", name, *words, "."], cwd=ROOT, check=True
        )


def _revision(root: Path) -> str:
    """The commit, and whether there was more than the commit."""
    commit = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}-dirty" if commit and changed else commit or "unknown"


def _time_of_the_commit(root: Path) -> str:
    """Not the present time: two builds of one commit give the same image."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or _git(root, "show", "--no-patch", "--format=%ct", "HEAD")
    return (
        datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z") if seconds else "unknown"
    )


def _git(root: Path, *words: str) -> str:
    """Its answer; empty where there is no git, no repository or no such setting."""
    try:
        answer = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
