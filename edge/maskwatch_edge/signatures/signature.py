"""What a `.sig` file says, in five lines.

    maskwatch signature 1
    sha256 HEX       of the file beside which it lies
    serial N         rises from one version to the next; an older one can be refused by it
    key HEX          the id of the key
    ed25519 HEX      the signature of the four lines above

There is one way to write it, so that no other bytes are taken for the same signature.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from maskwatch_edge.errors import SignatureError

SUFFIX = ".sig"
MOST_BYTES = 300
LARGEST_SERIAL = 10**18 - 1
PATTERN = re.compile(
    rb"maskwatch signature 1\nsha256 ([0-9a-f]{64})\nserial (0|[1-9][0-9]{0,17})\n"
    rb"key ([0-9a-f]{16})\ned25519 ([0-9a-f]{128})\n"
)


@dataclass(frozen=True)
class Signature:
    """Who signed which bytes.

    Attributes:
        sha256: Of the file, in hexadecimal.
        serial: From 0 to `LARGEST_SERIAL`.
        key: The id of the key; see `keys.id_of`.
        ed25519: The signature of `text`, 64 bytes.
    """

    sha256: str
    serial: int
    key: str
    ed25519: bytes

    @property
    def text(self) -> bytes:
        """What is signed."""
        return signed_text(self.sha256, self.serial, self.key)

    def to_bytes(self) -> bytes:
        """Return what a `.sig` file holds."""
        return self.text + f"ed25519 {self.ed25519.hex()}\n".encode()


def signed_text(sha256: str, serial: int, key: str) -> bytes:
    """Return the bytes that a key signs."""
    return f"maskwatch signature 1\nsha256 {sha256}\nserial {serial}\nkey {key}\n".encode()


def signature_file(path: Path) -> Path:
    """Return where the signature of a file is."""
    return path.with_name(path.name + SUFFIX)


def read_signature(path: Path) -> Signature:
    """Read the signature that lies beside a file; nothing is known of it before it is checked.

    Raises:
        SignatureError: If there is none, or what is there is something else.
    """
    place = signature_file(path)
    try:
        with place.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SignatureError(
            f"{path} is not signed: cannot read {place}: {error.strerror}; expected the file that "
            "maskwatch sign writes beside it"
        ) from error
    if not (found := PATTERN.fullmatch(content)):
        raise SignatureError(
            f"{place} is not a whole signature file; copy it again, or sign anew: maskwatch sign"
        )
    sha256, serial, key, ed25519 = found.groups()
    return Signature(sha256.decode(), int(serial), key.decode(), bytes.fromhex(ed25519.decode()))
