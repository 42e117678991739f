"""The pause between the requests of a client."""

import asyncio


async def pause(seconds: float, ended_by: asyncio.Event) -> None:
    """At most until the event."""
    try:
        async with asyncio.timeout(seconds):
            await ended_by.wait()
    except TimeoutError:
        return
