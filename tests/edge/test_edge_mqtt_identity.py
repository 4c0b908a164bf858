"""Where messages are kept, and what tells one board from another."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from maskwatch_edge.mqtt.identity import default_device_id
from maskwatch_edge.state_folder import state_folder


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/maskwatch", "XDG_STATE_HOME": "/x"}, "/var/lib/maskwatch"),
        ({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}, "/var/lib/a"),
        ({"XDG_STATE_HOME": "/home/me/state"}, "/home/me/state/maskwatch"),
    ],
)
def test_what_must_be_kept_goes_where_systemd_or_the_user_says(
    environment: dict[str, str], expected: str
) -> None:
    assert state_folder(environment) == Path(expected)


def test_else_it_goes_into_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    environment = {"XDG_STATE_HOME": "", "HOME": "/home/me"}
    assert state_folder(environment) == Path("/home/me/.local/state/maskwatch")


def test_a_board_keeps_its_id_and_does_not_give_away_the_machines(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("4f0c2d9a71be4a54a1d1e2b5c1d30c6f\n")
    other.write_text("4f0c2d9a71be4a54a1d1e2b5c1d30c70\n")
    made = default_device_id(one)
    assert re.fullmatch("[0-9a-f]{12}", made)
    assert made == default_device_id(one)
    assert made != default_device_id(other)
    assert made not in one.read_text()


def test_a_machine_without_an_id_has_one_by_its_name(tmp_path: Path) -> None:
    assert re.fullmatch("[0-9a-f]{12}", default_device_id(tmp_path / "none"))
