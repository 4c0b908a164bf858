"""Fetching a model file: from a real server, and from a file."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from maskwatch_edge import fetching
from maskwatch_edge.errors import InputError, SourceError
from maskwatch_edge.fetching import fetch_model
from maskwatch_edge.models import YUNET, KnownModel

CONTENT = bytes(range(256)) * 400
MODEL = KnownModel(
    name="made-up",
    file_name="made-up.onnx",
    size_bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    addresses=(),
    about="a file for the tests",
)


@dataclass
class Publisher:
    """A real HTTP server on this machine.

    Attributes:
        address: Where it listens.
        content: What it sends for each path; another path is not found.
        drip_seconds: Wait before each hundredth of the content.
        asked: The paths that were asked for.
        leaves: Set when the server is to end.
    """

    address: str = ""
    content: dict[str, bytes] = field(default_factory=dict)
    drip_seconds: float = 0.0
    asked: list[str] = field(default_factory=list)
    leaves: threading.Event = field(default_factory=threading.Event)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(handler.path)
        if handler.path == "/moved":
            handler.send_response(302)
            handler.send_header("Location", "/model")
            handler.end_headers()
        elif handler.path in self.content:
            handler.send_response(200)
            handler.end_headers()
            self._send(handler, self.content[handler.path])
        else:
            handler.send_error(404)

    def _send(self, handler: BaseHTTPRequestHandler, content: bytes) -> None:
        step = max(len(content) // 100, 1)
        for start in range(0, len(content), step):
            if self.drip_seconds:
                self.leaves.wait(self.drip_seconds)
            try:
                handler.wfile.write(content[start : start + step])
            except OSError:  # the reader has enough
                return


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    made = Publisher(content={"/model": CONTENT})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.answer(self)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.leaves.set()
        server.shutdown()
        thread.join()


def closed_port() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


def inside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("path", ["/model", "/moved"])
def test_a_file_is_fetched_whole(publisher: Publisher, tmp_path: Path, path: str) -> None:
    made = fetch_model(MODEL, tmp_path / "new", publisher.address + path)
    assert made == tmp_path / "new" / "made-up.onnx"
    assert made.read_bytes() == CONTENT
    assert inside(tmp_path / "new") == ["made-up.onnx"]


def test_a_local_copy_is_taken_as_well(tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(CONTENT)
    assert fetch_model(MODEL, tmp_path / "new", str(tmp_path / "copy")).read_bytes() == CONTENT


def test_the_next_address_is_tried_where_one_fails(publisher: Publisher, tmp_path: Path) -> None:
    publisher.content["/other"] = b"something else"
    addresses = tuple(publisher.address + path for path in ("/gone", "/other", "/model"))
    made = fetch_model(replace(MODEL, addresses=addresses), tmp_path)
    assert made.read_bytes() == CONTENT
    assert publisher.asked == ["/gone", "/other", "/model"]


def test_if_no_address_has_it_the_first_reason_is_told(
    publisher: Publisher, tmp_path: Path
) -> None:
    addresses = (closed_port(), publisher.address + "/gone")
    with pytest.raises(SourceError, match="Connection refused"):
        fetch_model(replace(MODEL, addresses=addresses), tmp_path)
    assert inside(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "came"),
    [
        (b"", "received 0 others"),
        (CONTENT[:-1], f"received {len(CONTENT) - 1:,} others"),
        (b"x" + CONTENT[1:], f"received {len(CONTENT):,} others"),
        (CONTENT * 50, f"received more than {len(CONTENT):,} others"),
        (b"version https://git-lfs.github.com/spec/v1\n", "received 43 others"),
    ],
)
def test_something_else_is_refused_and_what_was_there_stays(
    publisher: Publisher, tmp_path: Path, content: bytes, came: str
) -> None:
    publisher.content["/model"] = content
    (tmp_path / "made-up.onnx").write_bytes(b"old")
    with pytest.raises(InputError) as caught:
        fetch_model(MODEL, tmp_path, publisher.address + "/model")
    assert came in str(caught.value)
    assert "nothing was written" in str(caught.value)
    assert inside(tmp_path) == ["made-up.onnx"]
    assert (tmp_path / "made-up.onnx").read_bytes() == b"old"


def test_no_more_is_read_than_the_file_has(publisher: Publisher, tmp_path: Path) -> None:
    publisher.content["/model"] = bytes(100 * len(CONTENT))
    publisher.drip_seconds = 0.05  # all of it would take five seconds
    began_seconds = time.monotonic()
    with pytest.raises(InputError, match="received more than"):
        fetch_model(MODEL, tmp_path, publisher.address + "/model")
    assert time.monotonic() - began_seconds < 3


def test_a_server_that_falls_silent_is_given_up(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "SILENCE_SECONDS", 0.2)
    publisher.drip_seconds = 30.0
    with pytest.raises(SourceError, match="timed out; without internet, copy the file here"):
        fetch_model(MODEL, tmp_path, publisher.address + "/model")
    assert inside(tmp_path) == []


def test_a_server_that_sends_for_ever_is_given_up(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "LONGEST_SECONDS", 0.3)
    publisher.drip_seconds = 0.05
    with pytest.raises(SourceError, match=r"takes longer than 0\.3 seconds"):
        fetch_model(MODEL, tmp_path, publisher.address + "/model")
    assert inside(tmp_path) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("nowhere.onnx", "cannot read nowhere.onnx: No such file or directory"),
        (".", "cannot read .: Is a directory"),
        ("ftp://host/model", "expected a file or an http(s) address; received ftp://host/model"),
        ("file:///etc/passwd", "expected a file or an http(s) address"),
        ("http://", "cannot fetch http://: "),
        ("http://me:secret@[", "cannot fetch http://[: "),  # no password in a message
    ],
)
def test_a_source_that_is_none_is_refused(
    tmp_path: Path, source: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((InputError, SourceError)) as caught:
        fetch_model(MODEL, tmp_path / "new", source)
    assert expected in str(caught.value)
    assert "secret" not in str(caught.value)
    assert inside(tmp_path) == []


def test_a_server_that_does_not_speak_http_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            with server.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"220 welcome to another protocol\r\n")

        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(SourceError, match="cannot fetch http://127"):
            fetch_model(MODEL, tmp_path, f"http://127.0.0.1:{server.getsockname()[1]}/model")
        thread.join()


Maskwatch = Callable[..., subprocess.CompletedProcess[str]]


def test_the_command_fetches_once_and_then_finds_it_there(
    maskwatch: Maskwatch, publisher: Publisher, yunet: Path, tmp_path: Path
) -> None:
    publisher.content["/model"] = yunet.read_bytes()
    words = ("models", "get", "yunet", "--from", publisher.address + "/model", "--to", "here")
    first, again = maskwatch(*words), maskwatch(*words)
    path = Path("here") / YUNET.file_name
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith(f"wrote {path}, its SHA-256 is right\n")
    assert f'set faces.model = "{tmp_path / path}"' in first.stdout
    assert again.stdout.startswith(f"{path} is there already, and right\n")
    assert publisher.asked == ["/model"]
    assert inside(tmp_path / "here") == [YUNET.file_name]


def test_a_file_that_went_bad_is_replaced(
    maskwatch: Maskwatch, yunet: Path, tmp_path: Path
) -> None:
    (tmp_path / YUNET.file_name).write_bytes(yunet.read_bytes()[:-1])
    result = maskwatch("models", "get", "yunet", "--from", yunet, "--to", tmp_path)
    assert result.returncode == 0
    assert (tmp_path / YUNET.file_name).read_bytes() == yunet.read_bytes()


def test_without_network_one_line_names_from(maskwatch: Maskwatch) -> None:
    result = maskwatch("models", "get", "yunet", "--from", closed_port(), "--to", "here")
    assert result.returncode == 1
    assert result.stderr.startswith("maskwatch models: error: cannot fetch http://127.0.0.1:")
    assert result.stderr.endswith("copy the file here and give --from FILE [source-unreadable]\n")
    assert result.stderr.count("\n") == 1


def test_one_that_is_killed_in_the_middle_leaves_nothing(
    program: Callable[..., subprocess.Popen[str]],
    publisher: Publisher,
    yunet: Path,
    tmp_path: Path,
) -> None:
    publisher.content["/model"] = yunet.read_bytes()
    publisher.drip_seconds = 1.0
    words = ("models", "get", "yunet", "--from", publisher.address + "/model", "--to", "here")
    with program(*words) as process:
        while not publisher.asked:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.kill()
    assert inside(tmp_path / "here") == []


def test_the_list_says_where_each_model_is(
    maskwatch: Maskwatch, yunet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "XDG_DATA_HOME", str(tmp_path))
    if not Path("/usr/local/share/maskwatch", YUNET.file_name).exists():
        assert "not here; maskwatch models get yunet" in maskwatch("models", "list").stdout
    assert maskwatch("models", "get", "yunet", "--from", yunet).returncode == 0
    path = tmp_path / "maskwatch" / YUNET.file_name
    assert f"{path}; YuNet" in maskwatch("models", "list").stdout
    path.write_bytes(b"something else")
    assert "which is NOT the published file" in maskwatch("models", "list").stdout
