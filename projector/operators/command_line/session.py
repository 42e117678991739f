"""The common part of all commands: connect, run the command, print its outcome, return an exit code."""

from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import msgspec

from projector.applying.dead_letters import Action
from projector.errors import ProjectorError, UnknownPartition, UnknownProjection
from projector.operators.assembly import Operations, operations
from projector.parking.ports import UnknownDeadLetter
from projector.settings import ProjectorSettings
from projector.stores import Stores, open_stores
from shared.access.command import add_token_argument
from shared.access.operator_actions import add_actor_and_reason
from shared.access.scopes import Scope
from shared.ops.terminal import Terminal

DONE, FAILED, USAGE, SOME_FAILED = 0, 1, 2, 3
_CONNECTIONS_MAX = 4
_encode = msgspec.json.Encoder(enc_hook=str).encode


def add_command(
    commands: "_SubParsersAction[ArgumentParser]", name: str, summary: str, *, epilog: str | None = None
) -> ArgumentParser:
    """The text of the list of commands is also the first line of the command's own `--help`."""
    description = f"{summary[0].upper()}{summary[1:]}."
    return commands.add_parser(name, help=summary, description=description, epilog=epilog)


def add_looking_arguments(parser: ArgumentParser) -> None:
    """Who looks."""
    add_token_argument(parser)
    parser.set_defaults(scope=Scope.OPS_READ, acting_as=None)


def add_action_arguments(parser: ArgumentParser, *, needs_reason: bool) -> None:
    """Who does it and why; both are in the audit log."""
    add_token_argument(parser)
    parser.set_defaults(scope=Scope.OPS_WRITE)
    add_actor_and_reason(parser, needs_reason=needs_reason)


def action_of(given: Namespace, name: str) -> Action:
    """The action that is recorded."""
    return Action(given.operator, name, given.reason)


async def run_command(
    settings: ProjectorSettings, terminal: Terminal, command: Callable[[Stores], Awaitable[int]]
) -> int:
    """The command's own exit code; 1 for an outage and 2 for an unknown name or id, each with a line."""
    try:
        async with AsyncExitStack() as stack:
            return await command(await open_stores(settings, _CONNECTIONS_MAX, stack))
    except (UnknownProjection, UnknownDeadLetter, UnknownPartition) as error:
        terminal.complain(str(error))
        return USAGE
    except ProjectorError as error:
        terminal.complain(str(error))
        return FAILED


async def run_operation(
    settings: ProjectorSettings, terminal: Terminal, command: Callable[[Operations], Awaitable[int]]
) -> int:
    """The same for a command that uses `Operations`."""
    return await run_command(settings, terminal, lambda stores: command(operations(stores)))


def say_json(terminal: Terminal, answer: Any) -> None:
    """One JSON document."""
    terminal.say(msgspec.json.format(_encode(answer)).decode())


def say_table(terminal: Terminal, titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns as wide as their widest cell; None is a dash."""
    cells = [list(titles), *([["-" if cell is None else str(cell) for cell in row] for row in rows])]
    widths = [max(len(row[column]) for row in cells) for column in range(len(titles))]
    for row in cells:
        terminal.say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
