"""A real browser for the tests of pages."""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskwatch_edge.frame import Pixels

PATIENCE_SECONDS = 120.0
PHONE_WIDTH, DESKTOP_WIDTH = 375, 1280
COMPLAINTS = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")

# What is inside of .wide scrolls there by itself, and the page does not.
TOO_WIDE = """
[...document.querySelectorAll("body *")]
    .filter(element => !element.parentElement.closest(".wide"))
    .filter(element => element.getBoundingClientRect().right > innerWidth + 0.5)
    .map(element => element.tagName.toLowerCase())"""


class Chromium:
    """A browser without a window, told what to do in the DevTools protocol over two pipes.

    https://chromedevtools.github.io/devtools-protocol/
    """

    def __init__(self, program: str, profile: Path) -> None:
        flags = (
            "--headless --disable-gpu --disable-quic --no-first-run --hide-scrollbars "
            "--disable-background-networking --disable-component-update --disable-sync "
            f"--remote-debugging-pipe --user-data-dir={profile}"
        ).split()
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # its sandbox refuses to run as root
        # It is told on file descriptor 3 and answers on 4.
        shell = ["sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1', "sh"]
        self._process = subprocess.Popen(
            [*shell, program, *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._unread = b""
        self._last_id = 0
        self.events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for part in ("Page", "Runtime", "Log"):
            self.call(f"{part}.enable")

    def open(self, address: str, width: int) -> None:
        """Open a page in a window of that width, and wait until all of it is there."""
        screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **screen)
        self.events.clear()
        self.call("Page.navigate", url=address)
        while all(event["method"] != "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())

    def value_of(self, expression: str) -> Any:
        """Evaluate an expression of JavaScript in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Wait until an expression of JavaScript is true."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.value_of(expression):
            assert time.monotonic() < deadline, (
                expression,
                self.value_of("document.body.innerText"),
            )
            time.sleep(0.1)

    def screenshot(self) -> Pixels:
        """Return what the whole page looks like, RGB."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        return decoded(base64.b64decode(answer["data"]))

    def complaints(self) -> list[str]:
        """Return what stands in the console of the page."""
        return [str(event["params"]) for event in self.events if event["method"] in COMPLAINTS]

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the page."""
        return self._call(method, self._session, **parameters)

    def _call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        assert self._process.stdin
        self._process.stdin.write(json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._last_id:
            self.events.append(answer)
        assert "error" not in answer, answer
        return dict(answer["result"])

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        while b"\0" not in self._unread:
            ready = select.select([self._process.stdout], [], [], PATIENCE_SECONDS)[0]
            part = self._process.stdout.read(65536) if ready else b""
            assert part, "Chromium has ended, or does not answer"
            self._unread += part
        first, self._unread = self._unread.split(b"\0", 1)
        message: dict[str, Any] = json.loads(first)
        return message

    def close(self) -> None:
        """End the browser: it ends when nobody can tell it anything any more."""
        with self._process as process:
            assert process.stdin
            process.stdin.close()
            try:
                process.wait(PATIENCE_SECONDS)
            finally:
                process.kill()


def decoded(content: bytes) -> Pixels:
    """Return the picture that the content of a file is, RGB."""
    bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)
