"""Where the program keeps what must outlive it, such as messages that nobody has taken yet."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

SERVICE_FOLDER = Path("/var/lib/maskwatch")
"""The service's StateDirectory; only root and the service may look into it."""


def state_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder; it need not be there yet.

    Under systemd it is that of `StateDirectory=`; for root it is the same, so that root finds what
    the service keeps; for others it is `maskwatch` in the user's folder for such things, as the XDG
    base directory specification has it.

    Args:
        environment: `os.environ`, unless a test knows better.
    """
    environment = os.environ if environment is None else environment
    if of_service := environment.get("STATE_DIRECTORY"):
        return Path(of_service.partition(":")[0])
    if of_user := environment.get("XDG_STATE_HOME"):
        return Path(of_user) / "maskwatch"
    if os.geteuid() == 0 or "HOME" not in environment:
        return SERVICE_FOLDER
    return Path(environment["HOME"]) / ".local/state/maskwatch"
