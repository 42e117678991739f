"""`python -m tests.load`: sends a realistic mix of requests to a running system and writes a report.

Exit code 0: measured; 1: the system could not be measured, or the generator itself was too slow.
"""

import argparse
import json
import random
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path

import uvloop

from deploy.local.settings import StackSettings
from shared.ops.program import end_with
from shared.ops.secret import NO_SECRET, Secret
from tests.load.client import NoAnswer
from tests.load.plan import Plan, rates
from tests.load.report import document
from tests.load.report_text import markdown
from tests.load.run import Lengths, local_target, run
from tests.load.soak import trends

_SECONDS_FOR_TRENDS = 300.0


def main() -> int:
    """The exit code; 2 for wrong usage."""
    parser = _parser()
    given = parser.parse_args()
    try:
        token = Secret.from_file(Path(given.token_file)) if given.token_file else NO_SECRET
    except ValueError as error:
        parser.error(f"--token-file: {error}")
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    plan = Plan(
        seconds=given.minutes * 60,
        rates=rates(commands=given.commands, reads=given.reads, imports=given.imports), seed=seed,
        token_reads=given.token_reads, products=given.products, import_products=given.import_products,
        answer_seconds_max=given.answer_seconds_max, connections_max=given.connections_max,
        late_milliseconds_max=given.late_milliseconds_max,
    )  # fmt: skip
    lengths = Lengths(given.warm_up_seconds, given.cost_seconds, given.recovery_seconds, given.sample_seconds)
    target = local_target(StackSettings.read(Path.cwd()), token)
    target = replace(
        target,
        command_url=given.command_url or target.command_url,
        query_url=given.query_url or target.query_url,
    )
    command = f"make load ARGS={shlex.quote(' '.join(sys.argv[1:]))}"
    try:
        parts, missing = uvloop.run(run(target, plan, lengths, is_quiet=given.quiet))
    except (NoAnswer, OSError, RuntimeError) as error:
        print(f"The system at {target.command_url} cannot be measured: {error}", file=sys.stderr)
        return 1
    samples = [sample for part in parts for sample in part.samples]
    is_long = plan.seconds >= _SECONDS_FOR_TRENDS
    report = document(plan, parts, trends(samples) if is_long else [], missing, command)
    text = markdown(report)
    folder = Path(given.folder or Path(".local") / "load")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / time.strftime("%Y%m%d-%H%M%S")
    file.with_suffix(".json").write_text(json.dumps(report, indent=1))
    file.with_suffix(".md").write_text(text)
    print(f"\n{text}\nThe report is in {file}.md, with the time series in {file}.json.")
    return 0 if report["is_valid"] else 1


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """An option whose text says its default has none here."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None else super()._get_help_string(action)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load",
        description=__doc__,
        formatter_class=_HelpFormatter,
    )
    add = parser.add_argument
    add("--minutes", type=float, default=2.0, help="length of the mix")
    add("--commands", type=float, default=20.0, help="commands per second")
    add("--reads", type=float, default=200.0, help="reads per second")
    add("--imports", type=float, default=0.05, help="imports (batches) per second")
    add("--import-products", type=int, default=Plan.import_products, help="products in a batch")
    add(
        "--token-reads",
        type=float,
        default=Plan.token_reads,
        help="share of commands that are read at once with their token",
    )
    add("--products", type=int, default=Plan.products, help="products made before the run")
    add("--warm-up-seconds", type=float, default=10.0, help="the mix, not measured")
    add("--cost-seconds", type=float, default=10.0, help="commands alone, then reads alone, for their cost")
    add("--recovery-seconds", type=float, default=0.0, help="a tenth of the mix afterwards")
    add("--sample-seconds", type=float, default=5.0, help="between two samples of lag and processes")
    add(
        "--answer-seconds-max",
        type=float,
        default=Plan.answer_seconds_max,
        help="no answer after so long is an error",
    )
    add("--connections-max", type=int, default=Plan.connections_max, help="requests under way per API")
    add("--late-milliseconds-max", type=float, default=Plan.late_milliseconds_max,
        help="above this p99 of the generator's own lateness the run is not valid")  # fmt: skip
    add("--command-url", help="the command API (default: that of `make up` in this directory)")
    add("--query-url", help="the query API (default: that of `make up` in this directory)")
    add("--token-file", help="file with an access token; it is read for each request (default: no token)")
    add("--seed", type=int, help="repeats the schedule of an earlier run (default: a new one)")
    add("--folder", help="folder of the report (default: .local/load)")
    add("--quiet", action="store_true", help="no live line")
    return parser


if __name__ == "__main__":
    end_with(main)
