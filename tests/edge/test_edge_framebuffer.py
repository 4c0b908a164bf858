"""The framebuffer, as a file that behaves like one."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskwatch_edge.display.framebuffer import FakeFramebuffer, Framebuffer
from maskwatch_edge.display.screen_info import ScreenInfo, parse_screen_info
from maskwatch_edge.errors import OutputError
from maskwatch_edge.frame import Pixels

XRGB = ScreenInfo(64, 48, 256, 32, (16, 8), (8, 8), (0, 8))
RGB565 = ScreenInfo(64, 48, 128, 16, (11, 5), (5, 6), (0, 5))

FORMATS = {
    "XRGB8888, as virtio-gpu and vc4 have it": XRGB,
    "XBGR8888": replace(XRGB, red=(0, 8), blue=(16, 8)),
    "RGBX8888": replace(XRGB, red=(24, 8), green=(16, 8), blue=(8, 8)),
    "BGRX8888": replace(XRGB, red=(8, 8), green=(16, 8), blue=(24, 8)),
    "RGB888": replace(XRGB, bits_per_pixel=24, line_length=192),
    "BGR888": replace(XRGB, bits_per_pixel=24, line_length=192, red=(0, 8), blue=(16, 8)),
    "RGB565, as small SPI screens have it": RGB565,
    "BGR565": replace(RGB565, red=(0, 5), blue=(11, 5)),
    "lines with a gap after them": replace(XRGB, line_length=320),
    "RGB565, lines with a gap after them": replace(RGB565, line_length=192),
    "a memory larger than what is seen": replace(XRGB, line_length=512, x_offset=16, y_offset=48),
    "an uneven size": replace(RGB565, width=61, height=47),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fb0"


def noise(info: ScreenInfo) -> Pixels:
    numbers = np.random.default_rng(7)
    return numbers.integers(0, 256, (info.height, info.width, 3), dtype=np.uint8)


@pytest.mark.parametrize("info", FORMATS.values(), ids=FORMATS.keys())
def test_a_picture_is_read_back_in_its_colours_from_every_format(
    path: Path, info: ScreenInfo
) -> None:
    fake, picture = FakeFramebuffer(path, info), noise(info)
    with Framebuffer(path, fake) as framebuffer:
        assert framebuffer.size_wh == (info.width, info.height)
        framebuffer.write(picture)
        lost_bits = [8 - bits for _, bits in (info.red, info.green, info.blue)]
        kept = np.stack([picture[..., c] >> lost << lost for c, lost in enumerate(lost_bits)], -1)
        tolerance = max((1 << lost) - 1 for lost in lost_bits)
        assert np.abs(fake.picture().astype(int) - kept).max() <= tolerance


@pytest.mark.parametrize("info", FORMATS.values(), ids=FORMATS.keys())
def test_nothing_is_written_beside_what_is_seen(path: Path, info: ScreenInfo) -> None:
    fake = FakeFramebuffer(path, info)
    path.write_bytes(b"\x55" * info.memory_bytes)
    with Framebuffer(path, fake) as framebuffer:
        framebuffer.write(np.zeros((info.height, info.width, 3), dtype=np.uint8))
        memory = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, info.line_length).copy()
    start = info.x_offset * info.pixel_bytes
    seen = memory[info.y_offset :, start : start + info.width * info.pixel_bytes]
    assert not np.any(seen == 0x55)
    seen[:] = 0x55
    assert np.all(memory == 0x55)


def test_a_colour_lies_where_linux_says_it_does(path: Path) -> None:
    for info, expected in ((XRGB, b"\x33\x22\x11\xff"), (RGB565, b"\x06\x11")):
        fake = FakeFramebuffer(path, info)
        with Framebuffer(path, fake) as framebuffer:
            framebuffer.write(np.full((48, 64, 3), (0x11, 0x22, 0x33), dtype=np.uint8))
            assert path.read_bytes()[: len(expected)] == expected


@pytest.mark.parametrize("info", FORMATS.values(), ids=FORMATS.keys())
def test_what_was_on_the_screen_is_put_back_at_the_end(path: Path, info: ScreenInfo) -> None:
    fake = FakeFramebuffer(path, info)
    before = np.random.default_rng(3).bytes(info.memory_bytes)
    path.write_bytes(before)
    with Framebuffer(path, fake) as framebuffer:
        framebuffer.write(noise(info))
        assert path.read_bytes() != before
    assert path.read_bytes() == before


def test_a_framebuffer_may_be_closed_twice_and_leaves_nothing_open(path: Path) -> None:
    fake = FakeFramebuffer(path, XRGB)
    before = sorted(Path("/proc/self/fd").iterdir())
    framebuffer = Framebuffer(path, fake)
    framebuffer.close()
    framebuffer.close()
    assert sorted(Path("/proc/self/fd").iterdir()) == before
    assert str(path) not in Path("/proc/self/maps").read_text()


def test_a_driver_may_change_the_resolution_while_it_runs(path: Path) -> None:
    fake = FakeFramebuffer(path, XRGB)
    with Framebuffer(path, fake) as framebuffer:
        framebuffer.write(noise(XRGB))
        fake.info = replace(RGB565, width=32, height=24, line_length=64)
        assert framebuffer.size_wh == (32, 24)
        framebuffer.write(np.full((24, 32, 3), 255, dtype=np.uint8))
        assert np.all(fake.picture() == 255)
    assert np.all(fake.picture() == 0)  # what was there had another size


def test_a_screen_that_is_pulled_out_is_told_and_not_touched_again(path: Path) -> None:
    fake = FakeFramebuffer(path, XRGB)
    framebuffer = Framebuffer(path, fake)
    framebuffer.write(noise(XRGB))
    left = path.read_bytes()
    fake.is_gone = True
    with pytest.raises(OutputError, match=r"fb0 is not there; plug in the screen"):
        _ = framebuffer.size_wh
    framebuffer.close()
    assert path.read_bytes() == left


def test_a_picture_of_another_size_is_refused(path: Path) -> None:
    fake = FakeFramebuffer(path, XRGB)
    with (
        Framebuffer(path, fake) as framebuffer,
        pytest.raises(OutputError, match=r"expected a picture of shape \(48, 64, 3\)"),
    ):
        framebuffer.write(noise(replace(XRGB, width=63)))


@pytest.mark.parametrize(
    "info",
    [
        replace(XRGB, bits_per_pixel=8, red=(0, 8), green=(0, 8), blue=(0, 8)),  # a palette
        replace(RGB565, red=(10, 5), green=(5, 5)),  # 15 bits
        replace(XRGB, red=(20, 10), green=(10, 10), blue=(0, 10)),  # 30 bits
    ],
)
def test_a_format_that_is_not_known_is_named(path: Path, info: ScreenInfo) -> None:
    fake = FakeFramebuffer(path, info)
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(OutputError, match=rf"received {info.bits_per_pixel} bits .*fbset"):
        Framebuffer(path, fake)
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_a_memory_smaller_than_the_driver_says_is_told(path: Path) -> None:
    fake = FakeFramebuffer(path, XRGB)
    path.write_bytes(bytes(100))
    with pytest.raises(OutputError, match=r"cannot map the 12288 bytes"):
        Framebuffer(path, fake)


def test_a_device_that_is_not_there_is_told_with_what_to_do(path: Path) -> None:
    with pytest.raises(OutputError, match=r"fb0 is not there; plug in the screen.*--display none"):
        Framebuffer(path)


def test_a_file_that_is_no_framebuffer_is_told(path: Path) -> None:
    path.write_bytes(bytes(1000))
    with pytest.raises(OutputError, match=r"fb0 is not a framebuffer.*expected.*/dev/fb0"):
        Framebuffer(path)


def test_a_device_that_may_not_be_opened_is_told_with_the_group(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"group video.*install\.sh --with console"):
        Framebuffer(tmp_path)  # a folder: it may be opened by nobody, root included


def test_the_kernels_structures_are_read_as_linux_fb_h_lays_them_out() -> None:
    # struct fb_var_screeninfo: xres, yres, virtual ones, offsets, bits, grayscale, then
    # offset, length and msb_right of red, green, blue and transp, and 20 more numbers.
    colours = (16, 8, 0, 8, 8, 0, 0, 8, 0, 24, 8, 0)
    variable = struct.pack("40I", 1280, 800, 1280, 1600, 0, 800, 32, 0, *colours, *range(20))
    # struct fb_fix_screeninfo on a 64-bit machine: line_length is at byte 48 of 80.
    fixed = b"virtio_gpudrmfb\0" + bytes(32) + struct.pack("I", 70_000) + bytes(28)
    assert parse_screen_info(variable, fixed) == ScreenInfo(
        1280, 800, 70_000, 32, (16, 8), (8, 8), (0, 8), x_offset=0, y_offset=800
    )


def test_the_fake_refuses_to_speak_of_another_file(path: Path, tmp_path: Path) -> None:
    fake = FakeFramebuffer(path, XRGB)
    other = tmp_path / "other"
    other.write_bytes(bytes(XRGB.memory_bytes))
    with pytest.raises(OutputError, match="other is not a framebuffer"):
        Framebuffer(other, fake)
