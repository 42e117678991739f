"""Dependabot watches each file that names packages or images. One that nobody listed would keep its
weaknesses for ever.
"""

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from deploy.workflows.__main__ import ROOT

ECOSYSTEMS = {"uv.lock": "uv", "package.json": "npm", "package-lock.json": "npm", "pom.xml": "maven"}
# What other tools lock. A first one needs its ecosystem above, and its folder in dependabot.yml.
UNKNOWN_FILES = {"Cargo.lock", "Gemfile.lock", "Pipfile.lock", "build.gradle", "build.gradle.kts", "bun.lock",
                 "composer.lock", "go.sum", "gradle.lockfile", "npm-shrinkwrap.json", "packages.lock.json",
                 "pnpm-lock.yaml", "poetry.lock", "requirements.txt", "yarn.lock"}  # fmt: skip


def _updates() -> list[dict[str, Any]]:
    updates: list[dict[str, Any]] = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    return updates


def _files_in_git() -> list[Path]:
    listed = subprocess.run(["git", "-C", ROOT, "ls-files"], check=True, capture_output=True, text=True)
    return [Path(line) for line in listed.stdout.splitlines()]


def test_each_folder_with_packages_is_kept_new() -> None:
    listed = {
        (one["package-ecosystem"], folder)
        for one in _updates()
        if one["package-ecosystem"] in ECOSYSTEMS.values()
        for folder in one.get("directories") or [one["directory"]]
    }
    found = {
        (ECOSYSTEMS[file.name], f"/{file.parent}".replace("/.", "/"))
        for file in _files_in_git()
        if file.name in ECOSYSTEMS
    }
    assert found == listed


def test_there_is_no_lock_file_of_a_tool_that_is_not_watched() -> None:
    assert [file for file in _files_in_git() if file.name in UNKNOWN_FILES] == []


def test_each_folder_with_an_image_of_others_is_kept_new() -> None:
    (listed,) = (one["directories"] for one in _updates() if one["package-ecosystem"] == "docker")
    found = {
        f"/{file.parent.relative_to(ROOT)}".replace("/.", "/")
        for file in (
            *ROOT.glob("Dockerfile*"),
            *(ROOT / "deploy").rglob("Dockerfile*"),
            *(ROOT / "deploy").rglob("*.yaml"),
        )
        if re.search(r"^FROM |^ +(- )?image: (?!product-catalogue/)", file.read_text(), re.MULTILINE)
    }
    assert found == set(listed)
