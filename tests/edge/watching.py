"""`maskwatch run` with its live page, before a camera of the test; and a client for it."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from maskwatch_edge.cameras.fake_camera import FakeCamera
from maskwatch_edge.cameras.fake_network_camera import FakeNetworkCamera
from maskwatch_edge.frame import Pixels

from .conftest import PATIENCE_SECONDS, PROGRAM

DATA = Path(__file__).parents[1] / "data"
MODELS = (
    *("--model", str(DATA / "tiny-int8.tflite")),
    *("--finder-model", str(DATA / "tiny-finder-int8.tflite")),
)
WIDTH, HEIGHT = 256, 192
FACE = (72, 41, 168, 137)
"""Where the tiny finder sees the face of `somebody`; the tiny model sees no mask in red."""


def nobody() -> Pixels:
    return np.full((HEIGHT, WIDTH, 3), 128, dtype=np.uint8)


def somebody() -> Pixels:
    pixels = nobody()
    pixels[40:150, 60:180] = 255, 0, 0
    return pixels


class Client:
    """Asks for what is on a port of this machine, and follows no redirection.

    Args:
        port: The port.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.address = f"http://127.0.0.1:{port}/"

    def ask(
        self, path: str, token: str = "", method: str = "GET", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask for something that has an end: status, headers by their small names, body."""
        with self.asked(path, token, method, **headers) as answer:
            names = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, names, answer.read()

    @contextmanager
    def asked(
        self, path: str, token: str = "", method: str = "GET", **headers: str
    ) -> Iterator[http.client.HTTPResponse]:
        """Ask, and give the answer to read from."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            told["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, path, headers=told)
            with connection.getresponse() as answer:
                yield answer
        finally:
            connection.close()


class Watching(Client):
    """The running program, and what stands before its camera."""

    def __init__(self, camera: FakeCamera, process: subprocess.Popen[str], port: int) -> None:
        super().__init__(port)
        self.camera, self.process = camera, process

    def state(self) -> dict[str, Any]:
        status, _, body = self.ask("/api/state")
        assert status == 200, body
        return dict(json.loads(body))

    def show_somebody(self) -> None:
        """Put somebody before the camera, and wait until no mask is seen."""
        self.camera.show(somebody())
        self.wait_for(lambda state: [p["verdict"] for p in state["people"]] == ["no_mask"])

    def wait_for(self, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the state is as wanted, and return it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so(state := self.state()):
            assert time.monotonic() < deadline, state
            time.sleep(0.05)
        return state


@contextmanager
def watching(*settings: str, port: int = 0) -> Iterator[Watching]:
    """Start the program with settings of its page such as "max_viewers=2"."""
    camera = FakeCamera(WIDTH, HEIGHT, period_seconds=0.05, is_shared=True)
    camera.show(somebody())
    with FakeNetworkCamera(camera) as network:
        given = ["enabled=true", f"port={port}", *settings]
        process = subprocess.Popen(
            [
                *(*PROGRAM, "run", "--source", network.address, *MODELS, "--lines", "none"),
                *(word for one in given for word in ("--set", f"web.{one}")),
                *("--set", "camera.stall_seconds=1", "--set", "camera.retry_longest_seconds=0.5"),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield Watching(camera, process, _told_port(process))
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(PATIENCE_SECONDS)
                finally:
                    process.kill()
                    camera.pull()
        assert process.returncode == 0


def _told_port(process: subprocess.Popen[str]) -> int:
    """Read on stderr where the page is; what else comes fits into the pipe."""
    assert process.stderr is not None
    line = process.stderr.readline()
    assert "the page is at http://" in line, line + process.stderr.read()
    return int(line.rstrip("/\n").rpartition(":")[2])


def listening_on(process: int) -> set[str]:
    """Return the addresses that a process listens on, as /proc/net has them, in hexadecimal."""
    files = list(Path(f"/proc/{process}/fd").iterdir())
    links = [str(file.readlink()) for file in files if file.is_symlink()]  # one was ours, to list
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[9] in inodes and words[3] in ("0A", "07"):  # TCP listens, UDP is bound
                found.add(words[1].partition(":")[0])
    return found
