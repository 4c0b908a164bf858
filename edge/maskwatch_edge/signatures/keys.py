"""Keys: the private one that signs, and the public ones that are trusted."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from maskwatch_edge.command import need
from maskwatch_edge.errors import InputError, OutputError
from maskwatch_edge.files import write_atomically

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

MOST_BYTES = 100_000


def need_cryptography() -> None:
    """Check that the extra `signatures` is installed.

    Raises:
        MissingExtraError: If it is not.
    """
    need("cryptography.hazmat.primitives.asymmetric.ed25519", "cryptography", "signatures")


def id_of(key: Ed25519PublicKey) -> str:
    """Return what messages and signatures call a key: 16 digits of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def new_key(path: Path) -> tuple[Path, str]:
    """Write a new private key, which only its owner may read, and its public key beside it.

    Returns:
        The file of the public key, and the key's id.

    Raises:
        MissingExtraError: If `cryptography` is not installed.
        OutputError: If one of the files is there already, or cannot be written.
    """
    need_cryptography()
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public_file = path.with_name(path.name + ".pub")
    if public_file.exists():
        raise OutputError(f"{public_file} is there already, and no key is ever replaced")
    key = Ed25519PrivateKey.generate()
    name = id_of(key.public_key())
    line = key.public_key().public_bytes(forms.Encoding.OpenSSH, forms.PublicFormat.OpenSSH)
    _write_secret(
        path,
        key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()),
    )
    write_atomically(public_file, line + f" maskwatch-{name}\n".encode())
    return public_file, name


def _write_secret(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror}; no key is ever replaced"
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as error:
        path.unlink()
        raise OutputError(f"cannot write {path}: {error.strerror}") from error


def read_private(path: Path) -> Ed25519PrivateKey:
    """Read the private key that `new_key` wrote.

    Raises:
        MissingExtraError: If `cryptography` is not installed.
        InputError: If it is something else.
    """
    need_cryptography()
    from cryptography.exceptions import InternalError, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = _read(path)
    try:
        key = load_pem_private_key(content, password=None)
    # TypeError: it has a password. InternalError: its length is not that of its kind.
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError) as error:
        raise InputError(
            f"{path} is not a private key of: maskwatch keys new {path.name}"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path} is a key of another kind; expected one of: maskwatch keys new")
    return key


def read_trusted(path: Path) -> dict[str, Ed25519PublicKey]:
    """Read trusted keys: a public key a line, as `new_key` and `ssh-keygen -t ed25519` write it.

    Returns:
        At least one key, by its id.

    Raises:
        MissingExtraError: If `cryptography` is not installed.
        InputError: If a line is something else, or there is none.
    """
    need_cryptography()
    lines = [line.strip() for line in _read(path).splitlines()]
    wanted = {n: line for n, line in enumerate(lines, 1) if line and not line.startswith(b"#")}
    keys = [_public_key(line, f"line {number} of {path}") for number, line in wanted.items()]
    if not keys:
        raise InputError(f"{path} holds no key; expected a public key of maskwatch keys new a line")
    return {id_of(key): key for key in keys}


def _public_key(line: bytes, place: str) -> Ed25519PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    try:
        key = load_ssh_public_key(line)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"{place} is not a public key, which begins with: ssh-ed25519")
    return key


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise InputError(f"{path} holds more than {MOST_BYTES} bytes; expected keys")
    return content
