"""Which GPIO lines the board has, who uses them, and which one a name or number means.

A line is named as the board names it ("GPIO17"), or numbered on one chip ("17"). Names are the
portable way: "GPIO17" is pin 11 of the header on every Raspberry Pi, whichever chip it hangs on
there. A bare number means the chip of the header, known by its label (a Pi 5 has it on another
chip than a Pi 3 or 4), and the first chip on boards that are not known.
"""

from __future__ import annotations

import errno
import grp
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from maskwatch_edge.errors import MissingExtraError, OutputError

if TYPE_CHECKING:
    import gpiod

HEADER_LABELS = ("pinctrl-rp1", "pinctrl-bcm2711", "pinctrl-bcm2835")
"""Labels of the chip behind the pin header: of a Pi 5, of a Pi 4, of all before."""

DEVICES = Path("/dev")
OVERFLOW_GROUP = 65534
UDEV_RULE = 'SUBSYSTEM=="gpio", KERNEL=="gpiochip*", GROUP="gpio", MODE="0660"'


@dataclass(frozen=True)
class LineInfo:
    """What the kernel tells of one line.

    Attributes:
        offset: Its number on the chip, from 0.
        name: "" if it has none.
        used_by: Who holds it; None if nobody does.
    """

    offset: int
    name: str = ""
    used_by: str | None = None


@dataclass(frozen=True)
class ChipInfo:
    """What the kernel tells of one chip.

    Attributes:
        path: Its device, such as "/dev/gpiochip0".
        label: What the driver calls it, such as "pinctrl-bcm2711".
        lines: In the order of their numbers.
        problem: Why it cannot be opened, and what mends that; "" if it can.
    """

    path: str
    label: str = ""
    lines: tuple[LineInfo, ...] = ()
    problem: str = ""

    @property
    def name(self) -> str:
        """The last part of its path."""
        return Path(self.path).name

    def __str__(self) -> str:
        about = "not readable" if self.problem else f"{self.label}, {len(self.lines)} lines"
        return f"{self.name} ({about})"


def describe_lines() -> list[ChipInfo]:
    """Return every chip of the board with its lines; chips that may not be opened have none.

    Links are left out: `gpiochip4` of a Pi 5 is the same chip as its `gpiochip0`.

    Raises:
        MissingExtraError: If the bindings are missing, or of version 1.
    """
    _check_bindings()
    paths = [path for path in DEVICES.glob("gpiochip*") if not path.is_symlink()]
    return [_describe_chip(path) for path in sorted(paths, key=_by_length_and_name)]


def find_line(
    chips: Sequence[ChipInfo], line: str, chip: str | None = None
) -> tuple[ChipInfo, LineInfo]:
    """Find a line among the chips, and the chip that it is on.

    Args:
        chips: What the board has, as `describe_lines` tells it.
        line: The line's name, or its number on the chip.
        chip: Name, path, number or label of its chip; None looks for a name on all chips, and
            for a number on the chip of the header.

    Raises:
        OutputError: If there is none, several chips have the name, or the chip is not readable.
    """
    if not chips:
        raise OutputError("this board offers no GPIO lines: there is no /dev/gpiochip*")
    allowed = list(chips) if chip is None else [_find_chip(chips, chip)]
    return _find_number(allowed, int(line)) if line.isdecimal() else _find_name(allowed, line)


def _find_chip(chips: Sequence[ChipInfo], wanted: str) -> ChipInfo:
    path = DEVICES / (f"gpiochip{wanted}" if wanted.isdecimal() else wanted)
    for chip in chips:
        if wanted == chip.label or path.resolve() == Path(chip.path).resolve():
            return chip
    raise OutputError(f'there is no GPIO chip "{wanted}"; expected one of: {_list(chips)}')


def _find_number(chips: Sequence[ChipInfo], number: int) -> tuple[ChipInfo, LineInfo]:
    chip = min(chips, key=_header_first)
    if chip.problem:
        raise OutputError(chip.problem)
    if number >= len(chip.lines):
        raise OutputError(
            f"{chip} has the GPIO lines 0 to {len(chip.lines) - 1}; received {number}; "
            f"expected another line, or a chip of: {_list(chips)}"
        )
    return chip, chip.lines[number]


