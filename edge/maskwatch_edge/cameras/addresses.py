"""What sources of frames are called, and what their names tell without opening them."""

from __future__ import annotations

import os

PI_CAMERA = "picamera2"
DEVICE_PREFIX = "/dev/"
URL_PREFIXES = ("rtsp://", "rtsps://", "http://", "https://")


def is_camera(name: str) -> bool:
    """Tell whether a name stands for a camera or stream, and not for a file or folder."""
    return name == PI_CAMERA or device_of(name) is not None or name.startswith(URL_PREFIXES)


def device_of(name: str) -> str | None:
    """Return the device file of a camera number or device; None for all other sources."""
    if name.isdecimal():
        return f"/dev/video{name}"
    return name if name.startswith(DEVICE_PREFIX) else None


def is_plugged(name: str) -> bool:
    """Tell whether a camera's device file is there; True for what has none."""
    device = device_of(name)
    return device is None or os.access(device, os.F_OK)


def without_password(name: str) -> str:
    """Return a source's name as it may be printed: an address without its user and password."""
    scheme, separator, rest = name.partition("://")
    if not separator:
        return name
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
