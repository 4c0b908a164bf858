"""Where the program keeps what must outlive it, such as messages that nobody has taken yet."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def state_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder; it need not be there yet.

    Under systemd it is that of `StateDirectory=`; else it is `maskwatch` in the user's folder for
    such things, as the XDG base directory specification has it.

    Args:
        environment: `os.environ`, unless a test knows better.
    """
    environment = os.environ if environment is None else environment
    if of_service := environment.get("STATE_DIRECTORY"):
        return Path(of_service.partition(":")[0])
    of_user = Path(environment.get("XDG_STATE_HOME") or "~/.local/state")
    try:
        return of_user.expanduser() / "maskwatch"
    except RuntimeError:  # a user without a home
        return Path("/var/lib/maskwatch")
