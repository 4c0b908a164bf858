"""Labelled pictures on disk: the folder layouts that training, conversion and evaluation read.

Three layouts are told apart by their folders:

    kaggle    Train|Validation|Test / WithMask|WithoutMask / pictures
    folders   with_mask|without_mask / pictures
    frames    images / pictures, annotations / Pascal VOC XML, every face boxed

A face that its annotation calls difficult, as Pascal VOC does, is neither learned nor asked for,
and to find it is no false alarm.
"""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from .boxes import FaceBox
from .contract import LABELS, WITH_MASK, WITHOUT_MASK
from .errors import InputError
from .files import read_at_most
from .limits import MAX_ANNOTATION_BYTES

WORN_WRONG = "mask_weared_incorrect"
"""The data set's own label of a mask that leaves the nose or mouth bare."""

MIN_FACE_SIZE = 16
"""Annotated faces with a shorter side, in pixels, show too little to learn from."""

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
KAGGLE_SPLITS = ("Train", "Validation", "Test")
KAGGLE_CLASSES = {"WithMask": WITH_MASK, "WithoutMask": WITHOUT_MASK}
FRAME_CLASSES = {
    WITH_MASK: WITH_MASK,
    WITHOUT_MASK: WITHOUT_MASK,
    WORN_WRONG: WITHOUT_MASK,
}
MAX_COORDINATE = 100_000
"""Pixels. No picture is that large; a box that reaches further is a slip of the pen."""

LAYOUTS_HELP = (
    "expected Train|Validation|Test/WithMask|WithoutMask, or with_mask/ and without_mask/, "
    "or images/ and annotations/"
)


@dataclass(frozen=True)
class LabelledFace:
    """One face whose truth is known.

    Attributes:
        path: The picture.
        label: One of `contract.LABELS`.
        layout: "kaggle", "folders" or "frames".
        box: The face in that picture; None where the whole picture is the face.
        worn_wrong: The person wears a mask that leaves the nose or mouth bare.
        published_split: "Train", "Validation" or "Test" where the data set states one.
    """

    path: Path
    label: str
    layout: str
    box: FaceBox | None = None
    worn_wrong: bool = False
    published_split: str | None = None

    @property
    def identity(self) -> str:
        """Names this face by its content: SHA-256 of the picture file, and its box if it has one.

        Raises:
            OSError: If the picture cannot be read.
        """
        return self.identity_in(content_digest(self.path))

    def identity_in(self, digest: str) -> str:
        """Name this face, given the `content_digest` of its picture.

        It saves reading a frame once for every face in it.
        """
        return digest if self.box is None else boxed_identity(digest, self.box)

    @property
    def label_index(self) -> int:
        """Index of the label in the model's output."""
        return LABELS.index(self.label)


def boxed_identity(digest: str, box: FaceBox) -> str:
    """Name a face by the `content_digest` of its picture and its box."""
    return f"{digest}:{','.join(map(str, box.xyxy))}"


def content_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal.

    Raises:
        OSError: If it cannot be read.
    """
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class LabelledFrame:
    """One picture and all faces in it.

    Attributes:
        path: The picture.
        faces: Those that are asked for.
        difficult: Those that are not, and that it is no false alarm to find.
    """

    path: Path
    faces: tuple[LabelledFace, ...]
    difficult: tuple[FaceBox, ...] = ()

    @property
    def boxes(self) -> list[FaceBox]:
        """The boxes of the faces that have one."""
        return [face.box for face in self.faces if face.box is not None]


def read_faces(folder: Path) -> list[LabelledFace]:
    """List the labelled faces of a data set in any of the three layouts, in a fixed order.

    Raises:
        InputError: As `read_pictures` does.
    """
    return [face for picture in read_pictures(folder) for face in picture.faces]


def read_pictures(folder: Path) -> list[LabelledFrame]:
    """List the pictures of a data set in any of the three layouts, in a fixed order.

    Raises:
        InputError: If the layout is unknown, a class has no pictures, or an annotation is
            missing or wrong.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; {LAYOUTS_HELP}")
    root = _descend(folder)
    if (root / "images").is_dir() and (root / "annotations").is_dir():
        return read_frames(root)
    return [LabelledFrame(face.path, (face,)) for face in _read_crops(root)]


