"""A receiver that does as little as one can: port -> it answers every POST with 204, and every GET with how
many posts came, and the seconds between the first and the last.
"""

import asyncio
import sys
import time

import uvloop

_NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


class _Sink:
    def __init__(self) -> None:
        self.posts = 0
        self.first = self.last = 0.0


class _Connection(asyncio.Protocol):
    """One request at a time; their ends are found by their lengths."""

    def __init__(self, sink: _Sink) -> None:
        self._sink = sink
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            head = self._rest[:end].lower()
            place = head.find(b"content-length:")
            length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if len(self._rest) < end + 4 + length:
                return
            self._rest = self._rest[end + 4 + length :]
            self._answer(is_post=head.startswith(b"post"))

    def _answer(self, *, is_post: bool) -> None:
        sink = self._sink
        if is_post:
            sink.last = time.monotonic()
            sink.first = sink.first or sink.last
            sink.posts += 1
            self._transport.write(_NO_CONTENT)
            return
        body = b"%d %f" % (sink.posts, sink.last - sink.first)
        self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))


async def main(port: int) -> None:
    """Until it is ended."""
    sink = _Sink()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(sink), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
