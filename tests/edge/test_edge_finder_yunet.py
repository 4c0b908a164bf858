"""Finding faces with YuNet, by the file that the OpenCV zoo publishes."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.config import FacesConfig, ModelConfig
from maskwatch_edge.dataset import read_frames
from maskwatch_edge.errors import InputError
from maskwatch_edge.finders import HaarFinder, YunetFinder, open_finder
from maskwatch_edge.frame import Pixels
from maskwatch_edge.pictures import read_picture, write_picture

FACE = FaceBox(76, 66, 173, 162)
"""The face of the portrait, as the Haar cascade finds it."""


@pytest.fixture(scope="module")
def finder(yunet: Path) -> YunetFinder:
    return YunetFinder(yunet)


@pytest.mark.parametrize(
    ("name", "face"),
    [
        ("maksssksksss128.jpg", FaceBox(93, 183, 194, 295)),  # bare
        ("maksssksksss69.jpg", FaceBox(137, 120, 272, 267)),  # masked, and missed by the cascade
    ],
)
def test_a_face_in_a_real_picture_is_found(
    shared: Path, finder: YunetFinder, name: str, face: FaceBox
) -> None:
    boxes = finder.find(read_picture(shared / "data" / "mask-frames" / "images" / name))
    assert boxes[0].iou(face) > 0.5


def test_boxes_fit_those_that_the_mask_model_learned_from(
    shared: Path, finder: YunetFinder
) -> None:
    frames = list(read_frames(shared / "data" / "mask-frames"))[::10]
    overlaps = []
    for frame in frames:
        found = finder.find(read_picture(frame.path))
        boxes = [face.box for face in frame.faces if face.box and face.box.size >= 32]
        overlaps += [max((box.iou(each) for each in found), default=0.0) for box in boxes]
    met = [overlap for overlap in overlaps if overlap > 0.3]
    assert len(met) > 0.9 * len(overlaps)
    assert statistics.mean(met) > 0.74  # YuNet's own boxes, from the hair to the mouth: 0.67


def test_colours_reach_the_network_in_its_own_order(
    finder: YunetFinder, yunet: Path, portrait: Pixels
) -> None:
    reference = cv2.FaceDetectorYN.create(str(yunet), "", (240, 240), 0.5)
    rows = reference.detect(cv2.cvtColor(portrait, cv2.COLOR_RGB2BGR))[1]
    assert finder.find(portrait)[0].score == pytest.approx(max(rows[:, 14]), abs=1e-5)


@pytest.mark.parametrize("factor", [1, 2, 5])
def test_boxes_are_in_pixels_of_the_frame_however_large_it_is(
    finder: YunetFinder, portrait: Pixels, factor: int
) -> None:
    large = np.ascontiguousarray(portrait.repeat(factor, axis=0).repeat(factor, axis=1))
    box = finder.find(large)[0]
    x1, y1, x2, y2 = (factor * edge for edge in FACE.xyxy)
    assert box.iou(FaceBox(x1, y1, x2, y2)) > 0.5


def test_a_face_at_the_edge_is_cut_to_the_frame(finder: YunetFinder, portrait: Pixels) -> None:
    half = np.ascontiguousarray(portrait[:, 110:])
    boxes = finder.find(half)
    assert boxes
    assert all(box.clipped(half.shape[1], half.shape[0]) == box for box in boxes)


def test_faces_come_surest_first_with_scores_from_0_to_1(shared: Path, yunet: Path) -> None:
    finder = YunetFinder(yunet, min_score=0.05)
    for path in sorted((shared / "data" / "mask-frames" / "images").iterdir())[:3]:
        scores = [box.score for box in finder.find(read_picture(path))]
        assert scores == sorted(scores, reverse=True)
        assert all(0.05 <= score <= 1.0 for score in scores)


def test_faces_below_the_smallest_size_or_score_are_dropped(yunet: Path, portrait: Pixels) -> None:
    size = YunetFinder(yunet).find(portrait)[0].size
    score = YunetFinder(yunet).find(portrait)[0].score
    assert YunetFinder(yunet, min_size=size).find(portrait)
    assert YunetFinder(yunet, min_size=size + 1).find(portrait) == []
    assert YunetFinder(yunet, min_score=min(score + 0.01, 1.0)).find(portrait) == []


def test_a_larger_working_size_finds_smaller_faces(yunet: Path, portrait: Pixels) -> None:
    frame = np.full((1200, 1600, 3), 128, dtype=np.uint8)
    frame[500:560, 700:760] = cv2.resize(portrait, (60, 60), interpolation=cv2.INTER_AREA)
    assert YunetFinder(yunet, work_size=320, min_size=12).find(frame) == []
    assert YunetFinder(yunet, work_size=1600, min_size=12).find(frame)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (31, 33), (480, 640)])
def test_noise_of_any_shape_is_looked_at_without_a_crash(
    finder: YunetFinder, shape: tuple[int, int]
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert finder.find(noise) == []


@pytest.mark.parametrize("keep", [0, 100, 100_000, -1])
def test_a_file_that_was_cut_off_is_refused_in_one_line(
    yunet: Path, tmp_path: Path, keep: int, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(yunet.read_bytes()[:keep])
    with pytest.raises(InputError, match="is not a YuNet ONNX file, or a broken one") as caught:
        YunetFinder(path)
    assert str(path) in str(caught.value)
    assert "maskwatch models get yunet" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert capfd.readouterr() == ("", "")


def test_the_three_lines_that_git_lfs_leaves_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pointer.onnx"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:8f23\nsize 232589\n")
    with pytest.raises(InputError, match="is not a YuNet ONNX file"):
        YunetFinder(path)


def test_a_missing_file_and_a_folder_are_refused_with_the_command_that_fetches_it(
    tmp_path: Path,
) -> None:
    for path in (tmp_path, tmp_path / "nowhere.onnx"):
        with pytest.raises(InputError, match=rf"no YuNet file {path}.*maskwatch models get yunet"):
            YunetFinder(path)


def test_the_configuration_chooses_the_finder(yunet: Path) -> None:
    assert isinstance(open_finder(FacesConfig(finder="haar"), ModelConfig()), HaarFinder)
    faces = FacesConfig(finder="yunet", model=yunet)
    assert isinstance(open_finder(faces, ModelConfig()), YunetFinder)


def test_the_command_line_chooses_the_finder(
    maskwatch: Callable[..., subprocess.CompletedProcess[str]],
    yunet: Path,
    tmp_path: Path,
    portrait: Pixels,
) -> None:
    write_picture(tmp_path / "a.png", portrait)
    for command in (["detect", "a.png"], ["run", "--source", "a.png", "--lines", "frames"]):
        result = maskwatch(*command, "--finder", "yunet", "--finder-model", yunet)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout


def test_the_command_line_says_what_is_wrong_without_chatter(
    maskwatch: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"\x08\x07\x12\x00" * 50)
    result = maskwatch("detect", "a.png", "--finder", "yunet", "--finder-model", "bad.onnx")
    assert result.returncode == 1
    assert result.stderr.startswith("maskwatch detect: error: bad.onnx is not a YuNet ONNX file")
    assert result.stderr.count("\n") == 1
