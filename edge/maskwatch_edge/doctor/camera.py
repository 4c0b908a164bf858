"""The camera: opened as the service would, and measured for a few seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from maskwatch_edge.cameras.addresses import URL_PREFIXES, device_of, is_camera, without_password
from maskwatch_edge.cameras.camera import CameraReader
from maskwatch_edge.config import CameraConfig
from maskwatch_edge.errors import MissingExtraError, SourceError
from maskwatch_edge.faults import Notice
from maskwatch_edge.frame import Frame

from .report import Finding, fail, ok, split_advice, warn
from .service import ServiceState
from .system import System

MEASURE_SECONDS = 3.0
OPEN_SECONDS = 15.0
"""A network camera may take so long for its first picture."""

FEW_FRAMES_PER_SECOND = 5.0
BLACK, DARK, WHITE = 8.0, 30.0, 247.0
"""Mean brightness from 0 to 255: covered, too dark to find faces, dazzled."""


@dataclass(frozen=True)
class Measured:
    """What a camera gave.

    Attributes:
        width_px: Width of the last picture.
        height_px: Height of the last picture.
        frames_per_second: None if fewer than two pictures came.
        brightness: Mean of the last picture, from 0 to 255.
    """

    width_px: int
    height_px: int
    frames_per_second: float | None
    brightness: float

    def __str__(self) -> str:
        """Return it in words."""
        rate = self.frames_per_second
        told = "one picture only" if rate is None else f"{rate:.1f} frames per second"
        size = f"{self.width_px}x{self.height_px} pixels"
        return f"{size}, {told}, brightness {self.brightness:.0f} of 255"


def check_camera(
    system: System,
    camera: CameraConfig,
    service: ServiceState,
    measure_seconds: float = MEASURE_SECONDS,
) -> Iterator[Finding]:
    """Open the camera and measure it; ask the service instead if that is what holds it.

    Args:
        system: Opens it.
        camera: As configured.
        service: May hold it. `ServiceState()` if it holds another one.
        measure_seconds: How long to look.
    """
    device = device_of(camera.source)
    shown = without_password(camera.source) if device is None else device
    if service.is_running:
        yield _told_by_service(shown, service)
    elif device is not None and not system.may_use(device):
        yield _not_usable(system, device)
    else:
        yield _measured(system, camera, shown, measure_seconds)


def _told_by_service(shown: str, service: ServiceState) -> Finding:
    if service.status.startswith(("camera lost", "camera waiting")):
        finding = f"the service has no picture of {shown}: {service.status}"
        return fail("camera", finding, service.journal)
    said = service.status or "it has not said how it is doing"
    how = f"to measure it here, first: {service.systemctl} stop maskwatch"
    return ok("camera", f"{shown} is in use by the service: {said} ({how})")


def _not_usable(system: System, device: str) -> Finding:
    if system.may_use(device) is None:
        return fail("camera", f"there is no {device}", _which(system))
    mend = f"sudo usermod -aG video {system.facts.user}, then log out and in again"
    return fail("camera", f"the user {system.facts.user} may not open {device}", mend)


def _which(system: System) -> str:
    names = system.find("/dev/v4l/by-id/*") or system.find("/dev/video*")
    if names:
        return f"set camera.source in the configuration to one of: {', '.join(names)}"
    return (
        "plug it in and look: ls -l /dev/v4l/by-id/ (a camera on the board's own ribbon cable: "
        'camera.source = "picamera2")'
    )


def _measured(system: System, camera: CameraConfig, shown: str, seconds: float) -> Finding:
    try:
        measured = measure(system, camera, seconds)
    except SourceError as error:
        return _not_opened(system, camera, error)
    except MissingExtraError as error:
        finding, advice = split_advice(str(error), "")
        is_apt = "picamera2" in str(error)
        return fail("camera", finding, "sudo apt install python3-picamera2" if is_apt else advice)
    return _judged(measured, f"{shown}: {measured}", is_camera(camera.source))


def _not_opened(system: System, camera: CameraConfig, error: SourceError) -> Finding:
    device = device_of(camera.source)
    holders = system.holders(device) if device else []
    if holders:
        finding = f"{device} is in use by {', '.join(holders)}"
        return fail("camera", finding, f"end that program; who holds it: sudo fuser -v {device}")
    finding, advice = split_advice(str(error), "check its cable")
    if camera.source.startswith(URL_PREFIXES):
        advice = "check its power and address, and that the board reaches it: ping its host"
    who = f" (who holds it: sudo fuser -v {device})" if device else ""
    return fail("camera", finding, advice + who)


def _judged(measured: Measured, found: str, is_live: bool) -> Finding:
    if measured.brightness < BLACK:
        return warn("camera", f"{found}: black", "take off the lens cap, or switch on the light")
    if measured.brightness < DARK:
        return warn("camera", f"{found}: too dark to find faces", "give it more light")
    if measured.brightness > WHITE:
        return warn("camera", f"{found}: dazzled", "turn it away from the light")
    rate = measured.frames_per_second or 0.0
    if is_live and rate < FEW_FRAMES_PER_SECOND:
        mend = "give it more light, another USB port, or a smaller camera.width_px and height_px"
        return warn("camera", f"{found}: slow", mend)
    return ok("camera", found)


def measure(system: System, camera: CameraConfig, seconds: float) -> Measured:
    """Read a camera as the service does, and let go of it; a file is only looked into.

    Raises:
        SourceError: If no picture comes.
        MissingExtraError: If the camera needs a package that is not installed.
    """
    with CameraReader(camera, system.open_camera, system.now_seconds, warn=_ignore) as reader:
        first = _first(system, reader)
        began_seconds = seen_seconds = system.now_seconds()
        last, count = first, 0
        while is_camera(camera.source) and system.now_seconds() < began_seconds + seconds:
            frame = reader.newest(seconds)
            if frame is not None:
                last, count, seen_seconds = frame, count + 1, system.now_seconds()
            elif reader.last_error:
                raise SourceError(reader.last_error)
    height_px, width_px = last.pixels.shape[:2]
    rate = count / (seen_seconds - began_seconds) if count else None
    return Measured(width_px, height_px, rate, float(np.mean(last.pixels)))


def _first(system: System, reader: CameraReader) -> Frame:
    until_seconds = system.now_seconds() + OPEN_SECONDS
    while system.now_seconds() < until_seconds:
        frame = reader.newest(0.1)
        if frame is not None:
            return frame
        if reader.last_error:
            raise SourceError(reader.last_error)
    raise SourceError(f"no picture came within {OPEN_SECONDS:.0f} s")


def _ignore(notice: Notice) -> None:
    """Say nothing: the finding does."""
