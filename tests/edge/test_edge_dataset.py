"""Reading labelled pictures: the three layouts, and what is wrong with others."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.dataset import list_pictures, read_faces, read_frames, read_pictures
from maskwatch_edge.errors import InputError

GOOD_BOX = ("10", "20", "40", "60")


def put(folder: Path, *names: str) -> None:
    """Make pictures that only their names tell apart: listing never opens them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(name.encode())


def an_object(name: str = "with_mask", box: tuple[str, ...] = GOOD_BOX, difficult: str = "") -> str:
    edges = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    bndbox = "".join(f"<{edge}>{value}</{edge}>" for edge, value in edges)
    how = f"<difficult>{difficult}</difficult>" if difficult else ""
    return f"<object><name>{name}</name>{how}<bndbox>{bndbox}</bndbox></object>"


def annotated(folder: Path, annotation: str, stem: str = "a") -> Path:
    """Make a data set of one frame, or add a frame to it."""
    put(folder / "images", f"{stem}.jpg")
    (folder / "annotations").mkdir(exist_ok=True)
    (folder / "annotations" / f"{stem}.xml").write_text(annotation)
    return folder


def error_of(folder: Path) -> str:
    """Return the one line with which a data set is refused."""
    with pytest.raises(InputError) as caught:
        read_faces(folder)
    message = str(caught.value)
    assert str(folder) in message
    assert len(message.splitlines()) == 1
    return message


def test_the_kaggle_layout_states_its_splits(tmp_path: Path) -> None:
    for split in ("Train", "Validation", "Test"):
        put(tmp_path / split / "WithMask", "1.png")
        put(tmp_path / split / "WithoutMask", "2.png", "3.png")
    faces = read_faces(tmp_path)
    assert [(face.published_split, face.label, face.path.name) for face in faces] == [
        (split, label, name)
        for split in ("Train", "Validation", "Test")
        for label, name in [(WITH_MASK, "1.png"), (WITHOUT_MASK, "2.png"), (WITHOUT_MASK, "3.png")]
    ]
    assert {(face.layout, face.box, face.worn_wrong) for face in faces} == {("kaggle", None, False)}


def test_the_kaggle_layout_may_lack_a_split(tmp_path: Path) -> None:
    put(tmp_path / "Validation" / "WithMask", "1.png")
    put(tmp_path / "Validation" / "WithoutMask", "2.png")
    assert [face.published_split for face in read_faces(tmp_path)] == ["Validation"] * 2


@pytest.mark.parametrize("names", [("with_mask", "without_mask"), ("WithMask", "WithoutMask")])
def test_plain_folders_are_named_by_their_labels(tmp_path: Path, names: tuple[str, str]) -> None:
    put(tmp_path / names[0], "b.jpg", "a.jpg")
    put(tmp_path / names[1], "c.jpg")
    faces = read_faces(tmp_path)
    assert [(face.path.name, face.label, face.label_index) for face in faces] == [
        ("a.jpg", WITH_MASK, 0),
        ("b.jpg", WITH_MASK, 0),
        ("c.jpg", WITHOUT_MASK, 1),
    ]
    assert {(face.layout, face.published_split) for face in faces} == {("folders", None)}


def test_frames_give_every_face_with_its_box(tmp_path: Path) -> None:
    objects = an_object() + an_object("mask_weared_incorrect") + an_object("without_mask")
    annotated(tmp_path, f"<annotation>{objects}</annotation>")
    annotated(tmp_path, "<annotation/>", stem="b")
    frames = read_frames(tmp_path)
    assert [(frame.path.name, len(frame.faces)) for frame in frames] == [("a.jpg", 3), ("b.jpg", 0)]
    assert [(face.label, face.worn_wrong) for face in frames[0].faces] == [
        (WITH_MASK, False),
        (WITHOUT_MASK, True),
        (WITHOUT_MASK, False),
    ]
    assert {face.box for face in frames[0].faces} == {FaceBox(10, 20, 40, 60)}
    assert read_faces(tmp_path) == list(frames[0].faces)


def test_difficult_faces_stand_apart_and_are_no_labelled_faces(tmp_path: Path) -> None:
    far = an_object(box=("100", "20", "140", "60"), difficult=" 1 ")
    annotated(tmp_path, f"<annotation>{an_object(difficult='0')}{far}</annotation>")
    (frame,) = read_pictures(tmp_path)
    assert [face.box for face in frame.faces] == [FaceBox(10, 20, 40, 60)]
    assert frame.difficult == (FaceBox(100, 20, 140, 60),)
    assert read_faces(tmp_path) == list(frame.faces)


