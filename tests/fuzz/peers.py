"""Those that Maskwatch talks to: boards, brokers, publishers of models, viewers of its page."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stderr
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import IO
from unittest.mock import patch

from maskwatch_edge.config import CameraConfig, Config, MqttConfig, WebConfig
from maskwatch_edge.deploy.board import examine
from maskwatch_edge.deploy.bundle import RECEIVE, Bundle
from maskwatch_edge.deploy.deploy import describe, target_of
from maskwatch_edge.deploy.remote import BoardError
from maskwatch_edge.errors import MaskwatchError
from maskwatch_edge.fault_log import FaultLog
from maskwatch_edge.fetching import fetch_model
from maskwatch_edge.models import KnownModel
from maskwatch_edge.mqtt import link
from maskwatch_edge.web.output import WebOutput

from .target import Target

PATIENCE_SECONDS = 10.0


class _ToldBoard:
    """A board that gives the same answer to everything."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    def ask(self, script: str) -> str:
        return self._answer

    def send(self, command: object, write: Callable[[IO[bytes]], None]) -> int:
        raise NotImplementedError


def _read_facts(path: Path) -> object:
    board = examine(_ToldBoard(path.read_bytes().decode(errors="replace")), "pi@board")
    return describe(board), target_of(board).pip_options(), board.drop_ins


def _fact_seeds() -> list[bytes]:
    return [
        b"machine=aarch64\nsystem=Debian GNU/Linux 12 (bookworm)\nlibc=glibc 2.36\nuser=1000\n"
        b"root=yes\nsystemd=yes\nnewest=3 11\npython=3 11\nbits=64\nvenv=yes\nnumpy=1.24.2\n"
        b'free_mib=900\nrelease={"release": "0001", "version": "0.1.0", "with": "mqtt"}\n'
        b"wheel=%s  a.whl\n" % (b"0" * 64)
    ]


INSTALLER = b'cat "$@" >"$MASKWATCH_ROOT/installed"\n'
"""In place of the real one."""

SENT = {"model.tflite": b"a model", "config.toml": b"[camera]\n", "wheels/a.whl": b"a wheel"}


def _read_archive(path: Path) -> object:
    """What is installed is what was sent, and all of it; or else the board is as it was."""
    with tempfile.TemporaryDirectory(dir=path.parent) as root, path.open("rb") as stream:
        done = subprocess.run(
            ["/bin/sh", "-c", RECEIVE, "receive", "model.tflite", "config.toml", "program/a.whl"],
            env={"PATH": os.environ["PATH"], "MASKWATCH_ROOT": root, "LC_ALL": "C"},
            stdin=stream,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
        )
        left = {str(file.relative_to(root)) for file in Path(root).rglob("*") if file.is_file()}
        if done.returncode:
            assert not left
            raise BoardError(done.stderr.decode(errors="replace"))
        assert left == {"installed", "var/cache/maskwatch/wheels/a.whl"}
        assert (Path(root) / "installed").read_bytes() == b"".join(SENT.values())
    return None


def _archive_seeds() -> list[bytes]:
    whole = io.BytesIO()
    Bundle({**SENT, "installer/install.sh": INSTALLER}, ["a.whl"]).write(whole, lambda line: None)
    return [whole.getvalue()]


def _hear(server: socket.socket, answer: bytes) -> None:
    """Let somebody in, hear them, and answer."""
    visitor, _ = server.accept()
    with visitor:
        visitor.settimeout(PATIENCE_SECONDS)
        visitor.recv(4096)
        _say(visitor, answer)


def _say(other: socket.socket, content: bytes) -> None:
    """Send something as the last, and wait until the other side hangs up."""
    try:
        other.sendall(content)
        other.shutdown(socket.SHUT_WR)
        while other.recv(65536):
            pass
    except TimeoutError:
        raise
    except OSError:
        pass  # it has heard enough


