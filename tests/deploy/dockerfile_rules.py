"""Policies about the Dockerfiles, read line by line: what can be known of an image without building it."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "Dockerfile.command": "command_api",
    "Dockerfile.query": "query_api",
    "Dockerfile.projector": "projector",
}
EVERY = [*PACKAGES, "deploy/compose/servers/Dockerfile"]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
# Of the Open Container Initiative. `make images` and a release set the arguments behind some of them.
_LABELS = {
    f"org.opencontainers.image.{name}"
    for name in (
        "title", "description", "licenses", "version", "revision", "source", "created", "base.name"
    )
}  # fmt: skip
# What differs from one build to the next: behind every layer, or each build would make all layers again.
_OF_A_BUILD = {"SERVICE_REVISION", "SOURCE_URL", "BUILD_TIME"}


def instructions(text: str) -> list[tuple[str, str]]:
    """(INSTRUCTION, rest) with continued lines joined and comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()
    return [
        (word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in joined) if rest
    ]


def complaints(text: str, package: str | None) -> list[str]:
    """What a reviewer would refuse. Without a package: one of the servers."""
    found = instructions(text)
    ours = [] if package is None else list(_about_ours(found, package))
    return [*_about_sources(found), *_about_forms(found), *ours]


def _about_sources(found: list[tuple[str, str]]) -> Iterator[str]:
    arguments = dict(rest.partition("=")[::2] for word, rest in found if word == "ARG" and "=" in rest)
    stages = {"scratch"}  # the builder's own name for nothing
    for word, rest in found:
        if word == "FROM":
            image = rest.split()[0]
            for name, value in arguments.items():
                image = image.replace(f"${{{name}}}", value)
            if image not in stages and (":" not in image or image.endswith(":latest")):
                yield f"FROM {image} means another image every day"
            stages.update(rest.split()[2:])
        if word == "COPY" and (source := re.match(r"--from=(\S+)", rest)) and source[1] not in stages:
            yield f"COPY from the image {source[1]}"


def _about_forms(found: list[tuple[str, str]]) -> Iterator[str]:
    user = "root"
    for word, rest in found:
        if word in ("ENTRYPOINT", "CMD") and not rest.startswith("["):
            yield f"{word} in shell form: the shell would get the signals"
        if word == "ADD" or "--mount" in rest:
            yield f"not every builder does this, or not the same: {word} {rest}"
        if word in ("ARG", "ENV") and re.search(r"PASSWORD|SECRET|TOKEN", rest):
            yield f"a secret would stay in the image: {rest}"
        user = {"FROM": "root", "USER": rest}.get(word, user)
    if user in ("root", "0", "0:0"):
        yield "runs as root"


def _about_ours(found: list[tuple[str, str]], package: str) -> Iterator[str]:
    last = [number for number, (word, _) in enumerate(found) if word == "FROM"][-1]
    build, final = found[:last], found[last:]
    yield from _about_the_build(build)
    if final[0] != ("FROM", "scratch"):
        yield f"the image begins with {final[0][1]}, and so with a shell and a package manager"
    if [rest for word, rest in final if word == "USER"] != ["65532:65532"]:
        yield "USER is not 65532:65532: Kubernetes wants a number"
    if ("ENTRYPOINT", json.dumps(["python", "-m", package])) not in final:
        yield f"does not start {package}"
    copies = [rest.split()[1] for word, rest in final if word == "COPY"]
    process = package.removesuffix("_api") + ("-api" if package.endswith("_api") else "")
    wanted = [
        "/root-file-system", f"/{process}/app", "/code/LICENSE", "/code/shared", f"/code/{package}"
    ]  # fmt: skip
    if copies != wanted:
        yield f"holds something else, or in an order that changes more layers than needed: {copies}"
    labels = dict(re.findall(r'(\S+)="([^"]*)"', next((rest for word, rest in final if word == "LABEL"), "")))
    yield from (f"the label {name} is missing or empty" for name in _LABELS if not labels.get(name))
    newest = max(number for number, (word, _) in enumerate(final) if word == "COPY")
    arguments = [
        [rest.partition("=")[0] for word, rest in part if word == "ARG"] for part in (final[:newest], final)
    ]
    if arguments[0] or not {*arguments[1]} >= _OF_A_BUILD:
        yield "an argument that differs in each build is missing, or stands before a layer"


def _about_the_build(found: list[tuple[str, str]]) -> Iterator[str]:
    syncs = [rest for word, rest in found if word == "RUN" and "uv sync" in rest]
    if not syncs or not all("--locked --no-dev --no-install-project --extra" in sync for sync in syncs):
        yield f"uv sync is not locked, or brings too much: {syncs}"
    if not any("pip install" in rest and "--require-hashes" in rest for _, rest in found):
        yield "uv is not held against its hash"
    versions = [rest for word, rest in found if word == "ARG" and rest.startswith("SERVICE_VERSION=")]
    if versions != [f"SERVICE_VERSION={VERSION}"]:
        yield f"the version is {versions}, not that of pyproject.toml"
