"""Compiles the example in Java with the JDK alone; its jars come from Maven Central, checked by hashes."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.local.cache import cache_dir, locked, sha256_of
from deploy.local.maven import Jars
from deploy.local.server import silent

JAVA_MAJOR_MIN = 17
COORDINATES = (
    "org.apache.kafka:kafka-clients:4.4.0+com.fasterxml.jackson.core:jackson-databind:2.21.7"
    "+org.xerial:sqlite-jdbc:3.54.1.0+org.slf4j:slf4j-simple:1.7.36"
)
JARS = Jars(
    "Examples", COORDINATES, Path(__file__).with_name("jars.sha256"), 25, "leave out the tests of the example"
)


def why_no_java() -> str | None:
    """None: it can run."""
    if shutil.which("javac") is None:
        return f"no JDK is installed ({JAVA_MAJOR_MIN} is needed)"
    told = subprocess.run(["javac", "-version"], capture_output=True, text=True, check=True)
    found = re.search(r"javac (\d+)", told.stdout + told.stderr)
    major = int(found[1]) if found else 0
    return None if major >= JAVA_MAJOR_MIN else f"the JDK is older than {JAVA_MAJOR_MIN}"


def class_path() -> str:
    """Of the libraries; downloads them the first time."""
    return os.pathsep.join(map(str, JARS.paths(silent)))


def compiled(folder: Path) -> Path:
    """The folder of the classes of an example, made once for each state of its sources."""
    sources = sorted((folder / "src" / "main" / "java").rglob("*.java"))
    state = "".join(sha256_of(source)[:6] for source in sources)
    target = cache_dir() / "examples" / f"java-{state}"
    with locked("examples-java"):
        if not target.exists():
            partial = target.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            options = ["--release", str(JAVA_MAJOR_MIN), "-Xlint:all", "-Werror", "-proc:none"]
            command = ["javac", *options, "-cp", class_path(), "-d", str(partial), *map(str, sources)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            partial.rename(target)
    return target


def java_argv(folder: Path) -> Sequence[str]:
    """The command of the stock service. A small heap and one compiler: a test starts it many times."""
    small = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    return ["java", *small, "-cp", os.pathsep.join([str(compiled(folder)), class_path()]), "stock.Main"]
