"""uvicorn inside our own process: our event loop, our signals, our start and stop order.

`uvicorn.run` owns the loop and the signal handlers, so nothing can run between "accept no more requests" and
"close the pools". Here the process binds first (a taken port is an error before anything else starts) and
decides when to stop. The socket is not inheritable (PEP 446), so it closes with the process, even after
SIGKILL.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from functools import partial

import uvicorn

from shared.ops.concurrency.waits import until_turn
from shared.ops.http.answer_headers import AnswerHeaders
from shared.ops.http.asgi import ASGIApp
from shared.ops.http.cross_origin import CrossOrigin
from shared.ops.http.in_flight import InFlight
from shared.ops.http.limits import ConnectionLimits
from shared.ops.http.port_load import PortLoad
from shared.ops.http.protocol import BoundedHttpProtocol
from shared.ops.overload.overload import Overload

# How long a cancelled request may take to release its resources.
_CANCEL_SECONDS_MAX = 1.0
# The Date header counts in seconds.
_DATE_SECONDS = 1.0
# While draining: how often new connections are told, and the last one's end is noticed.
_DRAIN_LOOK_SECONDS = 0.05


class PortTaken(OSError):
    """Another process listens on the port; the message names the setting to change."""


class HttpServer:
    """One listening socket and its ASGI app.

    `keep_alive_seconds` is above the usual 60 s of load balancers, so that they close idle connections and
    never send a request into one that we are closing. `http_limit` is the number of requests in flight beyond
    which new ones get 503 with Retry-After (None: no limit); uvicorn's own `limit_concurrency` counts idle
    connections too and answers plain text. `protocol` makes connections from uvicorn's arguments, and
    `limits` bound the resources of one client. `headers` are in every answer. `overload` refuses what would
    wait too long (None: nothing, as on the operations ports).
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        port: int,
        port_setting: str,
        keep_alive_seconds: int = 75,
        backlog: int = 2048,
        http_limit: int | None = None,
        protocol: Callable[..., asyncio.Protocol] = BoundedHttpProtocol,
        limits: ConnectionLimits | None = None,
        headers: AnswerHeaders | None = None,
        overload: Overload | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._port_setting = port_setting
        self._backlog = backlog
        self._overload = overload
        limits = limits or ConnectionLimits()
        headers = headers or AnswerHeaders()
        load = PortLoad(http_limit, limits.bodies_bytes_max, overload)
        bounded = InFlight(app, load)
        connection = partial(protocol, limits=limits, headers=headers, load=load)
        config = uvicorn.Config(
            bounded if headers.origins is None else CrossOrigin(bounded, headers.origins),
            interface="asgi3",
            http=connection,  # type: ignore[arg-type]  # any callable does
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            headers=[(name.decode(), value.decode()) for name, value in headers.always],
            proxy_headers=False,
            backlog=backlog,
            timeout_keep_alive=keep_alive_seconds,
        )
        config.load()
        self._uvicorn = uvicorn.Server(config)
        self._socket: socket.socket | None = None
        self._ticking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Bind, listen and serve; `port` then is the bound one. Raises `PortTaken`, or OSError for a wrong
        address.
        """
        self._socket = _listen(self.host, self.port, self._backlog, self._port_setting)
        self.port = self._socket.getsockname()[1]
        server = self._uvicorn
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup(sockets=[self._socket])
        if self._overload is not None:
            self._overload.loop_delay.start(asyncio.get_running_loop())
        self._ticking = asyncio.create_task(_tell_the_time(server), name=f"http-{self.port}")

    async def stop(self, seconds_max: float, *, drain_seconds: float = 0.0) -> None:
        """Stop accepting, close idle connections, let requests in flight finish, cancel those that do not
        within `seconds_max`.

        If an idle connection is closed in the moment in which its client sends a request, that request is
        lost. So all is served for `drain_seconds` before (at most half of `seconds_max`), with answers that
        end their connections. Safe to call twice, and before `start`.
        """
        if self._socket is None or self._ticking is None:
            return
        listening, ticking, self._socket, self._ticking = self._socket, self._ticking, None, None
        drained_seconds = min(drain_seconds, seconds_max / 2)
        await self._drain(drained_seconds)
        ticking.cancel()
        if self._overload is not None:
            self._overload.loop_delay.stop()
        # uvicorn declares an int, but uses it only as the time-out of asyncio.wait_for.
        self._uvicorn.config.timeout_graceful_shutdown = seconds_max - drained_seconds  # type: ignore[assignment]
        await self._uvicorn.shutdown(sockets=[listening])
        # uvicorn cancels late requests and does not wait for them: they would then use a closed pool.
        late = [ticking, *self._uvicorn.server_state.tasks]
        await asyncio.wait(late, timeout=_CANCEL_SECONDS_MAX)
        for connection in list(self._uvicorn.server_state.connections):
            connection.transport.close()

    async def _drain(self, seconds: float) -> None:
        """Serve until no connection is left, for so many seconds at most."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        connections = self._uvicorn.server_state.connections
        while connections and loop.time() < until:
            for connection in list(connections):
                if isinstance(connection, BoundedHttpProtocol) and not connection.is_leaving:
                    connection.leave()
            await asyncio.sleep(_DRAIN_LOOK_SECONDS)


async def _tell_the_time(server: uvicorn.Server) -> None:
    """Keep the Date header right. uvicorn's own loop wakes up ten times a second, to look for its end."""
    while True:
        await server.on_tick(0)
        await asyncio.sleep(until_turn(_DATE_SECONDS))


def _listen(host: str, port: int, backlog: int, port_setting: str) -> socket.socket:
    """A listening socket; listening here already, because with SO_REUSEADDR a taken port shows only at
    `listen`.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(backlog)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            message = f"port {port} ({port_setting}) is already in use on {host}"
            raise PortTaken(message) from error
        raise
    return listening
