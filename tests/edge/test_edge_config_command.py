"""`maskwatch config`, as a user gives it, and the options that other commands share with it."""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from maskwatch_edge import __main__ as program
from maskwatch_edge.__main__ import main
from maskwatch_edge.config import file as config_file
from maskwatch_edge.config.command import COMMAND, add_config_options, load_from_options
from maskwatch_edge.config.file import load_config
from maskwatch_edge.config.keys import ConfigError

Maskwatch = Callable[..., tuple[int, str, str]]

WRONG = "[camera]\nwidth_px = 1\nsourse = '0'\n"


@pytest.fixture
def maskwatch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Maskwatch:
    """Give a function that runs `maskwatch` in `tmp_path` and returns exit code and output."""
    monkeypatch.setattr(program, "find_commands", lambda name: [COMMAND])
    monkeypatch.setattr(config_file, "DEFAULT_PATH", tmp_path / "no-config.toml")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., argparse.Namespace]:
    """Give a function that parses the options that commands share."""
    monkeypatch.setattr(config_file, "DEFAULT_PATH", tmp_path / "no-config.toml")

    def parse(*arguments: str) -> argparse.Namespace:
        parser = argparse.ArgumentParser()
        add_config_options(parser)
        return parser.parse_args(arguments)

    return parse


@pytest.mark.parametrize(
    ("content", "count"),
    [
        ("", "0 values"),
        ("[camera]\n", "0 values"),
        ("camera.width_px = 320", "1 value"),
        ("camera.width_px = 320\n[[indicator.lamps]]\nline = 4", "2 values"),
    ],
)
def test_a_right_file_is_one_line_and_exit_code_0(
    maskwatch: Maskwatch, content: str, count: str
) -> None:
    Path("my.toml").write_text(content)
    assert maskwatch("config", "check", "my.toml") == (0, f"my.toml is right: {count} set\n", "")


def test_a_wrong_file_is_a_line_for_each_problem_and_exit_code_1(maskwatch: Maskwatch) -> None:
    Path("my.toml").write_text(WRONG)
    assert maskwatch("config", "check", "my.toml") == (
        1,
        "",
        "my.toml: camera.width_px: expected a whole number from 16 to 8192; received 1\n"
        "my.toml: camera.sourse: there is no such key; did you mean camera.source?\n",
    )


def test_only_the_file_is_checked_and_not_the_environment(
    maskwatch: Maskwatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_CAMERA_WIDTH_PX", "wide")
    Path("my.toml").touch()
    assert maskwatch("config", "check", "my.toml")[0] == 0


def test_a_missing_file_is_not_right(maskwatch: Maskwatch) -> None:
    assert maskwatch("config", "check", "my.toml") == (1, "", "my.toml: there is no such file\n")


def test_what_is_shown_is_a_right_file_with_the_same_values(
    maskwatch: Maskwatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("my.toml").write_text("camera.source = 'a.mp4'\nindicator.lamps = [{line = 4}]")
    monkeypatch.setenv("MASKWATCH_CAMERA_STALL_SECONDS", "9")
    arguments = ("config", "show", "--config", "my.toml", "--set", "display.kind=window")
    code, out, err = maskwatch(*arguments)
    assert (code, err) == (0, "")
    Path("shown.toml").write_text(out)
    expected = load_config(
        Path("my.toml"), {}, {"camera.stall_seconds": 9, "display.kind": "window"}
    )
    assert load_config(Path("shown.toml"), {}, {}).config == expected.config
    assert "# file my.toml\n" in out
    assert "stall_seconds = 9.0  # environment MASKWATCH_CAMERA_STALL_SECONDS\n" in out
    assert 'kind = "window"  # flag\n' in out


def test_what_is_shown_as_json_is_one_object(maskwatch: Maskwatch) -> None:
    code, out, err = maskwatch("config", "show", "--json", "--set", "camera.source=rtsp://a:b@h")
    assert (code, err) == (0, "")
    shown = json.loads(out)
    assert shown["file"] is None
    assert shown["settings"]["camera.source"] == {"value": "rtsp://h", "origin": "flag"}
    assert shown["settings"]["camera.width_px"] == {"value": 640, "origin": "default"}


def test_nothing_is_shown_of_what_is_wrong(
    maskwatch: Maskwatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("my.toml").write_text(WRONG)
    monkeypatch.setenv("MASKWATCH_CONFIG", "my.toml")
    monkeypatch.setenv("MASKWATCH_SOURCE", "1")
    code, out, err = maskwatch("config", "show", "--set", "display.kind=hdmi")
    assert (code, out) == (1, "")
    assert [line.partition(": ")[0] for line in err.splitlines()] == [
        "my.toml",
        "my.toml",
        "environment MASKWATCH_SOURCE",
        "flag",
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "the following arguments are required: ACT"),
        (["mend"], "invalid choice: 'mend'"),
        (["check"], "the following arguments are required: FILE"),
        (["show", "--set", "camera.source"], "expected KEY=VALUE, received 'camera.source'"),
    ],
)
def test_a_wrong_command_line_exits_with_2(
    maskwatch: Maskwatch, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        maskwatch("config", *arguments)
    assert caught.value.code == 2
    assert expected in capsys.readouterr().err


def test_set_wins_over_the_other_flags_and_the_last_one_over_those_before(
    options: Callable[..., argparse.Namespace],
) -> None:
    given = options("--set", "camera.source=1", "--set", "camera.source = x=y")
    loaded = load_from_options(given, {"camera.source": "0", "camera.width_px": 320})
    assert (loaded.config.camera.source, loaded.config.camera.width_px) == ("x=y", 320)
    assert load_from_options(options()).config == load_config(None, {}, {}).config


def test_a_list_is_set_as_toml(options: Callable[..., argparse.Namespace]) -> None:
    given = options("--set", 'indicator.lamps=[{line = "GPIO17", role = "alive"}]')
    (lamp,) = load_from_options(given).config.indicator.lamps
    assert (lamp.line, lamp.role) == ("GPIO17", "alive")


def test_the_file_that_is_named_must_be_there(
    options: Callable[..., argparse.Namespace],
) -> None:
    with pytest.raises(ConfigError, match=r"^no\.toml: there is no such file$"):
        load_from_options(options("--config", "no.toml"))


def test_the_output_without_any_file_is_toml(maskwatch: Maskwatch) -> None:
    assert tomllib.loads(maskwatch("config", "show")[1])["indicator"]["lamps"] == []
