"""`python -m projector verify [NAME ...]`: are the views what the log says? For schedules and for doubts."""

import sys
from argparse import ArgumentParser, Namespace

from projector.operators.command_line.progress import progress
from projector.operators.command_line.rebuild import DIFFERS
from projector.operators.command_line.session import DONE, USAGE, print_json, run_command
from projector.projections import REBUILDABLE
from projector.rebuild.postgres.log_scan import PostgresLogScan
from projector.rebuild.verify_ports import Verified
from projector.settings import ProjectorSettings
from projector.stores import Stores


def add_verify_arguments(parser: ArgumentParser) -> None:
    """Which views, and how much of them."""
    known = ", ".join(REBUILDABLE)
    parser.add_argument("projection", nargs="*", metavar="NAME", help=f"which ones; default all: {known}")
    parser.add_argument("--sample", type=int, metavar="N", help="only so many products, picked at random")
    parser.add_argument(
        "--json", action="store_true", help="progress as JSON lines, the result as one document"
    )


def run_verify(given: Namespace, settings: ProjectorSettings) -> int:
    """0 all is as the log says, 1 failed, 2 usage, 4 something differs: it is printed."""

    unknown = sorted(set(given.projection) - set(REBUILDABLE))
    if unknown:
        known = ", ".join(REBUILDABLE)
        print(f"cannot verify {', '.join(unknown)}; there are {known}", file=sys.stderr)  # noqa: T201
        return USAGE

    async def command(stores: Stores) -> int:
        results = []
        with progress(as_json=given.json, unit="products") as reporter:
            for name in given.projection or REBUILDABLE:
                log = PostgresLogScan(stores.log_pool)
                reporter.phase("verifying", name)
                reporter.total(given.sample or await log.count_products(await log.newest_position()))
                async with REBUILDABLE[name].verification(stores, reporter.events) as view:
                    results.append(await view.run(given.sample))
        if given.json:
            print_json([result._asdict() for result in results])
        else:
            for result in results:
                _say(result)
        return DIFFERS if any(result.different for result in results) else DONE

    return run_command(settings, command)


def _say(result: Verified) -> None:
    verdict = f"{result.different} differences" if result.different else "as the log says"
    left_out = [
        f"{count} {what}"
        for count, what in ((result.not_there, "not cached"), (result.parked, "parked"))
        if count
    ]
    print(  # noqa: T201
        f"{result.projection}: {verdict}; {result.products} products with {result.events} events"
        + "".join(f", {one}" for one in left_out)
    )
    for line in result.differences:
        print(f"  {line}")  # noqa: T201
    if result.different > len(result.differences):
        print(f"  and {result.different - len(result.differences)} more")  # noqa: T201
