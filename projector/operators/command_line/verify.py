"""`python -m projector verify [NAME ...]`: compares views with the log; for a schedule, or in doubt."""

import time
from argparse import ArgumentParser, Namespace

from projector.errors import ProjectorError
from projector.operators.command_line.progress import progress
from projector.operators.command_line.rebuild import DIFFERS
from projector.operators.command_line.session import (
    DONE,
    FAILED,
    USAGE,
    add_looking_arguments,
    run_command,
    say_json,
)
from projector.projections import BY_NAME, REBUILDABLE, rebuildable
from projector.rebuild.postgres.verifications import PostgresVerifications
from projector.rebuild.rebuild import Reporter
from projector.rebuild.verify_ports import Verified
from projector.settings import ProjectorSettings
from projector.stores import Stores
from shared.ops.arguments import positive
from shared.ops.program import CODES_OF_SIGNALS
from shared.ops.terminal import Terminal


def add_verify_arguments(parser: ArgumentParser) -> None:
    """Which views, and how many products."""
    add_looking_arguments(parser)
    parser.epilog = (
        "Exit codes: 0 all is as the log says; 1 failed; 2 wrong usage; 4 there are differences; "
        f"{CODES_OF_SIGNALS}."
    )
    known = ", ".join(REBUILDABLE)
    parser.add_argument(
        "projection", nargs="*", metavar="NAME", help=f"views to verify; default all: {known}"
    )
    parser.add_argument(
        "--sample", type=positive, metavar="N", help="verify only N products, chosen at random"
    )
    parser.add_argument(
        "--json", action="store_true", help="print progress as JSON lines and the result as one document"
    )


async def run_verify(given: Namespace, settings: ProjectorSettings, terminal: Terminal) -> int:
    """0: all is as the log says. 1: failed. 2: wrong usage. 4: there are differences; they are printed.

    Each result is stored as soon as its view is compared, and only then: what is cut off stores nothing.
    """
    unknown = sorted(set(given.projection) - set(REBUILDABLE))
    if unknown:
        known = ", ".join(REBUILDABLE)
        terminal.complain(f"cannot verify {', '.join(unknown)}; known views: {known}")
        return USAGE
    for name in given.projection:
        if lacking := BY_NAME[name].lacks(settings):
            terminal.complain(f"{name} cannot be verified: set {lacking}")
            return USAGE

    async def command(stores: Stores) -> int:
        results: list[Verified] = []
        failures: list[str] = []
        with progress(terminal, as_json=given.json, unit="products") as reporter:
            for name in given.projection or rebuildable(settings):
                reporter.phase("verifying", name)
                started = time.monotonic()
                try:
                    results.append(await _verified(name, given.sample, stores, reporter))
                except ProjectorError as error:
                    failures.append(f"{name} is not verified, and no result is stored: {error}")
                    continue
                try:
                    await PostgresVerifications(stores.read_model).store(
                        results[-1], is_sample=given.sample is not None, seconds=time.monotonic() - started
                    )
                except ProjectorError as error:
                    failures.append(f"{name} is verified, but its result could not be stored: {error}")
        if given.json:
            say_json(terminal, [result._asdict() for result in results])
        else:
            for result in results:
                _say(result, terminal)
        for failure in failures:
            terminal.complain(failure)
        if any(result.different for result in results):
            return DIFFERS
        return FAILED if failures else DONE

    return await run_command(settings, terminal, command)


async def _verified(name: str, sample: int | None, stores: Stores, reporter: Reporter) -> Verified:
    async with REBUILDABLE[name].verification(stores, reporter.events) as verification:
        reporter.total(await verification.products_to_compare(sample))
        return await verification.run(sample)


def _say(result: Verified, terminal: Terminal) -> None:
    differences = "difference" if result.different == 1 else "differences"
    verdict = f"{result.different} {differences}" if result.different else "as the log says"
    left_out = [
        f"{count} {what}"
        for count, what in ((result.not_there, "not cached"), (result.parked, "parked"))
        if count
    ]
    terminal.say(
        f"{result.projection}: {verdict}; {result.products} products with {result.events} events"
        + "".join(f", {one}" for one in left_out)
    )
    if result.left_out is not None:
        terminal.say(
            f"  not compared: products that are gone, and rows that products share; {result.left_out}"
        )
    for line in result.differences:
        terminal.say(f"  {line}")
    if result.different > len(result.differences):
        terminal.say(f"  and {result.different - len(result.differences)} more")
