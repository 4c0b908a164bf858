"""GPIO lines: the same contract for the fake and for lines of the kernel, where there are any.

Lines of the kernel are those of its simulator (`modprobe gpio-sim`, as root), and one that you
name: MASKWATCH_TEST_GPIO=gpiochip0:17. Nothing may be wired to it that minds being switched.
"""

from __future__ import annotations

import errno
import grp
import inspect
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

from maskwatch_edge.errors import MissingExtraError, OutputError
from maskwatch_edge.lamps import gpio_chips
from maskwatch_edge.lamps.gpio import CONSUMER, FakeBoard, GpioLine, LineFactory
from maskwatch_edge.lamps.gpio_chips import ChipInfo, LineInfo, describe_lines, find_line

SIMULATOR = Path("/sys/kernel/config/gpio-sim")
NOBODY = 65534


class Bench:
    """A line to test on, and what is measured there without its own code."""

    open_line: LineFactory = GpioLine
    chip: str | None = None
    line = "GPIO17"

    def describe_lines(self) -> list[ChipInfo]:
        return describe_lines()

    def used_by(self) -> str | None:
        return find_line(self.describe_lines(), self.line, self.chip)[1].used_by

    def level(self) -> bool:
        pytest.skip("the level of a wired line is measured with a voltmeter")

    def pull(self, is_high: bool) -> None:
        """Put a resistor there that holds the level while nobody drives the line."""

    def unplug(self) -> None:
        pytest.skip("unplugging takes a hand")


class FakeBench(Bench):
    def __init__(self) -> None:
        self.open_line = self.board = FakeBoard()

    def describe_lines(self) -> list[ChipInfo]:
        return self.board.describe_lines()

    def level(self) -> bool:
        return self.board[self.line].level

    def unplug(self) -> None:
        self.board[self.line].is_plugged = False


class SimulatedBench(Bench):
    """A chip of the kernel's own simulator, with one named line."""

    line = "MASKWATCH-LAMP"

    def __init__(self, folder: Path) -> None:
        bank, line = folder / "bank0", folder / "bank0" / "line3"
        line.mkdir(parents=True)
        (bank / "num_lines").write_text("8")
        (bank / "label").write_text("maskwatch-test")
        (line / "name").write_text(self.line)
        self._live, self._folders = folder / "live", (line, bank, folder)
        self._live.write_text("1")
        device = (folder / "dev_name").read_text().strip()
        self.chip = (bank / "chip_name").read_text().strip()
        self._state = Path("/sys/devices/platform", device, self.chip, "sim_gpio3")

    def level(self) -> bool:
        return (self._state / "value").read_text().strip() == "1"

    def pull(self, is_high: bool) -> None:
        (self._state / "pull").write_text("pull-up" if is_high else "pull-down")

    def unplug(self) -> None:
        self._live.write_text("0")

    def close(self) -> None:
        if self._live.read_text().strip() == "1":
            self.unplug()
        for folder in self._folders:
            folder.rmdir()


@pytest.fixture
def fake() -> FakeBench:
    return FakeBench()


@pytest.fixture
def simulated() -> Iterator[SimulatedBench]:
    if not os.access(SIMULATOR, os.W_OK):
        pytest.skip("needs root and the kernel's GPIO simulator: modprobe gpio-sim")
    bench = SimulatedBench(SIMULATOR / f"maskwatch-{os.getpid()}")
    yield bench
    bench.close()


@pytest.fixture
def wired() -> Bench:
    chip, _, line = os.environ.get("MASKWATCH_TEST_GPIO", "").partition(":")
    if not line:
        pytest.skip("needs a free line of this board: MASKWATCH_TEST_GPIO=gpiochip0:17")
    bench = Bench()
    bench.chip, bench.line = chip, line
    return bench


@pytest.fixture(params=["fake", "simulated", "wired"])
def bench(request: pytest.FixtureRequest) -> Bench:
    bench: Bench = request.getfixturevalue(request.param)
    return bench


@pytest.mark.parametrize("active_low", [False, True])
def test_a_line_is_off_from_the_first_moment(bench: Bench, active_low: bool) -> None:
    with closing(bench.open_line(bench.line, chip=bench.chip, active_low=active_low)) as line:
        assert not line.is_on
        assert bench.level() is active_low


@pytest.mark.parametrize("active_low", [False, True])
def test_active_low_turns_the_level_and_nothing_else(bench: Bench, active_low: bool) -> None:
    with closing(bench.open_line(bench.line, chip=bench.chip, active_low=active_low)) as line:
        for is_on in (True, True, False, True):
            line.set(is_on)
            assert line.is_on is is_on
        assert bench.level() is not active_low


