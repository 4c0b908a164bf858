"""The output that serves the live page, in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Event as Flag
from threading import Thread

from maskwatch_edge.cameras.addresses import is_camera
from maskwatch_edge.closing import Closing
from maskwatch_edge.config import Config
from maskwatch_edge.doctor.system import RealSystem
from maskwatch_edge.errors import MaskwatchError, OutputError
from maskwatch_edge.fault_log import FaultLog
from maskwatch_edge.faults import Fault
from maskwatch_edge.printing import say_on_stderr
from maskwatch_edge.view import View

from .access import Access, Guesses
from .answers import Answers
from .meter import Meter
from .server import application, listening
from .status import Board, Status, model_facts

OPEN_SECONDS = 10.0
"""How long opening may hold up the start."""

CLOSE_SECONDS = 5.0
"""How long the connections may take to end."""


class WebOutput(Closing):
    """Serves the page until it is closed.

    Args:
        config: Its section `web`, and what it tells of.
        reason: Tells why the camera is away, or None.
        log: Told if the thread of the page will not end; the metrics tell what it counts.
        waiting: How many messages wait in the queues of other outputs, by name; others change it.

    Raises:
        OutputError: If the address or port cannot be had.
    """

    def __init__(
        self,
        config: Config,
        reason: Callable[[], str | None],
        log: FaultLog,
        waiting: Mapping[str, int],
    ) -> None:
        self._config, self._log, self._waiting = config.web, log, waiting
        try:
            self._status = Status(model_facts(config), reason)
        except (MaskwatchError, OSError) as error:
            raise OutputError(f"cannot tell of the model: {error}") from error
        self._meter = Meter(is_live=is_camera(config.camera.source))
        self._is_open = Flag()
        self._answers: Answers | None = None
        self._end: Callable[[], object] = bool
        self._failure: BaseException | None = None
        # A daemon: nothing that a viewer does may keep the program from ending.
        self._thread = Thread(target=self._run, name="web", daemon=True)
        self._thread.start()
        self._is_open.wait(OPEN_SECONDS)
        self._pass_on_failure()

    def show(self, view: View) -> None:
        """Hand a view over; it is drawn only if somebody watches, and not here.

        Raises:
            OutputError: If the server has ended.
        """
        self._pass_on_failure()
        if self._answers is None:
            return
        try:
            self._answers.take(view)
        except RuntimeError as error:  # its loop was closed at this moment
            raise OutputError("the web page has ended") from error

    def close(self) -> None:
        """Send everybody away; may be called twice."""
        with suppress(RuntimeError):  # its loop has ended by itself
            self._end()
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            told = "the web page: its thread does not end; left behind"
            self._log.warn(Fault.PAGE_STUCK.once(told))

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # a thread has no caller to tell: `show` raises it
            self._failure = error
        finally:
            self._is_open.set()

    async def _serve(self) -> None:
        loop, is_over = asyncio.get_running_loop(), asyncio.Event()
        self._end = lambda: loop.call_soon_threadsafe(is_over.set)
        answers = Answers(
            self._config,
            self._status,
            self._meter,
            Board(RealSystem()),
            self._waiting,
            self._log.counts,
        )
        app = application(Access(self._config, Guesses()), answers.routes())
        async with listening(app, self._config) as address, asyncio.TaskGroup() as group:
            work = group.create_task(answers.run())
            self._answers = answers
            say_on_stderr(f"the page is at {address}")
            self._is_open.set()
            await is_over.wait()
            work.cancel()

    def _pass_on_failure(self) -> None:
        failure = self._failure
        if isinstance(failure, OSError):
            raise OutputError(
                f"cannot listen on {self._config.address}, port {self._config.port}: "
                f"{failure.strerror}; see web.address and web.port"
            ) from failure
        if failure is not None:
            raise OutputError(f"the web page has failed: {failure!r}") from failure