def _find_name(chips: Sequence[ChipInfo], name: str) -> tuple[ChipInfo, LineInfo]:
    # Within one chip the first line of a name counts, as for the kernel's own tools.
    firsts = ((chip, next((x for x in chip.lines if x.name == name), None)) for chip in chips)
    found = [(chip, line) for chip, line in firsts if line is not None]
    if not found:
        raise _no_such_name(chips, name)
    if len(found) > 1:
        several = _list(chip for chip, _ in found)
        raise OutputError(
            f'several chips have a GPIO line "{name}": {several}; '
            "name one of them as chip in the section indicator"
        )
    return found[0]


def _no_such_name(chips: Sequence[ChipInfo], name: str) -> OutputError:
    for chip in chips:
        if chip.problem:
            return OutputError(f'cannot look for the GPIO line "{name}": {chip.problem}')
    return OutputError(f'there is no GPIO line "{name}" on {_list(chips)}; {_nearest(chips, name)}')


def _nearest(chips: Sequence[ChipInfo], name: str) -> str:
    names = {line.name.upper(): line.name for chip in chips for line in chip.lines if line.name}
    if not names:
        return "no line there has a name, so give its number"
    near = get_close_matches(name.upper(), names, cutoff=0.5) or list(names)[:3]
    return f"there are for example: {', '.join(names[upper] for upper in near)}"


def _list(chips: Iterable[ChipInfo]) -> str:
    return ", ".join(map(str, chips))


def _header_first(chip: ChipInfo) -> int:
    return HEADER_LABELS.index(chip.label) if chip.label in HEADER_LABELS else len(HEADER_LABELS)


def _by_length_and_name(path: Path) -> tuple[int, str]:
    return len(path.name), path.name  # gpiochip10 comes after gpiochip9


def _check_bindings() -> None:
    try:
        import gpiod
    except ImportError as error:
        raise MissingExtraError("gpiod", "") from error
    if not hasattr(gpiod, "LineSettings"):  # Debian 12's python3-libgpiod is imported as gpiod, too
        raise MissingExtraError("gpiod, version 2 (python3-libgpiod of apt is older)", "")


def _describe_chip(path: Path) -> ChipInfo:
    import gpiod

    try:
        with gpiod.Chip(str(path)) as chip:
            info = chip.get_info()
            lines = [_describe_line(chip.get_line_info(n)) for n in range(info.num_lines)]
            return ChipInfo(str(path), info.label, tuple(lines))
    except PermissionError as error:
        mend = _mend_permission(path, error)
        return ChipInfo(str(path), problem=f"no permission for {path}; {mend}")
    except OSError as error:
        return ChipInfo(str(path), problem=f"cannot open {path}: {error.strerror}")


def _describe_line(info: gpiod.LineInfo) -> LineInfo:
    used_by = (info.consumer or "the kernel") if info.used else None
    return LineInfo(info.offset, info.name or "", used_by)


def _mend_permission(path: Path, error: PermissionError) -> str:
    if error.errno == errno.EPERM:  # the file's own rights would have said EACCES
        return "the unit of systemd keeps it away; let it in with: DeviceAllow=char-gpiochip rw"
    group = path.stat().st_gid
    if group == 0:
        return (
            "only root may open it; give it to a group: sudo groupadd -f gpio, and the line "
            f"{UDEV_RULE} in /etc/udev/rules.d/60-gpio.rules, then start the board anew"
        )
    name = _group_name(group)
    return (
        f"mend it with: sudo usermod -aG {name} USER, and a new login; in a unit of systemd: "
        f"SupplementaryGroups={name}"
    )


def _group_name(number: int) -> str:
    # In a unit with PrivateUsers every group but its own looks like this one.
    if number == OVERFLOW_GROUP:
        return "gpio"
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