@pytest.mark.parametrize("active_low", [False, True])
def test_a_closed_line_is_off_and_free(bench: Bench, active_low: bool) -> None:
    bench.pull(active_low)
    line = bench.open_line(bench.line, chip=bench.chip, active_low=active_low)
    line.set(True)
    assert bench.used_by() == CONSUMER
    line.close()
    line.close()
    assert bench.used_by() is None
    assert bench.level() is active_low


def test_a_closed_line_is_refused(bench: Bench) -> None:
    line = bench.open_line(bench.line, chip=bench.chip)
    line.close()
    with pytest.raises(OutputError, match=rf"{bench.line} of gpiochip\d+ is closed"):
        line.set(True)
    with pytest.raises(OutputError, match="is closed"):
        _ = line.is_on


def test_a_line_that_somebody_holds_is_refused_and_the_holder_named(bench: Bench) -> None:
    with closing(bench.open_line(bench.line, chip=bench.chip)) as held:
        held.set(True)
        with pytest.raises(OutputError, match=rf"{bench.line} of .* in use by maskwatch; .*two"):
            bench.open_line(bench.line, chip=bench.chip)
        assert held.is_on
    bench.open_line(bench.line, chip=bench.chip).close()


def test_a_chip_that_was_pulled_out_is_told(bench: Bench) -> None:
    line = bench.open_line(bench.line, chip=bench.chip)
    line.set(True)
    bench.unplug()
    with pytest.raises(OutputError, match=rf"cannot reach .*{bench.line}.* still plugged in\?"):
        line.set(False)
    with pytest.raises(OutputError, match="cannot reach"):
        _ = line.is_on
    with pytest.raises(OutputError, match="cannot reach"):
        line.close()
    line.close()


def test_the_fake_remembers_every_change_of_its_level_with_the_time() -> None:
    times = iter([1.0, 2.0, 4.0])
    board = FakeBoard(clock=lambda: next(times))
    with board("GPIO17", active_low=True) as line:
        for is_on in (True, True, False, False):
            line.set(is_on)
    assert line.history == [(1.0, True), (2.0, False), (4.0, True)]
    assert board["17"] is line


# What the boards tell. A Pi 5 had its header on gpiochip4 under the kernels up to 6.6.45, where
# gpiochip0 was a chip inside of the processor.


def chip(path: str, label: str, *names: str) -> ChipInfo:
    lines = tuple(LineInfo(offset, name) for offset, name in enumerate(names))
    return ChipInfo(f"/dev/{path}", label, lines)


HEADER = tuple(f"GPIO{offset}" for offset in range(28))
PI_3 = [
    chip("gpiochip0", "pinctrl-bcm2835", *HEADER),
    chip("gpiochip1", "raspberrypi-exp-gpio", "BT_ON", "WL_ON"),
]
PI_5 = [
    chip("gpiochip0", "pinctrl-rp1", *HEADER),
    chip("gpiochip10", "gpio-brcmstb@107d508500", "-", "2712_BOOT_CS_N", "-"),
    chip("gpiochip11", "gpio-brcmstb@107d517c00", "-", "RP1_SDA", "-"),
]
PI_5_BEFORE = [
    chip("gpiochip0", "gpio-brcmstb@107d508500", "-", "2712_BOOT_CS_N", "-"),
    chip("gpiochip4", "pinctrl-rp1", *HEADER),
]
UNNAMED = [chip("gpiochip0", "9030000.pl061", *[""] * 8), chip("gpiochip1", "expander", "", "")]
TWINS = [chip("gpiochip0", "one", "LAMP", "LAMP"), chip("gpiochip1", "other", "LAMP")]
CLOSED = ChipInfo("/dev/gpiochip2", problem="no permission for /dev/gpiochip2")


