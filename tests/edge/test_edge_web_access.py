"""Tokens, guesses, and addresses that guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.web.tokens import hash_of, is_right, new_token

pytest.importorskip("aiohttp", reason="needs the extra web")

from aiohttp.test_utils import make_mocked_request

from maskwatch_edge.web.access import (
    GUESS_SECONDS,
    MOST_ADDRESSES,
    MOST_GUESSES,
    Guesses,
    address_of,
)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(st.text(), st.text())
def test_no_other_token_is_right(token: str, other: str) -> None:
    assert is_right(token, hash_of(token))
    assert is_right(other, hash_of(token)) == (other == token)


def test_each_token_is_new_and_long() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) >= 43 and token.isascii() for token in tokens)


def test_an_address_that_guessed_too_often_waits_until_its_minute_is_over() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(MOST_GUESSES):
        assert guesses.wait_seconds("a") == 0
        guesses.add("a")
    assert guesses.wait_seconds("a") == GUESS_SECONDS
    assert guesses.wait_seconds("b") == 0
    clock.now += GUESS_SECONDS - 1
    assert guesses.wait_seconds("a") == 1
    clock.now += 1
    assert guesses.wait_seconds("a") == 0
    guesses.add("a")
    assert guesses.wait_seconds("a") == 0


def test_no_more_addresses_are_remembered_than_there_is_room_for() -> None:
    guesses = Guesses(Clock())
    for number in range(MOST_ADDRESSES):
        for _ in range(MOST_GUESSES):
            guesses.add(str(number))
    assert guesses.wait_seconds("0") > 0
    guesses.add("one more")
    assert guesses.wait_seconds("0") == 0
    assert guesses.wait_seconds("1") > 0


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.7", None, "192.0.2.7"),
        ("192.0.2.7", "203.0.113.1", "192.0.2.7"),  # only the board's own proxy is believed
        ("127.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("::1", "198.51.100.1, 203.0.113.1", "203.0.113.1"),  # the proxy wrote the last one
        ("127.0.0.1", "nonsense", "unknown"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
    ],
)
def test_the_address_of_a_guess(peer: str, forwarded: str | None, expected: str) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = make_mocked_request("GET", "/api/state", headers=headers).clone(remote=peer)
    assert address_of(request) == expected
