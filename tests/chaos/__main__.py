"""`python -m tests.chaos`: exit code 0 where nothing is wrong, 1 where the checker found something."""

import argparse
import asyncio
import random
import shlex
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.diary import Diary
from tests.chaos.report import report
from tests.chaos.run import Plan, run
from tests.chaos.schedule import KINDS, kinds_named, schedule
from tests.end_to_end.system import REPOSITORY

_RUNS = REPOSITORY / ".local" / "chaos"
_SECONDS_DEFAULT = 120.0


def main() -> int:
    """The exit code."""
    parser = _parser()
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    seconds = given.seconds if given.minutes is None else given.minutes * 60
    try:
        kinds = [] if given.faults == "none" else kinds_named(given.faults)
    except ValueError as error:
        parser.error(str(error))
    plan = Plan(seed, seconds, kinds, given.every, given.writers, given.readers, given.pause)
    if given.show:
        for fault in schedule(seed, seconds, kinds, every_seconds=given.every):
            print(f"{fault.at:8.1f} {fault}")
        return 0
    folder = Path(given.folder or _RUNS / f"{time.strftime('%Y%m%d-%H%M%S')}-seed-{seed}")
    print(f"seed {seed}; diary, processes' logs and report: {folder}", flush=True)
    return _run(plan, folder, _again(given, seed), is_quiet=given.quiet)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chaos ARGS=", description=__doc__)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="how long things break")
    length.add_argument("--seconds", type=float, default=_SECONDS_DEFAULT, help="the same (120)")
    parser.add_argument("--seed", type=int, help="of a run to be repeated; else a new one")
    parser.add_argument("--faults", default=",".join(KINDS), help=f"none, or some of {', '.join(KINDS)}")
    parser.add_argument("--every", type=float, default=2.5, help="seconds between faults on average (2.5)")
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument(
        "--pause", type=float, default=0.1, help="of a client between requests, in seconds (0.1)"
    )
    parser.add_argument("--show", action="store_true", help="print the schedule, and run nothing")
    parser.add_argument("--folder", help="for diary, logs and report (.local/chaos/...)")
    parser.add_argument("--quiet", action="store_true", help="print the report only")
    return parser


def _run(plan: Plan, folder: Path, again: str, *, is_quiet: bool) -> int:
    diary = Diary(folder / "diary.log", interval_seconds=10, is_quiet=is_quiet)
    diary.tell(again)
    data = Path(tempfile.mkdtemp(prefix="product-catalogue-chaos-"))
    data.chmod(0o711)  # PostgreSQL does not run as root, and must be able to reach its data
    try:
        outcome = asyncio.run(run(plan, data, folder, diary))
    finally:
        shutil.rmtree(data)
    told = report(outcome, again)
    print(told, flush=True)
    everything = "\n".join(outcome.problems)
    (folder / "report.txt").write_text(f"{told}\n\n{everything}\n")
    return 1 if outcome.problems else 0


def _again(given: argparse.Namespace, seed: int) -> str:
    arguments = [f"--seed {seed}"]
    arguments.append(
        f"--seconds {given.seconds:g}" if given.minutes is None else f"--minutes {given.minutes:g}"
    )
    if given.faults != ",".join(KINDS):
        arguments.append(f"--faults {given.faults}")
    for name, default in (("every", 2.5), ("writers", 8), ("readers", 4), ("pause", 0.1)):
        if getattr(given, name) != default:
            arguments.append(f"--{name} {getattr(given, name):g}")
    return f"make chaos ARGS={shlex.quote(' '.join(arguments))}"


if __name__ == "__main__":
    sys.exit(main())
