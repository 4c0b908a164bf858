"""Our own face finder on the board, with a tiny model that takes red for faces of 48 px."""

from __future__ import annotations

from dataclasses import fields, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from maskwatch_edge.bench.clip import SHIPPED_CLIP
from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.cameras.sources import VideoSource
from maskwatch_edge.classifier import MaskClassifier
from maskwatch_edge.config import FacesConfig, ModelConfig
from maskwatch_edge.contract import FinderContract, read_finder, read_model, write_model
from maskwatch_edge.errors import InputError, MissingExtraError, ModelError
from maskwatch_edge.finders import TfliteFinder, open_finder
from maskwatch_edge.frame import Pixels
from maskwatch_edge.interpreter import PACKAGES
from maskwatch_edge.models import shipped_finder

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "data" / "tiny-finder-int8.tflite"


@pytest.fixture(scope="module")
def finder() -> TfliteFinder:
    return TfliteFinder(TINY, min_score=0.5)


def painted(shape: tuple[int, int], *faces: FaceBox) -> Pixels:
    """Paint red squares on blue ground."""
    frame = np.zeros((*shape, 3), np.uint8)
    frame[:] = (0, 0, 255)
    for face in faces:
        frame[face.y1 : face.y2, face.x1 : face.x2] = (255, 0, 0)
    return frame


@pytest.mark.parametrize(
    ("shape", "face"),
    [
        ((96, 128), FaceBox(40, 24, 88, 72)),  # of the shape of the input
        ((192, 256), FaceBox(80, 48, 176, 144)),  # twice as large
        ((48, 64), FaceBox(20, 12, 44, 36)),  # half as large
        ((96, 64), FaceBox(8, 24, 56, 72)),  # upright: grey on the right
        ((72, 128), FaceBox(40, 16, 88, 64)),  # flat: grey below
    ],
)
def test_a_face_is_found_where_it_is(
    finder: TfliteFinder, shape: tuple[int, int], face: FaceBox
) -> None:
    found = finder.find(painted(shape, face))
    assert found
    assert found[0].iou(face) > 0.7
    assert found[0].score > 0.8


def test_two_faces_are_found_the_surest_first_and_inside_the_frame(finder: TfliteFinder) -> None:
    frame = painted((192, 256), FaceBox(0, 0, 96, 96), FaceBox(140, 90, 230, 180))
    frame[140:150, 150:220] = (0, 0, 255)  # a stripe makes the second less sure
    found = finder.find(frame)
    assert found == sorted(found, key=lambda box: -box.score)
    assert all(box.clipped(256, 192) == box for box in found)
    assert max(box.iou(FaceBox(0, 0, 96, 96)) for box in found) > 0.6
    assert max(box.iou(FaceBox(140, 90, 230, 180)) for box in found) > 0.6


def test_a_frame_without_faces_has_none_and_is_not_changed(finder: TfliteFinder) -> None:
    frame = painted((96, 128))
    before = frame.copy()
    assert finder.find(frame) == []
    assert np.array_equal(frame, before)


def test_frames_of_changing_shape_leave_no_trace_of_each_other(finder: TfliteFinder) -> None:
    red = painted((96, 128), FaceBox(0, 0, 128, 96))
    upright = painted((96, 40))
    assert finder.find(upright) == []
    finder.find(red)
    assert finder.find(upright) == []


def test_faces_below_the_least_score_or_size_are_left_out() -> None:
    frame = painted((96, 128), FaceBox(40, 24, 88, 72))
    score = TfliteFinder(TINY, min_score=0.1).find(frame)[0].score
    assert all(box.score >= score for box in TfliteFinder(TINY, min_score=score).find(frame))
    assert TfliteFinder(TINY, min_score=0.5, min_size=200).find(frame) == []


@settings(max_examples=25)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))))
def test_noise_of_any_size_is_searched_without_a_crash(
    finder: TfliteFinder, pixels: npt.NDArray[np.uint8]
) -> None:
    height, width = pixels.shape[:2]
    for box in finder.find(pixels):
        assert box.clipped(width, height) == box


