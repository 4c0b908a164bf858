"""Where sightings go: lines on stdout, annotated files, a window."""

from __future__ import annotations

import json
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from .annotate import annotate, caption
from .errors import MissingExtraError, OutputError
from .frame import Frame
from .pictures import write_picture
from .verdict import Decision, Sighting
from .video import VideoWriter


class Sink(Protocol):
    """Anything that is told of every frame and what was seen in it."""

    def show(self, frame: Frame, sightings: Sequence[Sighting]) -> None:
        """Take one frame.

        Raises:
            OutputError: If it cannot be written or shown.
        """
        ...

    def close(self) -> None:
        """Finish; may be called twice."""
        ...


def to_dict(frame: Frame, sightings: Sequence[Sighting]) -> dict[str, Any]:
    """Return one frame as `detect --jsonl` prints it; boxes are pixels of the original."""
    return {
        "source": frame.source,
        "frame": frame.number,
        "width": frame.width,
        "height": frame.height,
        "faces": [
            {
                "box": list(sighting.box.xyxy),
                "label": sighting.verdict.label,
                "score": round(sighting.verdict.score, 4),
                "face_score": round(sighting.box.score, 4),
                "verdict": sighting.decision.value,
            }
            for sighting in sightings
        ],
    }


class JsonLines:
    """One JSON object a line on stdout for every frame."""

    def show(self, frame: Frame, sightings: Sequence[Sighting]) -> None:
        """Print the frame."""
        print(json.dumps(to_dict(frame, sightings)), flush=True)  # noqa: T201

    def close(self) -> None:
        """Nothing is held open."""


class TextLines:
    """A readable line on stdout for every picture, and for every change in a video or camera.

    A frame is a change if its faces count otherwise, verdict by verdict, than those before it.
    """

    def __init__(self) -> None:
        self._before: tuple[str, Counter[Decision]] | None = None

    def show(self, frame: Frame, sightings: Sequence[Sighting]) -> None:
        """Print the frame if there is news."""
        news = frame.source, Counter(sighting.decision for sighting in sightings)
        if frame.frames_per_second is None or news != self._before:
            print(describe(frame, sightings), flush=True)  # noqa: T201
        self._before = news

    def close(self) -> None:
        """Nothing is held open."""


def describe(frame: Frame, sightings: Sequence[Sighting]) -> str:
    """Say in one line what is in a frame."""
    place = "".join(map(_printable, frame.source))
    if frame.frames_per_second is not None:
        place += f" {frame.number}"
    faces = [f"{caption(s)} at {s.box.x1},{s.box.y1}" for s in sightings]
    return f"{place}: {'; '.join(faces) if faces else 'no face'}"


def _printable(char: str) -> str:
    """Escape what would break the line, or cannot be printed: file names may hold anything."""
    return char if char.isprintable() else repr(char)[1:-1]


class AnnotatedFiles:
    """Pictures and videos with boxes drawn on them, named as their sources, in one folder.

    Two sources of the same name are told apart by a number. Videos appear when they are whole.
    What an earlier run wrote into the folder is replaced.

    Args:
        folder: Made if it is missing. It may not be that of the sources: they would be replaced.

    Raises:
        OutputError: If the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: set[str] = set()
        self._video: tuple[str, VideoWriter] | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error

    def show(self, frame: Frame, sightings: Sequence[Sighting]) -> None:
        """Write the picture, or add the frame to its video."""
        picture = annotate(frame.pixels, sightings)
        name = Path(frame.source)
        self._check_folder(name)
        if frame.frames_per_second is None:
            self.close()
            write_picture(self._folder / self._free_name(name.stem, name.suffix.lower()), picture)
            return
        if self._video is None or self._video[0] != frame.source or frame.number == 0:
            self.close()
            path = self._folder / self._free_name(name.stem, ".mp4")
            self._video = frame.source, VideoWriter(path, frame.frames_per_second)
        self._video[1].write(picture)

    def close(self) -> None:
        """Finish the video, if there is one."""
        if self._video is not None:
            self._video[1].close()
            self._video = None

    def _check_folder(self, source: Path) -> None:
        if source.absolute().parent.resolve() == self._folder.resolve():
            raise OutputError(
                f"annotated frames in {self._folder} would replace the sources there; "
                f"expected another folder than that of {source}"
            )

    def _free_name(self, stem: str, suffix: str) -> str:
        name, number = f"{stem}{suffix}", 1
        while name in self._taken:
            number += 1
            name = f"{stem}-{number}{suffix}"
        self._taken.add(name)
        return name


class Window:
    """A window on the desktop, drawn by SDL; ESC, q or its close button ends the program.

    Args:
        on_close: Called when the user wants to end.

    Raises:
        MissingExtraError: If pygame is not installed.
        OutputError: If no window can be opened.
    """

    def __init__(self, on_close: Callable[[], None]) -> None:
        try:
            import pygame
        except ImportError as error:
            raise MissingExtraError("pygame-ce", "display") from error
        self._pygame = pygame
        self._on_close = on_close
        self._times: deque[float] = deque(maxlen=30)
        self._surface: Any = None
        try:
            pygame.display.init()
            _check_screen(pygame.display.get_driver())
        except pygame.error as error:
            raise _no_window(str(error)) from error
        pygame.display.set_caption("Maskwatch")

    def show(self, frame: Frame, sightings: Sequence[Sighting]) -> None:
        """Draw the frame, and look at the keys that were pressed."""
        pygame = self._pygame
        self._times.append(time.monotonic())
        picture = annotate(frame.pixels, sightings, self._frames_per_second())
        size = (frame.width, frame.height)
        if self._surface is None:
            self._surface = self._open(size)
        image = pygame.image.frombuffer(picture.tobytes(), size, "RGB")
        # Not scaled straight onto the surface: SDL would swap red and blue on the way.
        self._surface.blit(pygame.transform.smoothscale(image, self._surface.get_size()), (0, 0))
        pygame.display.flip()
        for event in pygame.event.get():
            if self._is_end(event):
                self._on_close()

    def close(self) -> None:
        """Close the window."""
        self._pygame.display.quit()

    def _open(self, size: tuple[int, int]) -> Any:
        try:
            return self._pygame.display.set_mode(size, self._pygame.RESIZABLE)
        except self._pygame.error as error:
            raise _no_window(str(error)) from error

    def _is_end(self, event: Any) -> bool:
        pygame = self._pygame
        is_end_key = event.type == pygame.KEYDOWN and event.key in (pygame.K_ESCAPE, pygame.K_q)
        return is_end_key or event.type == pygame.QUIT

    def _frames_per_second(self) -> float:
        seconds = self._times[-1] - self._times[0]
        return (len(self._times) - 1) / seconds if seconds else 0.0


def _check_screen(driver: str) -> None:
    # SDL draws into memory where it finds no screen; that is only right if it was asked for.
    if driver in ("offscreen", "dummy") and "SDL_VIDEODRIVER" not in os.environ:
        raise _no_window("there is no display")


def _no_window(reason: str) -> OutputError:
    return OutputError(
        f"cannot open a window: {reason}; start it in a desktop session, or give --display none"
    )


def open_display(name: str, on_close: Callable[[], None]) -> list[Sink]:
    """Open the display of that name, "window" or "none"."""
    return [Window(on_close)] if name == "window" else []
