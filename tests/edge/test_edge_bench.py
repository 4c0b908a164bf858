"""`maskwatch bench`: the real program on a few frames, and its parts on clocks of the test."""

from __future__ import annotations

import io
import json
import socket
import subprocess
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from maskwatch_edge.bench.bench import Task, bench
from maskwatch_edge.bench.clip import SHIPPED_CLIP
from maskwatch_edge.bench.figures import STAGES, Pace, Spread, pace_of, to_text
from maskwatch_edge.bench.progress import Progress
from maskwatch_edge.bench.replay import Reel, Replay, load_reel
from maskwatch_edge.bench.rig import rigged, timed_watcher
from maskwatch_edge.bench.start_up import start_program
from maskwatch_edge.bench.stopwatch import TELL, Stopwatch
from maskwatch_edge.bench.turns import REST, TURN, Run, Turn, measure
from maskwatch_edge.cameras.fake_camera import FakeCamera
from maskwatch_edge.cameras.sources import open_source
from maskwatch_edge.config.file import load_config
from maskwatch_edge.doctor.fake import FakeSystem
from maskwatch_edge.errors import InputError, SourceError
from maskwatch_edge.frame import Frame
from maskwatch_edge.pictures import write_picture
from maskwatch_edge.pipeline import FIND, JUDGE
from maskwatch_edge.run_command import build_watcher

Maskwatch = Callable[..., "subprocess.CompletedProcess[str]"]
TINY_FINDER = Path(__file__).parents[1] / "data" / "tiny-finder-int8.tflite"
SIZE = (640, 480)


@pytest.fixture
def tiny(tiny_model: Path) -> dict[str, object]:
    """Give the settings of the tiny models."""
    return {"model.path": tiny_model, "faces.model": TINY_FINDER, "output.lines": "frames"}


@pytest.fixture
def tiny_options(tiny_model: Path) -> list[str]:
    return ["--model", str(tiny_model), "--finder-model", str(TINY_FINDER)]


def task_of(settings: dict[str, object], **changed: object) -> Task:
    return Task(
        load_config(None, {}, {"camera.source": str(SHIPPED_CLIP), **settings, **changed}), 3
    )


def test_the_shipped_clip_is_measured_and_told_as_json(
    maskwatch: Maskwatch, tiny_options: list[str], tiny_model: Path
) -> None:
    done = maskwatch("bench", "--frames", "4", "--json", *tiny_options)
    assert (done.returncode, done.stderr) == (0, "")
    figures = json.loads(done.stdout)
    assert figures.keys() == {
        "maskwatch", "machine", "interpreter", "finder", "model", "source", "width", "height",
        "rate", "pace", "start_up_seconds", "peak_rss_mb", "celsius_before", "celsius_after",
        "throttled",
    }  # fmt: skip
    assert figures["model"] == tiny_model.name
    assert (figures["width"], figures["height"], figures["rate"]) == (*SIZE, None)
    assert figures["start_up_seconds"] > 0
    assert figures["peak_rss_mb"] > 20
    assert_is_pace(figures["pace"], frames=4)


def assert_is_pace(pace: dict[str, Any], frames: int) -> None:
    assert pace.keys() == {
        "frames", "faces_per_frame", "frames_per_second", "latency", "cpu_seconds_per_frame",
        "stages",
    }  # fmt: skip
    assert pace["frames"] == frames
    assert pace["frames_per_second"] > 0
    assert pace["cpu_seconds_per_frame"] > 0
    assert pace["latency"].keys() == {"median_ms", "p99_ms"}
    assert {FIND, TELL, REST, TURN} <= pace["stages"].keys() <= STAGES.keys()
    for stage in pace["stages"].values():
        assert stage.keys() == {"median_ms", "p99_ms", "mean_ms", "frames"}
        assert 0 <= stage["median_ms"] <= stage["p99_ms"]


