"""A main as a real process, which has said `ready` and is told to stop."""

import asyncio
import sys


class StartedMain:
    """Of a program that prints `ready` as soon as its main runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def said(self, line: str) -> None:
        """The next line of its output is this one."""
        assert self.process.stdout is not None
        assert (await self.process.stdout.readline()).decode().strip() == line

    async def ended(self) -> tuple[int | None, str]:
        """Exit code, and all that it wrote to its standard error."""
        _, errors = await self.process.communicate()
        return self.process.returncode, errors.decode()


async def start_main(program: str, *arguments: str, errors: int = asyncio.subprocess.PIPE) -> StartedMain:
    """Run Python code; `errors` is its standard error."""
    started = StartedMain(
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=errors
        )
    )
    await started.said("ready")
    return started
