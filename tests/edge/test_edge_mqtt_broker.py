"""Against a real Mosquitto: what a subscriber sees, whatever happens to broker and program."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.config import MqttConfig
from maskwatch_edge.errors import OutputError
from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.faults import Fault, Notice
from maskwatch_edge.frame import Pixels
from maskwatch_edge.mqtt import link as link_module
from maskwatch_edge.mqtt.courier import MOST_ON_THEIR_WAY
from maskwatch_edge.mqtt.link import try_broker
from maskwatch_edge.mqtt.output import open_mqtt
from maskwatch_edge.mqtt.topics import Topics
from maskwatch_edge.verdict import Decision
from maskwatch_edge.video import VideoWriter
from maskwatch_edge.view import Output, View

paho = pytest.importorskip("paho.mqtt.client", reason="needs paho-mqtt, of the extra mqtt")
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
if MOSQUITTO is None:
    pytest.skip("needs mosquitto (Debian: apt install mosquitto)", allow_module_level=True)

TOPICS = Topics("maskwatch", "door", "homeassistant")
PATIENCE_SECONDS = 60.0
CONFIGURATION = """
listener {port} 127.0.0.1
user root
persistence true
persistence_location {folder}/
max_queued_messages 0
log_dest none
{more}
"""

Program = Callable[..., "subprocess.Popen[str]"]


def until(is_so: Callable[[], bool], told: Callable[[], object] = lambda: None) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, told()
        time.sleep(0.01)


class Broker:
    """A Mosquitto that is started and killed, on a port of its own."""

    def __init__(self, folder: Path, more: str = "allow_anonymous true") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._store = folder / "mosquitto.db"
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text(
            CONFIGURATION.format(port=self.port, folder=folder, more=more)
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(MOSQUITTO), "-c", str(self._configuration)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until(self._is_there)

    def _is_there(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "mosquitto ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def remember(self) -> None:
        """Write to the disk who subscribes to what: a broker that is killed cannot."""
        assert self._process is not None
        self._store.unlink(missing_ok=True)
        self._process.send_signal(signal.SIGUSR1)
        until(self._store.exists)

    def stop(self) -> None:
        """End it so that it passes on what it has acknowledged, once it is started again."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Listener:
    """A subscriber that writes down all that it sees, and comes back after a loss."""

    def __init__(self, port: int) -> None:
        self.transcript: list[tuple[str, bool, str]] = []
        self.counts: Counter[str] = Counter()
        self._is_subscribed = False
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, "listener", clean_session=False
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._write_down
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        until(lambda: self._is_subscribed)

    def _subscribed(self, *_: Any) -> None:
        self._is_subscribed = True

    def _write_down(self, _: Any, __: Any, message: Any) -> None:
        self.transcript.append((message.topic, message.retain, message.payload.decode()))
        self.counts[message.topic] += 1

    def say(self, topic: str, payload: str) -> None:
        self._client.publish(topic, payload, qos=1)

    def on(self, topic: str) -> list[str]:
        return [payload for where, _, payload in list(self.transcript) if where == topic]

    def events(self) -> list[dict[str, Any]]:
        """The events, each id once: what comes a second time is the same as the first time."""
        seen: dict[str, dict[str, Any]] = {}
        for event in map(json.loads, self.on(TOPICS.events)):
            assert seen.setdefault(event["id"], event) == event
        return list(seen.values())

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    made = Listener(broker.port)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def state_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setattr(link_module, "RETRY_SECONDS", (1, 1))


@pytest.fixture
def warnings() -> list[Notice]:
    return []


@pytest.fixture
def tell(warnings: list[Notice]) -> Iterator[Callable[..., Output]]:
    """Give a function that opens the output."""
    made: list[Output] = []

    def open_it(port: int, **settings: Any) -> Output:
        config = MqttConfig(host="localhost", port=port, device_id="door", **settings)
        made.append(open_mqtt(config, warnings.append))
        return made[-1]

    yield open_it
    for output in made:
        output.close()


def view(seconds: float, *events: Event) -> View:
    return View(None, (), (), events, CameraState.SEEING, 10.0, seconds)


def appeared(seconds: float, number: int) -> Event:
    return Event(EventKind.APPEARED, seconds, number, Decision.MASK)


