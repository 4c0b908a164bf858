"""The seed's loop with float TFLite, and the service, on the same frames: `seed FLOAT_TFLITE`."""

from __future__ import annotations

import sys
from itertools import cycle
from pathlib import Path

import cv2

from benchmarks.scenes import clip
from benchmarks.seed import SeedLoop, tflite_judge

from .counting import count
from .stages import FRAMES, count_turns


def main(file: str) -> None:
    """Count both, on one thread."""
    cv2.setNumThreads(1)
    reel = clip(FRAMES)
    loop = SeedLoop(tflite_judge(Path(file).read_bytes()))
    frames = cycle(reel.frames)
    count("the seed's loop, float TFLite", lambda: loop.look(next(frames).pixels), FRAMES)
    count_turns("Maskwatch", reel)


if __name__ == "__main__":
    main(*sys.argv[1:])
