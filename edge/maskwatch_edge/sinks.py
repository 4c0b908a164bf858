"""Where the sightings of `detect` go: lines on stdout, annotated files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from .annotate import annotate, caption
from .errors import OutputError
from .frame import Frame
from .pictures import write_picture
from .printing import one_line
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
    place = one_line(frame.source)
    if frame.frames_per_second is not None:
        place += f" {frame.number}"
    faces = [f"{caption(s)} at {s.box.x1},{s.box.y1}" for s in sightings]
    return f"{place}: {'; '.join(faces) if faces else 'no face'}"


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
