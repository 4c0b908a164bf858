"""The Pi camera, on a hand-written stand-in for picamera2 that refuses wrong use."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from maskwatch_edge.errors import MissingExtraError, SourceError
from maskwatch_edge.sources import open_source


class FakePicamera2:
    """Behaves as picamera2 0.3: must be configured before it starts, "BGR888" is RGB in memory."""

    is_missing = False
    closed = 0

    def __init__(self) -> None:
        if FakePicamera2.is_missing:
            raise IndexError("list index out of range")
        self._size: tuple[int, int] | None = None
        self._is_started = False

    def create_video_configuration(
        self, main: dict[str, Any], buffer_count: int = 6
    ) -> dict[str, Any]:
        assert buffer_count >= 1
        assert main["format"] == "BGR888"
        return {"main": main}

    def configure(self, configuration: dict[str, Any]) -> None:
        self._size = configuration["main"]["size"]

    def start(self) -> None:
        assert self._size is not None
        self._is_started = True

    def capture_array(self, name: str = "main") -> Any:
        assert name == "main"
        assert self._is_started
        assert self._size is not None
        width, height = self._size
        return np.tile(np.array([200, 100, 50], dtype=np.uint8), (height, width, 1))

    def stop(self) -> None:
        self._is_started = False

    def close(self) -> None:
        assert not self._is_started
        FakePicamera2.closed += 1


@pytest.fixture
def picamera2(monkeypatch: pytest.MonkeyPatch) -> type[FakePicamera2]:
    module = ModuleType("picamera2")
    module.Picamera2 = FakePicamera2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "picamera2", module)
    monkeypatch.setattr(FakePicamera2, "is_missing", False)
    monkeypatch.setattr(FakePicamera2, "closed", 0)
    return FakePicamera2


def test_frames_are_rgb_and_counted(picamera2: type[FakePicamera2]) -> None:
    with open_source("picamera2") as source:
        frames = source.frames()
        first, second = next(frames), next(frames)
    assert first.pixels[0, 0].tolist() == [200, 100, 50]
    assert (first.width, first.height) == (640, 480)
    assert [first.number, second.number] == [0, 1]
    assert second.time_seconds >= first.time_seconds


def test_closing_twice_lets_go_of_the_camera_once(picamera2: type[FakePicamera2]) -> None:
    source = open_source("picamera2")
    source.close()
    source.close()
    assert picamera2.closed == 1
    assert list(source.frames()) == []


def test_a_board_without_a_camera_is_told(
    picamera2: type[FakePicamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakePicamera2, "is_missing", True)
    with pytest.raises(SourceError, match=r"cannot start the Pi camera.*rpicam-hello"):
        open_source("picamera2")


def test_a_machine_without_picamera2_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'maskwatch\[pi\]'"):
        open_source("picamera2")
