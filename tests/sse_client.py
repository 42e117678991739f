"""A client of server-sent events, as the HTML standard describes one."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx


class Received(NamedTuple):
    """One event that a browser would dispatch."""

    id: str
    event: str
    data: Any


class SseStream:
    """`last_event_id` is what a browser sends when it comes back. `positions`: of all events until now."""

    def __init__(self, response: httpx.Response, last_event_id: str) -> None:
        self.response = response
        self.last_event_id = last_event_id
        self.retry_milliseconds: int | None = None
        self.comments = 0
        self.positions: list[int] = []
        self._events = self._read()

    async def next(self, count: int) -> list[Received]:
        """So many events."""
        return [await anext(self._events) for _ in range(count)]

    async def rest(self) -> list[Received]:
        """Until the server ends the stream."""
        return [each async for each in self._events]

    async def _read(self) -> AsyncIterator[Received]:
        event, data, place = "", [], self.last_event_id
        async for line in self.response.aiter_lines():
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            match name:
                case "" if line:
                    self.comments += 1
                case "":
                    self.last_event_id = place
                    if data:
                        self.positions.append(int(place))
                        yield Received(place, event, json.loads("\n".join(data)))
                    event, data = "", []
                case "id":
                    place = value
                case "event":
                    event = value
                case "data":
                    data.append(value)
                case "retry":
                    self.retry_milliseconds = int(value)


@asynccontextmanager
async def following(
    client: httpx.AsyncClient, last_event_id: str = "", **parameters: Any
) -> AsyncIterator[SseStream]:
    """An open stream."""
    headers = {"last-event-id": last_event_id} if last_event_id else {}
    async with client.stream("GET", "/v1/events/stream", params=parameters, headers=headers) as response:
        if response.status_code != 200:
            await response.aread()
        assert response.status_code == 200, response.text
        yield SseStream(response, last_event_id)
