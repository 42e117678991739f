"""What the release workflow runs to publish; docker, cosign and gh only note what they are told."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.release.version import of_project
from tests.architecture.source_files import ROOT

VERSION = str(of_project(ROOT))
DIGEST, BASE = ("sha256:" + byte * 32 for byte in ("a1", "b2"))
REGISTRY = "registry.test/catalogue"
# Each notes its arguments, one command a line. docker answers what the script asks it for.
_DOCKER = """#!/bin/sh
echo "docker $*" >>"$NOTED"
case "$*" in
*imagetools*) echo BASE ;;
*--metadata-file*)
    while [ "$1" != --metadata-file ]; do shift; done
    echo '{"buildx.build.ref": "x", "containerimage.digest": "DIGEST"}' >"$2"
    ;;
esac
"""
_NOTING = '#!/bin/sh\necho "NAME $*" >>"$NOTED"\n[ -t 0 ] || cat >>"$NOTED.stdin"\n'


class Publishing:
    """The scripts of a checkout, run with programs that only note their arguments."""

    def __init__(self, folder: Path) -> None:
        self.root, self._programs, self._noted = folder / "root", folder / "programs", folder / "noted"
        release = "deploy/kustomize/components/release"
        for name in (".ci", "deploy/release", "deploy/images", release, "docs", "shared/ops"):
            shutil.copytree(ROOT / name, self.root / name)
        own = ("deploy/__init__.py", "shared/__init__.py")
        for name in ("Dockerfile.command", "CHANGELOG.md", "pyproject.toml", *own):
            shutil.copy(ROOT / name, self.root / name)
        self._git("init", "--quiet")
        self._git("commit", "--allow-empty", "--quiet", "--message", "A commit")
        self.commit = self._git("rev-parse", "HEAD")
        self._programs.mkdir()
        self.answers(DIGEST)
        for name in ("cosign", "gh"):
            self._program(name, _NOTING.replace("NAME", name))

    def answers(self, digest: str, base: str = BASE) -> None:
        """Docker says that it pushed an image of this digest, and which the base has."""
        self._program("docker", _DOCKER.replace("BASE", base).replace("DIGEST", digest))

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """A script of .ci, as a job runs it."""
        own = {
            "PATH": f"{self._programs}:{os.environ['PATH']}", "NOTED": str(self._noted),
            "GITHUB_SERVER_URL": "https://host.test", "GITHUB_REPOSITORY": "us/catalogue",
            "SOURCE_URL": "https://host.test/us/catalogue",
        }  # fmt: skip
        return subprocess.run(
            command, cwd=self.root, env={**os.environ, **own}, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @property
    def noted(self) -> list[str]:
        """The commands, in order."""
        return self._noted.read_text().splitlines() if self._noted.exists() else []

    @property
    def given_to_stdin(self) -> str:
        return Path(f"{self._noted}.stdin").read_text()

    def _git(self, *arguments: str) -> str:
        somebody = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.test"]
        command = ["git", "-C", self.root, *somebody, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def _program(self, name: str, text: str) -> None:
        (self._programs / name).write_text(text)
        (self._programs / name).chmod(0o755)


@pytest.fixture
def publishing(tmp_path: Path) -> Publishing:
    return Publishing(tmp_path)


def test_each_image_is_attested_and_signed_by_the_digest_that_was_pushed(publishing: Publishing) -> None:
    done = publishing.run(".ci/publish-images", REGISTRY, f"v{VERSION}", "component.yaml")
    assert done.returncode == 0, done.stderr
    builds = [line for line in publishing.noted if line.startswith("docker buildx build")]
    signed = [line for line in publishing.noted if line.startswith("cosign")]
    names = ("command-api", "query-api", "projector")
    assert [
        f"--tag {REGISTRY}/{name}:{VERSION} " in line for name, line in zip(names, builds, strict=True)
    ] == [True] * 3
    for line in builds:
        assert "--sbom=true --provenance=mode=max" in line
        assert f"--build-arg=SERVICE_VERSION={VERSION} " in line
        assert f"--build-arg=PYTHON_IMAGE=python:3.13-slim-trixie@{BASE} " in line
        assert f"--build-arg=SERVICE_REVISION={publishing.commit} " in line
        assert "--build-arg=BUILD_TIME=2" in line
        assert "--build-arg=SOURCE_URL=https://host.test/us/catalogue " in line
    assert signed == [f"cosign sign --yes {REGISTRY}/{name}@{DIGEST}" for name in names]


def test_the_component_names_the_images_that_were_pushed(publishing: Publishing) -> None:
    assert publishing.run(".ci/publish-images", REGISTRY, f"v{VERSION}", "component.yaml").returncode == 0
    written = yaml.safe_load((publishing.root / "component.yaml").read_text())
    present = yaml.safe_load((ROOT / "deploy/kustomize/components/release/kustomization.yaml").read_text())
    images = written.pop("images")
    assert [image["name"] for image in images] == [image["name"] for image in present.pop("images")]
    assert {image["digest"] for image in images} == {DIGEST}
    assert [image["newName"] for image in images] == [
        f"{REGISTRY}/{image['name'].removeprefix('product-catalogue/')}" for image in images
    ]
    assert written == present


def test_nothing_is_signed_if_docker_does_not_say_what_it_pushed(publishing: Publishing) -> None:
    publishing.answers("")
    done = publishing.run(".ci/publish-images", REGISTRY, f"v{VERSION}", "component.yaml")
    assert done.returncode == 1
    assert "docker did not say under which digest it pushed command-api" in done.stderr
    assert not any(line.startswith("cosign") for line in publishing.noted)


def test_the_checkout_of_another_release_is_noticed(publishing: Publishing) -> None:
    done = publishing.run(".ci/publish-images", REGISTRY, "v99.0.0", "component.yaml")
    assert done.returncode == 1
    assert f"this is not the checkout of v99.0.0: SERVICE_VERSION={VERSION}" in done.stderr
    assert not any("buildx build" in line for line in publishing.noted)


def test_a_base_that_has_no_digest_is_not_built_on(publishing: Publishing) -> None:
    publishing.answers(DIGEST, base="")
    done = publishing.run(".ci/publish-images", REGISTRY, f"v{VERSION}", "component.yaml")
    assert done.returncode == 1
    assert "PYTHON_IMAGE must name the base image with its digest" in done.stderr


def test_the_page_of_a_release_has_its_notes_and_files(publishing: Publishing) -> None:
    (publishing.root / "component.yaml").write_text("x")
    done = publishing.run(".ci/publish-release", f"v{VERSION}", "component.yaml")
    assert done.returncode == 0, done.stderr
    assert publishing.noted == [
        f"gh release create v{VERSION} --verify-tag --title v{VERSION} --notes-file - component.yaml"
    ]
    assert "## Upgrading" in publishing.given_to_stdin


def test_there_is_no_page_of_a_release_without_notes(publishing: Publishing) -> None:
    done = publishing.run(".ci/publish-release", "v99.0.0")
    assert done.returncode == 2
    assert "there are no notes for 99.0.0" in done.stderr
    assert not any(line.startswith("gh") for line in publishing.noted)
