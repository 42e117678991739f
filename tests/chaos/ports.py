"""Ports that stay ours while their owner is dead: they are below those that the kernel gives to clients."""

import random
from collections.abc import Iterator

from deploy.local.ports import port_is_taken

_FIRST, _LAST = 20_000, 32_000


def lasting_ports() -> Iterator[int]:
    """Free ports, each once; from a random start, so that two runs on one machine do not meet."""
    start = random.SystemRandom().randrange(_FIRST, _LAST)
    for port in (*range(start, _LAST), *range(_FIRST, start)):
        if not port_is_taken(port):
            yield port
