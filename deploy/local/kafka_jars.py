"""Downloads Kafka's jars from Maven Central into the cache, and checks them against committed hashes.

To resolve them takes ten seconds of CPU time, so the class path is kept in a file for later starts. The
resolver runs as a program of its own (`python -m deploy.local.kafka_jars`), because it logs and warns, and
warnings are errors in the caller.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from deploy.local.cache import cache_dir, locked, sha256_of
from deploy.local.errors import ProgramMissing
from deploy.local.server import Progress

COORDINATES = "org.apache.kafka:kafka_2.13:4.4.0+org.slf4j:slf4j-simple:1.7.36"
HASHES = Path(__file__).with_name("kafka_jars.sha256")
_REPOSITORY = Path(__file__).parents[2]


def kafka_class_path(progress: Progress) -> str:
    """The class path; downloads and checks it the first time. Raises ProgramMissing."""
    with locked("kafka"):
        folder = cache_dir() / "kafka"
        known = folder / f"class-path-{sha256_of(HASHES)[:16]}"
        jars = known.read_text().split("\n") if known.exists() else []
        if not jars or not all(Path(jar).exists() for jar in jars):
            jars = _resolve(folder, progress)
            partial = known.with_suffix(".partial")
            partial.write_text("\n".join(jars))
            partial.rename(known)
    return os.pathsep.join(jars)


def _resolve(folder: Path, progress: Progress) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    environment = {"M2_REPO": str(folder / "maven"), **os.environ, "JGO_CACHE_DIR": str(folder / "jgo")}
    started = time.monotonic()
    with (folder / "resolve.log").open("wb") as log:
        resolver = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.kafka_jars"], cwd=_REPOSITORY, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        while True:
            try:
                output, _errors = resolver.communicate(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                waited_seconds = time.monotonic() - started
                progress(f"downloading Kafka (once): {_megabytes(folder)} of 48 MB, {waited_seconds:.0f} s")
    if resolver.returncode != 0:
        raise ProgramMissing(
            f"Kafka could not be downloaded from Maven Central (see {folder / 'resolve.log'}); "
            "or set KAFKA_BOOTSTRAP_SERVERS to your own broker."
        )
    jars = [line for line in output.splitlines() if line.endswith(".jar")]
    _require_expected(jars)
    return jars


def _megabytes(folder: Path) -> int:
    """The size of the downloads so far; a jar in both folders of the resolver (a link) counts once."""
    sizes = {}
    for root, _folders, names in os.walk(folder):
        for name in names:
            try:
                status = os.stat(os.path.join(root, name))
            except FileNotFoundError:  # a partial download that has just been renamed
                continue
            sizes[status.st_ino] = status.st_size
    return sum(sizes.values()) // 1_000_000


def _require_expected(jars: list[str]) -> None:
    expected = {name: digest for digest, name in (line.split() for line in HASHES.read_text().splitlines())}
    found = {Path(jar).name: sha256_of(Path(jar)) for jar in jars}
    if found != expected:
        names = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
        raise ProgramMissing(f"Kafka's jars are not the expected ones ({', '.join(names)}): not used.")


def main() -> None:
    """Print one jar per line."""
    import jgo

    for jar in jgo.build(COORDINATES).all_jars:
        print(jar)


if __name__ == "__main__":
    main()
