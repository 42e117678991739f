"""`python -m projector pause | resume NAME`."""

from argparse import ArgumentParser, Namespace

from projector.operators.assembly import Operations
from projector.operators.command_line.session import DONE, action_of, add_action_arguments, run_operation
from projector.projections import CONTROLLED
from projector.settings import ProjectorSettings
from shared.ops.terminal import Terminal


def add_pause_arguments(parser: ArgumentParser) -> None:
    """Which projection, who pauses it, and why."""
    parser.add_argument("projection", help=f"one of {', '.join(CONTROLLED)}")
    add_action_arguments(parser, needs_reason=True)


def add_resume_arguments(parser: ArgumentParser) -> None:
    """Which projection, and who resumes it."""
    parser.add_argument("projection", help=f"one of {', '.join(CONTROLLED)}")
    add_action_arguments(parser, needs_reason=False)


async def run_control(given: Namespace, settings: ProjectorSettings, terminal: Terminal) -> int:
    """0: done. 1: an outage. 2: there is no such projection."""

    async def command(operations: Operations) -> int:
        pausing = operations.pausing
        change = pausing.pause if given.command == "pause" else pausing.resume
        await change(given.projection, action_of(given, given.command))
        terminal.say(f"{given.projection}: {given.command} requested; takes effect within about a second")
        return DONE

    return await run_operation(settings, terminal, command)
