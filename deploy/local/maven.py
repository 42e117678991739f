"""Downloads jars from Maven Central into the cache, and checks them against committed hashes.

To resolve them takes ten seconds of CPU time, so the list is kept in a file for later starts. The resolver
runs as a program of its own (`python -m deploy.local.maven`), because it logs and warns, and warnings are
errors in the caller.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from deploy.local.cache import cache_dir, locked, sha256_of
from deploy.local.errors import ProgramMissing
from deploy.local.server import Progress

_REPOSITORY = Path(__file__).parents[2]


class Jars(NamedTuple):
    """What a server consists of. `name` is for people, `instead` what they can do without the download."""

    name: str
    coordinates: str
    hashes: Path
    megabytes: int
    instead: str

    @property
    def folder(self) -> Path:
        """Where they are in the cache."""
        return cache_dir() / self.name.lower()

    def paths(self, progress: Progress) -> list[Path]:
        """All jars; downloads and checks them the first time. Raises ProgramMissing."""
        with locked(self.name.lower()):
            known = self.folder / f"class-path-{sha256_of(self.hashes)[:16]}"
            jars = known.read_text().split("\n") if known.exists() else []
            if not jars or not all(Path(jar).exists() for jar in jars):
                jars = self._resolve(progress)
                partial = known.with_suffix(".partial")
                partial.write_text("\n".join(jars))
                partial.rename(known)
        return [Path(jar) for jar in jars]

    def _resolve(self, progress: Progress) -> list[str]:
        folder = self.folder
        folder.mkdir(parents=True, exist_ok=True)
        environment = {"M2_REPO": str(folder / "maven"), **os.environ, "JGO_CACHE_DIR": str(folder / "jgo")}
        started = time.monotonic()
        with (folder / "resolve.log").open("wb") as log:
            resolver = subprocess.Popen(
                [sys.executable, "-m", "deploy.local.maven", self.coordinates], cwd=_REPOSITORY,
                env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
            while True:
                try:
                    output, _errors = resolver.communicate(timeout=0.5)
                    break
                except subprocess.TimeoutExpired:
                    waited = (
                        f"{_megabytes(folder)} of {self.megabytes} MB, {time.monotonic() - started:.0f} s"
                    )
                    progress(f"downloading {self.name} (once): {waited}")
        if resolver.returncode != 0:
            raise ProgramMissing(
                f"{self.name} could not be downloaded from Maven Central (see {folder / 'resolve.log'}); "
                f"or {self.instead}."
            )
        jars = [line for line in output.splitlines() if line.endswith(".jar")]
        self._require_expected(jars)
        return jars

    def _require_expected(self, jars: list[str]) -> None:
        lines = self.hashes.read_text().splitlines()
        expected = {name: digest for digest, name in map(str.split, lines)}
        found = {Path(jar).name: sha256_of(Path(jar)) for jar in jars}
        if found != expected:
            names = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
            raise ProgramMissing(
                f"{self.name}'s jars are not the expected ones ({', '.join(names)}): not used."
            )


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


def main() -> None:
    """Print one jar per line."""
    import jgo

    for jar in jgo.build(sys.argv[1]).all_jars:
        print(jar)


if __name__ == "__main__":
    main()
