"""What is answered: the live picture, the state, events, metrics, and whether all is well."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from aiohttp import web

from maskwatch_edge.config import WebConfig
from maskwatch_edge.events import Event
from maskwatch_edge.faults import Fault
from maskwatch_edge.view import View

from .counts import DayCounts
from .feed import Feed, packed
from .meter import (
    Meter,
    metrics_of_board,
    metrics_of_faults,
    metrics_of_queues,
    metrics_of_view,
    metrics_of_viewers,
)
from .pictures import BOUNDARY, Pictures
from .seats import Seats
from .status import Board, Status

STALLED_SECONDS = 10.0
"""Who does not take a picture or message for so long is dropped."""

PICTURE_SECONDS = 5.0
"""How long a snapshot waits for the next frame."""

STATE_SECONDS = 1.0
"""How often listeners are told the state."""

PICTURE, EVENTS = "picture", "events"
"""What viewers look at; there are places for each."""


class Answers:
    """Answers requests, out of what the loop hands over.

    Made and used in the server's own thread, but for `take`.

    Args:
        config: How many may watch, and what they see.
        status: Has the newest view.
        meter: Has the metrics.
        board: Tells how the board is.
        waiting: How many messages wait in the queues of other outputs, by name.
        faults: How often each fault came.
    """

    def __init__(
        self,
        config: WebConfig,
        status: Status,
        meter: Meter,
        board: Board,
        waiting: Mapping[str, int],
        faults: Mapping[Fault, int],
    ) -> None:
        self._status, self._meter, self._board = status, meter, board
        self._waiting, self._faults = waiting, faults
        self._version = version("maskwatch")
        self._counts = DayCounts()
        self._feed = Feed()
        self._pictures = Pictures(config)
        self._seats = {name: Seats(config.max_viewers) for name in (PICTURE, EVENTS)}
        self._loop = asyncio.get_running_loop()

    def take(self, view: View) -> None:
        """Take a view from the loop that watches the camera, and keep it waiting for nothing."""
        self._meter.take(view)
        self._status.take(view)
        self._pictures.offer(view)
        if view.events:
            self._loop.call_soon_threadsafe(self._tell, view.events)

    async def run(self) -> None:
        """Make pictures and tell the state until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pictures.run())
            group.create_task(self._tell_state())

    def routes(self) -> list[web.RouteDef]:
        """Return which answer is whose."""
        return [
            web.get("/healthz", self._health),
            web.get("/metrics", self._metrics, allow_head=False),
            web.get("/api/state", self._state, allow_head=False),
            web.get("/api/events", self._events, allow_head=False),
            web.get("/api/stream", self._stream, allow_head=False),
            web.get("/api/snapshot", self._snapshot, allow_head=False),
        ]

    def _tell(self, events: Sequence[Event]) -> None:
        self._counts.add(events)
        for told in self._status.tell(events):
            self._feed.publish("event", told)

    async def _tell_state(self) -> None:
        while True:
            await asyncio.sleep(STATE_SECONDS)
            if self._feed.is_heard:
                self._feed.publish("state", await self._state_now())

    async def _state_now(self) -> dict[str, Any]:
        viewers = {name: seats.taken for name, seats in self._seats.items()}
        return self._status.to_dict(self._counts.today(), await self._board.health(), viewers)

    async def _health(self, request: web.Request) -> web.Response:
        trouble = self._status.trouble
        status = 503 if trouble else 200
        return web.json_response({"status": trouble or "ok"}, status=status)

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(await self._state_now())

    async def _metrics(self, request: web.Request) -> web.Response:
        text = self._meter.text(
            [
                *metrics_of_view(self._status.view),
                *metrics_of_board(await self._board.health(), self._status.model, self._version),
                *metrics_of_viewers(self._seats),
                *metrics_of_queues({"events": self._feed.depth, **self._waiting}),
                *metrics_of_faults(self._faults),
            ]
        )
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return web.Response(body=text, headers={"Content-Type": kind})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        seats = self._seats[EVENTS]
        with seats.seat(), self._feed.listening() as listener, suppress(ConnectionError):
            response = await _begun(request, "text/event-stream")
            message = packed("state", await self._state_now())
            while not listener.is_lost:
                await _send(request, response, message, seats)
                message = await listener.take()
            _drop(request, seats)
        return response

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        seats, number = self._seats[PICTURE], 0
        with seats.seat(), self._pictures.watched(), suppress(ConnectionError):
            kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
            response = await _begun(request, kind)
            while True:
                picture = await self._pictures.after(number)
                number = picture.number
                await _send(request, response, picture.part, seats)
        return response

    async def _snapshot(self, request: web.Request) -> web.Response:
        with self._seats[PICTURE].seat(), self._pictures.watched():
            try:
                picture = await asyncio.wait_for(self._pictures.after(0), PICTURE_SECONDS)
            except TimeoutError as error:
                raise web.HTTPServiceUnavailable(text="there is no picture yet") from error
        if not picture.is_live:
            raise web.HTTPServiceUnavailable(text="the camera is away")
        name = {"Content-Disposition": 'attachment; filename="maskwatch.jpg"'}
        return web.Response(body=picture.jpeg, content_type="image/jpeg", headers=name)


async def _begun(request: web.Request, content_type: str) -> web.StreamResponse:
    """Begin an answer that has no end."""
    # nginx would collect the first 64 kB of it.
    headers = {"Content-Type": content_type, "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    return response


async def _send(
    request: web.Request, response: web.StreamResponse, data: bytes, seats: Seats
) -> None:
    """Send a part of an answer; who does not take it in time is dropped.

    Raises:
        ConnectionError: If the viewer is gone.
    """
    try:
        async with asyncio.timeout(STALLED_SECONDS):
            await response.write(data)
    except TimeoutError as error:
        _drop(request, seats)
        raise ConnectionAbortedError("a viewer that is too slow") from error


def _drop(request: web.Request, seats: Seats) -> None:
    seats.dropped += 1
    if request.transport is not None:
        request.transport.abort()