def test_each_picture_of_the_other_layouts_is_one_face(tmp_path: Path) -> None:
    put(tmp_path / "with_mask", "a.jpg")
    put(tmp_path / "without_mask", "b.jpg", "c.jpg")
    pictures = read_pictures(tmp_path)
    assert [(one.path.name, len(one.faces), one.difficult) for one in pictures] == [
        ("a.jpg", 1, ()),
        ("b.jpg", 1, ()),
        ("c.jpg", 1, ()),
    ]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((" 10 ", "20", "40", "60"), (10, 20, 40, 60)),  # spaces
        (("10.4", "20.6", "40.0", "60"), (10, 21, 40, 60)),  # parts of a pixel
        (("-7", "-1", "40", "60"), (0, 0, 40, 60)),  # over the upper left corner
    ],
)
def test_boxes_are_whole_pixels_of_the_frame(
    tmp_path: Path, box: tuple[str, ...], expected: tuple[int, int, int, int]
) -> None:
    annotated(tmp_path, f"<annotation>{an_object(box=box)}</annotation>")
    (face,) = read_faces(tmp_path)
    assert face.box is not None
    assert face.box.xyxy == expected


def test_the_only_folder_of_a_download_is_stepped_into(tmp_path: Path) -> None:
    put(tmp_path / "Face Mask Dataset" / "Train" / "WithMask", "1.png")
    put(tmp_path / "Face Mask Dataset" / "Train" / "WithoutMask", "2.png")
    put(tmp_path / ".cache", "x.png")
    assert len(read_faces(tmp_path)) == 2


def test_only_pictures_are_listed_whatever_is_in_them(tmp_path: Path) -> None:
    put(tmp_path, "b.PNG", "a.jpeg", "c.webp", "d.bmp", ".hidden.jpg", "notes.txt", "Thumbs.db")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "broken-link.jpg").symlink_to(tmp_path / "nowhere")
    # A broken link is somebody's picture: reading it tells its name, leaving it out would not.
    names = [path.name for path in list_pictures(tmp_path)]
    assert names == ["a.jpeg", "b.PNG", "broken-link.jpg", "c.webp", "d.bmp"]


def test_a_face_is_known_by_its_content_and_box(tmp_path: Path) -> None:
    annotated(tmp_path, f"<annotation>{an_object()}</annotation>")
    put(tmp_path / "other" / "with_mask", "renamed.jpg")
    put(tmp_path / "other" / "without_mask", "c.jpg")
    (tmp_path / "other" / "with_mask" / "renamed.jpg").write_bytes(b"a.jpg")
    (boxed,) = read_faces(tmp_path)
    whole = read_faces(tmp_path / "other")[0]
    digest = hashlib.sha256(b"a.jpg").hexdigest()
    assert whole.identity == digest
    assert boxed.identity == f"{digest}:10,20,40,60"


def test_a_class_without_a_folder_or_without_pictures_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "with_mask", "1.jpg")
    assert "lacks the class folder without_mask/" in error_of(tmp_path)
    put(tmp_path / "without_mask", ".DS_Store", "readme.txt")
    assert "without_mask holds no pictures" in error_of(tmp_path)


def test_a_split_without_a_class_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "Train" / "WithMask", "1.png")
    assert "Train lacks the class folder WithoutMask/" in error_of(tmp_path)


def test_an_unknown_layout_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    layouts = "expected Train|Validation|Test/WithMask|WithoutMask, or with_mask/ and without_mask/"
    assert layouts in error_of(tmp_path)
    put(tmp_path, "1.jpg", "2.jpg")
    assert layouts in error_of(tmp_path)
    assert "is not a folder" in error_of(tmp_path / "1.jpg")
    assert "is not a folder" in error_of(tmp_path / "nowhere")


def test_frames_without_folders_or_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no annotated frames"):
        read_frames(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "annotations").mkdir()
    with pytest.raises(InputError, match="images holds no pictures"):
        read_frames(tmp_path)


