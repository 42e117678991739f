"""`python -m tests.chaos`: breaks the system at random and checks it; exit code 0: no problems, 1:
problems.
"""

import argparse
import asyncio
import random
import shlex
import time
from pathlib import Path

from shared.ops.program import end_with
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
    length.add_argument("--minutes", type=float, help="how long faults happen")
    length.add_argument(
        "--seconds", type=float, default=_SECONDS_DEFAULT, help="how long faults happen (120)"
    )
    parser.add_argument(
        "--seed", type=int, help="the seed of an earlier run, to repeat its schedule (a new one)"
    )
    parser.add_argument("--faults", help=f"`none`, or some of {', '.join(KINDS)} (all)")
    parser.add_argument("--on", help="only targets whose names begin with one of these, such as relay,kafka")
    parser.add_argument("--every", type=float, default=2.5, help="seconds between faults on average (2.5)")
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument(
        "--pause", type=float, default=0.1, help="seconds between a client's requests on average (0.1)"
    )
    parser.add_argument(
        "--break", dest="breaking", choices=[*BREAKS, _ALL_BREAKS], metavar="GUARD",
        help=f"remove a guard; the run must find problems: {', '.join(BREAKS)}; or all, one after the other",
    )  # fmt: skip
    parser.add_argument("--show", action="store_true", help="print the schedule and run nothing")
    parser.add_argument("--folder", help="folder for diary, logs and report (.local/chaos/...)")
    parser.add_argument("--quiet", action="store_true", help="print the report only")
    return parser


def _plan(given: argparse.Namespace, breaking: str | None, seed: int) -> Plan:
    """Raises ValueError for an unknown fault."""
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
    """Run, print the report, and return the problems."""
    name = "-".join(
        [time.strftime("%Y%m%d-%H%M%S"), f"seed-{plan.seed}", *([] if breaking is None else [breaking])]
    )
    folder = Path(given.folder or _RUNS / name)
    again = _again(given, breaking, plan.seed)
    print(f"seed {plan.seed}; diary, logs and report are in {folder}", flush=True)
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
    """Remove each guard in a run of its own; 0 if each run found problems, except the control run."""
    found = {name: _run(given, name, _plan(given, name, seed)) for name in BREAKS}
    print("\nremoved guards:")
    for name, problems in found.items():
        told = f"{len(problems)} problems, such as: {problems[0][:160]}" if problems else "no problems"
        print(f"  {name:15} {told}")
    is_as_it_should_be = all(bool(problems) == (name != CONTROL) for name, problems in found.items())
    print(
        "every missing guard was noticed"
        if is_as_it_should_be
        else "FAILED: a missing guard was not noticed, or the control run had problems"
    )
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
    end_with(main)