@pytest.mark.parametrize(
    ("chips", "line", "of", "expected"),
    [
        (PI_3, "GPIO17", None, ("gpiochip0", 17)),
        (PI_5, "GPIO17", None, ("gpiochip0", 17)),
        (PI_5_BEFORE, "GPIO17", None, ("gpiochip4", 17)),  # a name finds its chip
        (PI_5_BEFORE, "17", None, ("gpiochip4", 17)),  # a number means the header, by its label
        (PI_5, "RP1_SDA", None, ("gpiochip11", 1)),
        (PI_5_BEFORE, "1", "gpiochip0", ("gpiochip0", 1)),
        (PI_5_BEFORE, "1", "/dev/gpiochip0", ("gpiochip0", 1)),
        (PI_5_BEFORE, "1", "0", ("gpiochip0", 1)),
        (PI_5_BEFORE, "1", "gpio-brcmstb@107d508500", ("gpiochip0", 1)),
        (UNNAMED, "7", None, ("gpiochip0", 7)),  # an unknown board: the first chip
        (UNNAMED, "1", "expander", ("gpiochip1", 1)),
        (TWINS, "LAMP", "other", ("gpiochip1", 0)),
        (TWINS, "LAMP", "one", ("gpiochip0", 0)),  # the first of a chip, as gpioset has it
        ([*PI_3, CLOSED], "GPIO17", None, ("gpiochip0", 17)),  # others may be closed
        ([CLOSED, *PI_3], "17", None, ("gpiochip0", 17)),
    ],
)
def test_a_line_is_found_by_name_or_number(
    chips: list[ChipInfo], line: str, of: str | None, expected: tuple[str, int]
) -> None:
    place, info = find_line(chips, line, of)
    assert (place.name, info.offset) == expected


@pytest.mark.parametrize(
    ("chips", "line", "of", "message"),
    [
        (PI_3, "GPOI17", None, r'no GPIO line "GPOI17" on gpiochip0 \(.*\b28 lines.*: GPIO17,'),
        (PI_3, "gpio4", None, r"there are for example: GPIO4"),  # case counts, and is told
        (PI_3, "LED", "gpiochip1", r"on gpiochip1 .* for example: BT_ON, WL_ON$"),
        (PI_3, "GPIO17", "1", r'no GPIO line "GPIO17" on gpiochip1 '),
        (PI_3, "28", None, r"has the GPIO lines 0 to 27; received 28.*raspberrypi-exp-gpio"),
        (PI_3, "GPIO17", "gpiochip7", r'no GPIO chip "gpiochip7"; expected .*gpiochip0 .*'),
        (UNNAMED, "GPIO6", None, r"no line there has a name, so give its number"),
        (TWINS, "LAMP", None, r"several chips .* gpiochip0 \(one.* gpiochip1 \(other.*section"),
        ([], "GPIO17", None, r"this board offers no GPIO lines"),
        ([], "17", "gpiochip0", r"this board offers no GPIO lines"),
        ([*PI_3, CLOSED], "LED", None, r'cannot look for .*"LED": no permission for .*chip2'),
        ([CLOSED], "17", None, r"^no permission for /dev/gpiochip2$"),
        ([CLOSED], "GPIO17", "gpiochip2", r"no permission for /dev/gpiochip2$"),
    ],
)
def test_a_line_that_cannot_be_found_is_told_with_what_there_is(
    chips: list[ChipInfo], line: str, of: str | None, message: str
) -> None:
    with pytest.raises(OutputError, match=message):
        find_line(chips, line, of)


def test_the_fake_board_refuses_a_line_that_the_kernel_uses() -> None:
    lines = (LineInfo(0, "LAMP"), LineInfo(1, "KEY", used_by="gpio-keys"))
    board = FakeBoard([ChipInfo("/dev/gpiochip0", "pl061", lines)])
    with pytest.raises(OutputError, match=r"KEY of gpiochip0 is in use by gpio-keys; end it"):
        board("KEY")


# The real bindings, on what every machine has.


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder that stands for /dev, and that also others than root may look into."""
    pytest.importorskip("gpiod", reason="needs the bindings: pip install gpiod")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        monkeypatch.setattr(gpio_chips, "DEVICES", folder)
        yield folder


@contextmanager
def without_rights() -> Iterator[None]:
    """Be somebody who may not open what belongs to others; root is nobody for a moment."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def test_a_board_without_chips_is_told(devices: Path) -> None:
    assert describe_lines() == []
    with pytest.raises(OutputError, match="no /dev/gpiochip"):
        GpioLine("GPIO17")


def test_what_is_no_chip_is_listed_with_its_problem(devices: Path) -> None:
    (devices / "gpiochip10").write_text("a file")
    (devices / "gpiochip9").mkdir()
    (devices / "gpiochip4").symlink_to("gpiochip10")  # as on a Pi 5, for old programs
    chips = describe_lines()
    assert [chip.name for chip in chips] == ["gpiochip9", "gpiochip10"]
    assert all("Inappropriate ioctl" in chip.problem for chip in chips)
    assert str(chips[0]) == "gpiochip9 (not readable)"
    with pytest.raises(OutputError, match=r"cannot open .*gpiochip10: Inappropriate ioctl"):
        GpioLine("17", chip="gpiochip4")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make a device")
