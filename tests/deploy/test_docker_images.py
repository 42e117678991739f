"""What is in the built images, file by file: opt-in, because the images are built for it."""

import json
import os
import re
import shutil
import stat
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pytest

from deploy.images import build, sbom
from tests.deploy.composed import engine_is_missing
from tests.deploy.dockerfile_rules import ROOT

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(bool(engine_is_missing()), reason=engine_is_missing() or ""),
]
# docs/images.md states the sizes and this limit.
_MB_MAX = {"command-api": 160, "projector": 160, "query-api": 210}
"""The query API has a search engine, zstd and corrections of typing errors, which are 50 MB."""
_TAG = "test"
_PACKAGES = {"command-api": "command_api", "query-api": "query_api", "projector": "projector"}
# What the engine itself puts into each container.
_OF_THE_ENGINE = {
    ".dockerenv",
    "dev",
    "proc",
    "sys",
    "etc/hostname",
    "etc/hosts",
    "etc/resolv.conf",
    "etc/mtab",
}
_SOURCES = {".c", ".h", ".pyx", ".pxd", ".pyi", ".a", ".o"}
_ASK = """
import importlib.metadata, json, os, pwd, ssl, sys, sysconfig
def name():
    try: return pwd.getpwuid(os.getuid()).pw_name
    except KeyError: return None
def can_write(path):
    try: open(path + "/x", "w"); return True
    except OSError: return False
print(json.dumps({
    "packages": sorted(
        f"{one.name.lower().replace('_', '-')}=={one.version}" for one in importlib.metadata.distributions()
    ),
    "user": [os.getuid(), os.getgid(), name()],
    "authorities": len(ssl.create_default_context().get_ca_certs()),
    "writable": list(filter(can_write, ("/", "/app", "/app/code", "/tmp", sysconfig.get_path("stdlib")))),
}))
"""


class _Entry(NamedTuple):
    path: PurePosixPath
    is_file: bool
    mode: int
    owner: tuple[int, int]


class _Image(NamedTuple):
    name: str
    inspected: Mapping[str, Any]
    entries: list[_Entry]


def _docker(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *words], check=True, capture_output=True, text=True, timeout=600, **options
    )


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    build.build(_TAG, build.arguments({**os.environ, "SOURCE_URL": "https://example.org/catalogue"}))


@pytest.fixture(scope="module", params=build.DOCKERFILES)
def image(request: pytest.FixtureRequest, built: None) -> _Image:
    (inspected,) = json.loads(_docker("image", "inspect", f"product-catalogue/{request.param}:{_TAG}").stdout)
    return _Image(request.param, inspected, list(_entries(request.param)))


def _entries(name: str) -> Iterator[_Entry]:
    container = _docker("create", f"product-catalogue/{name}:{_TAG}").stdout.strip()
    try:
        with tempfile.TemporaryFile() as file:
            subprocess.run(["docker", "export", container], check=True, stdout=file, timeout=300)
            file.seek(0)
            with tarfile.open(fileobj=file) as archive:
                for one in archive:
                    path = PurePosixPath(one.name)
                    if not {str(path), path.parts[0] if path.parts else ""} & _OF_THE_ENGINE:
                        yield _Entry(path, one.isfile(), one.mode, (one.uid, one.gid))
    finally:
        _docker("rm", container)


def _asked(name: str, *options: str) -> Any:
    hardened = [
        "--read-only",
        "--cap-drop",
        "ALL",
        "--security-opt",
        "no-new-privileges",
        "--network",
        "none",
    ]
    command = ["--entrypoint", "python", f"product-catalogue/{name}:{_TAG}", "-c", _ASK]
    return json.loads(_docker("run", "--rm", *hardened, *options, *command).stdout)


def test_no_program_but_python_is_in_it(image: _Image) -> None:
    programs = {
        e.path.name for e in image.entries if e.path.parent.name in ("bin", "sbin") and e.path.suffix == ""
    }
    assert programs
    assert {name for name in programs if not re.fullmatch(r"python(3(\.\d+)?)?", name)} == set()


def test_no_test_source_or_tool_is_in_it(image: _Image) -> None:
    names = ("test", "tests", "_testbase", "pip", "ensurepip", "setuptools", "idlelib", "tkinter")
    assert [str(e.path) for e in image.entries if e.path.name in names or e.path.suffix in _SOURCES] == []
    assert [str(e.path) for e in image.entries if "activate" in e.path.name or e.path.name == ".lock"] == []


def test_nobody_but_root_may_change_a_file_and_nobody_becomes_root(image: _Image) -> None:
    changeable = [
        e for e in image.entries if e.mode & (stat.S_IWGRP | stat.S_IWOTH) and e.mode & 0o7777 != 0o777
    ]
    assert [str(e.path) for e in changeable if not stat.S_ISLNK(e.mode)] == ["tmp"]
    assert {e.owner for e in image.entries} == {(0, 0)}
    assert [str(e.path) for e in image.entries if e.is_file and e.mode & (stat.S_ISUID | stat.S_ISGID)] == []


