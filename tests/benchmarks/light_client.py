"""A fast keep-alive HTTP/1.1 client, because the load generator must not limit the measurement.

It supports the answers of our servers: a Content-Length or no body. Everything else is an error.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec


class Answer(NamedTuple):
    """Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body."""
        return msgspec.json.decode(self.body)


class Refused(RuntimeError):
    """The answer has a status of 400 and above."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class LightClient:
    """Connections to one server, reused; as many as requests are in flight."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = None
    ) -> Answer:
        """One request. Raises `Refused` for any status of 400 and above."""
        encoded = b"" if body is None else msgspec.json.encode(body)
        lines = [f"{method} {path} HTTP/1.1", f"host: {self._host}"]
        # A GET without a length is a hot read.
        lines += [f"content-length: {len(encoded)}"] if encoded or method != "GET" else []
        lines += ["content-type: application/json"] if encoded else []
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        reader, writer = await self._connection()
        writer.write("\r\n".join([*lines, "", ""]).encode() + encoded)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in head[1:-2])
        answered = {name.lower(): value.strip() for name, _, value in fields}
        rest = await reader.readexactly(int(answered.get("content-length", "0")))
        answer = Answer(int(head[0].split(" ")[1]), answered, rest)
        self._idle.append((reader, writer))
        if answer.status >= 400:
            text = f"{method} {path}: {answer.status} {answer.body[:300]!r}"
            raise Refused(answer.status, text)
        return answer

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """One that the server has not closed meanwhile, as it does with those that are idle for long."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, self._port)

    def close(self) -> None:
        """Drop the connections."""
        for _, writer in self._idle:
            writer.close()
