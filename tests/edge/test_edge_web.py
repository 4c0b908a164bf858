"""The live page of `maskwatch run`, as programs see it: the real one, asked over HTTP."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskwatch_edge.annotate import COLOURS
from maskwatch_edge.config.file import load_config
from maskwatch_edge.verdict import Decision
from maskwatch_edge.web.tokens import hash_of

from .chromium import decoded
from .conftest import PATIENCE_SECONDS
from .watching import FACE, HEIGHT, WIDTH, Watching, listening_on, nobody, somebody, watching

pytest.importorskip("aiohttp", reason="needs the extra web")
pytest.importorskip("prometheus_client", reason="needs the extra web")

from maskwatch_edge.web.access import MOST_GUESSES

PUBLIC = ("/", "/page.js", "/page.css", "/icon.svg", "/healthz", "/api/openapi.json")
PRIVATE = ("/api/state", "/api/events", "/api/stream", "/api/snapshot", "/metrics")
LOOPBACK = {"0100007F"}
Program = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def open_one() -> Iterator[Watching]:
    """Give the program as it is without a token, with two places."""
    with watching("max_viewers=2") as one:
        yield one


@pytest.fixture
def board(open_one: Watching) -> Watching:
    """Give the same once it sees somebody without a mask."""
    open_one.show_somebody()
    return open_one


def test_the_state_tells_of_people_camera_model_and_board(board: Watching) -> None:
    state = board.state()
    (person,) = state["people"]
    assert person["box"] == list(FACE)
    assert person["score"] > 0.9
    assert state["camera"]["state"] == "seeing"
    assert (state["camera"]["width_px"], state["camera"]["height_px"]) == (WIDTH, HEIGHT)
    assert state["model"]["file"] == "tiny-int8.tflite"
    assert state["board"]["memory_mb"] > 10
    assert state["today"]["no_mask"] >= 1
    assert state["trouble"] is None
    assert "person 1 appeared: no mask" in [event["text"] for event in state["recent"]]


def test_people_are_counted_and_told_as_they_come_and_go(board: Watching) -> None:
    before = board.state()["today"]["no_mask"]
    with board.asked("/api/events") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        name, state = next_message(answer.readline)
        assert name == "state"
        assert len(state["people"]) == 1
        board.camera.show(nobody())
        left = wait_for_event(answer.readline, "left")
        board.camera.show(somebody())
        appeared = wait_for_event(answer.readline, "appeared")
    assert left["decision"] == appeared["decision"] == "no_mask"
    assert appeared["track"] == left["track"] + 1
    assert board.state()["today"]["no_mask"] == before + 1


def next_message(readline: Callable[[], bytes]) -> tuple[str, dict[str, Any]]:
    event, data, end = readline(), readline(), readline()
    assert end == b"\n"
    content = json.loads(data.removeprefix(b"data: "))
    return event.decode().removeprefix("event: ").strip(), content


def wait_for_event(readline: Callable[[], bytes], kind: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        name, data = next_message(readline)
        if name == "event" and data["kind"] == kind:
            return data
    raise AssertionError(f"nobody {kind}")


def test_a_snapshot_shows_the_box_and_the_words(board: Watching) -> None:
    status, headers, body = board.ask("/api/snapshot")
    assert (status, headers["content-type"]) == (200, "image/jpeg")
    assert "attachment" in headers["content-disposition"]
    picture = decoded(body)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    left, top, right, bottom = FACE
    red = np.array(COLOURS[Decision.NO_MASK])
    for edge in (picture[top + 15 : bottom, right - 1], picture[bottom - 1, left:right]):
        assert np.abs(edge.mean(axis=0) - red).max() < 40


def test_the_stream_is_one_picture_after_the_other(board: Watching) -> None:
    with board.asked("/api/stream") as answer:
        kind, _, boundary = answer.headers["Content-Type"].partition("; boundary=")
        assert kind == "multipart/x-mixed-replace"
        pictures = [next_picture(answer.readline, answer.read, boundary) for _ in range(3)]
    assert {decoded(picture).shape for picture in pictures} == {(HEIGHT, WIDTH, 3)}
    assert len(set(pictures)) == 3  # the corner of the fake camera changes each time


def next_picture(
    readline: Callable[[], bytes], read: Callable[[int], bytes], boundary: str
) -> bytes:
    assert readline().decode() == f"--{boundary}\r\n"
    assert readline() == b"Content-Type: image/jpeg\r\n"
    length = int(readline().removeprefix(b"Content-Length: "))
    assert readline() == b"\r\n"
    picture = read(length)
    assert read(2) == b"\r\n"
    return picture


def test_who_finds_no_place_is_told_to_come_again(board: Watching) -> None:
    with board.asked("/api/stream") as one, board.asked("/api/stream") as other:
        assert (one.status, other.status) == (200, 200)
        for path in ("/api/stream", "/api/snapshot"):
            status, headers, body = board.ask(path)
            assert status == 503
            assert int(headers["retry-after"]) > 0
            assert "web.max_viewers" in json.loads(body)["error"]
        assert board.state()["viewers"]["picture"] == 2
    board.wait_for(lambda state: state["viewers"]["picture"] == 0)  # who leaves, leaves a place


def test_metrics_tell_of_what_went_on(board: Watching) -> None:
    status, headers, body = board.ask("/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    values = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if line[0] != "#")
    assert float(values["maskwatch_frames_total"]) > 1
    assert float(values['maskwatch_people{verdict="no_mask"}']) == 1
    assert float(values['maskwatch_stage_duration_seconds_count{stage="find"}']) >= 1
    assert float(values['maskwatch_stage_duration_seconds_count{stage="judge"}']) >= 1
    assert float(values["maskwatch_frame_latency_seconds_count"]) >= 1
    assert float(values["maskwatch_camera_up"]) == 1
    assert float(values["process_resident_memory_bytes"]) > 1e7


def test_a_lost_camera_is_told_and_no_old_picture_passes_for_a_live_one(board: Watching) -> None:
    assert board.ask("/healthz")[0] == 200
    with board.asked("/api/stream") as stream:
        board.camera.pull()
        board.camera.hang()
        state = board.wait_for(lambda state: state["camera"]["state"] == "lost")
        assert state["people"] == []
        assert state["camera"]["error"]
        status, _, body = board.ask("/healthz")
        assert (status, json.loads(body)) == (503, {"status": "lost"})
        status, _, body = board.ask("/api/snapshot")
        assert (status, json.loads(body)) == (503, {"error": "the camera is away"})
        is_notice = False
        while not is_notice:
            picture = decoded(next_picture(stream.readline, stream.read, "frame"))
            is_notice = bool(picture[5, -5].max() < 64)  # night, not the grey of the scene
    board.camera.recover()
    board.camera.plug()
    board.wait_for(lambda state: state["camera"]["state"] == "seeing")
    assert "maskwatch_camera_reconnects_total 1.0" in board.ask("/metrics")[2].decode()


@pytest.mark.parametrize("path", [*PUBLIC, "/api/state", "/metrics", "/nothing"])
def test_every_answer_carries_the_strict_headers(board: Watching, path: str) -> None:
    _, headers, _ = board.ask(path)
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["server"] == "maskwatch"
    assert "set-cookie" not in headers
    assert not any(name.startswith("access-control-") for name in headers)


def test_the_page_needs_nothing_from_elsewhere(board: Watching) -> None:
    page = board.ask("/")[2].decode()
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert links
    assert {f"/{link}" for link in links} <= set(PUBLIC)
    assert not re.search(r"<script(?! src)|<style| style=| on[a-z]+=", page)


def test_a_name_that_leads_here_from_outside_is_refused(board: Watching) -> None:
    for path in (*PUBLIC, *PRIVATE):
        status, _, body = board.ask(path, Host="evil.example")
        assert status == 403, path
        assert "localhost" in json.loads(body)["error"]
    for host in ("localhost", f"LOCALHOST:{board.port}", "127.0.0.1:1", "[::1]:80"):
        assert board.ask("/api/state", Host=host)[0] == 200


def test_a_page_of_others_may_not_use_a_browser_here(board: Watching) -> None:
    for site in ("cross-site", "same-site"):
        assert board.ask("/api/stream", Sec_Fetch_Site=site, Sec_Fetch_Mode="no-cors")[0] == 403
    assert board.ask("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200
    assert board.ask("/api/state", Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="cors")[0] == 200


def test_nothing_can_be_changed(board: Watching) -> None:
    for path in ("/", *PRIVATE):
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            status, headers, _ = board.ask(path, method=method)
            assert status == 405, (method, path)
            assert "GET" in headers["allow"]


def test_it_listens_on_loopback_alone(board: Watching) -> None:
    assert listening_on(board.process.pid) == LOOPBACK


def test_by_default_nothing_is_listened_on(program: Program, tiny_model: Path) -> None:
    with program("run", "--source", "77", "--model", tiny_model) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("camera waiting")
        assert listening_on(process.pid) == set()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_SECONDS)


def test_a_port_that_is_taken_is_told_and_the_watching_goes_on(
    board: Watching, program: Program, tiny_model: Path
) -> None:
    taken = ("--set", "web.enabled=true", "--set", f"web.port={board.port}")
    with program("run", "--source", "77", "--model", tiny_model, *taken) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("camera waiting")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    (told,) = [line for line in err.splitlines() if "[camera-lost]" not in line]
    assert f"cannot listen on 127.0.0.1, port {board.port}: Address already in use" in told
    assert told.endswith("going on without the page [page-failed]")


def test_a_hangup_opens_the_page_anew_in_its_place() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with watching(port=port) as one, one.asked("/api/stream") as stream:
        next_picture(stream.readline, stream.read, "frame")
        one.process.send_signal(signal.SIGHUP)
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            stream.read()  # it ends
        assert one.process.stderr is not None
        assert f"the page is at {one.address}" in one.process.stderr.readline()
        one.wait_for(lambda state: state["trouble"] is None)


def test_a_token_is_made_with_its_line_of_the_configuration(
    maskwatch: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    done = maskwatch("token")
    assert (done.returncode, done.stderr) == (0, "")
    token = done.stdout.splitlines()[1].removeprefix("# ")
    (tmp_path / "config.toml").write_text(f"[web]\naddress = '0.0.0.0'\n{done.stdout}")
    config = load_config(tmp_path / "config.toml", {}, {}).config.web
    assert config.token_hash == hash_of(token)
    assert maskwatch("token").stdout != done.stdout


TOKEN = "the token of a test"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Watching]:
    """Give the program with a token, listening on all addresses."""
    with watching(f"token_hash={hash_of(TOKEN)}", "address=0.0.0.0") as one:
        yield one


def test_beyond_loopback_all_that_tells_anything_asks_for_the_token(guarded: Watching) -> None:
    assert listening_on(guarded.process.pid) == {"00000000"}
    for path in PUBLIC:
        assert guarded.ask(path)[0] in (200, 503), path
    for path in (*PRIVATE, "/nothing"):
        status, headers, body = guarded.ask(path)
        assert status == 401, path
        assert headers["www-authenticate"].startswith("Bearer")
        assert "Authorization: Bearer" in json.loads(body)["error"]
        with guarded.asked(path, TOKEN) as answer:
            assert answer.status == (404 if path == "/nothing" else 200)


def test_the_token_is_worth_the_same_under_every_name(guarded: Watching) -> None:
    assert guarded.ask("/api/state", TOKEN, Host="maskwatch.example")[0] == 200


@pytest.mark.parametrize(
    "header", ["Basic dXNlcjp4", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer x{TOKEN}"]
)
def test_what_is_not_the_token_is_refused(guarded: Watching, header: str) -> None:
    status, headers, _ = guarded.ask("/api/state", Authorization=header, X_Forwarded_For="9.9.9.9")
    assert status == 401
    assert "www-authenticate" in headers


def test_who_guesses_must_wait_and_nobody_else(guarded: Watching) -> None:
    guesser, other = {"X_Forwarded_For": "1.2.3.4, 203.0.113.5"}, {"X_Forwarded_For": "203.0.113.6"}
    codes = [guarded.ask("/api/state", f"guess{n}", **guesser)[0] for n in range(MOST_GUESSES + 1)]
    assert codes == [401] * MOST_GUESSES + [429]
    status, headers, _ = guarded.ask("/api/state", TOKEN, **guesser)
    assert status == 429
    assert 0 < int(headers["retry-after"]) <= 60
    assert guarded.ask("/api/state", TOKEN, **other)[0] == 200
    assert guarded.ask("/healthz", **guesser)[0] in (200, 503)