@contextmanager
def _answering(answer: bytes) -> Iterator[int]:
    """Answer whoever comes first; the port is given."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_SECONDS)
        thread = Thread(target=_hear, args=(server, answer))
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            thread.join()


def _read_broker(path: Path) -> object:
    """Whatever a broker says, it is tried again."""
    with socket.create_server(("127.0.0.1", 0)) as broker:
        broker.settimeout(PATIENCE_SECONDS)
        config = MqttConfig(host="127.0.0.1", port=broker.getsockname()[1])
        with patch.object(link, "RETRY_SECONDS", (0, 0)):
            connection = link.PahoLink(config, "fuzz", None, "homeassistant/status")
        connection.start(lambda news: None)
        try:
            _hear(broker, path.read_bytes())
            broker.accept()[0].close()
        finally:
            connection.close()
    return None


def _broker_seeds() -> list[bytes]:
    let_in, refused = b"\x20\x02\x00\x00", b"\x20\x02\x00\x05"
    subscribed = b"\x90\x03\x00\x01\x01"
    status = b"homeassistant/status"
    online = b"\x32\x1e\x00\x14" + status + b"\x00\x01online"
    exactly_once = b"\x34\x1e\x00\x14" + status + b"\x00\x02online" + b"\x62\x02\x00\x02"
    return [let_in + subscribed + online + exactly_once + b"\x40\x02\x00\x01\xd0\x00", refused]


FETCHED = b"a model of some publisher"
PUBLISHED = KnownModel(
    "made-up", "file-fetched.onnx", len(FETCHED), hashlib.sha256(FETCHED).hexdigest(), (), ""
)


def _read_published(path: Path) -> object:
    """What arrives is what was published, or nothing is written."""
    fetched = path.with_name(PUBLISHED.file_name)
    with _answering(path.read_bytes()) as port, patch.dict(os.environ, no_proxy="127.0.0.1"):
        try:
            fetch_model(PUBLISHED, path.parent, f"http://127.0.0.1:{port}/")
        except MaskwatchError:
            assert not fetched.exists()
            raise
    assert fetched.read_bytes() == FETCHED
    return None


def _publisher_seeds() -> list[bytes]:
    chunked = b"7\r\n" + FETCHED[:7] + b"\r\n%x\r\n" % len(FETCHED[7:]) + FETCHED[7:]
    return [
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(FETCHED) + FETCHED,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + b"\r\n0\r\n\r\n",
        b"HTTP/1.0 200\r\n\r\n" + FETCHED,
    ]


PAGE = Config(camera=CameraConfig(source="0"), web=WebConfig(enabled=True, port=0))


def _page() -> WebOutput:
    return WebOutput(PAGE, lambda: None, FaultLog(), {})


def _read_request(path: Path) -> object:
    """Whatever somebody sends, the connection has an end, and the next one is answered."""
    with redirect_stderr(io.StringIO()) as told, closing(_page()):
        port = int(told.getvalue().rstrip("/\n").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as visitor:
            _say(visitor, path.read_bytes())
        with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as page:
            page.request("GET", "/")
            assert page.getresponse().status == 200
    return None


def _request_seeds() -> list[bytes]:
    head = b" HTTP/1.1\r\nHost: localhost\r\n"
    return [
        b"GET /api/state" + head + b"Authorization: Bearer x\r\nCookie: a=b\r\n\r\n",
        b"GET /healthz" + head + b"\r\nGET /metrics" + head + b"Connection: close\r\n\r\n",
        b"POST /" + head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"PUT /" + head + b"Content-Encoding: deflate\r\nContent-Length: 2\r\n\r\nab",
        b"GET /api/stream" + head + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ]


PEERS = {
    "board": Target(".txt", _read_facts, _fact_seeds),
    "archive": Target(".tar", _read_archive, _archive_seeds, examples=12),
    "publisher": Target(".http", _read_published, _publisher_seeds, examples=50),
    "broker": Target(".mqtt", _read_broker, _broker_seeds, examples=50),
    "request": Target(".http", _read_request, _request_seeds, examples=50),
}
