"""Labels mended by hand: which lists are read, and what becomes of the pictures that they name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import maskwatch_train
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.dataset import WORN_WRONG, content_digest, read_faces
from maskwatch_edge.errors import InputError
from maskwatch_train.model_card import model_card
from maskwatch_train.options import SHIPPED
from maskwatch_train.relabelled import LEFT_OUT, Relabelled
from maskwatch_train.samples import DataSet, load_data_set, with_repeats
from maskwatch_train.splits import SPLITS, TEST, TRAIN, VALIDATION, Division

from .conftest import KERAS_AND_NUMPY, maskwatch, tiny_training

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)

LABELS = Path(maskwatch_train.__file__).parent / "labels"
DIGEST = "0123456789abcdef" * 4


def write_list(path: Path, meanings: dict[Path, str]) -> Path:
    lines = [f"{content_digest(picture)} {meaning}" for picture, meaning in meanings.items()]
    path.write_text("# looked at\n\n" + "\n".join(lines) + "  # the last\n")
    return path


def load(folder: Path, relabelled: Relabelled | None = None) -> DataSet:
    return load_data_set([folder], Division(1, 0.3, 0.2), input_size=32, relabelled=relabelled)


def masked_pictures(data: DataSet, split: str) -> list[Path]:
    return [s.face.path for s in data.splits[split] if s.face.label == WITH_MASK]


def test_what_is_learned_has_its_mended_label(small_set: Path, tmp_path: Path) -> None:
    published = load(small_set)
    bare, wrong, gone = masked_pictures(published, TRAIN)[:3]
    meanings = {bare: WITHOUT_MASK, wrong: WORN_WRONG, gone: LEFT_OUT}
    data = load(small_set, Relabelled.open(str(write_list(tmp_path / "list", meanings))))

    faces = {sample.face.path: sample.face for sample in data.splits[TRAIN]}
    assert gone not in faces
    assert len(faces) == len(published.splits[TRAIN]) - 1
    assert (faces[bare].label, faces[bare].worn_wrong) == (WITHOUT_MASK, False)
    assert (faces[wrong].label, faces[wrong].worn_wrong) == (WITHOUT_MASK, True)
    assert all(s.label_index == s.face.label_index for s in data.splits[TRAIN])
    assert data.report["counts"][TRAIN][f"folders/{WORN_WRONG}"] == 1
    assert data.fingerprint != published.fingerprint


def test_a_mask_worn_wrong_in_a_crop_is_shown_more_often(small_set: Path, tmp_path: Path) -> None:
    wrong = masked_pictures(load(small_set), TRAIN)[0]
    path = write_list(tmp_path / "list", {wrong: WORN_WRONG})
    samples = load(small_set, Relabelled.open(str(path))).splits[TRAIN]
    shown = with_repeats(samples, frame_repeats=3, worn_wrong_repeats=5)
    assert {s.face.path for s in shown if s.repeats != 1} == {wrong}
    assert max(s.repeats for s in shown) == 5


def test_what_chooses_the_epoch_is_mended_and_what_is_scored_is_not(
    small_set: Path, tmp_path: Path
) -> None:
    published = load(small_set)
    every = {s.face.path: WORN_WRONG for split in SPLITS for s in published.splits[split]}
    some = {path: every[path] for path in list(every)[::2]}
    data = load(small_set, Relabelled.open(str(write_list(tmp_path / "list", some))))
    assert [s.face for s in data.splits[TEST]] == [s.face for s in published.splits[TEST]]
    for split in (TRAIN, VALIDATION):
        assert {s.face.path for s in data.splits[split] if s.face.worn_wrong} == some.keys() & {
            s.face.path for s in published.splits[split]
        }


def test_boxed_faces_of_a_listed_frame_stay_as_annotated(frames: Path, tmp_path: Path) -> None:
    listed = {face.path: LEFT_OUT for face in read_faces(frames)}
    mended = load(frames, Relabelled.open(str(write_list(tmp_path / "list", listed))))
    assert mended.report["counts"] == load(frames).report["counts"]


def test_report_and_card_tell_how_many_were_mended(
    small_set: Path, tmp_path: Path, finished_run: Path
) -> None:
    bare, gone, other = masked_pictures(load(small_set), TRAIN)[:3]
    path = write_list(tmp_path / "list", {bare: WITHOUT_MASK, gone: LEFT_OUT, other: LEFT_OUT})
    report = load(small_set, Relabelled.open(str(path))).report
    assert report["relabelled"] == {
        "list_sha256": content_digest(path),
        "pictures": {WITH_MASK: 0, WITHOUT_MASK: 1, WORN_WRONG: 0, LEFT_OUT: 2},
    }
    figures = json.loads((finished_run / "metrics.json").read_text())
    assert "1 `without_mask`, 2 `left_out`" in model_card(figures, report)
    assert "Easier than it looks" not in model_card(figures, report)
    copied = report | {"scored_with_a_copy_that_is_learned": 3}
    assert "of 3 pictures of the test split, turned" in model_card(figures, copied)
    assert "made by looking" not in model_card(figures, load(small_set).report)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"{DIGEST} masked", "line 1: expected the SHA-256"),
        (f"# fine\n{DIGEST[:-1]} with_mask", "line 2: expected the SHA-256"),
        (f"{DIGEST.upper()} with_mask", "in lower case"),
        (f"{DIGEST}", "one of with_mask, without_mask, mask_weared_incorrect, left_out"),
        (f"{DIGEST} with_mask yes", "received '"),
        (f"{DIGEST} with_mask\n{DIGEST} left_out", "line 2: this picture has two labels"),
        ("\udcff", "cannot read the labels"),
    ],
)
def test_a_wrong_list_is_refused_with_its_line(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=str(path)) as refused:
        Relabelled.open(str(path))
    assert complaint in str(refused.value)


def test_train_says_that_there_is_no_such_list(
    small_set: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert maskwatch([*tiny_training(small_set, tmp_path / "run"), "--relabel", "nowhere"]) == 1
    assert "expected shipped, or a text file" in capfd.readouterr().err
    assert not (tmp_path / "run" / "metrics.json").exists()


def test_our_lists_name_pictures_of_the_sets_and_none_that_is_scored(shared: Path) -> None:
    published = {"face-mask-12k": {"Train"}, "mask-photos": {None}}
    named = 0
    for name, splits in published.items():
        meanings = Relabelled.open(str(LABELS / f"{name}.txt")).meanings
        places: dict[str, str | None] = {}
        for face in read_faces(shared / "data" / name):
            places.setdefault(content_digest(face.path), face.published_split)
        assert {places[digest] for digest in meanings} == splits
        named += len(meanings)
    assert len(Relabelled.open(SHIPPED).meanings) == named == 213
