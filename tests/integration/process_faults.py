"""A fault in a process that production code knows nothing of: a method is wrapped from outside."""

import os
import signal
from collections.abc import Mapping
from typing import Any


def install(fault: str, places: Mapping[str, tuple[Any, str]]) -> str:
    """Wrap the method that `<kill|pause>-<place>:<n>` names: at its n-th call SIGKILL, or SIGSTOP until
    SIGCONT. Answers `kill` or `pause`.
    """
    name, count = fault.split(":")
    what, place = name.split("-", 1)
    owner, method = places[place]
    original, calls_left = getattr(owner, method), int(count)

    async def faulty(self: Any, *arguments: Any, **more: Any) -> Any:
        nonlocal calls_left
        calls_left -= 1
        if calls_left == 0:
            os.kill(os.getpid(), signal.SIGKILL if what == "kill" else signal.SIGSTOP)
        return await original(self, *arguments, **more)

    setattr(owner, method, faulty)
    return what
