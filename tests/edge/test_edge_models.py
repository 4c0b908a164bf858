"""Where models are looked for: the shipped one, and those that are fetched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maskwatch_edge import models
from maskwatch_edge.errors import InputError, ModelError
from maskwatch_edge.models import (
    SHARED_FOLDER,
    SHIPPED_MODELS,
    YUNET,
    data_folder,
    find_model,
    model_folders,
    shipped_model,
)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pretend that the package is in `tmp_path`, laid out as in the repository."""
    package = tmp_path / "edge" / "maskwatch_edge"
    package.mkdir(parents=True)
    monkeypatch.setattr(models, "__file__", str(package / "models.py"))
    return package


def put_model(folder: Path, name: str = "standard") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / SHIPPED_MODELS[name]
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


def test_each_shipped_model_has_a_file_of_its_own(package: Path) -> None:
    paths = {name: put_model(package / "models", name) for name in SHIPPED_MODELS}
    assert {name: shipped_model(name) for name in SHIPPED_MODELS} == paths
    assert len(set(paths.values())) == len(paths)


def test_a_missing_model_is_told_with_the_option_that_mends_it(package: Path) -> None:
    with pytest.raises(ModelError, match=r"is missing; give --model FILE\.tflite"):
        shipped_model()


@pytest.mark.parametrize(
    ("variables", "user", "expected"),
    [
        ({"XDG_DATA_HOME": "/data", "HOME": "/home/me"}, 1000, "/data/maskwatch"),
        ({"XDG_DATA_HOME": "/data"}, 0, "/data/maskwatch"),
        ({"HOME": "/home/me"}, 1000, "/home/me/.local/share/maskwatch"),
        ({"HOME": "/root"}, 0, "/usr/local/share/maskwatch"),  # sudo: for everybody
        ({}, 1000, "/usr/local/share/maskwatch"),  # a service's user may have no home
    ],
)
def test_fetched_models_go_to_the_users_folder_and_those_of_root_to_everybody(
    variables: dict[str, str], user: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", variables)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert data_folder() == Path(expected)
    assert model_folders()[-1] == SHARED_FOLDER
    assert len(set(model_folders())) == len(model_folders())


def test_a_fetched_model_is_found_in_the_users_folder_before_the_shared_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(models, "SHARED_FOLDER", tmp_path / "shared")
    with pytest.raises(InputError, match=r"looked in .*fetch it with: maskwatch models get yunet"):
        find_model(YUNET)
    for folder in (tmp_path / "shared", tmp_path / "maskwatch"):
        folder.mkdir()
        (folder / YUNET.file_name).touch()
        assert find_model(YUNET) == folder / YUNET.file_name


def test_the_published_file_is_known_by_its_size_and_digest(yunet: Path) -> None:
    assert yunet.stat().st_size == YUNET.size_bytes
    assert YUNET.is_at(yunet)


def test_another_file_is_not_taken_for_it(yunet: Path, tmp_path: Path) -> None:
    (tmp_path / "longer").write_bytes(yunet.read_bytes() + b"\0")
    assert not any(map(YUNET.is_at, (tmp_path / "longer", tmp_path, tmp_path / "nowhere")))
