"""The board itself: what it is, its power and heat, its room, its clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .report import Finding, fail, ok, warn
from .system import System

MIB = 1024 * 1024
PYTHONS = ((3, 11), (3, 13))
"""First and last version that Maskwatch is made for."""

HOT_CELSIUS = 80.0
"""From here on a Raspberry Pi slows itself down; other boards are not far from it."""

THROTTLED = "/sys/devices/platform/soc/soc:firmware/get_throttled"
BITS = {
    0: "too little voltage now",
    1: "processor held back now",
    2: "slowed down now",
    3: "too hot now",
    16: "too little voltage since it was started",
    17: "processor held back since it was started",
    18: "slowed down since it was started",
    19: "too hot since it was started",
}
"""Bits of `vcgencmd get_throttled`, as Raspberry Pi documents them."""

VOLTAGE_BITS, NOW_BITS = 0x10001, 0xF
BETTER_SUPPLY = (
    "use the board's own power supply and a short, thick cable, unplug what draws current, "
    "restart, then look again: vcgencmd get_throttled"
)
BETTER_COOLING = "give it a heat sink or fan and air, restart, then: vcgencmd get_throttled"

FEW_MIB, FULL_MIB = 500, 50
"""An update needs the first to be free on the disk; with less than the second nothing works."""

MEND_SWAP = (
    "sudo swapoff -a, and for good: remove it from /etc/fstab, or on Raspberry Pi OS "
    "sudo apt remove dphys-swapfile"
)

NEEDED_MIB = 250
"""Memory that the service takes, with some to spare."""


def check_board(system: System) -> Iterator[Finding]:
    """Say which board it is."""
    vendor = system.read("/sys/class/dmi/id/sys_vendor")
    product = system.read("/sys/class/dmi/id/product_name")
    computer = " ".join(filter(None, (vendor, product)))
    model = system.read("/proc/device-tree/model") or computer or "of unknown make"
    facts = system.facts
    yield ok("board", f"{model}, {facts.machine}, {facts.cores} cores")


def check_os(system: System) -> Iterator[Finding]:
    """Say which operating system runs."""
    lines = (system.read("/etc/os-release") or "").splitlines()
    names = dict(line.split("=", 1) for line in lines if "=" in line)
    name = names.get("PRETTY_NAME", "Linux of unknown make").strip("\"'")
    yield ok("OS", f"{name}, kernel {system.facts.kernel}")


def check_python(system: System) -> Iterator[Finding]:
    """Check that Python is one that Maskwatch is made for, and as wide as the system."""
    python, bits = system.facts.python, system.facts.pointer_bits
    found = f"{'.'.join(map(str, python))}, {bits} bits"
    first, last = (".".join(map(str, version)) for version in PYTHONS)
    if not PYTHONS[0] <= python[:2] <= PYTHONS[1]:
        mend = f"sudo apt install python{last} python{last}-venv, then install Maskwatch anew"
        yield fail("Python", f"{found}; expected {first} to {last}", mend)
    elif bits != 64:
        mend = "put a 64-bit system onto the card, such as the 64-bit Raspberry Pi OS"
        yield warn("Python", f"{found}; expected 64, as new models only run there", mend)
    else:
        yield ok("Python", found)


def check_power(system: System) -> Iterator[Finding]:
    """Decode what a Raspberry Pi's firmware says about its voltage and heat."""
    flags = read_throttled(system)
    if flags is None:
        yield ok("power", "not told by this board")
        return
    told = throttled_words(flags)
    mend = BETTER_SUPPLY if flags & VOLTAGE_BITS else BETTER_COOLING
    if not told:
        yield ok("power", "no lack of voltage, not slowed down")
    elif flags & NOW_BITS:
        yield fail("power", f"{', '.join(told)} ({flags:#x})", mend)
    else:
        yield warn("power", f"{', '.join(told)} ({flags:#x})", mend)


def read_throttled(system: System) -> int | None:
    """Return the bits that say whether and why the board slows down; None if it does not tell.

    The firmware is asked, or its voltage sensor; the old file last, as the kernel warns of that.
    """
    asks: tuple[Callable[[], str | None], ...] = (
        lambda: system.run("vcgencmd", "get_throttled"),
        lambda: _voltage_alarm(system),
        lambda: system.read(THROTTLED),
    )
    numbers = (re.fullmatch(r"(?:throttled=)?(?:0x)?([0-9a-f]+)", ask() or "") for ask in asks)
    return next((int(found[1], 16) for found in numbers if found), None)