@pytest.mark.parametrize("options", [{"min_score": 1.5}, {"min_score": -0.1}, {"min_size": 0}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="a least score in"):
        TfliteFinder(TINY, **options)


def test_a_classifier_is_no_finder_and_a_finder_no_classifier(tiny_model: Path) -> None:
    with pytest.raises(ModelError, match="holds a mask classifier; expected a face finder") as one:
        TfliteFinder(tiny_model)
    with pytest.raises(
        ModelError, match="holds a face finder; expected a mask classifier"
    ) as other:
        MaskClassifier(TINY)
    assert str(tiny_model) in str(one.value)
    assert str(TINY) in str(other.value)
    with pytest.raises(ModelError, match="expected a mask classifier"):
        read_model(TINY)


def test_a_model_of_an_unknown_kind_is_named(tmp_path: Path) -> None:
    flatbuffer, contract = read_finder(TINY)
    strange = type("Strange", (FinderContract,), {"KIND": "oracle"})
    values = {known.name: getattr(contract, known.name) for known in fields(contract)}
    write_model(tmp_path / "m.tflite", flatbuffer, strange(**values))
    with pytest.raises(ModelError, match="a model of the kind 'oracle'; expected a face finder"):
        TfliteFinder(tmp_path / "m.tflite")


def test_the_shipped_classifier_is_still_read(shipped_model: Path) -> None:
    assert read_model(shipped_model)[1].KIND == "classifier"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"input_width": 160}, "the input tensor contradicts the contract"),
        ({"stride": 16}, "the heat map tensor contradicts the contract"),
        ({"variant": "float32"}, "the input tensor contradicts the contract"),
    ],
)
def test_a_contract_that_the_tensors_contradict_is_refused(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    flatbuffer, contract = read_finder(TINY)
    write_model(tmp_path / "m.tflite", flatbuffer, replace(contract, **change))
    with pytest.raises(ModelError, match=reason):
        TfliteFinder(tmp_path / "m.tflite")


def test_a_classifier_in_the_clothes_of_a_finder_is_refused(
    tmp_path: Path, tiny_model: Path
) -> None:
    write_model(tmp_path / "m.tflite", read_model(tiny_model)[0], read_finder(TINY)[1])
    with pytest.raises(ModelError, match="has 1 inputs and 1 outputs; expected 1 and 2"):
        TfliteFinder(tmp_path / "m.tflite")


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ("with_mask", "without_mask")},
        {"input_width": 100},
        {"input_height": 0},
        {"input_height": 96.0},
        {"input_width": 4096},
        {"stride": 7},
        {"stride": True},
        {"reference_size": 0.0},
        {"reference_size": float("nan")},
        {"reach": "2.5"},
        {"reach": 0.0},
        {"variant": "int4"},
        {"colour_order": "BGR"},
        {"scores": {"ap50": float("inf")}},
    ],
)
def test_a_wrong_contract_of_a_finder_cannot_even_be_made(change: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=f"has {next(iter(change))} ="):
        replace(read_finder(TINY)[1], **change)


def test_a_finder_file_comes_back_with_its_contract_and_its_bytes(tmp_path: Path) -> None:
    flatbuffer, contract = read_finder(TINY)
    write_model(tmp_path / "m.tflite", flatbuffer, contract)
    assert (tmp_path / "m.tflite").read_bytes() == TINY.read_bytes()


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0\0\0\0TFL3" + bytes(100)])
def test_a_broken_file_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        TfliteFinder(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_finder_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(TINY.read_bytes()[:-100])
    with pytest.raises(ModelError, match="truncated"):
        TfliteFinder(path)


def test_it_is_what_finds_faces_unless_the_configuration_names_another() -> None:
    finder = open_finder(FacesConfig(), ModelConfig())
    assert isinstance(finder, TfliteFinder)
    assert finder.contract == read_finder(shipped_finder())[1]


def test_the_small_one_that_ships_finds_the_people_of_the_demonstration() -> None:
    finder = open_finder(FacesConfig(finder="tflite-small"), ModelConfig())
    frames = list(VideoSource(str(SHIPPED_CLIP)).frames())
    assert {len(finder.find(frame.pixels)) for frame in frames[::15]} == {2}


def test_the_configuration_names_another_file_of_it() -> None:
    finder = open_finder(FacesConfig(model=TINY), ModelConfig())
    assert isinstance(finder, TfliteFinder)
    assert finder.contract == read_finder(TINY)[1]
    with pytest.raises(ModelError, match=r"yunet\.onnx"):
        open_finder(FacesConfig(model=Path("yunet.onnx")), ModelConfig())


def test_the_interpreter_of_the_configuration_runs_it() -> None:
    missing = next((name for name in PACKAGES if not find_spec(name.replace("-", "_"))), None)
    if missing is None:
        pytest.skip("both interpreters are installed")
    with pytest.raises(MissingExtraError, match=missing):
        open_finder(FacesConfig(), ModelConfig(interpreter=missing))
