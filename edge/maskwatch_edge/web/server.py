"""The HTTP server: its socket, what every answer carries, and the files that come as they are."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files

from aiohttp import web
from aiohttp.typedefs import Middleware

from maskwatch_edge.config import WebConfig

from .access import Access

ASSETS = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/api/openapi.json": ("openapi.json", "application/json"),
}
"""What comes as it is."""

PUBLIC = frozenset({*ASSETS, "/healthz"})
"""What tells nothing about people, and asks for no token."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "maskwatch",
}
"""Sent with every answer."""

PASSED_ON = ("Allow", "Retry-After", "WWW-Authenticate")
"""Headers of an error that go out with it."""

SPARE_CONNECTIONS = 32
"""So many connections may be open beside four for each viewer; a browser keeps some."""

UNSENT_BYTES = 128 * 1024
"""What the kernel holds for a slow viewer; left alone it would hold some seconds of film."""

SILENT_SECONDS = 15
"""A connection of which nothing was heard for so long is asked whether it still lives."""

KEEP_ALIVE_SECONDS = 15.0
"""A connection that asks for nothing whole in so long is closed."""

CLOSE_SECONDS = 1.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(access: Access, routes: list[web.RouteDef]) -> web.Application:
    """Put together what is answered, and to whom."""
    app = web.Application(middlewares=[_errors_as_json, _checking(access)], client_max_size=1024)
    app.on_response_prepare.append(_add_headers)
    app.add_routes([*routes, *(web.get(path, _asset(*asset)) for path, asset in ASSETS.items())])
    return app


@asynccontextmanager
async def listening(app: web.Application, config: WebConfig) -> AsyncIterator[str]:
    """Listen as long as the block lasts, and give the address of the page.

    Raises:
        OSError: If the address or port cannot be had.
    """
    listener = _listener(config)
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        shutdown_timeout=CLOSE_SECONDS,
    )
    try:
        await runner.setup()
        assert runner.server is not None
        door = partial(_Door, runner.server, 4 * config.max_viewers + SPARE_CONNECTIONS)
        server = await asyncio.get_running_loop().create_server(door, sock=listener)
        try:
            yield _address_of(listener)
        finally:
            server.close()
            await runner.cleanup()
    finally:
        listener.close()


class _Door(asyncio.Protocol):
    """Lets a number of connections in and hangs up on others: files and memory are few."""

    def __init__(self, server: web.Server, most: int) -> None:
        self._server, self._most = server, most

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        if len(self._server.connections) >= self._most:
            transport.abort()
            return
        handler = self._server()
        transport.set_protocol(handler)
        handler.connection_made(transport)


def _listener(config: WebConfig) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.address else socket.AF_INET
    listener = socket.socket(family)
    try:
        # Connections inherit these.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNSENT_BYTES)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, SILENT_SECONDS)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, SILENT_SECONDS)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)
        listener.bind((config.address, config.port))
        listener.setblocking(False)
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _checking(access: Access) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        access.check(request, is_private=request.path not in PUBLIC)
        return await handler(request)

    return check


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        headers = {name: error.headers[name] for name in PASSED_ON if name in error.headers}
        return web.json_response({"error": error.text}, status=error.status, headers=headers)


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def _asset(name: str, content_type: str) -> Handler:
    content = files(__package__).joinpath("static", name).read_bytes()

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type=content_type, charset="utf-8")

    return answer
