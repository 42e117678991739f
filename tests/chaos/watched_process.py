"""`python -m tests.chaos.watched_process PACKAGE ARGUMENTS`: tells on SIGUSR2 what it waits for.

A process that hangs after a storm looks well from outside. The stacks of its tasks, in its log, tell why.
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
    """`python -m package arguments`, in this process, from now on."""
    signal.signal(TELL, lambda *_: tell())
    sys.argv = [package, *arguments]
    runpy.run_module(package, run_name="__main__", alter_sys=True)


def tell() -> None:
    """All tasks of the running loop to stdout, in one write: other lines must not come between."""
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
    """From the outermost coroutine to what it waits for in the end, file and line each."""
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is None:
            yield repr(awaited)
            return
        yield f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)


if __name__ == "__main__":
    run_watched(*sys.argv[1:])
