"""Named lists of faces, and what `maskwatch evaluate --groups` makes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.dataset import LabelledFace, read_faces
from maskwatch_edge.errors import InputError
from maskwatch_edge.evaluate.groups import Groups
from maskwatch_edge.evaluate.selection import Selection
from maskwatch_edge.evaluate.tables import groups_table
from maskwatch_edge.metrics import FrameScorer
from maskwatch_edge.verdict import Sighting, Verdict, decide

ROOT = Path(__file__).parents[2]
POSES = ("frontal", "turned", "profile", "up-or-down")
BLURS = ("sharp", "soft", "blurred")


@pytest.fixture
def faces(tmp_path: Path) -> list[LabelledFace]:
    """Give two boxed faces of one file and one of another; nobody looks at the pixels."""
    (tmp_path / "a.png").write_bytes(b"a")
    (tmp_path / "b.png").write_bytes(b"b")
    boxes = [("a.png", FaceBox(0, 0, 9, 9)), ("a.png", FaceBox(5, 0, 9, 9))]
    boxes.append(("b.png", FaceBox(0, 0, 9, 9)))
    return [LabelledFace(tmp_path / name, WITH_MASK, "frames", box=box) for name, box in boxes]


def write_list(path: Path, faces: list[LabelledFace]) -> Path:
    path.write_text("".join(f"{face.identity}\n" for face in faces))
    return path


def test_a_group_is_named_as_its_file_and_keeps_its_place(
    tmp_path: Path, faces: list[LabelledFace]
) -> None:
    later = write_list(tmp_path / "z.txt", faces[:2])
    first = write_list(tmp_path / "a.txt", faces[1:])
    members = Groups.read([later, first]).among(faces, faces)
    assert list(members) == ["z", "a"]
    assert members == {"z": set(faces[:2]), "a": set(faces[1:])}


def test_the_same_file_twice_is_one_group(tmp_path: Path, faces: list[LabelledFace]) -> None:
    file = write_list(tmp_path / "a.txt", faces)
    assert list(Groups.read([file, file]).files) == ["a"]


def test_only_measured_faces_are_in_a_group_and_an_empty_one_is_left_out_with_a_word(
    tmp_path: Path, faces: list[LabelledFace], capsys: pytest.CaptureFixture[str]
) -> None:
    files = [write_list(tmp_path / "all.txt", faces), write_list(tmp_path / "b.txt", faces[2:])]
    assert Groups.read(files).among(faces, faces[:1]) == {"all": {faces[0]}}
    err = capsys.readouterr().err
    assert err.startswith("maskwatch evaluate: left out: group b: none of the faces listed is ")
    assert err.count("\n") == 1


def test_a_copy_of_a_picture_is_in_the_group_of_its_original(
    tmp_path: Path, faces: list[LabelledFace]
) -> None:
    (tmp_path / "copy.png").write_bytes(b"b")
    copy = replace(faces[2], path=tmp_path / "copy.png")
    groups = Groups.read([write_list(tmp_path / "b.txt", faces[2:])])
    assert groups.among([*faces, copy], [copy]) == {"b": {copy}}


def test_a_picture_that_cannot_be_read_is_in_no_group(
    tmp_path: Path, faces: list[LabelledFace]
) -> None:
    groups = Groups.read([write_list(tmp_path / "a.txt", faces[:2])])
    gone = replace(faces[0], path=tmp_path / "gone.png")
    assert groups.among([gone, *faces], [gone, *faces]) == {"a": set(faces[:2])}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty; expected the identities of faces, one a line"),
        (b" \n\n", "is empty"),
        (b"\xff\xfe", "cannot read"),
        (b"0123:1,2,3,4\n", "received '0123:1,2,3,4', which is none (1 of 1 are not)"),
        (b"frontal", "expected identities of faces of this data set; received 'frontal'"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(
    tmp_path: Path, faces: list[LabelledFace], content: bytes, expected: str
) -> None:
    file = tmp_path / "group.txt"
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        Groups.read([file]).among(faces, faces)
    assert expected in str(caught.value)
    assert str(file) in str(caught.value)


def test_lists_of_which_no_face_is_measured_are_refused(
    tmp_path: Path, faces: list[LabelledFace]
) -> None:
    groups = Groups.read([write_list(tmp_path / "b.txt", faces[2:])])
    with pytest.raises(InputError, match=r"b\.txt: none of the faces listed is measured"):
        groups.among(faces, faces[:2])


def test_two_groups_of_one_name_are_refused(tmp_path: Path, faces: list[LabelledFace]) -> None:
    (tmp_path / "other").mkdir()
    files = [write_list(tmp_path / "a.txt", faces), write_list(tmp_path / "other" / "a.txt", faces)]
    with pytest.raises(InputError, match=r"would both be a: rename one"):
        Groups.read(files)


# --- scoring


def face(x: int, label: str = WITH_MASK) -> LabelledFace:
    return LabelledFace(Path("a.png"), label, "frames", box=FaceBox(x, 0, x + 40, 40))


def seen(x: int, label: str = WITH_MASK) -> Sighting:
    verdict = Verdict(label, 0.9)
    return Sighting(FaceBox(x, 0, x + 40, 40, 0.9), verdict, decide(verdict, 0.8))


def test_a_group_has_the_outcomes_of_its_faces_alone() -> None:
    scorer = FrameScorer(groups={"left": {face(0), face(100)}, "bare": {face(100, WITHOUT_MASK)}})
    scorer.add([face(0), face(100, WITHOUT_MASK), face(200)], [seen(0), seen(100), seen(200)])
    groups = scorer.result()["groups"]
    nothing = {"right": 0, "unsure": 0, "wrong": 0, "missed": 0}
    assert groups == {
        "left": nothing | {"faces": 1, "right": 1},
        "bare": nothing | {"faces": 1, "wrong": 1},
    }


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([WITH_MASK, WITHOUT_MASK, None]))))
def test_a_group_of_all_faces_has_the_outcomes_of_all(
    answers: list[tuple[bool, str | None]],
) -> None:
    faces = [
        face(50 * n, WITH_MASK if masked else WITHOUT_MASK) for n, (masked, _) in enumerate(answers)
    ]
    scorer = FrameScorer(groups={"all": frozenset(faces)})
    said = [label for _, label in answers]
    scorer.add(faces, [seen(50 * n, label) for n, label in enumerate(said) if label])
    result = scorer.result()
    for what in ("faces", "right", "unsure", "wrong", "missed"):
        total = sum(outcome[what] for outcome in result["outcomes"].values())
        assert result["groups"]["all"][what] == total


def test_the_table_tells_counts_and_shares_of_each_finder() -> None:
    rows = [
        {"groups": {"profile": {"faces": 8, "right": 5, "missed": 2}}},
        {"groups": {"profile": {"faces": 8, "right": 0, "missed": 8}}},
    ]
    lines = groups_table(dict(zip(("tflite", "haar"), rows, strict=True))).splitlines()
    heads, row = (" ".join(line.split()) for line in lines)
    assert heads == "group faces tflite: found tflite: right haar: found haar: right"
    assert row == "profile 8 6 (75%) 5 (62%) 0 (0%) 0 (0%)"


# --- the lists of benchmarks/


def test_the_lists_of_frames_name_faces_of_the_data_set_and_poses_are_told_once(
    shared: Path,
) -> None:
    groups = Groups.read(sorted((ROOT / "benchmarks" / "frames").glob("*.txt")))
    faces = read_faces(shared / "data" / "mask-frames")
    members = groups.among(faces, faces)
    assert {*POSES, *BLURS} < set(members)
    for names in (POSES, BLURS):
        listed = [face for name in names for face in members[name]]
        assert len(listed) == len(set(listed))
        held_out = Selection.read(16, None, ROOT / "models" / "held_out.txt")
        assert all(held_out.has_face(face) for face in listed)


def test_the_lists_of_crops_name_faces_of_the_data_set(shared: Path) -> None:
    groups = Groups.read(sorted((ROOT / "benchmarks" / "faces").glob("*.txt")))
    faces = [
        f for f in read_faces(shared / "data" / "face-mask-12k") if f.published_split != "Train"
    ]
    assert set(groups.among(faces, faces)) == set(groups.files)
