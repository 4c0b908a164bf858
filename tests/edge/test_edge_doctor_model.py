"""What the doctor finds of interpreter, model and finder of faces."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from maskwatch_edge import models
from maskwatch_edge.config import (
    Config,
    FacesConfig,
)
from maskwatch_edge.deploy import service_config
from maskwatch_edge.doctor import model as doctor_model
from maskwatch_edge.doctor.model import check_faces, check_interpreter, check_model
from maskwatch_edge.doctor.report import State
from maskwatch_edge.doctor.system import RealSystem

from .paper_boards import (
    only,
)


def test_a_whole_model_is_run_and_its_interpreter_named(tiny_model: Path) -> None:
    config = Config().model
    finding = only(check_model(config, tiny_model, RealSystem().now_seconds))
    assert finding.state is State.OK
    assert "int8, 32x32 RGB, keeps its contract" in finding.finding
    finding = only(check_interpreter(config, tiny_model))
    assert finding.state is State.OK
    assert finding.finding.startswith(("ai-edge-litert ", "tflite-runtime "))


def test_a_truncated_model_fails_and_the_interpreter_is_named_all_the_same(
    tiny_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "half.tflite"
    path.write_bytes(tiny_model.read_bytes()[:2000])
    finding = only(check_model(Config().model, path, RealSystem().now_seconds))
    assert finding.state is State.FAIL
    assert "truncated" in finding.finding
    assert "--model" in finding.mend
    finding = only(check_interpreter(Config().model, path))
    assert finding.state is State.OK
    assert finding.finding.endswith("not tried, as the model cannot be read")


def test_a_cascade_that_is_missing_fails(tmp_path: Path) -> None:
    assert only(check_faces(Config().faces, Config().model, time.monotonic)).state is State.OK
    missing = FacesConfig(finder="haar", cascade=tmp_path / "no.xml")
    finding = only(check_faces(missing, Config().model, time.monotonic))
    assert (finding.state, finding.mend) == (State.FAIL, "remove faces.cascade")


def test_a_finder_that_is_missing_fails_with_what_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = FacesConfig(model=tmp_path / "no.tflite")
    finding = only(check_faces(named, Config().model, time.monotonic))
    assert (finding.state, finding.mend) == (State.FAIL, "remove faces.model")
    broken = models.shipped_finder().read_bytes()[:100_000]
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / models.SHIPPED_FINDERS["tflite"]).write_bytes(broken)
    monkeypatch.setattr(models, "__file__", str(tmp_path / "models.py"))
    finding = only(check_faces(FacesConfig(), Config().model, time.monotonic))
    assert finding.state is State.FAIL
    assert "install Maskwatch again" in finding.mend


def test_a_finder_that_was_not_fetched_fails_with_the_command_that_fetches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(models, "SHARED_FOLDER", tmp_path)
    faces = FacesConfig(finder="yunet")
    finding = only(check_faces(faces, Config().model, time.monotonic))
    assert finding.state is State.FAIL
    assert finding.mend == "fetch it with: maskwatch models get yunet"


def test_a_finder_is_told_with_its_file_and_its_time(yunet: Path) -> None:
    faces = FacesConfig(finder="yunet", model=yunet)
    finding = only(check_faces(faces, Config().model, time.monotonic))
    assert finding.state is State.OK
    assert finding.finding.startswith(f"yunet, {yunet.name}: ")
    assert finding.finding.endswith(" ms for an empty frame")


def test_a_finder_with_another_file_than_the_published_one_is_refused(
    yunet: Path, tmp_path: Path
) -> None:
    longer = tmp_path / "longer.onnx"
    # An unknown field of text: OpenCV reads past it.
    longer.write_bytes(yunet.read_bytes() + b"\xfa\x7f\x01x")
    faces = FacesConfig(finder="yunet", model=longer)
    finding = only(check_faces(faces, Config().model, time.monotonic))
    assert finding.state is State.FAIL
    assert "is not a YuNet ONNX file" in finding.finding


def test_a_finder_that_the_service_cannot_see_is_warned_of(
    yunet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_model, "INSTALLED", tmp_path)
    monkeypatch.setattr(service_config, "HOMES", (yunet.parent,))
    faces = FacesConfig(finder="yunet", model=yunet)
    finding = only(check_faces(faces, Config().model, time.monotonic))
    assert finding.state is State.WARN
    assert "the service does not see" in finding.finding
    assert "/usr/local/share/maskwatch" in finding.mend
