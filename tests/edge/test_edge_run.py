"""`maskwatch run`, started as a user starts it and ended as a user ends it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from urllib.request import urlopen

import numpy as np
import pytest

from maskwatch_edge.bench.clip import SHIPPED_CLIP
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.config import (
    Config,
    DisplayConfig,
    FacesConfig,
    MqttConfig,
    OutputConfig,
    WebConfig,
)
from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.fault_log import FaultLog
from maskwatch_edge.frame import Pixels
from maskwatch_edge.loop import closing_all
from maskwatch_edge.run_command import open_outputs, unseen_seconds
from maskwatch_edge.verdict import Decision
from maskwatch_edge.video import VideoWriter
from maskwatch_edge.view import View

FRAMES = 400
Program = Callable[..., "subprocess.Popen[str]"]
Maskwatch = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a clip that takes many seconds if faces are looked for in every frame."""
    path = tmp_path_factory.mktemp("clip") / "long.mp4"
    grey = np.full((480, 640, 3), 128, dtype=np.uint8)
    with VideoWriter(path, 25) as writer:
        for _ in range(FRAMES):
            writer.write(grey)
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_the_program_cleanly_after_the_frame(
    program: Program, long_clip: Path, tiny_model: Path, number: signal.Signals
) -> None:
    with program(
        *("run", "--source", long_clip, "--display", "none", "--jsonl", "--model", tiny_model),
        *("--set", "faces.look_seconds=0", "--set", "faces.still_seconds=0"),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.send_signal(number)
        lines = [first, *process.stdout.readlines()]  # `communicate` loses what was read ahead
        err = process.stderr.read()
        process.wait(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert "error" not in err
    assert [json.loads(line)["frame"] for line in lines] == list(range(len(lines)))
    assert len(lines) < FRAMES  # it did not wait for the end of the clip


def test_a_reader_that_goes_away_ends_the_program_without_a_traceback(
    program: Program, long_clip: Path, tiny_model: Path
) -> None:
    with program("run", "--source", long_clip, "--jsonl", "--model", tiny_model) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["frame"] == 0
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(timeout=60) == 1
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


def test_a_clip_is_watched_to_its_end(
    maskwatch: Maskwatch, tmp_path: Path, tiny_model: Path
) -> None:
    write_clip(tmp_path / "clip.mp4")
    done = maskwatch("run", "--source", "clip.mp4", "--model", tiny_model)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[-2:] == ["camera seeing", "camera ended"]


def test_the_pace_changes_nothing_of_what_is_told_of_people(maskwatch: Maskwatch) -> None:
    watch = ("run", "--source", SHIPPED_CLIP, "--lines", "events")
    saving = people_told(maskwatch(*watch).stdout)
    always = people_told(maskwatch(*watch, "--set", "faces.still_seconds=0").stdout)
    assert [told[1:] for told in saving] == [told[1:] for told in always] != []
    assert [told[0] for told in saving] == pytest.approx([told[0] for told in always], abs=0.5)


def people_told(out: str) -> list[tuple[float, str, int, str]]:
    """Return when, what, of whom, and the verdict."""
    events = [json.loads(line) for line in out.splitlines()]
    return [
        (event["time_seconds"], event["kind"], event["track"], event["decision"])
        for event in events
        if event["kind"] != "camera"
    ]


def test_frames_of_a_clip_are_told_one_by_one(
    maskwatch: Maskwatch, tmp_path: Path, tiny_model: Path
) -> None:
    write_clip(tmp_path / "clip.mp4")
    done = maskwatch("run", "--source", "clip.mp4", "--jsonl", "--model", tiny_model)
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["frame"] for each in objects] == [0, 1, 2, 3]
    assert all(each["faces"] == [] for each in objects)


def write_clip(path: Path) -> None:
    with VideoWriter(path, 10) as writer:
        for _ in range(4):
            writer.write(np.full((48, 64, 3), 128, dtype=np.uint8))


def test_people_in_a_picture_folder_are_told_as_events(
    maskwatch: Maskwatch, tmp_path: Path, bare_portrait: Pixels, tiny_model: Path
) -> None:
    with VideoWriter(tmp_path / "clip.mp4", 10) as writer:
        for _ in range(6):
            writer.write(bare_portrait)
    done = maskwatch("run", "--source", "clip.mp4", "--lines", "events", "--model", tiny_model)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    told = [(each["kind"], each.get("decision"), each.get("camera")) for each in events]
    assert [each for each in told if each[2] != "waiting"] == [
        ("camera", None, "seeing"),
        ("appeared", "no_mask", None),
        ("camera", None, "ended"),
        ("left", "no_mask", None),
    ]
    assert all(each["time"].endswith("+00:00") for each in events)


def test_a_camera_that_is_not_there_is_waited_for_until_ctrl_c(
    program: Program, tiny_model: Path
) -> None:
    with program("run", "--source", "77", "--model", tiny_model) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "camera waiting\n"
        told = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert told.startswith(
        "maskwatch: no pictures from the camera: there is no camera /dev/video77"
    )
    assert told.endswith("[camera-lost]\n")
    assert (process.returncode, err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--source", "none.mp4"), r"there is no none\.mp4"),
        (("--model", "none.tflite"), r"none\.tflite"),
        (("--finder", "haar", "--cascade", "none.xml"), r"there is no cascade file .*none\.xml"),
        (("--config", "none.toml"), r"none\.toml"),
        (("--set", "camera.sauce=1"), r"camera\.source"),
    ],
)
def test_what_is_missing_is_told_in_one_line(
    maskwatch: Maskwatch, tiny_model: Path, arguments: tuple[str, ...], expected: str
) -> None:
    done = maskwatch("run", "--model", tiny_model, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("maskwatch run: error: ")
    assert re.search(expected, done.stderr)


def test_a_hangup_reads_the_configuration_anew_and_a_broken_one_is_refused(
    program: Program, tmp_path: Path, tiny_model: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[camera]\nsource = "77"\n')
    with program("run", "--config", config, "--model", tiny_model) as process:
        assert process.stderr is not None
        assert "/dev/video77" in process.stderr.readline()
        config.write_text('[camera]\nsauce = "78"\n')
        process.send_signal(signal.SIGHUP)
        refusal = process.stderr.readline()
        config.write_text('[camera]\nsource = "78"\n')
        process.send_signal(signal.SIGHUP)
        assert "/dev/video78" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert refusal.startswith("maskwatch: the old configuration stays")
    assert refusal.endswith("[reload-refused]\n")
    assert "camera.source" in refusal
    assert process.returncode == 0


@pytest.mark.parametrize("package", ["aiohttp", "prometheus_client"])
def test_a_page_that_is_not_installed_is_told_and_done_without(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], package: str
) -> None:
    for name in ("aiohttp", "prometheus_client"):
        monkeypatch.setitem(sys.modules, name, None if name == package else ModuleType(name))
    outputs = open_outputs(
        Config(web=WebConfig(enabled=True)), lambda: None, lambda: None, FaultLog()
    )
    view = View(None, (), (), (), CameraState.SEEING, 0.0, 0.0)
    with closing_all(outputs):
        for output in outputs:
            output.show(view)
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install 'maskwatch[web]'; going on without the page" in line


def test_the_metrics_tell_how_many_messages_wait_for_a_broker_that_is_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("paho.mqtt", reason="needs the extra mqtt")
    pytest.importorskip("aiohttp", reason="needs the extra web")
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    config = Config(
        mqtt=MqttConfig(host="127.0.0.1", port=port), web=WebConfig(enabled=True, port=0)
    )
    somebody = Event(EventKind.APPEARED, 0.0, 1, Decision.MASK)
    outputs = open_outputs(config, lambda: None, lambda: None, FaultLog())
    with closing_all(outputs):
        (address,) = re.findall(r"http://\S+", capsys.readouterr().err)
        for output in outputs:
            output.show(View(None, (), (), (somebody,), CameraState.SEEING, 0.0, 0.0))
        deadline = time.monotonic() + 30
        while True:
            with urlopen(f"{address}metrics") as answer:
                found = re.findall(r'depth{queue="mqtt"} (\S+)', answer.read().decode())
            if found == ["1.0"]:
                break
            assert time.monotonic() < deadline, found


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (Config(), 0.0975),  # a camera of 30 frames a second gives every third
        (Config(faces=FacesConfig(look_seconds=0.0)), 0.0),
        (Config(faces=FacesConfig(look_seconds=30.0)), 2.5),  # a camera must not seem to stall
        (Config(display=DisplayConfig("console")), 0.0),
        (Config(output=OutputConfig("frames")), 0.0),
        (Config(web=WebConfig(enabled=True)), 0.0975),  # the page shows what is looked at
    ],
)
def test_what_nobody_sees_need_not_be_unpacked(config: Config, expected: float) -> None:
    assert unseen_seconds(config) == pytest.approx(expected)
