"""Where the time of a test run goes: `python -m tests.durations RESULTS.xml`, written by `--junitxml`.

Prints tests and seconds by folder, the slowest tests, and SECONDS_BY_FILE of tests/distribution.py. The
seconds of a test are those of its fixtures, too; a run with two workers takes about half their sum.
"""

from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

SLOWEST = 20
LISTED_SECONDS_MIN = 10.0


@dataclass(frozen=True)
class Measured:
    """One test of a run."""

    file: str
    name: str
    seconds: float


def read(results: str) -> list[Measured]:
    """The tests of a file in JUnit's format, as pytest writes it."""
    cases = ElementTree.fromstring(results).iter("testcase")
    return [Measured(_file(case), case.attrib["name"], float(case.attrib["time"])) for case in cases]


def seconds_by(names: Iterable[tuple[str, float]]) -> Mapping[str, float]:
    """Summed, the largest first."""
    sums: dict[str, float] = defaultdict(float)
    for name, seconds in names:
        sums[name] += seconds
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def tables(tests: list[Measured]) -> Iterable[str]:
    """Lines of Markdown, then lines of Python."""
    by_folder = seconds_by((test.file.rpartition("/")[0], test.seconds) for test in tests)
    count_by_folder = seconds_by((test.file.rpartition("/")[0], 1) for test in tests)
    yield "| folder | tests | seconds |"
    yield "|---|---|---|"
    for folder, seconds in by_folder.items():
        yield f"| `{folder}` | {count_by_folder[folder]:,.0f} | {seconds:,.0f} |"
    yield f"| all | {len(tests):,} | {sum(by_folder.values()):,.0f} |"
    yield ""
    yield "| seconds | test |"
    yield "|---|---|"
    for test in sorted(tests, key=lambda test: -test.seconds)[:SLOWEST]:
        yield f"| {test.seconds:.0f} | `{test.file.removeprefix('tests/')}::{test.name}` |"
    yield ""
    yield "SECONDS_BY_FILE: dict[str, float] = {"
    for file, seconds in seconds_by((test.file, test.seconds) for test in tests).items():
        if seconds >= LISTED_SECONDS_MIN:
            yield f'    "{file}": {seconds:.0f},'
    yield "}"


def _file(case: ElementTree.Element) -> str:
    """From `tests.unit.ops.test_logs` or `tests.unit.ops.test_logs.TestOfAClass`."""
    parts = case.attrib["classname"].split(".")
    last = next((at for at, part in enumerate(parts) if part.startswith("test_")), len(parts) - 1)
    return "/".join(parts[: last + 1]) + ".py"


def main() -> None:
    """A wrong use ends with a line and exit code 2."""
    parser = ArgumentParser(prog="python -m tests.durations", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", type=Path, metavar="RESULTS.xml", help="made by pytest's --junitxml")
    results: Path = parser.parse_args().results
    try:
        tests = read(results.read_text())
    except (OSError, ElementTree.ParseError) as error:
        parser.error(f"{results}: {error}")
    print("\n".join(tables(tests)))


if __name__ == "__main__":
    main()
