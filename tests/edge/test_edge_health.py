"""What an installation must pass before it takes over."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from maskwatch_edge import models
from maskwatch_edge.deploy.health import main
from maskwatch_edge.deploy.service_config import read_environment
from maskwatch_edge.errors import InputError
from maskwatch_edge.models import SHIPPED_MODELS

Check = Callable[..., tuple[int, str]]


@pytest.fixture
def check(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Give a function that checks a release and returns the exit code and what was said."""

    def run(
        config: str = "", *words: str, model: Path | None = tiny_model, environment: str = ""
    ) -> tuple[int, str]:
        (tmp_path / "config.toml").write_text(config)
        (tmp_path / "environment").write_text(environment)
        files = ["--config", str(tmp_path / "config.toml")]
        files += ["--model", str(model)] if model else []
        code = main([*files, "--environment", str(tmp_path / "environment"), *words])
        return code, capsys.readouterr().err

    return run


def test_a_release_that_is_right_passes_in_silence(check: Check) -> None:
    assert check() == (0, "")


@pytest.mark.parametrize("name", SHIPPED_MODELS)
def test_a_release_without_a_model_of_its_own_passes_with_a_shipped_one(
    check: Check, name: str
) -> None:
    assert check(f"[model]\nshipped = '{name}'\n", model=None) == (0, "")


def test_keys_must_be_of_use_to_the_program_that_will_check(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keys").write_text("no key\n")
    assert check("", "--trust", str(tmp_path / "keys"))[0] == 1
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ed25519", None)
    code, said = check("", "--trust", str(tmp_path / "keys"))
    assert (code, "pip install 'maskwatch[signatures]'" in said) == (1, True), said


def test_a_shipped_model_that_is_missing_does_not_pass(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "SHIPPED_MODELS", {**SHIPPED_MODELS, "small": "none.tflite"})
    code, said = check("[model]\nshipped = 'small'\n", model=None)
    assert (code, "the shipped model none.tflite is missing" in said) == (1, True), said


@pytest.mark.parametrize("length", [0, 100, 2000, -1])
def test_a_damaged_model_does_not_pass(
    check: Check, tiny_model: Path, tmp_path: Path, length: int
) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(tiny_model.read_bytes()[:length])
    code, said = check(model=model)
    assert code == 1
    assert said.startswith(f"maskwatch: error: {model}")


EVERYWHERE = f"address = '0.0.0.0'\ntoken_hash = 'sha256:{'0' * 64}'\n"
WRONG = [
    ("[camera]\nsourse = '0'\n", (), "", "did you mean camera.source?"),
    ("[model]\npath = '/a.tflite'\n", (), "", "remove it and give --model FILE"),
    ("[model]\nshipped = 'small'\n", (), "", "remove it, or give --model shipped"),
    ("", (), "MASKWATCH_MODEL_SHIPPED=small\n", "remove it, or give --model shipped"),
    ("[faces]\nfinder = 'haar'\ncascade = '/none.xml'\n", (), "", "/none.xml"),
    ("[faces]\nmodel = '/none.tflite'\n", (), "", "/none.tflite"),
    ("[faces]\nfinder = 'yunet'\nmodel = '/none.onnx'\n", (), "", "maskwatch models get yunet"),
    ("[faces]\nfinder = 'yunet'\nmodel = '/home/me/y.onnx'\n", (), "", "sees no home folder"),
    (
        "[faces]\nfinder = 'haar'\ncascade = '/root/c.xml'\n",
        (),
        "",
        "the service does not see /root/c.xml",
    ),
    ("[camera]\nsource = 'rtsp://camera.example/'\n", (), "", "add --with network"),
    ("", (), "MASKWATCH_CAMERA_SOURCE=http://camera.example/\n", "add --with network"),
    ("[display]\nkind = 'console'\n", ("--with", "network"), "", "add --with console"),
    ("[mqtt]\nhost = 'broker.example'\n", (), "", "add --with network --with mqtt"),
    ("[mqtt]\nhost = 'broker.example'\n", ("--with", "network"), "", "add --with mqtt"),
    ("[statistics]\nenabled = true\n", (), "", "add --with statistics"),
    ("[web]\nenabled = true\n", ("--with", "network"), "", "add --with web"),
    (f"[web]\nenabled = true\n{EVERYWHERE}", ("--with", "web"), "", "add --with network"),
]


@pytest.mark.parametrize(("config", "words", "environment", "told"), WRONG)
def test_what_would_not_work_is_told(
    check: Check, config: str, words: tuple[str, ...], environment: str, told: str
) -> None:
    code, said = check(config, *words, environment=environment)
    assert (code, told in said) == (1, True), said


RIGHT = [
    ("[camera]\nsource = 'rtsp://camera.example/'\n", " network"),
    ("[display]\nkind = 'console'\n", " console network"),
    ("[mqtt]\nhost = 'broker.example'\n", " mqtt network"),
    ("[statistics]\nenabled = true\n", " statistics"),
    ("[web]\nenabled = true\n", " web"),
    (f"[web]\nenabled = true\n{EVERYWHERE}", " network web"),
    (f"[web]\n{EVERYWHERE}", ""),  # off
    ("[display]\nkind = 'window'\n", ""),  # falls back to none, and says so
]


@pytest.mark.parametrize(("config", "chosen"), RIGHT)
def test_what_the_drop_ins_allow_passes(check: Check, config: str, chosen: str) -> None:
    assert check(config, "--with", chosen) == (0, "")


def test_a_finder_whose_file_is_there_passes(check: Check, yunet: Path) -> None:
    assert check(f"[faces]\nfinder = 'yunet'\nmodel = '{yunet}'\n") == (0, "")


def test_every_problem_of_a_configuration_is_told(check: Check) -> None:
    _, said = check("[camera]\nwidth_px = 0\nheight_px = 0\n")
    assert len(said.splitlines()) == 2


def test_the_environment_is_read_as_systemd_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "environment"
    path.write_text("# a comment\n; another\n\nA=1\nB = \"two words\"\nC='x=y'\nnothing\n")
    assert read_environment(path) == {"A": "1", "B": "two words", "C": "x=y"}
    assert read_environment(tmp_path / "none") == {}


def test_an_environment_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "environment").mkdir()
    with pytest.raises(InputError, match=r"cannot read .*environment"):
        read_environment(tmp_path / "environment")
