"""`python -m deploy.images`: what a build is told, and when a release is refused. No engine is needed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.images import build, sbom
from tests.deploy.dockerfile_rules import instructions

ROOT = Path(__file__).parents[2]
_DIGEST = "@sha256:" + "0123456789abcdef" * 4


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1.2.3"\n')
    for words in (
        ["init", "--quiet"],
        ["remote", "add", "origin", "https://somebody:a-password@example.org/team/catalogue.git"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "--message", "x"],
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def test_every_argument_of_the_dockerfiles_is_told(repository: Path) -> None:
    told = build.arguments({"PYTHON_IMAGE": "python:3"}, repository)
    for dockerfile in build.DOCKERFILES.values():
        found = instructions((ROOT / dockerfile).read_text())
        assert {rest.partition("=")[0] for word, rest in found if word == "ARG"} == told.keys()
    assert "unknown" not in told.values()


def test_the_arguments_are_those_of_the_commit_and_name_no_credentials(repository: Path) -> None:
    told = build.arguments({}, repository)
    assert told["SERVICE_VERSION"] == "1.2.3"
    assert re.fullmatch(r"[0-9a-f]{40}", told["SERVICE_REVISION"])
    assert told["SOURCE_URL"] == "https://example.org/team/catalogue.git"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["BUILD_TIME"])
    assert told == build.arguments({}, repository), "two builds of one commit are told the same"


def test_a_changed_working_tree_is_named(repository: Path) -> None:
    (repository / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1.2.4"\n')
    assert build.arguments({}, repository)["SERVICE_REVISION"].endswith("-dirty")


def test_outside_a_repository_the_commit_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    told = build.arguments({}, tmp_path)
    assert (told["SERVICE_REVISION"], told["SOURCE_URL"], told["BUILD_TIME"]) == ("unknown",) * 3


@pytest.mark.parametrize(
    ("image", "is_pinned"),
    [
        (f"python:3.13-slim-trixie{_DIGEST}", True),
        (f"mirror.example.org:5000/python{_DIGEST}", True),
        ("python:3.13-slim-trixie", False),
        ("", False),
        (_DIGEST, False),
        (f"python:3.13{_DIGEST[:-1]}", False),
        (f"python:3.13{_DIGEST[:-1]}X", False),
    ],
)
def test_an_image_is_pinned_by_its_digest_alone(image: str, is_pinned: bool) -> None:
    assert build.is_pinned(image) is is_pinned


def test_a_release_without_a_digest_is_refused() -> None:
    command = [sys.executable, "-m", "deploy.images", "arguments", "--release"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert "digest" in answer.stderr


def test_the_bill_of_the_lock_names_each_package_with_its_hash(tmp_path: Path) -> None:
    bill = json.loads(sbom.from_lock("query-api"))
    assert (bill["bomFormat"], bill["metadata"]["component"]["version"]) == ("CycloneDX", build.version())
    packages = {one["name"]: one for one in bill["components"]}
    assert "asyncpg" in packages
    assert "aiosmtplib" not in packages, "that is the projector's"
    assert all(reference["hashes"] for one in packages.values() for reference in one["externalReferences"])
