"""Signatures without the extra: who asks for them is told, and nobody else notices."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from maskwatch_edge.__main__ import main
from maskwatch_edge.classifier import open_classifier
from maskwatch_edge.config import ModelConfig


@pytest.fixture(autouse=True)
def without_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "cryptography"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)


COMMANDS = [
    ["keys", "new", "key"],
    ["sign", "a.tflite", "--key", "key"],
    ["verify", "a.tflite", "--trust", "key.pub"],
    ["detect", "a.jpg", "--model", "a.tflite", "--trust", "key.pub"],
]


@pytest.mark.parametrize("words", COMMANDS)
def test_the_extra_that_is_missing_is_named(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.tflite").write_bytes(b"anything")
    assert main(words) == 1
    assert "pip install 'maskwatch[signatures]'" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.tflite"]


def test_models_without_signatures_need_nothing(tiny_model: Path) -> None:
    open_classifier(ModelConfig(path=tiny_model))
