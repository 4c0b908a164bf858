"""Where the shipped model is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskwatch_edge import models
from maskwatch_edge.errors import ModelError
from maskwatch_edge.models import SHIPPED_MODEL, shipped_model


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pretend that the package is in `tmp_path`, laid out as in the repository."""
    package = tmp_path / "edge" / "maskwatch_edge"
    package.mkdir(parents=True)
    monkeypatch.setattr(models, "__file__", str(package / "models.py"))
    return package


def put_model(folder: Path) -> Path:
    folder.mkdir()
    path = folder / SHIPPED_MODEL
    path.write_bytes(b"a model")
    return path


def test_a_wheel_has_the_model_inside_the_package(package: Path) -> None:
    path = put_model(package / "models")
    assert shipped_model() == path


def test_a_checkout_has_the_model_at_the_top(package: Path, tmp_path: Path) -> None:
    path = put_model(tmp_path / "models")
    assert shipped_model() == path


def test_the_model_inside_the_package_comes_first(package: Path, tmp_path: Path) -> None:
    put_model(tmp_path / "models")
    path = put_model(package / "models")
    assert shipped_model() == path


def test_a_missing_model_is_told_with_the_option_that_mends_it(package: Path) -> None:
    with pytest.raises(ModelError, match=r"is missing; give --model FILE\.tflite"):
        shipped_model()
