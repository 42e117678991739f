"""`python -m tests.chaos.watched_process PACKAGE ARGUMENTS`: logs the stacks of its tasks on SIGUSR2.

A process that hangs after faults looks healthy from outside; the stacks show what it waits for.
"""

import asyncio
import os
import runpy
import signal
import sys
from collections.abc import Iterator
from typing import Any

TELL = signal.SIGUSR2


def run_watched(package: str, *arguments: str) -> None:
    """Run `python -m package arguments` in this process."""
    signal.signal(TELL, lambda *_: tell())
    sys.argv = [package, *arguments]
    runpy.run_module(package, run_name="__main__", alter_sys=True)


def tell() -> None:
    """Print all tasks of the running loop to stdout, in one write, so that no other lines come between."""
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        tasks = set()
    lines = [f"== {len(tasks)} tasks of {' '.join(sys.argv)}"]
    for task in sorted(tasks, key=lambda task: task.get_name()):
        lines.append(f"task {task.get_name()}{' (being cancelled)' if task.cancelling() else ''}")
        lines += [f"    {where}" for where in waiting_at(task.get_coro())]
    os.write(sys.stdout.fileno(), ("\n".join(lines) + "\n").encode())


def waiting_at(awaited: Any) -> Iterator[str]:
    """The file and line of each frame, from the outermost coroutine to the one that waits."""
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is None:
            yield repr(awaited)
            return
        yield f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)


if __name__ == "__main__":
    run_watched(*sys.argv[1:])
