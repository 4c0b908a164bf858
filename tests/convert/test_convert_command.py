"""`maskwatch convert`, from the command line to the file."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from maskwatch_edge.__main__ import main
from maskwatch_edge.classifier import MaskClassifier
from maskwatch_edge.contract import COLOUR_ORDER, FACE_MARGIN, LABELS, VARIANTS, read_model
from maskwatch_edge.pictures import read_picture

from .conftest import (
    COMMAND,
    FINGERPRINT,
    KERAS_AND_NUMPY,
    SIZE,
    RunMaker,
    fragile_network,
    paint,
)

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)


def convert(run: Path, data: Path, out: Path, *options: str) -> int:
    return main(["convert", str(run), "--calibrate", str(data), "--out", str(out), *options])


def last_line(capfd: pytest.CaptureFixture[str]) -> str:
    return capfd.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_board_loads_every_variant_and_it_judges_rightly(
    variant: str, colour_run: Path, pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model.tflite"
    assert convert(colour_run, pictures, out, "--variant", variant) == 0
    classifier = MaskClassifier(out)
    assert classifier.contract.variant == variant
    for index, label in enumerate(LABELS):
        crop = read_picture(pictures / label / "3.png")[:SIZE, :SIZE]
        assert classifier.probabilities(crop)[index] > 0.9


def test_int8_is_the_default_and_the_table_is_all_there_is_on_stdout(
    colour_run: Path, pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert convert(colour_run, pictures, tmp_path / "model.tflite") == 0
    head, *rows, speed = capfd.readouterr().out.splitlines()
    assert head.split() == ["variant", "accuracy", "agreement", "size", "ms", "a", "face"]
    assert [row.split()[:3] for row in rows] == [
        ["float32", "100.00%", "100.00%"],
        ["int8", "100.00%", "100.00%"],
    ]
    assert speed.startswith("int8 is ")
    assert speed.endswith("er than float32")  # faster or slower: the network is too small to say


def test_float32_is_compared_with_nothing(
    colour_run: Path, pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert convert(colour_run, pictures, tmp_path / "m.tflite", "--variant", "float32") == 0
    assert [line.split()[0] for line in capfd.readouterr().out.splitlines()] == [
        "variant",
        "float32",
    ]


def test_the_contract_tells_where_the_model_came_from(
    colour_run: Path, pictures: Path, tmp_path: Path
) -> None:
    assert convert(colour_run, pictures, tmp_path / "model.tflite") == 0
    contract = read_model(tmp_path / "model.tflite")[1]
    assert contract.labels == LABELS
    assert contract.input_size == SIZE
    assert contract.colour_order == COLOUR_ORDER
    assert contract.face_margin == FACE_MARGIN
    assert contract.package_version == version("maskwatch")
    assert contract.data_fingerprint == FINGERPRINT
    assert contract.command == COMMAND
    assert contract.scores.pop("calibration_error") < 0.1
    assert contract.scores == {
        "accuracy": 1.0,
        "float_accuracy": 1.0,
        "agreement": 1.0,
        "accuracy_with_mask": 1.0,
        "accuracy_without_mask": 1.0,
    }


def test_the_same_input_gives_the_same_bytes_wherever_the_pictures_lie(
    colour_run: Path, pictures: Path, tmp_path: Path
) -> None:
    one, other = tmp_path / "one.tflite", tmp_path / "other.tflite"
    assert convert(colour_run, pictures, one, "--samples", "3") == 0
    moved = pictures.rename(tmp_path / "moved")
    assert convert(colour_run, moved, other, "--samples", "3") == 0
    assert one.read_bytes() == other.read_bytes()


def test_another_seed_calibrates_on_other_faces(
    colour_run: Path, pictures: Path, tmp_path: Path
) -> None:
    one, other = tmp_path / "one.tflite", tmp_path / "other.tflite"
    assert convert(colour_run, pictures, one, "--samples", "1", "--seed", "1") == 0
    assert convert(colour_run, pictures, other, "--samples", "1", "--seed", "2") == 0
    assert one.read_bytes() != other.read_bytes()


def test_a_model_that_loses_accuracy_is_refused_and_the_old_file_stays(
    make_run: RunMaker, pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run, out = make_run(fragile_network()), tmp_path / "out" / "model.tflite"
    out.parent.mkdir()
    out.write_text("old")
    assert convert(run, pictures, out) == 1
    said = capfd.readouterr()
    assert "int8         50.00%" in said.out  # the table tells why
    assert said.err.splitlines()[-1] == (
        "maskwatch convert: error: int8 loses 50.00 points of accuracy; at most 0.5 may be lost: "
        "give more --samples, or raise --max-drop [conversion-failed]"
    )
    assert out.read_text() == "old"
    assert list(out.parent.iterdir()) == [out]


def test_a_loss_that_was_allowed_is_written(
    make_run: RunMaker, pictures: Path, tmp_path: Path
) -> None:
    run, out = make_run(fragile_network()), tmp_path / "model.tflite"
    assert convert(run, pictures, out, "--max-drop", "50") == 0
    scores = read_model(out)[1].scores
    assert (scores["accuracy"], scores["float_accuracy"], scores["agreement"]) == (0.5, 1.0, 0.5)


@pytest.mark.parametrize("name", ["model.keras", "data.json", "metrics.json"])
def test_an_unfinished_training_is_refused_by_the_name_of_what_it_lacks(
    name: str,
    colour_run: Path,
    pictures: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (colour_run / name).unlink()
    assert convert(colour_run, pictures, tmp_path / "model.tflite") == 1
    line = last_line(capfd)
    assert f"holds no {name}" in line
    assert "maskwatch train" in line


BROKEN_RUNS = [
    ("model.keras", "not a network", "cannot read the network"),
    ("data.json", "{", "cannot read"),
    ("data.json", "[]", "not as maskwatch train writes them"),
    ("data.json", '{"fingerprint": "f", "identities": {"train": []}}', "KeyError('test')"),
    ("metrics.json", "{}", "KeyError('command')"),
    ("metrics.json", "\xff", "cannot read"),
]


@pytest.mark.parametrize(("name", "content", "reason"), BROKEN_RUNS)
def test_a_broken_file_of_a_training_is_told_in_one_line(
    name: str,
    content: str,
    reason: str,
    colour_run: Path,
    pictures: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (colour_run / name).write_text(content, encoding="latin-1")
    assert convert(colour_run, pictures, tmp_path / "model.tflite") == 1
    assert reason in last_line(capfd)
    assert not (tmp_path / "model.tflite").exists()


def test_a_network_that_the_disk_garbled_is_told_in_one_line(
    colour_run: Path, pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = colour_run / "model.keras"
    path.write_bytes(path.read_bytes().replace(b"PK\3\4", b"gone"))
    assert convert(colour_run, pictures, tmp_path / "model.tflite") == 1
    assert "cannot read the network" in last_line(capfd)


def test_pictures_of_another_training_are_refused(
    colour_run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for label in LABELS:
        (tmp_path / "strange" / label).mkdir(parents=True)
        paint(tmp_path / "strange" / label / "1.png", label, seed=999)
    assert convert(colour_run, tmp_path / "strange", tmp_path / "model.tflite") == 1
    line = last_line(capfd)
    assert "none of the faces that the run was fitted to shows with_mask" in line
    assert "give the data sets that the run was trained with" in line


def test_a_folder_without_a_known_layout_is_refused(
    colour_run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert convert(colour_run, tmp_path / "empty", tmp_path / "model.tflite") == 1
    assert "holds no known layout" in last_line(capfd)


def test_an_unreadable_picture_is_named_and_skipped(
    colour_run: Path, pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (pictures / LABELS[0] / "lost.png").symlink_to(tmp_path / "nowhere.png")
    assert convert(colour_run, pictures, tmp_path / "model.tflite") == 0
    assert f"skipped: cannot read {pictures / LABELS[0] / 'lost.png'}" in capfd.readouterr().err


def test_a_place_that_cannot_be_written_is_told(
    colour_run: Path, pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert convert(colour_run, pictures, colour_run / "model.keras" / "x.tflite") == 1
    assert "cannot write" in last_line(capfd)


WRONG_OPTIONS = [
    ("--max-drop", "-1"),
    ("--max-drop", "nan"),
    ("--samples", "0"),
    ("--variant", "int4"),
    ("--threads", "0"),
]


@pytest.mark.parametrize("options", WRONG_OPTIONS)
def test_a_wrong_option_ends_with_exit_code_2(options: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        convert(tmp_path, tmp_path, tmp_path / "model.tflite", *options)