def test_people_are_told_in_lines(maskwatch: Maskwatch, tiny_options: list[str]) -> None:
    done = maskwatch("bench", "--frames", "2", "--rate", "50", *tiny_options)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert any(line.startswith("find the faces") for line in lines)
    assert any(line.startswith("start to verdict") for line in lines)
    assert any(line.endswith("640x480, offered 50 times a second") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--source", "none.mp4"), "none.mp4"),
        (("--source", "."), "holds no pictures and no videos"),
        (("--rate", "10", "--source", "0"), "--set camera.frames_per_second=10"),
        (("--set", "camera.sauce=1"), "camera.source"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    maskwatch: Maskwatch, tiny_options: list[str], arguments: tuple[str, ...], expected: str
) -> None:
    done = maskwatch("bench", *tiny_options, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("maskwatch bench: error: ")
    assert expected in done.stderr


def test_what_is_measured_says_what_the_service_says(tiny: dict[str, object]) -> None:
    config = task_of(tiny).config
    with open_source(str(SHIPPED_CLIP)) as source:
        frame = next(source.frames())
    timed, plain = timed_watcher(config, Stopwatch()), build_watcher(config)
    assert timed.look(frame) == plain.look(frame)


@pytest.mark.parametrize(
    ("files", "outputs", "celsius", "words"),
    [
        ({}, {}, None, None),
        (
            {"/sys/class/thermal/thermal_zone0/temp": "61234"},
            {"vcgencmd": "throttled=0x50005"},
            61.234,
            [
                "too little voltage now",
                "slowed down now",
                "too little voltage since it was started",
                "slowed down since it was started",
            ],
        ),
        ({}, {"vcgencmd": "throttled=0x0"}, None, []),
    ],
)
def test_heat_is_told_where_the_board_tells_it(
    tiny: dict[str, object],
    files: dict[str, str],
    outputs: dict[str, str],
    celsius: float | None,
    words: list[str] | None,
) -> None:
    figures = bench(task_of(tiny), FakeSystem(files=files, outputs=outputs))
    assert figures.celsius_before == figures.celsius_after == celsius
    assert figures.throttled == words
    is_told = "not told by this machine" not in to_text(figures).splitlines()[-1]
    assert is_told is (words is not None)


def test_lamps_stay_dark(tiny: dict[str, object]) -> None:
    lamps = {"indicator.lamps": '[{line = "GPIO17"}]'}
    task = task_of(tiny, **lamps)
    assert task.loaded.config.indicator.lamps
    assert not task.config.indicator.lamps


def test_nothing_of_the_service_is_printed(
    tiny: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[int] = []
    bench(task_of(tiny), FakeSystem(), done.append)
    assert capsys.readouterr() == ("", "")
    assert done == [1, 2, 3]


def test_a_camera_is_measured_from_its_pictures_on(tiny: dict[str, object]) -> None:
    camera = FakeCamera(*SIZE)
    with rigged(task_of(tiny).config, camera.open) as rig:
        run = measure(rig, 3, is_live=True)
    assert run.resolution_wh == SIZE
    # It took its picture before the turn ended, and not before the camera was opened.
    assert all(0 < turn.latency_seconds < 60 for turn in run.turns)


def test_a_bench_is_not_counted_for_the_statistics(tiny: dict[str, object], tmp_path: Path) -> None:
    settings = {"statistics.enabled": True, "statistics.path": str(tmp_path / "statistics.db")}
    bench(task_of(tiny, **settings), FakeSystem())
    assert list(tmp_path.iterdir()) == []


def test_a_bench_is_told_to_no_broker_and_shown_on_no_page(tiny: dict[str, object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings = {"mqtt.host": "127.0.0.1", "mqtt.port": port}
        # A page could not have the port, and would say so.
        page = {"web.enabled": True, "web.port": port}
        bench(task_of(tiny, **settings, **page), FakeSystem())
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has knocked
            listener.accept()


def test_a_camera_that_gives_nothing_is_given_up(tiny: dict[str, object]) -> None:
    camera = FakeCamera()
    camera.pull()
    config = task_of(tiny, **{"camera.source": "0"}).config
    with (
        rigged(config, camera.open) as rig,
        pytest.raises(SourceError, match=r"it was pulled \(waited 0.3 s\)"),
    ):
        measure(rig, 3, is_live=True, patience_seconds=0.3)


def test_a_window_that_is_closed_ends_it(tiny: dict[str, object]) -> None:
    reel = load_reel(str(SHIPPED_CLIP), 4)
    asked = Event()
    with rigged(task_of(tiny).config, lambda camera: Replay(reel)) as rig:
        run = measure(rig, 9, is_live=False, on_frame=lambda n: asked.set(), is_over=asked.is_set)
        assert len(run.turns) == 1
        with pytest.raises(SourceError, match="before a frame was measured"):
            measure(rig, 9, is_live=False, is_over=asked.is_set)


def test_a_turn_of_a_file_is_no_older_than_it_is_long(tiny: dict[str, object]) -> None:
    reel = load_reel(str(SHIPPED_CLIP), 4)
    with rigged(task_of(tiny).config, lambda camera: Replay(reel)) as rig:
        run = measure(rig, 3, is_live=False)
    for turn in run.turns:
        assert turn.latency_seconds == turn.seconds[TURN]
        parts = [seconds for stage, seconds in turn.seconds.items() if stage != TURN]
        assert sum(parts) == pytest.approx(turn.seconds[TURN])


def test_a_program_that_never_says_a_verdict_is_told_with_its_words(
    tiny: dict[str, object], tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=r"there is no .*none\.mp4"):
        start_program(task_of(tiny).loaded, tmp_path / "none.mp4")


# The parts.


def test_a_stopwatch_adds_up_what_a_lap_spends_in_each_stage() -> None:
    ticks = iter(range(100))
    stopwatch = Stopwatch(lambda: float(next(ticks)))
    for stage in (FIND, JUDGE, FIND):
        with stopwatch.timing(stage):
            pass
    assert stopwatch.lap() == {FIND: 2.0, JUDGE: 1.0}
    assert stopwatch.lap() == {}


def test_what_fails_took_its_time_all_the_same() -> None:
    ticks = iter(range(100))
    stopwatch = Stopwatch(lambda: float(next(ticks)))
    with pytest.raises(InputError), stopwatch.timing(FIND):
        raise InputError("no")
    assert stopwatch.lap() == {FIND: 1.0}


def frames_of(count: int, rate: float | None = 10.0) -> list[Frame]:
    return [
        Frame(np.full((2, 2, 3), shade, dtype=np.uint8), shade, 0.0, "made", rate)
        for shade in range(count)
    ]


def test_frames_of_a_file_go_on_in_time_when_it_begins_again() -> None:
    replay = Replay(Reel(frames_of(2)))
    shown = list(islice(replay.frames(), 5))
    assert not replay.is_live
    assert [frame.number for frame in shown] == [0, 1, 2, 3, 4]
    assert [frame.time_seconds for frame in shown] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
    assert [frame.pixels[0, 0, 0] for frame in shown] == [0, 1, 0, 1, 0]


def test_frames_at_a_rate_come_when_they_are_due_and_have_that_time() -> None:
    now = [100.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    replay = Replay(Reel(frames_of(2)), 4.0, lambda: now[0], sleep)
    times = []
    for frame in islice(replay.frames(), 4):
        times.append(frame.time_seconds)
        now[0] += 0.05  # whoever takes it is quicker than the rate
    assert replay.is_live
    assert times == [100.0, 100.25, 100.5, 100.75]
    assert slept == pytest.approx([0.0, 0.2, 0.2, 0.2])


def test_a_single_picture_moves_a_little_so_that_it_is_not_a_frozen_camera(tmp_path: Path) -> None:
    write_picture(tmp_path / "one.png", np.full((4, 4, 3), 7, dtype=np.uint8))
    reel = load_reel(str(tmp_path / "one.png"), 300)
    first, second = (frame.pixels for frame in reel.frames)
    assert int((first != second).any(axis=2).sum()) == 1
    assert reel.frames_per_second == 25.0


@pytest.mark.parametrize(
    ("most_frames", "most_bytes", "held"),
    [
        (5, 1 << 40, 5),
        (1000, 1 << 40, 150),
        (5, 3 * 640 * 480 * 3, 3),
        (5, 1, 2),  # one, shown in two ways
    ],
)
def test_no_more_frames_are_held_than_wanted_and_than_there_is_room(
    most_frames: int, most_bytes: int, held: int
) -> None:
    reel = load_reel(str(SHIPPED_CLIP), most_frames, most_bytes)
    assert len(reel.frames) == held


def test_percentiles_are_of_the_times_that_were_measured() -> None:
    spread = Spread.of([0.001 * n for n in range(1, 101)])
    assert (spread.median_ms, spread.p99_ms) == pytest.approx((50.5, 99.0))
    assert Spread.of([0.002]) == Spread(2.0, 2.0)


def test_a_stage_that_few_frames_enter_is_shared_out_among_all() -> None:
    turns = (
        Turn({FIND: 0.03, REST: 0.01, TURN: 0.04}, 2, 0.05, SIZE),
        Turn({REST: 0.01, TURN: 0.01}, 0, 0.01, SIZE),
    )
    pace: Pace = pace_of(Run(turns, 0.5, 0.06, SIZE))
    assert pace.frames_per_second == 4.0
    assert pace.faces_per_frame == 1.0
    assert pace.cpu_seconds_per_frame == 0.03
    assert (pace.stages[FIND].frames, pace.stages[FIND].mean_ms) == (1, 15.0)
    assert pace.stages[FIND].median_ms == 30.0
    assert list(pace.stages) == [FIND, REST, TURN]


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_bar_grows_on_a_terminal_and_leaves_nothing_behind() -> None:
    screen = Screen()
    progress = Progress(4, screen)
    for done in range(1, 5):
        progress.show(done)
    assert [bar[:3] for bar in screen.getvalue().split("\r")[1:]] == ["[##"] * 4
    assert screen.getvalue().endswith("100 %")
    progress.clear()
    progress.clear()
    assert screen.getvalue().split("\r")[-2:] == [" " * 38, ""]


def test_elsewhere_no_bar_is_drawn() -> None:
    stream = io.StringIO()
    progress = Progress(4, stream)
    progress.show(2)
    progress.clear()
    assert stream.getvalue() == ""
