"""Who may ask for what: tokens, guesses, and the pages of others that try to use a browser."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from aiohttp import web

from maskwatch_edge.config import WebConfig

from .tokens import is_right

MOST_GUESSES = 10
"""So many wrong tokens may come from one address within `GUESS_SECONDS`."""

GUESS_SECONDS = 60.0
MOST_ADDRESSES = 1024
"""Bound of memory: so many addresses are remembered, those that guessed last."""

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""What a browser on this board calls it."""

BEARER = {"WWW-Authenticate": 'Bearer realm="maskwatch"'}


class Guesses:
    """Counts the wrong tokens of each address.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_seconds(self, address: str) -> float:
        """Return how long an address must wait before its next guess; 0 if it need not."""
        count, since = self._wrong.get(address, (0, -math.inf))
        left = since + GUESS_SECONDS - self._clock()
        return left if count >= MOST_GUESSES and left > 0 else 0.0

    def add(self, address: str) -> None:
        """Count a wrong one."""
        now = self._clock()
        count, since = self._wrong.pop(address, (0, now))
        is_old = now - since >= GUESS_SECONDS
        self._wrong[address] = (1, now) if is_old else (count + 1, since)
        while len(self._wrong) > MOST_ADDRESSES:
            self._wrong.popitem(last=False)


class Access:
    """Decides about requests.

    With a token, it must come along. Without one only programs of this board are listened to, and
    then a browser is not to be used by the pages of others: a name that leads here (DNS rebinding)
    or a picture in a foreign page.

    Args:
        config: Names the address, and the token's hash.
        guesses: Counts wrong tokens.
    """

    def __init__(self, config: WebConfig, guesses: Guesses) -> None:
        self._token_hash = config.token_hash
        self._guesses = guesses

    def check(self, request: web.Request, *, is_private: bool) -> None:
        """Let a request pass.

        Args:
            request: Any.
            is_private: Whether the answer tells anything about the people or the board.

        Raises:
            web.HTTPException: If it may not pass.
        """
        if self._token_hash is None:
            _check_is_own_page(request)
        elif is_private:
            self._check_token(request, self._token_hash)

    def _check_token(self, request: web.Request, token_hash: str) -> None:
        address = address_of(request)
        if wait_seconds := self._guesses.wait_seconds(address):
            raise web.HTTPTooManyRequests(
                headers={"Retry-After": str(math.ceil(wait_seconds))},
                text=f"too many wrong tokens; try again in {wait_seconds:.0f} s",
            )
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise web.HTTPUnauthorized(
                headers=BEARER, text="expected the header Authorization: Bearer TOKEN"
            )
        if not is_right(token.strip(), token_hash):
            self._guesses.add(address)
            raise web.HTTPUnauthorized(headers=BEARER, text="the token is wrong")


def address_of(request: web.Request) -> str:
    """Return the address that a request came from; of IPv6, the network of one household.

    A reverse proxy on this board says for whom it asks. Nobody else is believed.
    """
    peer = request.remote or ""
    forwarded = request.headers.getall("X-Forwarded-For", [])
    if forwarded and _is_loopback(peer):
        peer = forwarded[-1].rpartition(",")[2].strip()
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return "unknown"
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _is_loopback(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False


def _check_is_own_page(request: web.Request) -> None:
    name = _name_of(request.host).lower()
    if name not in LOOPBACK_NAMES and not _is_loopback(name):
        raise web.HTTPForbidden(
            text="expected the name localhost or 127.0.0.1 in the address; for other names, as "
            "behind a reverse proxy, set a token: maskwatch token"
        )
    # Browsers say whose page asks; other programs say nothing.
    site = request.headers.get("Sec-Fetch-Site", "none")
    is_link = request.headers.get("Sec-Fetch-Mode") == "navigate"
    if site not in ("same-origin", "none") and not is_link:
        raise web.HTTPForbidden(text="the page of another site may not ask")


def _name_of(host: str) -> str:
    """Return a Host header without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host
