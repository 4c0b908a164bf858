"""What tells one board from another."""

from __future__ import annotations

import hashlib
import hmac
import socket
from pathlib import Path

MACHINE_ID = Path("/etc/machine-id")


def default_device_id(machine_id: Path = MACHINE_ID) -> str:
    """Return 12 hexadecimal digits that stay the same on this machine.

    The machine's id itself should not be made known, as machine-id(5) says: so they are a keyed
    hash of it, or of the host name if there is none.
    """
    try:
        secret = machine_id.read_text().strip()
    except (OSError, UnicodeDecodeError):
        secret = ""
    key = (secret or socket.gethostname()).encode()
    return hmac.new(key, b"maskwatch mqtt", hashlib.sha256).hexdigest()[:12]
