"""granian inside our own process: the HTTP parsing in Rust, the application on our event loop.

About 1.3 times uvicorn on the hot read (measured side by side on one core). `granian.server.embed` runs in
this process, so the port closes with it, even after SIGKILL; the command `granian` would start workers that
outlive it. Same interface as `shared.ops.http.server.HttpServer`.
"""

import asyncio
import errno
import socket

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from shared.ops.http.asgi import ASGIApp
from shared.ops.http.server import PortTaken

_MILLISECONDS = 1000


class GranianServer:
    """One listening port and its ASGI app; `connections_max` bounds what is open at the same time."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        port: int,
        port_setting: str,
        backlog: int = 2048,
        connections_max: int = 4096,
        header_seconds_max: int = 30,
    ) -> None:
        self._app = app
        self.host = host
        self.port = port
        self._port_setting = port_setting
        self._backlog = backlog
        self._connections_max = connections_max
        self._header_seconds_max = header_seconds_max
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen and serve; `port` then is the bound one. Raises `PortTaken`, or OSError for a wrong
        address.
        """
        self.port = _free_port(self.host, self.port, self._port_setting)
        # granian counts any answer as a whole one, so it needs no lifespan and no websockets.
        self._server = Server(
            self._app,
            address=self.host,
            port=self.port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=self._header_seconds_max * _MILLISECONDS),
            websockets=False,
            backlog=self._backlog,
            backpressure=self._connections_max,
            log_level=LogLevels.error,
            log_dictconfig={"handlers": {}, "formatters": {}, "loggers": {}},
        )
        self._serving = asyncio.create_task(self._server.serve(), name=f"http-{self.port}")
        # The socket is bound and the worker started in the task's first steps, before it first waits.
        await asyncio.sleep(0)
        if self._serving.done():
            await self._serving

    async def ended(self) -> None:
        """Return when the server no longer serves, for whatever reason."""
        if self._serving is not None:
            await asyncio.wait((self._serving,))

    async def stop(self, seconds_max: float) -> None:
        """Stop accepting, let requests in flight finish for `seconds_max`. Safe to call twice, and
        before `start`.
        """
        if self._server is None or self._serving is None:
            return
        server, serving, self._server, self._serving = self._server, self._serving, None, None
        server.stop()  # type: ignore[no-untyped-call]
        done, _ = await asyncio.wait((serving,), timeout=seconds_max)
        if not done:
            serving.cancel()


def _free_port(host: str, port: int, port_setting: str) -> int:
    """The port, known to be free. granian binds with SO_REUSEPORT and would share a taken one in silence."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(f"port {port} ({port_setting}) is already in use on {host}") from error
            raise
        bound: int = probe.getsockname()[1]
        return bound
