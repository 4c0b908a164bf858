"""Lamps, display, and the groups that give the right to use devices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec

from maskwatch_edge.cameras.addresses import device_of
from maskwatch_edge.config import Config, DisplayConfig, IndicatorConfig, LampConfig
from maskwatch_edge.display.screen_info import converter
from maskwatch_edge.errors import MissingExtraError, OutputError
from maskwatch_edge.lamps.gpio import CONSUMER
from maskwatch_edge.lamps.gpio_chips import ChipInfo, find_line

from .report import Finding, fail, ok, split_advice, warn
from .service import ServiceState
from .system import System

NO_LINES = "leave out [[indicator.lamps]], or plug in what brings lines: ls /dev/gpiochip*"
FREE_LINES = "choose a free line in the configuration; gpioinfo lists them"


def check_lamps(
    system: System, indicator: IndicatorConfig, service: ServiceState
) -> Iterator[Finding]:
    """Check that each lamp's line is there, and free or held by the service."""
    try:
        chips = system.chips()
    except MissingExtraError as error:
        finding, mend = split_advice(str(error), "pip install gpiod")
        yield (fail if indicator.lamps else warn)("GPIO", finding, mend)
        return
    if not indicator.lamps:
        there = ", ".join(map(str, chips)) or "none on this board"
        yield ok("GPIO", f"no lamps are configured (chips: {there})")
    for lamp in indicator.lamps:
        yield _check_lamp(chips, lamp, indicator.chip, system.facts.user, service)


def _check_lamp(
    chips: Sequence[ChipInfo], lamp: LampConfig, chip: str | None, user: str, service: ServiceState
) -> Finding:
    name = f"lamp {lamp.role}"
    try:
        place, line = find_line(chips, lamp.line, chip)
    except OutputError as error:
        otherwise = FREE_LINES if chips else NO_LINES
        return fail(name, *split_advice(str(error).replace("USER", user), otherwise))
    where = f"{lamp.line} is line {line.offset} of {place.name}"
    if line.used_by is None:
        return ok(name, f"{where}, free")
    if line.used_by == CONSUMER and service.is_running:
        return ok(name, f"{where}, in use by the service")
    if line.used_by == CONSUMER:
        mend = "end the other one; it is listed by: pgrep -af maskwatch"
        return fail(name, f"{where}, in use by another maskwatch", mend)
    return fail(name, f"{where}, in use by {line.used_by}", FREE_LINES)


def check_display(system: System, display: DisplayConfig) -> Iterator[Finding]:
    """Check that the display could be opened; nothing is drawn."""
    if display.kind == "window":
        yield _check_window(system)
    elif display.kind == "console":
        yield _check_console(system, str(display.framebuffer))
    else:
        yield ok("display", "none is configured")


def _check_window(system: System) -> Finding:
    if find_spec("pygame") is None:
        finding = "a window needs the package pygame-ce, which is not installed"
        return fail("display", finding, "pip install 'maskwatch[display]'")
    names = ("WAYLAND_DISPLAY", "DISPLAY")
    found = [f"{name}={system.environment[name]}" for name in names if system.environment.get(name)]
    if not found:
        finding = "there is no desktop in this session, as always over ssh"
        return warn("display", finding, "run maskwatch doctor in a terminal on the desktop")
    return ok("display", f"a window on the desktop {found[0]}")


def _check_console(system: System, device: str) -> Finding:
    may_use = system.may_use(device)
    if may_use is None:
        mend = "plug in the screen, switch it on, restart the board, then: ls -l /dev/fb*"
        return fail("display", f"there is no {device}", mend)
    if not may_use:
        mend = f"sudo usermod -aG video {system.facts.user}, then log out and in again"
        return fail("display", f"the user {system.facts.user} may not open {device}", mend)
    try:
        info = system.screen(device)
        converter(info)
    except OutputError as error:
        return fail("display", *split_advice(str(error), "fbset -depth 32"))
    except OSError as error:
        finding = f"{device} does not answer as a framebuffer does: {error.strerror}"
        return fail("display", finding, "name another display.framebuffer; see ls -l /dev/fb*")
    found = f"{info.width}x{info.height} pixels, {info.bits_per_pixel} bits each"
    return ok("display", f"{device}: {found}")


def check_groups(system: System, config: Config, service: ServiceState) -> Iterator[Finding]:
    """Check that the groups exist, and that this user is in those that the devices need."""
    groups = _groups(system)
    needs_video = device_of(config.camera.source) or config.display.kind == "console"
    for name, is_needed in (("video", needs_video), ("gpio", config.indicator.lamps)):
        if name in groups:
            yield _check_group(system, name, *groups[name], bool(is_needed), service)
        elif is_needed or service.is_installed:
            mend = f"sudo groupadd --system {name}"
            yield fail(f"group {name}", "there is none, and the service cannot do without", mend)
        else:
            yield ok(f"group {name}", "there is none, and nothing needs it yet")


def _check_group(
    system: System,
    name: str,
    number: int,
    members: set[str],
    is_needed: bool,
    service: ServiceState,
) -> Finding:
    label, facts = f"group {name}", system.facts
    if facts.is_root:
        return ok(label, "exists; root needs none, and the service has its own")
    if number in facts.group_ids:
        return ok(label, f"the user {facts.user} is in it")
    if facts.user in members:
        finding = f"the user {facts.user} is in it, but not in this session"
        return warn(label, finding, "log out and in again")
    finding = f"the user {facts.user} is not in it"
    mend = f"sudo usermod -aG {name} {facts.user}, then log out and in again"
    if not is_needed:
        return ok(label, f"{finding}, and nothing that is configured needs it")
    if service.is_installed:
        return warn(
            label, f"{finding}; the service is, so only programs started by hand lack it", mend
        )
    return fail(label, finding, mend)


def _groups(system: System) -> dict[str, tuple[int, set[str]]]:
    """Return number and members of each group."""
    lines = (system.read("/etc/group") or "").splitlines()
    parts = [line.split(":") for line in lines if line.count(":") == 3]
    return {name: (int(number), set(members.split(","))) for name, _, number, members in parts}