def test_the_transcript_of_a_visit(
    broker: Broker, listener: Listener, tell: Callable[..., Output], warnings: list[Notice]
) -> None:
    output = tell(broker.port)
    until(lambda: bool(listener.on(TOPICS.discovery_config)))
    output.show(view(0.0, Event(EventKind.CAMERA, 0.0, camera="seeing"), appeared(0.0, 1)))
    until(lambda: len(listener.on(TOPICS.events)) == 2)
    listener.say(TOPICS.discovery_status, "online")
    until(lambda: len(listener.on(TOPICS.discovery_config)) == 2)
    output.show(view(60.0))
    until(lambda: bool(listener.on(TOPICS.statistics)))
    output.close()
    until(lambda: listener.on(TOPICS.availability)[-1] == "offline")
    told = [
        (topic, json.loads(text).get("kind") if text[0] == "{" else text)
        for topic, _, text in listener.transcript
    ]
    assert told == [
        ("maskwatch/door/availability", "online"),
        ("homeassistant/device/door/config", None),
        ("maskwatch/door/state", None),
        ("maskwatch/door/events", "camera"),
        ("maskwatch/door/events", "appeared"),
        ("homeassistant/status", "online"),
        ("homeassistant/device/door/config", None),
        ("maskwatch/door/statistics", None),
        ("maskwatch/door/availability", "offline"),
    ]
    assert warnings == []


def test_who_comes_later_finds_what_is_retained(
    broker: Broker, tell: Callable[..., Output]
) -> None:
    output = tell(broker.port)
    output.show(view(0.0, appeared(0.0, 1)))
    output.close()
    late = Listener(broker.port)
    try:
        until(lambda: len(late.transcript) == 3)
        assert {(topic, is_retained) for topic, is_retained, _ in late.transcript} == {
            (TOPICS.availability, True),
            (TOPICS.state, True),
            (TOPICS.discovery_config, True),
        }
        assert late.on(TOPICS.availability) == ["offline"]
        assert json.loads(late.on(TOPICS.state)[0])["camera"] == "seeing"
    finally:
        late.close()


def test_a_broker_that_is_killed_for_ten_minutes_gets_every_event_in_order_and_once(
    broker: Broker, listener: Listener, tell: Callable[..., Output], warnings: list[Notice]
) -> None:
    output = tell(broker.port)
    for turn in range(50):  # ten events a second
        output.show(view(turn / 10, appeared(turn / 10, turn + 1)))
    until(lambda: len(listener.events()) == 50)
    broker.remember()
    broker.kill()
    for turn in range(50, 6050):  # ten minutes
        output.show(view(turn / 10, appeared(turn / 10, turn + 1)))
    until(lambda: bool(warnings))
    broker.start()
    until(lambda: listener.counts[TOPICS.events] >= 6050, lambda: listener.counts)
    until(lambda: len(listener.events()) == 6050)
    until(lambda: len(listener.on(TOPICS.statistics)) >= 10)
    events = listener.events()
    assert [event["track"] for event in events] == list(range(1, 6051))
    numbers = [event["sequence"] for event in events]
    assert numbers == sorted(set(numbers))
    # Twice came only what the broker had not acknowledged when it was killed.
    assert len(listener.on(TOPICS.events)) <= 6050 + MOST_ON_THEIR_WAY
    totals = [json.loads(text)["events"] for text in listener.on(TOPICS.statistics)]
    assert totals == sorted(set(totals))
    away, back = warnings
    assert away.message.startswith(f"the MQTT broker is away: localhost:{broker.port}: ")
    assert back == Fault.BROKER_AWAY.ended("the MQTT broker is there now")


def test_a_broker_that_ends_again_and_again_gets_every_event_in_order(
    broker: Broker, listener: Listener, tell: Callable[..., Output]
) -> None:
    output = tell(broker.port)
    for turn in range(1200):
        output.show(view(turn / 10, appeared(turn / 10, turn + 1)))
        if turn % 400 == 399:  # while events are on their way
            broker.stop()
            broker.start()
    until(lambda: listener.counts[TOPICS.events] >= 1200, lambda: listener.counts)
    until(lambda: len(listener.events()) == 1200)
    assert [event["track"] for event in listener.events()] == list(range(1, 1201))


