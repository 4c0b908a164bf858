"""The loop that runs for a year, on a camera that has every fault."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import numpy as np
import pytest

from maskwatch_edge.cameras.camera import CameraReader
from maskwatch_edge.cameras.fake_camera import FakeCamera
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.classifier import MaskClassifier
from maskwatch_edge.config import (
    CameraConfig,
    DecisionConfig,
    IndicatorConfig,
    LampConfig,
    Thresholds,
)
from maskwatch_edge.datagrams import FakeDatagrams
from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.frame import Pixels
from maskwatch_edge.lamps.gpio import FakeBoard
from maskwatch_edge.lamps.indicator import Indicator
from maskwatch_edge.notify import Notifier
from maskwatch_edge.pipeline import StreamWatcher
from maskwatch_edge.service import Rate, Service, describe
from maskwatch_edge.verdict import Decision
from maskwatch_edge.view import Output, View

from .conftest import PATIENCE_SECONDS, PatchFinder

CAMERA = CameraConfig(
    source="/dev/fake", stall_seconds=0.3, retry_first_seconds=0.02, retry_longest_seconds=0.05
)
DECISION = DecisionConfig(window_seconds=0.1, hold_seconds=0.1, forget_seconds=1.0)
TURNS = 400
"""More than any of these tests needs; a turn without a frame takes a tenth of a second."""

GREEN, PINK = (60, 200, 60), (200, 60, 200)


class Notebook:
    """An output that remembers what it was shown."""

    def __init__(self) -> None:
        self.views: list[View] = []

    def show(self, view: View) -> None:
        self.views.append(view)

    def close(self) -> None:
        pass

    @property
    def events(self) -> list[Event]:
        return [event for view in self.views for event in view.events]


def scene(*colours: tuple[int, int, int]) -> Pixels:
    """Paint a face of each colour, away from the corner that changes with every picture."""
    pixels = np.full((96, 320, 3), 128, dtype=np.uint8)
    for place, colour in enumerate(colours):
        pixels[30:80, 70 + 80 * place : 120 + 80 * place] = colour
    return pixels


class Desk:
    """A service with all its parts at hand."""

    def __init__(self, camera: FakeCamera, reader: CameraReader, watcher: StreamWatcher) -> None:
        self.camera = camera
        self.notebook = Notebook()
        self.socket = FakeDatagrams()
        notifier = Notifier(self.socket, watchdog_seconds=30.0)
        self.service = Service(reader, watcher, DECISION, [self.notebook], notifier)

    def turn_until(self, is_reached: Callable[[View], bool]) -> View:
        for _ in range(TURNS):
            view = self.service.turn()
            if is_reached(view):
                return view
        raise AssertionError(f"not reached; what happened: {self.notebook.events}")


@pytest.fixture
def desk(patch_watcher: StreamWatcher) -> Iterator[Desk]:
    camera = FakeCamera(320, 96, period_seconds=0.01)
    camera.show(scene())
    with CameraReader(CAMERA, camera.open, is_plugged=lambda name: camera.is_plugged) as reader:
        yield Desk(camera, reader, patch_watcher)


@pytest.fixture
def patch_watcher(tiny_model: Path) -> StreamWatcher:
    """Give a watcher of painted faces, blind to the small corner that changes."""
    thresholds = Thresholds(min_face_score=0.4)
    classifier = MaskClassifier(tiny_model)
    return StreamWatcher(
        PatchFinder(), classifier, thresholds, look_seconds=0.02, still_seconds=0.5
    )


def has_people(*decisions: Decision) -> Callable[[View], bool]:
    return lambda view: sorted(track.decision for track in view.tracks) == sorted(decisions)


def test_people_come_change_and_go(desk: Desk) -> None:
    desk.turn_until(lambda view: view.camera is CameraState.SEEING)
    desk.camera.show(scene(PINK))
    desk.turn_until(has_people(Decision.NO_MASK))
    desk.camera.show(scene(GREEN))
    desk.turn_until(has_people(Decision.MASK))
    desk.camera.show(scene(GREEN, PINK))
    desk.turn_until(has_people(Decision.MASK, Decision.NO_MASK))
    desk.camera.show(scene())
    desk.turn_until(has_people())
    told = [(event.kind, event.decision) for event in desk.notebook.events]
    assert told[0] == (EventKind.CAMERA, None)
    assert told[1:4] == [
        (EventKind.APPEARED, Decision.NO_MASK),
        (EventKind.CHANGED, Decision.MASK),
        (EventKind.APPEARED, Decision.NO_MASK),
    ]
    assert sorted(told[4:]) == [(EventKind.LEFT, Decision.MASK), (EventKind.LEFT, Decision.NO_MASK)]


@pytest.mark.parametrize("fault", ["pull", "freeze", "hang"])
def test_a_lost_camera_takes_everyone_with_it_and_comes_back(desk: Desk, fault: str) -> None:
    desk.camera.show(scene(PINK))
    desk.turn_until(has_people(Decision.NO_MASK))
    getattr(desk.camera, fault)()
    lost = desk.turn_until(lambda view: view.camera is CameraState.LOST)
    assert (lost.tracks, lost.frame, lost.frames_per_second) == ((), None, 0.0)
    assert [event.kind for event in lost.events] == [EventKind.CAMERA, EventKind.LEFT]
    {"pull": desk.camera.plug, "freeze": desk.camera.thaw, "hang": desk.camera.recover}[fault]()
    desk.turn_until(has_people(Decision.NO_MASK))


def test_a_camera_that_is_away_from_the_start_is_waited_for(desk: Desk) -> None:
    desk.camera.pull()
    for _ in range(3):
        view = desk.service.turn()
    assert view.camera in (CameraState.WAITING, CameraState.LOST)
    desk.camera.plug()
    desk.turn_until(lambda view: view.camera is CameraState.SEEING)


def test_the_watchdog_is_fed_every_turn_also_while_the_camera_is_away(desk: Desk) -> None:
    desk.camera.pull()
    before = len([m for m in desk.socket.messages if "WATCHDOG" in m])
    for _ in range(3):
        desk.service.turn()
    fed = [m for m in desk.socket.messages if "WATCHDOG" in m]
    assert len(fed) - before == 3


def test_systemd_is_told_how_it_stands(desk: Desk) -> None:
    desk.camera.show(scene(PINK))
    desk.turn_until(has_people(Decision.NO_MASK))
    statuses = [m["STATUS"] for m in desk.socket.messages if "STATUS" in m]
    assert statuses[-1].startswith("camera seeing, ")
    assert statuses[-1].endswith(" fps, 1 no mask")


def test_the_loop_ends_when_it_is_asked_to(desk: Desk) -> None:
    stop = Flag()
    stop.set()
    desk.service.run(stop)
    assert desk.notebook.views == []


def test_the_rate_is_that_of_the_last_frames() -> None:
    rate = Rate()
    assert rate.value == 0.0
    for number in range(100):
        rate.add(number / 10)
    assert rate.value == pytest.approx(10.0)
    for number in range(30):
        rate.add(10 + number / 4)
    assert rate.value == pytest.approx(4.0)
    rate.clear()
    assert rate.value == 0.0


def test_an_empty_scene_is_described() -> None:
    view = View(None, (), (), (), CameraState.LOST, 0.0, 0.0)
    assert describe(view) == "camera lost, 0.0 fps, nobody"


def test_an_output_that_hangs_leaves_no_lamp_lit(patch_watcher: StreamWatcher) -> None:
    camera, board, is_over = FakeCamera(320, 96, period_seconds=0.01), FakeBoard(), Flag()
    camera.show(scene(PINK))
    lamps = IndicatorConfig(lamps=(LampConfig(line="GPIO17", min_on_seconds=3600.0),))

    class Hanging(Notebook):
        def show(self, view: View) -> None:
            if view.tracks:
                assert is_over.wait(60)

    with (
        CameraReader(CAMERA, camera.open) as reader,
        Indicator(lamps, board, stale_seconds=0.5) as indicator,
    ):
        outputs: list[Output] = [indicator, Hanging()]
        service = Service(reader, patch_watcher, DECISION, outputs, Notifier(None))
        loop = Thread(target=service.run, args=(is_over,))
        loop.start()
        try:
            wait_until(lambda: len(board["GPIO17"].history) == 3)
            assert [level for _, level in board["GPIO17"].history] == [False, True, False]
        finally:
            is_over.set()
            loop.join()


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