def test_a_device_that_is_no_chip_is_listed_with_its_problem(devices: Path) -> None:
    try:
        os.mknod(devices / "gpiochip0", 0o20666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("needs the right to make a device")
    (chip,) = describe_lines()
    assert chip.problem == f"cannot open {chip.path}: No such device"


@pytest.fixture
def closed_chip(devices: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a file with a chip's rights: libgpiod opens chips only, so that is done for it here."""
    import gpiod

    def open_only(path: str) -> NoReturn:
        with Path(path).open("rb"):
            pytest.fail("the file's rights do not hold; is this a file system without rights?")

    monkeypatch.setattr(gpiod, "Chip", open_only)
    path = devices / "gpiochip0"
    path.touch(mode=0)
    return path


def test_a_chip_of_a_group_names_the_group_to_join(closed_chip: Path) -> None:
    mine = None if os.geteuid() == 0 else os.getegid()
    groups = [group for group in grp.getgrall() if group.gr_gid and mine in (None, group.gr_gid)]
    if not groups:
        pytest.skip("needs a group other than root that is named")
    os.chown(closed_chip, -1, groups[0].gr_gid)
    with without_rights(), pytest.raises(OutputError) as caught:
        GpioLine("GPIO17")
    assert f"no permission for {closed_chip}; " in str(caught.value)
    assert f"sudo usermod -aG {groups[0].gr_name} USER" in str(caught.value)
    assert f"SupplementaryGroups={groups[0].gr_name}" in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file to a group")
@pytest.mark.parametrize(
    ("group", "name"),
    [
        (65534, "gpio"),  # what a sandboxed unit sees of the group gpio
        (64999, "64999"),  # a group without a name
    ],
)
def test_a_group_without_a_name_is_told_as_well_as_can_be(
    closed_chip: Path, group: int, name: str
) -> None:
    os.chown(closed_chip, -1, group)
    with without_rights():
        (chip,) = describe_lines()
    assert f"sudo usermod -aG {name} USER" in chip.problem


def test_a_chip_that_systemd_keeps_away_is_told(
    closed_chip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gpiod

    def forbid(path: str) -> NoReturn:  # as the kernel answers in a unit without DeviceAllow
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(gpiod, "Chip", forbid)
    with pytest.raises(OutputError, match=r"no permission.*DeviceAllow=char-gpiochip rw"):
        GpioLine("GPIO17")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make a file of root's")
def test_a_chip_that_only_root_may_open_names_the_rule_that_shares_it(closed_chip: Path) -> None:
    with without_rights():
        (chip,) = describe_lines()
    assert "groupadd -f gpio" in chip.problem
    assert gpio_chips.UDEV_RULE in chip.problem


def test_a_chip_of_the_kernel_that_may_not_be_opened_is_told(simulated: SimulatedBench) -> None:
    device = Path("/dev", str(simulated.chip))
    device.chmod(0o600)
    with without_rights(), pytest.raises(OutputError, match=f"no permission for {device}; only"):
        GpioLine(simulated.line, chip=simulated.chip)


@pytest.mark.parametrize("module", [None, ModuleType("gpiod")])  # none, and that of libgpiod 1
def test_a_machine_without_the_bindings_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType | None
) -> None:
    monkeypatch.setitem(sys.modules, "gpiod", module)
    for act in (describe_lines, lambda: GpioLine("GPIO17")):
        with pytest.raises(MissingExtraError, match=r"gpiod.*pip install maskwatch$"):
            act()


def test_the_calls_fit_the_signatures_of_the_bindings() -> None:
    gpiod = pytest.importorskip("gpiod", reason="needs the bindings: pip install gpiod")
    calls: list[tuple[Callable[..., object], tuple[object, ...], dict[str, object]]] = [
        (gpiod.Chip, ("/dev/gpiochip0",), {}),
        (gpiod.Chip.get_info, (None,), {}),
        (gpiod.Chip.get_line_info, (None, 17), {}),
        (gpiod.request_lines, ("/dev/gpiochip0", {17: None}), {"consumer": CONSUMER}),
        (gpiod.LineRequest.set_value, (None, 17, gpiod.line.Value.ACTIVE), {}),
        (gpiod.LineRequest.get_value, (None, 17), {}),
        (gpiod.LineRequest.release, (None,), {}),
    ]
    for function, arguments, named in calls:
        inspect.signature(function).bind(*arguments, **named)
    settings = gpiod.LineSettings(
        direction=gpiod.line.Direction.OUTPUT,
        active_low=True,
        output_value=gpiod.line.Value.INACTIVE,
    )
    assert settings.output_value is gpiod.line.Value.INACTIVE