def _read_crops(root: Path) -> list[LabelledFace]:
    if any((root / split).is_dir() for split in KAGGLE_SPLITS):
        return _read_kaggle(root)
    for names in ({label: label for label in LABELS}, KAGGLE_CLASSES):
        if any((root / name).is_dir() for name in names):
            return _read_classes(root, names, "folders", None)
    raise InputError(f"{root} holds no known layout; {LAYOUTS_HELP}")


def read_frames(folder: Path) -> list[LabelledFrame]:
    """List the annotated frames of a Pascal VOC data set, in a fixed order.

    Raises:
        InputError: If the folder has no frames, or an annotation is missing or wrong.
    """
    images, annotations = folder / "images", folder / "annotations"
    if not images.is_dir() or not annotations.is_dir():
        raise InputError(f"{folder} holds no annotated frames; expected images/ and annotations/")
    pictures = list_pictures(images)
    if not pictures:
        raise InputError(f"{images} holds no pictures")
    return [_read_frame(path, annotations / f"{path.stem}.xml") for path in pictures]


def list_pictures(folder: Path) -> list[Path]:
    """List the pictures directly in a folder, sorted by name."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in PICTURE_SUFFIXES
        and not path.name.startswith(".")
        and not path.is_dir()
    )


def _descend(folder: Path) -> Path:
    """Step into the only folder of an unpacked download, such as "Face Mask Dataset"."""
    inside = [path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."]
    known = {*KAGGLE_SPLITS, *KAGGLE_CLASSES, *LABELS, "images", "annotations"}
    return inside[0] if len(inside) == 1 and inside[0].name not in known else folder


def _read_kaggle(root: Path) -> list[LabelledFace]:
    splits = [split for split in KAGGLE_SPLITS if (root / split).is_dir()]
    return [
        face
        for split in splits
        for face in _read_classes(root / split, KAGGLE_CLASSES, "kaggle", split)
    ]


def _read_classes(
    root: Path, names: dict[str, str], layout: str, split: str | None
) -> list[LabelledFace]:
    faces: list[LabelledFace] = []
    for name, label in names.items():
        if not (root / name).is_dir():
            raise InputError(f"{root} lacks the class folder {name}/; {LAYOUTS_HELP}")
        pictures = list_pictures(root / name)
        if not pictures:
            raise InputError(f"{root / name} holds no pictures")
        faces += [LabelledFace(path, label, layout, published_split=split) for path in pictures]
    return faces


def _read_frame(path: Path, annotation: Path) -> LabelledFrame:
    if not annotation.is_file():
        raise InputError(f"{path} has no annotation; expected {annotation}")
    try:
        # Expat limits what entities may grow to.
        root = ElementTree.fromstring(read_at_most(annotation, MAX_ANNOTATION_BYTES))  # noqa: S314
        faces = [(_read_object(path, item), _is_difficult(item)) for item in root.iter("object")]
    # An encoding that Python does not know is a LookupError.
    except (ElementTree.ParseError, LookupError, ValueError, OSError) as error:
        raise InputError(f"{annotation} is not a usable annotation: {error}") from error
    return LabelledFrame(
        path,
        tuple(face for face, is_difficult in faces if not is_difficult),
        tuple(face.box for face, is_difficult in faces if is_difficult and face.box is not None),
    )


def _read_object(path: Path, item: ElementTree.Element) -> LabelledFace:
    name = (item.findtext("name") or "").strip()
    if name not in FRAME_CLASSES:
        raise ValueError(f"unknown label {name!r}; expected one of {', '.join(FRAME_CLASSES)}")
    edges = [item.findtext(f"bndbox/{edge}") for edge in ("xmin", "ymin", "xmax", "ymax")]
    if None in edges:
        raise ValueError("an object lacks a bndbox with xmin, ymin, xmax and ymax")
    x1, y1, x2, y2 = (_read_coordinate(edge) for edge in edges if edge is not None)
    return LabelledFace(
        path,
        FRAME_CLASSES[name],
        "frames",
        box=FaceBox(max(x1, 0), max(y1, 0), x2, y2),
        worn_wrong=name == WORN_WRONG,
    )


def _is_difficult(item: ElementTree.Element) -> bool:
    text = (item.findtext("difficult") or "0").strip()
    if text not in {"0", "1"}:
        raise ValueError(f"difficult must be 0 or 1; received {text!r}")
    return text == "1"


def _read_coordinate(text: str) -> int:
    value = float(text)
    if not abs(value) <= MAX_COORDINATE:
        raise ValueError(f"a coordinate must be at most {MAX_COORDINATE} pixels; received {value}")
    return round(value)
