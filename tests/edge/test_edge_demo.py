"""The demonstration clip, and what the shipped model says to it."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from maskwatch_edge.__main__ import main
from maskwatch_edge.bench.clip import SHIPPED_CLIP
from maskwatch_edge.cameras.sources import open_source
from maskwatch_edge.config import Config
from maskwatch_edge.demo import FRAMES_PER_SECOND, clip_frames
from maskwatch_edge.frame import Frame, Pixels
from maskwatch_edge.pipeline import StreamWatcher
from maskwatch_edge.run_command import build_watcher
from maskwatch_edge.verdict import Decision

# Where the mouths are, give or take the sway, and the colours of the masks that cover them.
COLLINS_MOUTH, HOPPER_MOUTH = (152, 232), (477, 225)
COLLINS_CLOTH, HOPPER_CLOTH = (120, 180, 215), (225, 228, 230)
MIDDLE = 320


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the clip once, by the command."""
    for name in ("skimage", "matplotlib"):
        pytest.importorskip(name, reason="the portraits come with the extra demo")
    path = tmp_path_factory.mktemp("demo") / "clip.mp4"
    assert main(["demo", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def frames(clip: Path) -> list[Frame]:
    with open_source(str(clip)) as source:
        return list(source.frames())


def at(frames: list[Frame], seconds: float) -> Pixels:
    return frames[round(seconds * FRAMES_PER_SECOND)].pixels


def test_the_clip_is_twelve_seconds_of_640x480(frames: list[Frame]) -> None:
    assert len(frames) == 150
    assert {(frame.width, frame.height) for frame in frames} == {(640, 480)}
    assert frames[-1].time_seconds == pytest.approx(149 / 12.5)


def test_the_command_says_what_it_wrote(
    clip: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskwatch_edge.demo.SECONDS", 0.4)
    path = clip.with_name("short.mp4")
    assert main(["demo", str(path)]) == 0
    assert capsys.readouterr().out == f"wrote 5 frames to {path}\n"


def test_the_clip_is_the_same_every_time(clip: Path) -> None:
    first, second = (list(islice(clip_frames(), 3)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0], first[1])  # but it moves


def test_the_shipped_clip_is_small_and_shows_the_same(frames: list[Frame]) -> None:
    assert SHIPPED_CLIP.stat().st_size < 500_000
    with open_source(str(SHIPPED_CLIP)) as source:
        shipped = list(source.frames())
    assert [frame.time_seconds for frame in shipped] == [frame.time_seconds for frame in frames]
    differences = [
        np.abs(a.pixels.astype(int) - b.pixels).mean()
        for a, b in zip(shipped[::25], frames[::25], strict=True)
    ]
    assert max(differences) < 5


@pytest.mark.parametrize(
    ("seconds", "collins_masked", "hopper_masked"),
    [
        (0.0, False, False),
        (2.9, False, False),
        (4.0, True, False),
        (5.5, True, False),
        (7.0, True, True),
        (8.5, True, True),
        (9.5, False, True),
        (10.5, False, True),
        (11.5, False, False),
    ],
)
def test_the_masks_come_and_go(
    frames: list[Frame], seconds: float, collins_masked: bool, hopper_masked: bool
) -> None:
    pixels = at(frames, seconds)
    assert is_covered(pixels, COLLINS_MOUTH, COLLINS_CLOTH) is collins_masked
    assert is_covered(pixels, HOPPER_MOUTH, HOPPER_CLOTH) is hopper_masked


def is_covered(pixels: Pixels, mouth: tuple[int, int], cloth: tuple[int, int, int]) -> bool:
    """Tell whether most of the skin around a mouth is under cloth; pleats are a little darker."""
    x, y = mouth
    patch = pixels[y - 12 : y + 12, x - 12 : x + 12].astype(int)
    return bool(np.median(np.abs(patch - cloth).max(axis=-1)) < 45)


@pytest.mark.parametrize("package", ["skimage", "matplotlib"])
def test_a_machine_without_the_portraits_is_told_what_to_install(
    tmp_path: Path,
    package: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["demo", str(tmp_path / "clip.mp4")]) == 1
    err = capsys.readouterr().err
    assert err.startswith("maskwatch demo: error: this needs the package ")
    assert "pip install 'maskwatch[demo]'" in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_another_format_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", str(tmp_path / "clip.avi")]) == 1
    assert "written as .mp4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("begin", "end", "collins", "hopper"),
    [
        (1.0, 2.0, Decision.NO_MASK, Decision.NO_MASK),
        (4.0, 5.5, Decision.MASK, Decision.NO_MASK),
        (7.0, 8.5, Decision.MASK, Decision.MASK),
        (10.0, 10.5, Decision.NO_MASK, Decision.MASK),
    ],
)
def test_the_default_configuration_follows_the_masks(
    frames: list[Frame],
    begin: float,
    end: float,
    collins: Decision,
    hopper: Decision,
) -> None:
    watcher = build_watcher(Config())
    part = [frame for frame in frames if begin <= frame.time_seconds < end][::2]
    seen = [decisions_by_side(watcher, frame) for frame in part]
    assert sum(sides == (collins, hopper) for sides in seen) >= 0.9 * len(seen), seen


def decisions_by_side(
    watcher: StreamWatcher, frame: Frame
) -> tuple[Decision | None, Decision | None]:
    """Tell what is said of the largest face in the left half, and in the right one."""
    sightings = sorted(watcher.look(frame).sightings, key=lambda sighting: -sighting.box.area)
    left = [s.decision for s in sightings if (s.box.x1 + s.box.x2) / 2 < MIDDLE]
    right = [s.decision for s in sightings if (s.box.x1 + s.box.x2) / 2 >= MIDDLE]
    return next(iter(left), None), next(iter(right), None)
