"""`python -m tests.chaos`: exit code 0 where nothing is wrong, 1 where the checker found something."""

import argparse
import asyncio
import random
import shlex
import sys
import time
from pathlib import Path

from tests.chaos.breaks import BREAKS, CONTROL, prefixes_of
from tests.chaos.diary import Diary
from tests.chaos.report import report
from tests.chaos.run import Plan, run
from tests.chaos.schedule import KINDS, kinds_named
from tests.end_to_end.system import REPOSITORY
from tests.run_folder import RunFolder, sweep

_RUNS = REPOSITORY / ".local" / "chaos"
_SECONDS_DEFAULT = 120.0
_ALL_BREAKS = "all"


def main() -> int:
    """The exit code; 2 for wrong usage."""
    parser = _parser()
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    try:
        if given.breaking == _ALL_BREAKS:
            return _break_all(given, seed)
        plan = _plan(given, given.breaking, seed)
    except ValueError as error:
        parser.error(str(error))
    if given.show:
        for fault in plan.schedule():
            print(f"{fault.at:8.1f} {fault}")
        return 0
    return 1 if _run(given, given.breaking, plan) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="how long things break")
    length.add_argument("--seconds", type=float, default=_SECONDS_DEFAULT, help="the same (120)")
    parser.add_argument("--seed", type=int, help="of a run to be repeated; else a new one")
    parser.add_argument("--faults", help=f"`none`, or some of {', '.join(KINDS)}; else all")
    parser.add_argument("--on", help="only on targets whose names begin so, such as relay,kafka")
    parser.add_argument("--every", type=float, default=2.5, help="seconds between faults on average (2.5)")
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0.1, help="of a client, in seconds on average (0.1)")
    parser.add_argument(
        "--break", dest="breaking", choices=[*BREAKS, _ALL_BREAKS], metavar="GUARD",
        help=f"take a guard away, which must be found: {', '.join(BREAKS)}; or all, one after the other",
    )  # fmt: skip
    parser.add_argument("--show", action="store_true", help="print the schedule, and run nothing")
    parser.add_argument("--folder", help="for diary, logs and report (.local/chaos/...)")
    parser.add_argument("--quiet", action="store_true", help="print the report only")
    return parser


def _plan(given: argparse.Namespace, breaking: str | None, seed: int) -> Plan:
    """Raises ValueError for a fault that there is not."""
    guard = BREAKS[breaking] if breaking is not None else None
    faults = given.faults or (guard.faults if guard is not None else None)
    on = given.on or (guard.on if guard is not None else None)
    return Plan(
        seed, given.minutes * 60 if given.minutes is not None else given.seconds,
        list(KINDS) if faults is None else [] if faults == "none" else kinds_named(faults),
        given.every, on.split(",") if on else (), given.writers, given.readers, given.pause,
        prefixes_of(breaking) if breaking is not None else {},
    )  # fmt: skip


def _run(given: argparse.Namespace, breaking: str | None, plan: Plan) -> list[str]:
    """The problems that were found, and told."""
    name = "-".join(
        [time.strftime("%Y%m%d-%H%M%S"), f"seed-{plan.seed}", *([] if breaking is None else [breaking])]
    )
    folder = Path(given.folder or _RUNS / name)
    again = _again(given, breaking, plan.seed)
    print(f"seed {plan.seed}; diary, processes' logs and report: {folder}", flush=True)
    diary = Diary(folder / "diary.log", interval_seconds=10, is_quiet=given.quiet)
    diary.tell(again)
    sweep()
    data = RunFolder()
    try:
        outcome = asyncio.run(run(plan, data.path, folder, diary))
    finally:
        data.close()
    told = report(outcome, again)
    print(told, flush=True)
    everything = "\n".join(outcome.problems)
    (folder / "report.txt").write_text(f"{told}\n\n{everything}\n")
    return outcome.problems


def _break_all(given: argparse.Namespace, seed: int) -> int:
    """Each guard in a run of its own; 0 if every one that is missing was noticed, and none but those."""
    found = {name: _run(given, name, _plan(given, name, seed)) for name in BREAKS}
    print("\nguards taken away:")
    for name, problems in found.items():
        told = f"{len(problems)} problems, such as: {problems[0][:160]}" if problems else "nothing was found"
        print(f"  {name:15} {told}")
    is_as_it_should_be = all(bool(problems) == (name != CONTROL) for name, problems in found.items())
    print("every missing guard was noticed" if is_as_it_should_be else "NOT AS IT SHOULD BE")
    return 0 if is_as_it_should_be else 1


def _again(given: argparse.Namespace, breaking: str | None, seed: int) -> str:
    arguments = [f"--seed {seed}"]
    arguments.append(
        f"--seconds {given.seconds:g}" if given.minutes is None else f"--minutes {given.minutes:g}"
    )
    if breaking is not None:
        arguments.append(f"--break {breaking}")
    for name in ("faults", "on"):
        if getattr(given, name) is not None:
            arguments.append(f"--{name} {getattr(given, name)}")
    for name, default in (("every", 2.5), ("writers", 8), ("readers", 4), ("pause", 0.1)):
        if getattr(given, name) != default:
            arguments.append(f"--{name} {getattr(given, name):g}")
    return f"make chaos ARGS={shlex.quote(' '.join(arguments))}"


if __name__ == "__main__":
    sys.exit(main())
