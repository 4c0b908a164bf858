"""All that can break: each kind breaks something, waits to be told, and mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from .parts import Trouble
from .world import World, scene

Breaking: TypeAlias = Callable[[World, Random], Iterator[None]]

YEAR_SECONDS = 365.0 * 86400
SIZES_WH = ((1, 1), (640, 480), (17, 301), (1280, 16))
ERRORS: tuple[Exception, ...] = (
    cv2.error("OpenCV(4.10.0) resize.cpp:4152: error: (-215:Assertion failed)"),
    RuntimeError("tensorflow/lite/kernels/conv.cc:357 failed to prepare"),
    ValueError("cannot set tensor: dimension mismatch"),
    MemoryError(),
    OSError(28, "No space left on device"),
    TypeError("a mistake of ours"),
)


@dataclass(frozen=True)
class Kind:
    """One way in which something breaks.

    Attributes:
        name: What the table calls it.
        breaking: Breaks it, yields once, and mends it.
        longest_seconds: It lasts from a second to so long.
    """

    name: str
    breaking: Breaking
    longest_seconds: float = 120.0


def camera_pulled(world: World, random: Random) -> Iterator[None]:
    world.camera.pull()
    yield
    world.camera.plug()


def camera_frozen(world: World, random: Random) -> Iterator[None]:
    world.camera.freeze()
    yield
    world.camera.thaw()


def camera_noisy(world: World, random: Random) -> Iterator[None]:
    world.camera.give_noise()
    yield
    world.camera.show(scene(world.expected))


def camera_black(world: World, random: Random) -> Iterator[None]:
    yield from _showing(world, np.zeros_like(scene(None)))


def camera_slow(world: World, random: Random) -> Iterator[None]:
    world.shoot_every(random.choice([4.0, 6.0, 40.0]))
    yield
    world.shoot_every(world.period_seconds)


def camera_resized(world: World, random: Random) -> Iterator[None]:
    yield from _showing(world, cv2.resize(scene(world.expected), random.choice(SIZES_WH)))


def camera_gives_a_wrong_shape(world: World, random: Random) -> Iterator[None]:
    shape = random.choice([(48, 64), (1, 9216), (48, 64, 4), (0, 64, 3)])
    yield from _showing(world, np.zeros(shape, dtype=np.uint8))


def camera_gives_a_wrong_type(world: World, random: Random) -> Iterator[None]:
    yield from _showing(world, scene(None).astype(np.float32))


def camera_raises(world: World, random: Random) -> Iterator[None]:
    world.camera.break_down(random.choice(ERRORS))
    yield
    world.camera.break_down(None)


def camera_hangs(world: World, random: Random) -> Iterator[None]:
    world.camera.hang()
    yield
    world.camera.recover()


def chip_pulled(world: World, random: Random) -> Iterator[None]:
    world.plug_chip(False)
    yield
    world.plug_chip(True)


def wall_clock_jumps(world: World, random: Random) -> Iterator[None]:
    before = world.wall_ahead_seconds
    world.wall_ahead_seconds += random.uniform(-30, 30) * YEAR_SECONDS
    yield
    world.wall_ahead_seconds = before


def wall_clock_unset(world: World, random: Random) -> Iterator[None]:
    before, world.wall_ahead_seconds = world.wall_ahead_seconds, 0.0
    yield
    world.wall_ahead_seconds = before


def _showing(world: World, pixels: npt.NDArray[Any]) -> Iterator[None]:
    world.camera.show(pixels)
    yield
    world.camera.show(scene(world.expected))


def output_will_not_open(world: World, random: Random) -> Iterator[None]:
    world.showing.error = world.opening.error = random.choice(ERRORS)
    yield
    world.showing.error = world.opening.error = None


def output_will_not_close(world: World, random: Random) -> Iterator[None]:
    world.showing.error = world.closing.error = random.choice(ERRORS)
    yield
    world.showing.error = world.closing.error = None


def _raising(part: Callable[[World], Trouble]) -> Breaking:
    def breaking(world: World, random: Random) -> Iterator[None]:
        part(world).error = random.choice(ERRORS)
        yield
        part(world).error = None

    return breaking


def _hanging(part: Callable[[World], Trouble]) -> Breaking:
    def breaking(world: World, random: Random) -> Iterator[None]:
        part(world).hang_seconds = random.choice([1.0, 10.0, 20.0, 120.0])
        yield
        part(world).hang_seconds = 0.0

    return breaking


def finder_slow(world: World, random: Random) -> Iterator[None]:
    world.finding.slow_seconds = random.choice([1.0, 8.0, 16.0])
    yield
    world.finding.slow_seconds = 0.0


KINDS = (
    Kind("camera pulled", camera_pulled),
    Kind("camera frozen", camera_frozen),
    Kind("camera noisy", camera_noisy),
    Kind("camera black", camera_black),
    Kind("camera slow", camera_slow),
    Kind("camera resized", camera_resized),
    Kind("camera: wrong shape", camera_gives_a_wrong_shape),
    Kind("camera: wrong type", camera_gives_a_wrong_type),
    Kind("camera raises", camera_raises),
    Kind("camera hangs", camera_hangs),
    Kind("finder raises", _raising(lambda world: world.finding)),
    Kind("finder hangs", _hanging(lambda world: world.finding), 10.0),
    Kind("finder slow", finder_slow),
    Kind("judge raises", _raising(lambda world: world.judging)),
    Kind("judge hangs", _hanging(lambda world: world.judging), 10.0),
    Kind("output raises", _raising(lambda world: world.showing)),
    Kind("output hangs", _hanging(lambda world: world.showing), 10.0),
    Kind("output will not open", output_will_not_open),
    Kind("output will not close", output_will_not_close),
    Kind("GPIO chip pulled", chip_pulled),
    Kind("disk full", _raising(lambda world: world.disk)),
    Kind("wall clock jumps", wall_clock_jumps),
    Kind("wall clock unset", wall_clock_unset),
)
