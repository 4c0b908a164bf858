"""The contract of a model: the one place that states size, colour order and label order.

It travels inside the `.tflite` as members of a zip archive that is appended to the flatbuffer.
The interpreter ignores the tail; `python -m zipfile -l model.tflite` lists it.

    labels.txt      one label a line, in the order of the output vector
    metadata.json   everything in `ModelContract` or `FinderContract`, the SHA-256 of the
                    flatbuffer, and what kind of model it is; without a kind it is a classifier
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
import zlib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from reprlib import repr as brief
from typing import Any, ClassVar, TypeVar

from .errors import ModelError
from .files import read_at_most, write_atomically
from .limits import MAX_BYTES
from .signatures.signing import check_content

WITH_MASK = "with_mask"
WITHOUT_MASK = "without_mask"
LABELS = (WITH_MASK, WITHOUT_MASK)
COLOUR_ORDER = "RGB"
INPUT_SIZE = 128
"""Side of the square input in pixels, unless a training chooses another."""

FACE_MARGIN = 0.1
"""How much of its width and height a face box grows on each side before it is cut out."""

FACE = "face"
"""The only label of a finder."""

CLASSIFIER, FINDER = "classifier", "finder"
KINDS = {CLASSIFIER: "mask classifier", FINDER: "face finder"}
"""Kinds of models, and what a message calls them."""

VARIANTS = ("int8", "float32", "float16", "dynamic")
FORMAT = 1
LABELS_MEMBER = "labels.txt"
METADATA_MEMBER = "metadata.json"
MAX_METADATA_BYTES = 1_000_000
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error),
    *(LookupError, ValueError, ArithmeticError, EOFError, RuntimeError),
)
"""What `zipfile` and `json` raise over a damaged file: `BadZipFile` is only the usual one."""

FIXED_TIMESTAMP = (1980, 1, 1, 0, 0, 0)
"""The same model gives the same bytes: a zip member's time says nothing here."""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a model of any kind promises, and where it came from.

    Attributes:
        labels: What the model tells apart.
        colour_order: Channel order of the input.
        variant: One of `VARIANTS`.
        package_version: Version of Maskwatch that wrote the file.
        data_fingerprint: SHA-256 over the pictures and labels that the model was trained on.
        scores: Figures measured when it was written, by name; shares in [0, 1].
        command: The command that trained it.

    Raises:
        ModelError: If a value is outside what this version can run.
    """

    KIND: ClassVar[str]
    LABELS: ClassVar[tuple[str, ...]]

    labels: tuple[str, ...]
    colour_order: str
    variant: str
    package_version: str
    data_fingerprint: str
    scores: dict[str, float] = field(default_factory=dict)
    command: str = ""

    def __post_init__(self) -> None:
        _expect("labels", self.labels, self.labels == self.LABELS, str(self.LABELS))
        _expect("colour_order", self.colour_order, self.colour_order == COLOUR_ORDER, COLOUR_ORDER)
        _expect("variant", self.variant, self.variant in VARIANTS, "one of " + ", ".join(VARIANTS))
        for name in ("package_version", "data_fingerprint", "command"):
            text = getattr(self, name)
            _expect(name, text, isinstance(text, str), "a text")
        _expect("scores", self.scores, _are_scores(self.scores), "finite numbers by name")


@dataclass(frozen=True, kw_only=True)
class ModelContract(Contract):
    """What a mask classifier promises; its labels are those of the output vector, in order.

    Attributes:
        input_size: Side of the square input in pixels.
        face_margin: Share of a face box's sides added around it before it is cut out.
    """

    KIND = CLASSIFIER
    LABELS = LABELS

    input_size: int
    face_margin: float

    def __post_init__(self) -> None:
        super().__post_init__()
        sane_size = isinstance(self.input_size, int) and 32 <= self.input_size <= 512
        _expect("input_size", self.input_size, sane_size, "a whole number from 32 to 512")
        _expect_number("face_margin", self.face_margin, 0, 1)


@dataclass(frozen=True, kw_only=True)
class FinderContract(Contract):
    """What a face finder promises; `finders.codes` tells what its numbers mean.

    Attributes:
        input_width: Width of the input in pixels, a multiple of 32.
        input_height: Height of the input in pixels, a multiple of 32.
        stride: Pixels of the input from one place of the heat map to the next.
        reference_size: Side in pixels of the input of the face whose size is coded as 0.
        reach: What a coded 1.0 stands for: so many strides, or so much in the log of the size.
    """

    KIND = FINDER
    LABELS = (FACE,)

    input_width: int
    input_height: int
    stride: int
    reference_size: float
    reach: float

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("input_width", "input_height"):
            side = getattr(self, name)
            is_sane = isinstance(side, int) and 32 <= side <= 2048 and side % 32 == 0
            _expect(name, side, is_sane, "a multiple of 32 from 32 to 2048")
        is_power = isinstance(self.stride, int) and self.stride in (4, 8, 16, 32)
        _expect("stride", self.stride, is_power, "4, 8, 16 or 32")
        _expect_number("reference_size", self.reference_size, 1, 1024)
        _expect_number("reach", self.reach, 0.5, 10)


AnyContract = TypeVar("AnyContract", bound=Contract)


def _expect(name: str, value: object, is_good: bool, expected: str) -> None:
    if not is_good:
        raise ModelError(f"the model's contract has {name} = {brief(value)}; expected {expected}")


def _expect_number(name: str, value: object, least: float, most: float) -> None:
    is_good = isinstance(value, int | float) and least <= value <= most
    _expect(name, value, is_good, f"a number from {least:g} to {most:g}")


def _are_scores(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(score, int | float) and abs(score) < math.inf
        for name, score in value.items()
    )


def with_contract(flatbuffer: bytes, contract: Contract) -> bytes:
    """Append the contract to a TFLite flatbuffer; the same arguments give the same bytes."""
    digest = hashlib.sha256(flatbuffer).hexdigest()
    metadata: dict[str, Any] = {"format": FORMAT, "flatbuffer_sha256": digest}
    if contract.KIND != CLASSIFIER:  # files of before there were kinds keep their bytes
        metadata["kind"] = contract.KIND
    metadata |= asdict(contract)
    buffer = io.BytesIO(flatbuffer)
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a", compression=zipfile.ZIP_STORED) as archive:
        _write_member(archive, LABELS_MEMBER, "\n".join(contract.labels) + "\n")
        _write_member(archive, METADATA_MEMBER, json.dumps(metadata, indent=2, sort_keys=True))
    return buffer.getvalue()


def _write_member(archive: zipfile.ZipFile, name: str, text: str) -> None:
    member = zipfile.ZipInfo(name, date_time=FIXED_TIMESTAMP)
    member.external_attr = 0o644 << 16
    archive.writestr(member, text)


def write_model(path: Path, flatbuffer: bytes, contract: Contract) -> None:
    """Write a model file with its contract, whole or not at all."""
    write_atomically(path, with_contract(flatbuffer, contract))


def read_model(path: Path, trusted_keys: Path | None = None) -> tuple[bytes, ModelContract]:
    """Read the file of a mask classifier and check that it is whole.

    Args:
        path: A `.tflite` file that carries its contract.
        trusted_keys: Public keys; one of them must have signed the file, or nothing of it is
            parsed. None asks for no signature.

    Returns:
        The bytes for the interpreter, and the contract.

    Raises:
        ModelError: If the file cannot be read, is no TFLite file, is truncated or changed,
            carries no contract or one that this version cannot run, or holds a face finder.
        SignatureError: If it is not signed by a trusted key.
    """
    return _read(path, trusted_keys, ModelContract)


def read_finder(path: Path, trusted_keys: Path | None = None) -> tuple[bytes, FinderContract]:
    """Read the file of a face finder and check that it is whole; see `read_model`.

    Raises:
        ModelError: As for `read_model`, or if the file holds a mask classifier.
        SignatureError: As for `read_model`.
    """
    return _read(path, trusted_keys, FinderContract)


def _read(
    path: Path, trusted_keys: Path | None, wanted: type[AnyContract]
) -> tuple[bytes, AnyContract]:
    try:
        content = read_at_most(path, MAX_BYTES)
    except OSError as error:
        raise ModelError(f"cannot read the model {path}: {error.strerror}") from error
    check_content(path, content, trusted_keys)
    if content[4:8] != b"TFL3":
        raise ModelError(
            f"{path} is not a TFLite file (no TFL3 mark in its first bytes); "
            "make one with: maskwatch convert"
        )
    try:
        return _parse(content, wanted)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def _parse(content: bytes, wanted: type[AnyContract]) -> tuple[bytes, AnyContract]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            metadata = json.loads(_read_member(archive, METADATA_MEMBER))
            labels = _read_member(archive, LABELS_MEMBER).decode().splitlines()
            start = min(member.header_offset for member in archive.infolist())
    except UNREADABLE as error:
        raise ModelError(
            "the model carries no readable contract: the file is truncated, or was not written "
            f"by maskwatch convert ({error!s:.120})"
        ) from error
    flatbuffer = content[:start]
    contract = _contract_from(metadata, wanted)
    if hashlib.sha256(flatbuffer).hexdigest() != metadata.get("flatbuffer_sha256"):
        raise ModelError("the model's bytes do not match its checksum: copy the file again")
    if tuple(labels) != contract.labels:
        raise ModelError(
            f"{LABELS_MEMBER} says {brief(labels)}, {METADATA_MEMBER} {contract.labels}"
        )
    return flatbuffer, contract


def _read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    member = archive.getinfo(name)
    if member.file_size > MAX_METADATA_BYTES:
        raise ModelError(f"{name} in the model is larger than {MAX_METADATA_BYTES} bytes")
    # Maskwatch stores its members; each way to unpack one fails with an error of its own.
    if member.compress_type != zipfile.ZIP_STORED:
        raise ModelError(f"{name} in the model is compressed; expected it stored as it is")
    return archive.read(name)


def _contract_from(metadata: Any, wanted: type[AnyContract]) -> AnyContract:
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise ModelError(f"{METADATA_MEMBER} is not of format {FORMAT}; update maskwatch")
    _expect_kind(metadata.get("kind", CLASSIFIER), wanted.KIND)
    names = [known.name for known in fields(wanted)]
    missing = [name for name in names if name not in metadata]
    if missing:
        raise ModelError(f"{METADATA_MEMBER} lacks {', '.join(missing)}")
    values = {name: metadata[name] for name in names}
    if not isinstance(values["labels"], list):
        received = brief(values["labels"])
        raise ModelError(f"{METADATA_MEMBER}: labels must be a list; received {received}")
    return wanted(**(values | {"labels": tuple(values["labels"])}))


def _expect_kind(kind: object, wanted: str) -> None:
    if kind != wanted:
        name = KINDS.get(kind) if isinstance(kind, str) else None
        found = f"a {name}" if name else f"a model of the kind {brief(kind)}"
        raise ModelError(f"the file holds {found}; expected a {KINDS[wanted]}: give the other file")
