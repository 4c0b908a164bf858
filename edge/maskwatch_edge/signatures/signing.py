"""Signing a file, and checking who signed it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from maskwatch_edge.errors import InputError, SignatureError
from maskwatch_edge.files import write_atomically

from .keys import id_of, read_trusted
from .signature import Signature, read_signature, signature_file, signed_text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def sign(path: Path, key: Ed25519PrivateKey, serial: int) -> Path:
    """Write the signature of a file beside it, and return where.

    Args:
        path: The file.
        key: Signs.
        serial: From 0 to `signature.LARGEST_SERIAL`; above those of earlier versions.

    Raises:
        InputError: If the file cannot be read.
        OutputError: If the signature cannot be written.
    """
    sha256, name = digest_of(path), id_of(key.public_key())
    signature = Signature(sha256, serial, name, key.sign(signed_text(sha256, serial, name)))
    write_atomically(signature_file(path), signature.to_bytes())
    return signature_file(path)


def check_file(path: Path, trusted: Path) -> Signature:
    """Check that a file is signed by a trusted key, and return the signature.

    Raises:
        InputError: If a file cannot be read.
        SignatureError: If it is not signed so.
        MissingExtraError: If `cryptography` is not installed.
    """
    return _check(path, digest_of(path), trusted)


def check_content(path: Path, content: bytes, trusted: Path | None) -> None:
    """Check that the bytes that came from a file are signed by a trusted key.

    Args:
        path: The file; its signature lies beside it.
        content: Its bytes. What is checked is what the caller goes on with, whatever becomes of
            the file.
        trusted: The file of the trusted keys; None asks for no signature.

    Raises:
        InputError: If the keys cannot be read.
        SignatureError: If it is not signed so.
        MissingExtraError: If `cryptography` is not installed.
    """
    if trusted is not None:
        _check(path, hashlib.sha256(content).hexdigest(), trusted)


def _check(path: Path, sha256: str, trusted: Path) -> Signature:
    keys = read_trusted(trusted)
    from cryptography.exceptions import InvalidSignature

    signature, place = read_signature(path), signature_file(path)
    if signature.key not in keys:
        raise SignatureError(
            f"{path} is signed by the key {signature.key}; expected a key of {trusted}: "
            f"{', '.join(keys)}"
        )
    try:
        keys[signature.key].verify(signature.ed25519, signature.text)
    except InvalidSignature as error:
        raise SignatureError(
            f"{place} was changed: expected what the key {signature.key} signed; copy it again"
        ) from error
    if signature.sha256 != sha256:
        raise SignatureError(
            f"{path} is not the file that the key {signature.key} signed: expected the SHA-256 "
            f"{signature.sha256}, received {sha256}"
        )
    return signature


def digest_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal.

    Raises:
        InputError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
