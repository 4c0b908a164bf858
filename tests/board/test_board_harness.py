"""The emulated board itself: what the other tests of this folder rely on."""

from __future__ import annotations

import numpy as np
import pytest

from .board import HEIGHT, LINES, NO_CAMERA, SCENE, WIDTH, Board, Pixels, to_yuyv

pytestmark = pytest.mark.board

FRAME_BYTES = WIDTH * HEIGHT * 2


def some_picture(seed: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def frames_of(board: Board, count: int) -> list[bytes]:
    """Take frames with the board's own tool, without their first two pixels, which waver."""
    board.ssh(
        f"v4l2-ctl -d /dev/video0 --stream-mmap --stream-count={count} --stream-to=/run/frames"
    )
    data = board.get("/run/frames")
    assert len(data) == count * FRAME_BYTES
    return [data[n * FRAME_BYTES + 4 : (n + 1) * FRAME_BYTES] for n in range(count)]


def test_board_starts_without_a_failed_unit(fresh_board: Board) -> None:
    assert fresh_board.ssh("uname -m").stdout == "aarch64\n"
    assert fresh_board.ssh("systemctl is-system-running", check=False).stdout == "running\n"


def test_camera_shows_what_is_fed_byte_by_byte(fresh_board: Board) -> None:
    for seed in range(2):
        fresh_board.feed(some_picture(seed))
        frames = frames_of(fresh_board, 5)
        assert frames[1:] == [to_yuyv(some_picture(seed)).tobytes()[4:]] * 4


def test_scene_line_tells_that_another_picture_is_shown(fresh_board: Board) -> None:
    before = fresh_board.gpio_outputs()[SCENE]
    fresh_board.feed(some_picture(0))
    assert fresh_board.gpio_outputs()[SCENE] is not before


def test_camera_never_gives_the_same_frame_for_long_unless_it_is_frozen(fresh_board: Board) -> None:
    count = (
        "v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=20 --stream-to=/run/frames"
        f" && split -b {FRAME_BYTES} --filter=md5sum /run/frames | sort -u | wc -l"
    )
    assert fresh_board.ssh(count).stdout == "2\n"
    fresh_board.freeze_camera()
    assert fresh_board.ssh(count).stdout == "1\n"


def test_unplugged_camera_is_gone_and_comes_back_with_its_picture(fresh_board: Board) -> None:
    fresh_board.feed(some_picture(0))
    fresh_board.unplug_camera()
    assert fresh_board.ssh("ls /dev/video* /dev/v4l", check=False).stdout == ""
    fresh_board.plug_camera()
    assert fresh_board.ssh("readlink -f /dev/v4l/by-id/*").stdout == "/dev/video0\n"
    # On a busy machine the first frames are the driver's own test picture still.
    fed = to_yuyv(some_picture(0)).tobytes()[4:]
    fresh_board.wait_until(lambda: fed in frames_of(fresh_board, 3), what="the picture that is fed")


def test_gpio_outputs_are_seen_from_outside_and_inputs_are_not(fresh_board: Board) -> None:
    assert set(fresh_board.gpio_outputs()) == {SCENE}
    for level in (1, 0):
        fresh_board.ssh(f"gpioset $(gpiofind GPIO17)={level}")
        assert fresh_board.gpio_outputs()["GPIO17"] == bool(level)
    names = fresh_board.ssh("gpioinfo gpiochip0 | cut -d '\"' -f 2 -s").stdout.split()
    assert tuple(names) == LINES


def test_screen_shows_what_is_written_into_the_framebuffer(fresh_board: Board) -> None:
    program = b"""
import mmap
with open("/dev/fb0", "r+b") as device, mmap.mmap(device.fileno(), 1280 * 800 * 4) as memory:
    memory[:] = bytes([10, 20, 200, 0]) * (1280 * 800)
"""
    fresh_board.ssh("python3", stdin=program)
    fresh_board.wait_until(
        lambda: (fresh_board.screendump()[200:] == [200, 20, 10]).all(), what="a red screen"
    )
    assert fresh_board.screendump().shape == (800, 1280, 3)


def test_power_cut_keeps_what_was_synced_and_loses_what_was_not(fresh_board: Board) -> None:
    fresh_board.ssh("echo kept > /root/synced && sync && echo lost > /root/unsynced")
    fresh_board.power_cut()
    fresh_board.start()
    assert fresh_board.ssh("cat /root/synced").stdout == "kept\n"
    assert fresh_board.ssh("cat /root/unsynced", check=False).stdout == ""
    assert fresh_board.ssh("systemctl is-system-running --wait", check=False).stdout == "running\n"


def test_board_starts_without_its_camera_and_takes_one_later(fresh_board: Board) -> None:
    fresh_board.stop()
    fresh_board.start(NO_CAMERA)
    assert fresh_board.ssh("ls /dev/video*", check=False).stdout == ""
    fresh_board.plug_camera()
    frames_of(fresh_board, 2)
