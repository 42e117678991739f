"""The operations port of a process, served until the end of a stack."""

from contextlib import AsyncExitStack

from shared.ops.http.asgi import ASGIApp
from shared.ops.http.server import HttpServer
from shared.ops.settings import ProcessSettings

_STOP_SECONDS_MAX = 1.0


async def serve_operations(
    stack: AsyncExitStack, app: ASGIApp, settings: ProcessSettings, *, port: int, port_setting: str
) -> HttpServer:
    """Serve `app` (`operations_app`). Raises `PortTaken`."""
    server = HttpServer(
        app,
        host=settings.listen_host,
        port=port,
        port_setting=port_setting,
        limits=settings.connection_limits,
    )
    stack.push_async_callback(server.stop, _STOP_SECONDS_MAX)
    await server.start()
    return server
