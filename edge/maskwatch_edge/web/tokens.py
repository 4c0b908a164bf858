"""Tokens that viewers must know, and what the configuration keeps of them.

A token is 256 random bits, so nobody can try them all, and a single SHA-256 says nothing about it.
A slow hash, which passwords need because people choose them, would protect nothing more and cost a
small board a tenth of a second for every request.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

PREFIX = "sha256:"
TOKEN_BYTES = 32


def new_token() -> str:
    """Make a token of 256 random bits, in letters that need no quotes anywhere."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> str:
    """Return what the configuration keeps of a token: `sha256:` and 64 hexadecimal digits."""
    return PREFIX + hashlib.sha256(token.encode(errors="replace")).hexdigest()


def is_right(token: str, token_hash: str) -> bool:
    """Compare in a time that does not tell how much of it is right."""
    return hmac.compare_digest(hash_of(token), token_hash)