def throttled_words(flags: int) -> list[str]:
    """Say what the bits of `read_throttled` mean."""
    return [words for bit, words in BITS.items() if flags >> bit & 1]


def _voltage_alarm(system: System) -> str | None:
    names = system.find("/sys/class/hwmon/hwmon*/name")
    chip = next((name for name in names if system.read(name) == "rpi_volt"), None)
    return system.read(chip.removesuffix("name") + "in0_lcrit_alarm") if chip else None


def check_temperature(system: System) -> Iterator[Finding]:
    """Say how hot the board is."""
    celsius = read_temperature_celsius(system)
    if celsius is None:
        yield ok("temperature", "not told by this board")
    elif celsius >= HOT_CELSIUS:
        finding = f"{celsius:.0f} °C; from {HOT_CELSIUS:.0f} °C on boards slow down"
        yield warn("temperature", finding, "give it a heat sink or fan, and air")
    else:
        yield ok("temperature", f"{celsius:.0f} °C")


def read_temperature_celsius(system: System) -> float | None:
    """Return what the hottest of the sensors says; None if the board has none."""
    texts = map(system.read, system.find("/sys/class/thermal/thermal_zone*/temp"))
    values = [int(text) / 1000 for text in texts if text and text.lstrip("-").isdecimal()]
    # Sensors that are asleep answer with nonsense such as -274 °C.
    return max((value for value in values if -40 < value < 150), default=None)


def check_memory(system: System, is_running: bool) -> Iterator[Finding]:
    """Check that the service has room; if it runs already, it has taken its share."""
    sizes = dict(_sizes_mib(system.read("/proc/meminfo") or ""))
    total, available = sizes.get("MemTotal"), sizes.get("MemAvailable")
    if total is None or available is None:
        yield ok("memory", "not told by this system")
        return
    finding = f"{available} of {total} MiB available"
    if is_running or available >= NEEDED_MIB:
        yield ok("memory", finding)
    else:
        mend = "end what needs the most, which comes first in: ps aux --sort=-rss | head"
        yield warn("memory", f"{finding}; Maskwatch takes up to {NEEDED_MIB}", mend)


def _sizes_mib(meminfo: str) -> Iterator[tuple[str, int]]:
    for line in meminfo.splitlines():
        name, _, size = line.partition(":")
        if size.strip().endswith(" kB"):
            yield name, int(size.split()[0]) // 1024


def check_swap(system: System) -> Iterator[Finding]:
    """Check that frames cannot get onto the disk: the service's rule needs the kernel's help."""
    areas = [line.split()[0] for line in (system.read("/proc/swaps") or "").splitlines()[1:]]
    on_disk = [area for area in areas if "zram" not in area]
    controllers = system.read("/sys/fs/cgroup/cgroup.controllers") or ""
    if not on_disk:
        yield ok("swap", "none on a disk")
    elif "memory" in controllers.split():
        yield ok("swap", f"{', '.join(on_disk)}, which the service may not use")
    else:
        finding = f"{', '.join(on_disk)}, where the kernel may put frames in need of memory"
        yield warn("swap", finding, MEND_SWAP)


def check_disk(system: System) -> Iterator[Finding]:
    """Check the free space where Maskwatch is, or will be, installed."""
    free = system.free_bytes("/opt/maskwatch")
    free_bytes = system.free_bytes("/") if free is None else free
    if free_bytes is None:
        yield ok("disk", "not told by this system")
        return
    mib = free_bytes // MIB
    mend = (
        "sudo apt clean; sudo journalctl --vacuum-size=50M; see what is large: du -xh / | sort -h"
    )
    if mib < FULL_MIB:
        yield fail("disk", f"{mib} MiB free; nothing can be installed or logged", mend)
    elif mib < FEW_MIB:
        yield warn("disk", f"{mib} MiB free; an update needs {FEW_MIB}", mend)
    else:
        yield ok("disk", f"{mib} MiB free")


def check_clock(system: System) -> Iterator[Finding]:
    """Check that the time of day, which the journal shows, is right."""
    answer = system.run("timedatectl", "show", "--property=NTPSynchronized", "--value")
    if answer == "yes":
        yield ok("clock", "set by the network")
    elif answer == "no":
        finding = "not set by the network; times in the journal may be wrong"
        yield warn("clock", finding, "sudo timedatectl set-ntp true, and connect the network once")
    else:
        yield ok("clock", "not told by this system")