def test_our_code_is_that_of_its_process_and_is_compiled(image: _Image) -> None:
    code = PurePosixPath("app/code")
    ours = [e.path.relative_to(code) for e in image.entries if e.path.is_relative_to(code) and e.is_file]
    assert {path.parts[0] for path in ours} == {"shared", _PACKAGES[image.name]}
    sources = {path for path in ours if path.suffix == ".py"}
    compiled = {
        path.parent.parent / f"{path.name.partition('.')[0]}.py" for path in ours if path.suffix == ".pyc"
    }
    assert sources == compiled
    expected = {
        path.relative_to(ROOT)
        for folder in ("shared", _PACKAGES[image.name])
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {str(path) for path in sources} == {str(path) for path in expected}


def test_its_size_is_bounded(image: _Image) -> None:
    megabytes = image.inspected["Size"] / 1_000_000
    print(f"{image.name}: {megabytes:.0f} MB")
    assert megabytes < _MB_MAX[image.name]


def test_its_labels_are_filled(image: _Image) -> None:
    labels = image.inspected["Config"]["Labels"]
    told = build.arguments({"SOURCE_URL": "https://example.org/catalogue"})
    wanted = {
        "version": "SERVICE_VERSION",
        "revision": "SERVICE_REVISION",
        "source": "SOURCE_URL",
        "created": "BUILD_TIME",
    }
    for label, argument in wanted.items():
        assert labels[f"org.opencontainers.image.{label}"] == told[argument]
    assert all(labels.values())


def test_its_packages_are_those_of_the_lock(image: _Image) -> None:
    """In both directions. The lock has some packages for other systems or older versions of Python alone."""
    asked = _asked(image.name, "--tmpfs", "/tmp")
    bill = json.loads(sbom.from_lock(image.name))
    locked = {f"{one['name']}=={one['version']}" for one in bill["components"]}
    assert set(asked["packages"]) - locked == set()
    assert {one.partition("==")[0] for one in locked - set(asked["packages"])} <= {
        "async-timeout",
        "colorama",
    }


@pytest.mark.skipif(shutil.which("syft") is None, reason="Syft is not installed")
def test_a_scanner_sees_what_is_in_it(image: _Image) -> None:
    bill = json.loads(sbom.from_image(f"product-catalogue/{image.name}:{_TAG}", "syft"))
    urls = {one.get("purl", "") for one in bill["components"]}
    seen = {url.removeprefix("pkg:pypi/").replace("@", "==") for url in urls if url.startswith("pkg:pypi/")}
    assert seen == set(_asked(image.name)["packages"])
    debian = {url.split("@")[0].rpartition("/")[2] for url in urls if url.startswith("pkg:deb/")}
    assert debian >= {"libc6", "libssl3t64"}


@pytest.mark.parametrize("user", ["65532:65532", "1000730000:0"])
def test_it_runs_under_a_number_without_a_name_on_a_read_only_file_system(image: _Image, user: str) -> None:
    asked = _asked(image.name, "--tmpfs", "/tmp:mode=1777", "--user", user)
    assert asked["user"] == [*map(int, user.split(":")), None]
    assert asked["writable"] == ["/tmp"]
    assert asked["authorities"] > 50


def test_every_module_can_be_imported(image: _Image) -> None:
    """Nothing that was left out is missed, in any module that could be loaded late."""
    walk = (
        f"import pkgutil, importlib, {_PACKAGES[image.name]} as ours\n"
        "for one in pkgutil.walk_packages(ours.__path__, ours.__name__ + '.'):\n"
        "    one.name.endswith('__main__') or importlib.import_module(one.name)\n"
    )
    name = f"product-catalogue/{image.name}:{_TAG}"
    _docker("run", "--rm", "--read-only", "--tmpfs", "/tmp", "--entrypoint", "python", name, "-c", walk)


def test_a_change_of_code_makes_the_layers_of_this_code_alone(built: None, tmp_path: Path) -> None:
    for name in ("pyproject.toml", "uv.lock", "LICENSE", ".dockerignore", *build.DOCKERFILES.values()):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("shared", "command_api", "query_api", "projector", "deploy/images", "deploy/local"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    changed = tmp_path / "projector/__init__.py"
    changed.write_text(changed.read_text() + "\nCHANGED = True\n")

    def layers(name: str) -> list[str]:
        (inspected,) = json.loads(_docker("image", "inspect", name).stdout)
        found: list[str] = inspected["RootFS"]["Layers"]
        return found

    for image, dockerfile in build.DOCKERFILES.items():
        name = f"product-catalogue/{image}:changed"
        _docker("build", "--file", dockerfile, "--tag", name, ".", cwd=tmp_path)
        before, after = layers(f"product-catalogue/{image}:{_TAG}"), layers(name)
        _docker("rmi", name)
        same = sum(one == other for one, other in zip(before, after, strict=True))
        assert same == len(before) - (image == "projector"), (
            f"{image}: {same} of {len(before)} layers are the same"
        )
