"""How it stands: what the page and programs are told about camera, people, model and board."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from importlib.metadata import version
from typing import Any

from maskwatch_edge.annotate import track_score
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.classifier import model_file
from maskwatch_edge.config import Config
from maskwatch_edge.contract import read_model
from maskwatch_edge.dataset import content_digest
from maskwatch_edge.doctor.board import read_temperature_celsius, read_throttled, throttled_words
from maskwatch_edge.doctor.system import System
from maskwatch_edge.events import Event
from maskwatch_edge.lines import describe
from maskwatch_edge.memory import NOW, memory_mb
from maskwatch_edge.tracks import Track
from maskwatch_edge.view import View

from .counts import Today, local_time

STALE_SECONDS = 15.0
"""A loop that has not turned for so long hangs."""

BOARD_SECONDS = 10.0
"""What is said about the board is never older than this."""

MOST_RECENT = 20
"""So many of the last events are told to who comes."""


@dataclass(frozen=True)
class ModelFacts:
    """Which model judges.

    Attributes:
        file: The name of its file.
        sha256: Of that file.
        variant: One of `contract.VARIANTS`.
        input_px: Side of its square input.
        finder: What finds the faces, one of `FINDERS`.
    """

    file: str
    sha256: str
    variant: str
    input_px: int
    finder: str


def model_facts(config: Config) -> ModelFacts:
    """Describe the models of a configuration.

    Raises:
        ModelError: If the file is broken, or missing.
    """
    path = model_file(config.model)
    contract = read_model(path, config.model.keys_for(config.model.path))[1]
    digest = content_digest(path)
    return ModelFacts(path.name, digest, contract.variant, contract.input_size, config.faces.finder)


@dataclass(frozen=True)
class BoardHealth:
    """How the board is.

    Attributes:
        temperature_celsius: Of its hottest sensor; None if it has none.
        memory_mb: What this program holds, in MB of 1,000,000 bytes.
        slowed_down: Why the board slows down, or did, in words; None if it does not tell.
    """

    temperature_celsius: float | None
    memory_mb: float | None
    slowed_down: tuple[str, ...] | None


class Board:
    """Asks the board how it is, if the last answer has grown old.

    Args:
        system: The board.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self._health: BoardHealth | None = None
        self._asked_seconds = 0.0

    async def health(self) -> BoardHealth:
        """Return what the board says, or said a few seconds ago."""
        now = time.monotonic()
        if self._health is None or now - self._asked_seconds >= BOARD_SECONDS:
            self._asked_seconds = now
            # A board's own programs may be slow to answer.
            self._health = await asyncio.to_thread(self._ask)
        return self._health

    def _ask(self) -> BoardHealth:
        flags = read_throttled(self._system)
        memory = memory_mb(NOW)
        return BoardHealth(
            read_temperature_celsius(self._system),
            None if memory is None else round(memory, 1),
            None if flags is None else tuple(throttled_words(flags)),
        )


class Status:
    """The newest of everything, put together for programs.

    Args:
        model: Which model judges.
        reason: Tells why the camera is away, or None.
        clock: The time of day where the board is.
    """

    def __init__(
        self,
        model: ModelFacts,
        reason: Callable[[], str | None],
        clock: Callable[[], datetime] = local_time,
    ) -> None:
        self.model, self._reason, self._clock = model, reason, clock
        self._version = version("maskwatch")
        self._began_seconds = time.monotonic()
        self._resolution_wh: tuple[int, int] | None = None
        self._recent: deque[dict[str, Any]] = deque(maxlen=MOST_RECENT)
        self.view: View | None = None

    def take(self, view: View) -> None:
        """Remember a view, but not its picture."""
        if view.frame is not None:
            self._resolution_wh = view.frame.width, view.frame.height
            view = replace(view, frame=None)
        self.view = view

    def tell(self, events: Iterable[Event]) -> list[dict[str, Any]]:
        """Remember what happened just now, and return it as data with the time of day and words."""
        time_of_day = self._clock().isoformat(timespec="milliseconds")
        told = [
            {"time": time_of_day, "text": describe(event), **event.to_dict()} for event in events
        ]
        self._recent.extend(told)
        return told

    @property
    def trouble(self) -> str | None:
        """Say in a word what is amiss, if anything is: the loop hangs, or sees nothing."""
        view = self.view
        if view is None or time.monotonic() - view.time_seconds > STALE_SECONDS:
            return "hangs"
        if view.is_blind:
            return "blind"
        return None if view.camera is CameraState.SEEING else view.camera.value

    def to_dict(self, today: Today, board: BoardHealth, viewers: dict[str, int]) -> dict[str, Any]:
        """Put everything together as texts and numbers."""
        view = self.view
        width, height = self._resolution_wh or (None, None)
        is_away = view is None or view.camera is not CameraState.SEEING
        return {
            "time": self._clock().isoformat(timespec="milliseconds"),
            "version": self._version,
            "uptime_seconds": round(time.monotonic() - self._began_seconds, 1),
            "trouble": self.trouble,
            "camera": {
                "state": view.camera.value if view else CameraState.WAITING.value,
                "error": self._reason() if is_away else None,
                "frames_per_second": round(view.frames_per_second, 1) if view else 0.0,
                "width_px": width,
                "height_px": height,
            },
            "people": [_person(track) for track in view.tracks] if view else [],
            "today": {
                "since": today.since.isoformat(timespec="seconds"),
                **{decision.value: count for decision, count in today.people.items()},
            },
            "model": asdict(self.model),
            "board": asdict(board),
            "viewers": viewers,
            "recent": list(self._recent),
        }


def _person(track: Track) -> dict[str, Any]:
    return {
        "id": track.id,
        "verdict": track.decision.value,
        "score": round(track_score(track), 3),
        "box": list(track.box.xyxy),
        "seconds": round(track.last_seconds - track.first_seconds, 1),
    }