def test_a_frame_without_annotation_is_refused_by_name(tmp_path: Path) -> None:
    annotated(tmp_path, "<annotation/>")
    put(tmp_path / "images", "b.jpg")
    assert "b.jpg has no annotation; expected" in error_of(tmp_path)


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("", "no element found"),
        ("<annotation>", "no element found"),  # cut off
        ("<annotation></object>", "mismatched tag"),
        ("{}", "not well-formed"),
        ("<a>&face;</a>", "undefined entity"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "unknown encoding"),
        ('<?xml version="1.0" encoding="utf-32"?><a/>', "encoding"),
        (an_object("mask"), "unknown label 'mask'; expected one of with_mask"),
        (an_object(""), "unknown label ''"),
        (an_object("with\nmask"), r"unknown label 'with\nmask'"),
        ("<object><bndbox/></object>", "unknown label ''"),
        ("<object><name>with_mask</name></object>", "lacks a bndbox"),
        (an_object().replace("<xmax>40</xmax>", ""), "lacks a bndbox"),
        (an_object(box=("10", "20", "", "60")), "could not convert"),
        (an_object(box=("10", "20", "wide", "60")), "could not convert"),
        (an_object(box=("40", "20", "10", "60")), "needs x1 < x2 and y1 < y2"),  # inverted
        (an_object(box=("10", "60", "40", "20")), "needs x1 < x2 and y1 < y2"),
        (an_object(box=("10", "20", "10", "60")), "needs x1 < x2 and y1 < y2"),  # no width
        (an_object(box=("-40", "20", "-10", "60")), "needs x1 < x2 and y1 < y2"),  # outside
        (an_object(box=("nan", "20", "40", "60")), "at most 100000 pixels; received nan"),
        (an_object(box=("10", "20", "inf", "60")), "at most 100000 pixels; received inf"),
        (an_object(box=("-inf", "20", "40", "60")), "at most 100000 pixels; received -inf"),
        (an_object(box=("10", "20", "1e308", "60")), "at most 100000 pixels; received 1e+308"),
        (an_object(box=("10", "20", "1e999", "60")), "at most 100000 pixels; received inf"),
        (an_object(box=("10", "20", "9" * 5000, "60")), "at most 100000 pixels"),
    ],
)
def test_a_wrong_annotation_is_refused_by_name(
    tmp_path: Path, annotation: str, expected: str
) -> None:
    if annotation.startswith("<object>"):
        annotation = f"<annotation>{annotation}</annotation>"
    annotated(tmp_path, annotation)
    message = error_of(tmp_path)
    assert expected in message
    assert "a.xml is not a usable annotation" in message


@pytest.mark.parametrize(
    "bomb",
    [
        # A billion laughs: ten entities, each ten times the one before.
        '<!DOCTYPE a [<!ENTITY e0 "haha">'
        + "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 11))
        + "]><a>&e10;</a>",
        # One large entity, named often.
        f'<!DOCTYPE a [<!ENTITY e "{"ha" * 50_000}">]><a>{"&e;" * 20_000}</a>',
    ],
)
def test_an_annotation_that_grows_without_end_is_refused_at_once(tmp_path: Path, bomb: str) -> None:
    annotated(tmp_path, f'<?xml version="1.0"?>{bomb}')
    started = time.process_time()
    assert "amplification" in error_of(tmp_path)
    assert time.process_time() - started < 5.0


def test_an_annotation_reads_no_other_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("with_mask")
    entity = f'<!DOCTYPE a [<!ENTITY e SYSTEM "file://{tmp_path / "secret"}">]>'
    annotated(tmp_path, f"{entity}<annotation>{an_object('&e;')}</annotation>")
    assert "undefined entity" in error_of(tmp_path)


def test_an_annotation_of_deep_nesting_is_read(tmp_path: Path) -> None:
    annotated(tmp_path, f"{'<a>' * 50_000}{an_object()}{'</a>' * 50_000}")
    assert len(read_faces(tmp_path)) == 1


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give one folder for all examples of a property."""
    return tmp_path_factory.mktemp("frames")


coordinates = st.one_of(st.integers(-200_000, 200_000), st.floats()).map(str)


@given(st.tuples(coordinates, coordinates, coordinates, coordinates))
def test_any_four_numbers_are_a_box_or_an_error(scratch: Path, box: tuple[str, ...]) -> None:
    annotated(scratch, f"<annotation>{an_object(box=box)}</annotation>")
    try:
        (face,) = read_faces(scratch)
    except InputError:
        return
    assert face.box is not None
    assert all(0 <= edge <= 100_000 for edge in face.box.xyxy)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_an_annotation_or_an_error(scratch: Path, text: str) -> None:
    annotated(scratch, text)
    try:
        read_faces(scratch)
        lines = 1
    except InputError as error:
        lines = len(str(error).splitlines())
    assert lines == 1


def test_the_real_data_counts_as_its_readme_says(shared: Path) -> None:
    kaggle = read_faces(shared / "data" / "face-mask-12k")
    assert Counter(face.published_split for face in kaggle) == {"Train": 9999, "Validation": 799}
    photos = read_faces(shared / "data" / "mask-photos")
    assert Counter(face.label for face in photos) == {WITH_MASK: 1833, WITHOUT_MASK: 1587}
    frames = read_frames(shared / "data" / "mask-frames")
    boxes = [face.box for frame in frames for face in frame.faces if face.box is not None]
    assert len(frames) == 425
    assert len(boxes) == pytest.approx(1970, abs=30), "about 1,970"
    assert sum(box.size >= 32 for box in boxes) == pytest.approx(560, abs=5), "about 560"
