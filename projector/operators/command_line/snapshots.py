"""`python -m projector snapshots`: makes the snapshots of long streams that are missing."""

from argparse import ArgumentParser, Namespace

from projector.operators.command_line.progress import progress
from projector.operators.command_line.session import DONE, SOME_FAILED, run_command, say_json
from projector.settings import ProjectorSettings
from projector.snapshots.make import make_snapshots
from projector.stores import Stores
from shared.access.command import add_token_argument
from shared.access.scopes import Scope
from shared.ops.program import CODES_OF_SIGNALS
from shared.ops.terminal import Terminal


def add_snapshot_arguments(parser: ArgumentParser) -> None:
    """Who does it. It is not in the audit log: it changes nothing that anybody reads."""
    add_token_argument(parser)
    parser.set_defaults(scope=Scope.OPS_WRITE, acting_as=None)
    parser.epilog = (
        f"Exit codes: 0 done; 1 failed; 2 wrong usage; 3 some products cannot be read; {CODES_OF_SIGNALS}."
    )
    parser.add_argument(
        "--json", action="store_true", help="print progress as JSON lines and the result as one document"
    )


async def run_snapshots(given: Namespace, settings: ProjectorSettings, terminal: Terminal) -> int:
    """0: all are there. 3: some products cannot be read; they are printed."""

    async def command(stores: Stores) -> int:
        with progress(terminal, as_json=given.json, unit="products") as reporter:
            made = await make_snapshots(stores, reporter)
        if given.json:
            say_json(terminal, made._asdict())
        else:
            terminal.say(f"{made.products} products with long streams; {made.snapshots} snapshots made")
        for line in made.unreadable:
            terminal.complain(f"cannot be read: {line}")
        return SOME_FAILED if made.unreadable else DONE

    return await run_command(settings, terminal, command)
