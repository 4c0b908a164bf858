"""Which mask model judges: by name, by file, and what wins over what."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from maskwatch_edge.__main__ import build_parser, find_commands
from maskwatch_edge.classifier import model_file
from maskwatch_edge.config import Config, ModelConfig
from maskwatch_edge.config.command import load_from_options
from maskwatch_edge.config.keys import ConfigError
from maskwatch_edge.models import SHIPPED_MODELS, shipped_model
from maskwatch_edge.run_command import flags_of
from maskwatch_edge.watch_options import model_of

EVALUATE = ("evaluate", "--crops", "faces")
FileOf = Callable[..., Path]


def run_config(*words: str) -> Config:
    """Return the configuration that `maskwatch run` or `bench` would have."""
    options = build_parser(find_commands()).parse_args(words)
    return load_from_options(options, flags_of(options)).config


def file_of(*words: str) -> Path:
    """Return the file that the model of a command would be read from."""
    if words[0] in ("run", "bench"):
        return model_file(run_config(*words).model)
    return model_file(model_of(build_parser(find_commands()).parse_args(words)))


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], str]:
    """Give a function that writes a configuration file with a section about the model."""

    def write(lines: str) -> str:
        path = tmp_path / "config.toml"
        path.write_text(f"[model]\n{lines}\n")
        return str(path)

    return write


@pytest.mark.parametrize("command", [("run",), ("bench",), ("detect", "a.jpg"), EVALUATE])
def test_every_command_that_judges_takes_a_name_or_a_file(command: tuple[str, ...]) -> None:
    option = () if command[0] == "evaluate" else ("--model",)
    for name in SHIPPED_MODELS:
        assert file_of(*command, *option, name) == shipped_model(name)
    assert file_of(*command, *option, "mine.tflite") == Path("mine.tflite")
    assert file_of(*command, *option, "./small") == Path("small"), "a file of that name"


@pytest.mark.parametrize("command", [("run",), ("bench",), ("detect", "a.jpg")])
def test_the_standard_model_judges_if_nothing_else_is_said(command: tuple[str, ...]) -> None:
    assert file_of(*command) == shipped_model("standard")


@pytest.mark.parametrize("said", ["", "shipped = 'small'", "path = '/m.tflite'"])
def test_the_command_line_wins_over_either_setting(config: Callable[[str], str], said: str) -> None:
    def model(name: str) -> ModelConfig:
        return run_config("run", "--config", config(said), "--model", name).model

    assert model("small") == ModelConfig(shipped="small")
    assert model("standard") == ModelConfig()
    assert model("/other.tflite") == ModelConfig(path=Path("/other.tflite"))


def test_a_setting_holds_where_the_command_line_says_nothing(
    config: Callable[[str], str],
) -> None:
    assert file_of("run", "--config", config("shipped = 'small'")) == shipped_model("small")
    assert file_of("run", "--config", config("path = '/m.tflite'")) == Path("/m.tflite")


def test_a_file_and_a_name_from_different_places_are_told_with_both(
    config: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_MODEL_PATH", "/m.tflite")
    path = config("shipped = 'small'")
    with pytest.raises(ConfigError) as caught:
        run_config("run", "--config", path)
    assert str(caught.value) == (
        'environment MASKWATCH_MODEL_PATH: model.path: expected none, as shipped is "small" and '
        f'only one of the two counts; received "/m.tflite" (model.shipped: file {path})'
    )


def maskwatch(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "maskwatch_edge", *words]
    known = {name: value for name, value in os.environ.items() if not name.startswith("MASKWATCH_")}
    return subprocess.run(command, env=known, capture_output=True, text=True, timeout=300)


def test_the_list_of_models_names_each_shipped_one_with_its_place() -> None:
    lines = maskwatch("models", "list").stdout.splitlines()
    for name in SHIPPED_MODELS:
        told = f"{shipped_model(name)}; a mask model, comes with Maskwatch"
        assert f"{name:12}  {told}" in lines


def test_the_small_model_judges_when_it_is_asked_for() -> None:
    done = maskwatch("doctor", "--set", "model.shipped=small", "--json")
    findings = {each["name"]: each for each in json.loads(done.stdout)["findings"]}
    assert findings["model"]["state"] == "ok"
    assert findings["model"]["finding"].startswith(f"{shipped_model('small')}: int8, 128x128")