# --- who may connect


def run_tool(*command: str | Path) -> None:
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"needs {command[0]}, which is not here")
    subprocess.run(list(map(str, command)), check=True, capture_output=True)


@pytest.fixture
def guarded_broker(tmp_path: Path) -> Iterator[Broker]:
    """Give a broker that wants the password "open sesame" of the user "door"."""
    passwords = tmp_path / "passwords"
    run_tool("mosquitto_passwd", "-b", "-c", passwords, "door", "open sesame")
    made = Broker(tmp_path, f"allow_anonymous false\npassword_file {passwords}")
    made.start()
    yield made
    made.kill()


def test_a_password_comes_from_a_file_or_from_systemd(
    guarded_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("open sesame\n")
    wrong.write_text("open barley")
    at: dict[str, Any] = {"host": "localhost", "port": guarded_broker.port, "user": "door"}
    try_broker(MqttConfig(**at, password_file=right))
    for config in (MqttConfig(**at, password_file=wrong), MqttConfig(**at)):
        with pytest.raises(OutputError, match=r"localhost:\d+: Not authorized"):
            try_broker(config)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "maskwatch-mqtt-password").write_text("open sesame\n")
    try_broker(MqttConfig(**at))


def test_a_broker_that_does_not_let_us_in_is_told_once_and_events_are_kept(
    guarded_broker: Broker, tell: Callable[..., Output], warnings: list[Notice], tmp_path: Path
) -> None:
    output = tell(guarded_broker.port)
    output.show(view(0.0, appeared(0.0, 1)))
    until(lambda: bool(warnings))
    output.close()
    told = (
        f"the MQTT broker is away: localhost:{guarded_broker.port}: Not authorized; "
        "events are kept for it"
    )
    assert warnings == [Fault.BROKER_AWAY.begun(told)]
    assert b'"appeared"' in (tmp_path / "state/mqtt.sqlite").read_bytes()


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """Give the certificate of an authority; that of a broker at localhost is beside it."""
    days = ("-days", "2", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    ca, key = tmp_path / "ca.pem", tmp_path / "ca.key"
    run_tool("openssl", "req", "-x509", *days, "-subj", "/CN=test", "-keyout", key, "-out", ca)
    request, names = tmp_path / "broker.csr", tmp_path / "names"
    names.write_text("subjectAltName=DNS:localhost")
    run_tool(
        "openssl",
        "req",
        *days[2:],
        "-subj",
        "/CN=localhost",
        "-keyout",
        tmp_path / "broker.key",
        "-out",
        request,
    )
    run_tool(
        "openssl",
        "x509",
        "-req",
        "-in",
        request,
        "-CA",
        ca,
        "-CAkey",
        key,
        "-days",
        "2",
        "-CAcreateserial",
        "-extfile",
        names,
        "-out",
        tmp_path / "broker.pem",
    )
    return ca


@pytest.fixture
def tls_broker(tmp_path: Path, authority: Path) -> Iterator[Broker]:
    files = f"certfile {tmp_path}/broker.pem\nkeyfile {tmp_path}/broker.key"
    made = Broker(tmp_path, f"allow_anonymous true\n{files}")
    made.start()
    yield made
    made.kill()


# Paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_with_tls_the_broker_must_prove_who_it_is(
    tls_broker: Broker, authority: Path, tell: Callable[..., Output], warnings: list[Notice]
) -> None:
    try_broker(MqttConfig(host="localhost", port=tls_broker.port, tls=True, ca_file=authority))
    with pytest.raises(OutputError, match="certificate verify failed"):
        try_broker(MqttConfig(host="localhost", port=tls_broker.port, tls=True))
    with pytest.raises(OutputError, match="certificate verify failed"):  # not its name
        try_broker(MqttConfig(host="127.0.0.1", port=tls_broker.port, tls=True, ca_file=authority))
    with pytest.raises(OutputError, match=f"localhost:{tls_broker.port}: "):
        try_broker(MqttConfig(host="localhost", port=tls_broker.port))
    tell(tls_broker.port, tls=True)
    until(lambda: bool(warnings))
    assert "certificate verify failed" in warnings[0].message
    gc.collect()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"user": "me", "password_file": Path("none")}, "cannot read the MQTT password in none: "),
        ({"tls": True, "ca_file": Path("none.pem")}, "cannot read mqtt.ca_file none.pem: No such"),
        ({"tls": True, "ca_file": Path(__file__)}, "cannot read mqtt.ca_file "),  # no certificate
    ],
)
def test_a_file_that_cannot_be_read_is_told(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(OutputError, match=expected):
        open_mqtt(MqttConfig(host="localhost", **settings), lambda line: None)


# --- the real program


def options(broker: Broker, tiny_model: Path, source: str | Path) -> list[str | Path]:
    settings = (f"mqtt.port={broker.port}", "mqtt.host=localhost", "mqtt.device_id=door")
    sets = [word for setting in settings for word in ("--set", setting)]
    return ["run", "--source", source, "--model", tiny_model, "--finder", "haar", *sets]


def write_clip(path: Path, picture: Pixels, frames: int) -> None:
    with VideoWriter(path, 10) as writer:
        for _ in range(frames):
            writer.write(picture)


def test_the_program_tells_the_broker_what_it_sees_in_a_clip(
    broker: Broker,
    listener: Listener,
    program: Program,
    tiny_model: Path,
    tmp_path: Path,
    bare_portrait: Pixels,
) -> None:
    write_clip(tmp_path / "clip.mp4", bare_portrait, 6)
    with program(*options(broker, tiny_model, "clip.mp4")) as process:
        out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    until(lambda: listener.on(TOPICS.availability)[-1:] == ["offline"])
    kinds = [(event["kind"], event.get("decision")) for event in listener.events()]
    assert kinds[-4:] == [
        ("camera", None),
        ("appeared", "no_mask"),
        ("camera", None),
        ("left", "no_mask"),
    ]
    assert len(kinds) == len(out.splitlines())
    state = json.loads(listener.on(TOPICS.state)[-1])
    assert state["camera"] in ("seeing", "ended")


def test_a_program_that_is_killed_is_reported_by_its_last_will(
    broker: Broker, listener: Listener, program: Program, tiny_model: Path
) -> None:
    with program(*options(broker, tiny_model, "77")) as process:
        until(lambda: bool(listener.events()))
        process.kill()
        process.communicate()
    until(lambda: listener.on(TOPICS.availability)[-1] == "offline")
    assert listener.on(TOPICS.availability) == ["online", "offline"]


def test_events_survive_that_the_program_is_killed_while_the_broker_is_away(
    broker: Broker,
    listener: Listener,
    program: Program,
    tiny_model: Path,
    tmp_path: Path,
    bare_portrait: Pixels,
) -> None:
    write_clip(tmp_path / "clip.mp4", bare_portrait, 400)
    broker.remember()
    broker.kill()
    with program(*options(broker, tiny_model, "clip.mp4")) as process:
        until(lambda: b'"appeared"' in kept_on_disk(tmp_path / "state"))
        process.kill()
        _, err = process.communicate()
    assert err.count("\n") == 1
    assert "the MQTT broker is away" in err
    broker.start()
    with program(*options(broker, tiny_model, "77")) as process:
        until(lambda: len({event["run"] for event in listener.events()}) == 2)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    until(lambda: listener.on(TOPICS.availability)[-1] == "offline")
    events = listener.events()
    assert [event["kind"] for event in events if event["run"] == events[0]["run"]][-1] == "appeared"
    assert [event["kind"] for event in events if event["run"] != events[0]["run"]] == ["camera"]
    numbers = [event["sequence"] for event in events]
    assert numbers == sorted(set(numbers))


def kept_on_disk(folder: Path) -> bytes:
    """Read the file as it is: the program that has it locked would not let a reader in."""
    return b"".join(path.read_bytes() for path in folder.glob("mqtt.sqlite*"))


def test_without_paho_the_program_says_what_to_install_and_goes_on(
    program: Program,
    tiny_model: Path,
    broker: Broker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "paho").mkdir()
    (tmp_path / "paho/__init__.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    with program(*options(broker, tiny_model, "77")) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("camera waiting")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "pip install 'maskwatch[mqtt]'; going on without the MQTT broker" in err
