"""The contract inside a model file: what comes back, and what is refused."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from maskwatch_edge.contract import (
    FIXED_TIMESTAMP,
    LABELS,
    VARIANTS,
    ModelContract,
    read_model,
    with_contract,
    write_model,
)
from maskwatch_edge.errors import ModelError
from maskwatch_edge.interpreter import load_interpreter

FLATBUFFER = b"\x1c\0\0\0TFL3" + bytes(range(256))
CONTRACT = ModelContract(
    labels=LABELS,
    input_size=128,
    colour_order="RGB",
    face_margin=0.1,
    variant="int8",
    package_version="0.1.0",
    data_fingerprint="ab" * 32,
    scores={"accuracy": 0.995},
    command="maskwatch train data --out run",
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give one path for all examples of a property."""
    return tmp_path_factory.mktemp("models") / "model.tflite"


def error_of(path: Path) -> str:
    """Return the message with which a file is refused: one clear line that names it."""
    with pytest.raises(ModelError) as caught:
        read_model(path)
    check_line(caught.value, path)
    return str(caught.value)


def check_line(error: ModelError, path: Path) -> None:
    message = str(error)
    assert str(path) in message
    assert len(message.splitlines()) == 1
    assert len(message) < 400 + len(str(path))


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return error_of(path)


def metadata_of(contract: ModelContract = CONTRACT, flatbuffer: bytes = FLATBUFFER) -> Any:
    digest = hashlib.sha256(flatbuffer).hexdigest()
    return asdict(contract) | {"format": 1, "flatbuffer_sha256": digest}


def packed(
    metadata: bytes | str,
    labels: bytes | str | None = "with_mask\nwithout_mask\n",
    compression: int = zipfile.ZIP_STORED,
) -> bytes:
    """Build a model file by hand, right or wrong."""
    buffer = io.BytesIO(FLATBUFFER)
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a", compression=compression) as archive:
        if labels is not None:
            archive.writestr("labels.txt", labels)
        archive.writestr("metadata.json", metadata)
    return buffer.getvalue()


@settings(max_examples=40)
@given(
    flatbuffer=st.binary(max_size=300),
    scores=st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)),
    fingerprint=st.text(),
    command=st.text(),
    size=st.integers(32, 512),
    margin=st.floats(0, 1),
    variant=st.sampled_from(VARIANTS),
)
def test_a_model_comes_back_with_the_contract_that_it_was_written_with(
    scratch: Path,
    flatbuffer: bytes,
    scores: dict[str, float],
    fingerprint: str,
    command: str,
    size: int,
    margin: float,
    variant: str,
) -> None:
    model = b"\0\0\0\0TFL3" + flatbuffer
    contract = replace(
        CONTRACT,
        scores=scores,
        data_fingerprint=fingerprint,
        command=command,
        input_size=size,
        face_margin=margin,
        variant=variant,
    )
    write_model(scratch, model, contract)
    assert read_model(scratch) == (model, contract)


def test_the_same_model_gives_the_same_bytes() -> None:
    other_order = replace(CONTRACT, scores={"b": 0.5, "a": 1.0})
    assert with_contract(FLATBUFFER, CONTRACT) == with_contract(FLATBUFFER, CONTRACT)
    assert with_contract(FLATBUFFER, other_order) == with_contract(
        FLATBUFFER, replace(CONTRACT, scores={"a": 1.0, "b": 0.5})
    )


def test_any_zip_tool_reads_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    write_model(path, FLATBUFFER, CONTRACT)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        members = {member.filename: member for member in archive.infolist()}
        metadata = json.loads(archive.read("metadata.json"))
        assert archive.read("labels.txt") == b"with_mask\nwithout_mask\n"
    assert set(members) == {"labels.txt", "metadata.json"}
    # The clock of the writer would give other bytes for the same model.
    assert all(member.date_time == FIXED_TIMESTAMP for member in members.values())
    assert metadata["labels"] == ["with_mask", "without_mask"]
    assert metadata["colour_order"] == "RGB"
    assert metadata["input_size"] == 128


def test_the_models_of_the_tests_are_what_this_version_writes(
    tiny_model: Path, tiny_float_model: Path
) -> None:
    for path in (tiny_model, tiny_float_model):
        assert with_contract(*read_model(path)) == path.read_bytes()


def test_the_interpreter_ignores_the_contract_behind_the_model(tiny_model: Path) -> None:
    interpreter = load_interpreter(tiny_model.read_bytes())
    assert interpreter.get_input_details()[0]["shape"].tolist() == [1, 32, 32, 3]


def test_a_model_that_is_cut_off_anywhere_is_refused(scratch: Path, tiny_model: Path) -> None:
    content = tiny_model.read_bytes()
    scratch.write_bytes(content)
    for length in reversed(range(len(content))):
        os.truncate(scratch, length)
        message = error_of(scratch)
        assert "truncated" in message or "not a TFLite file" in message


def test_a_flipped_bit_is_refused_or_changes_nothing(scratch: Path, tiny_model: Path) -> None:
    content = tiny_model.read_bytes()
    original = read_model(tiny_model)
    scratch.write_bytes(content)

    def flip(place: int, bit: int) -> None:
        put(place, content[place] ^ 1 << bit)
        try:
            # Some bytes of a zip header say nothing, such as the time.
            assert read_model(scratch) == original
        except ModelError as error:
            check_line(error, scratch)
        put(place, content[place])

    def put(place: int, byte: int) -> None:
        file.seek(place)
        file.write(bytes([byte]))

    with scratch.open("r+b", buffering=0) as file:
        # Every bit of the contract, where each byte has a meaning of its own.
        for place in range(len(original[0]), len(content)):
            for bit in range(8):
                flip(place, bit)
        # Any bit of the model, which is guarded by its checksum.
        given(st.integers(0, len(original[0]) - 1), st.integers(0, 7))(flip)()
    assert scratch.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "not a TFLite file"),  # an empty file
        (b"TFL3", "not a TFLite file"),  # the mark in the wrong place
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a TFLite file"),  # a picture
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "not a TFLite file"),  # a Keras file
        (FLATBUFFER, "no readable contract"),  # a TFLite file of somebody else
        (FLATBUFFER + bytes(70_000), "no readable contract"),  # with a long tail
        (FLATBUFFER + b"PK\x05\x06" + bytes(18), "no readable contract"),  # an empty zip
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    assert expected in refused(tmp_path / "model.tflite", content)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "No such file" in error_of(tmp_path / "nowhere.tflite")
    assert "Is a directory" in error_of(tmp_path)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"format": 2}, "not of format 1; update maskwatch"),  # from the future
        ({"format": "1"}, "not of format 1"),
        ({"labels": ["without_mask", "with_mask"]}, "labels"),  # the wrong way round
        ({"labels": ["with_mask"]}, "labels"),
        ({"labels": ["with_mask", "without_mask", "worn_wrong"]}, "labels"),
        ({"labels": "with_mask"}, "labels must be a list"),
        ({"labels": None}, "labels must be a list"),
        ({"labels": {"with_mask": 0}}, "labels must be a list"),
        ({"labels": [["with_mask"], {}]}, "labels"),
        ({"labels": ["x" * 100_000]}, "labels"),  # told in short
        ({"labels": "x" * 100_000}, "labels"),
        ({"colour_order": "BGR"}, "colour_order"),
        ({"colour_order": ["R", "G", "B"]}, "colour_order"),
        ({"input_size": 31}, "input_size"),
        ({"input_size": 513}, "input_size"),
        ({"input_size": 128.0}, "input_size"),
        ({"input_size": "128"}, "input_size"),
        ({"input_size": None}, "input_size"),
        ({"input_size": True}, "input_size"),
        ({"face_margin": -0.1}, "face_margin"),
        ({"face_margin": float("nan")}, "face_margin"),
        ({"face_margin": 10**400}, "face_margin"),  # more than a float holds
        ({"face_margin": "0.1"}, "face_margin"),
        ({"face_margin": [0.1]}, "face_margin"),
        ({"variant": "int4"}, "variant"),
        ({"variant": {}}, "variant"),
        ({"package_version": 1}, "package_version"),
        ({"data_fingerprint": None}, "data_fingerprint"),
        ({"command": ["maskwatch", "train"]}, "command"),
        ({"scores": [0.99]}, "scores"),
        ({"scores": {"accuracy": "0.99"}}, "scores"),
        ({"scores": {"accuracy": float("inf")}}, "scores"),
        ({"scores": {"accuracy": {"a": 1}}}, "scores"),
        ({"flatbuffer_sha256": "00"}, "checksum"),
        ({"flatbuffer_sha256": 7}, "checksum"),
        ({"flatbuffer_sha256": None}, "checksum"),
    ],
)
def test_a_wrong_value_in_the_contract_is_refused_by_name(
    tmp_path: Path, change: dict[str, Any], expected: str
) -> None:
    content = packed(json.dumps(metadata_of() | change))
    assert expected in refused(tmp_path / "model.tflite", content)


@pytest.mark.parametrize("name", sorted(metadata_of()))
def test_a_missing_value_in_the_contract_is_refused_by_name(tmp_path: Path, name: str) -> None:
    metadata = metadata_of()
    del metadata[name]
    message = refused(tmp_path / "model.tflite", packed(json.dumps(metadata)))
    assert {"flatbuffer_sha256": "checksum"}.get(name, name) in message


def test_what_a_later_version_adds_to_the_contract_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(packed(json.dumps(metadata_of() | {"colour": "blue"})))
    assert read_model(path) == (FLATBUFFER, CONTRACT)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (b"", "no readable contract"),
        (b"\xff\xfe\xfd", "no readable contract"),  # no text
        (b"{", "no readable contract"),
        (b"[]", "not of format 1"),
        (b"null", "not of format 1"),
        (b"7", "not of format 1"),
        (b"[" * 200_000, "no readable contract"),  # deeper than Python's stack
        (b'{"format":' * 100_000, "no readable contract"),
        (b"9" * 10_000, "no readable contract"),  # more digits than Python converts
        (b" " * 2_000_000, "larger than 1000000 bytes"),
    ],
)
def test_metadata_that_is_no_contract_is_refused(
    tmp_path: Path, metadata: bytes, expected: str
) -> None:
    assert expected in refused(tmp_path / "model.tflite", packed(metadata))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (None, "no item named 'labels.txt'"),
        ("", "labels.txt says []"),
        ("without_mask\nwith_mask\n", "labels.txt says ['without_mask', 'with_mask']"),
        (b"\xff", "no readable contract"),  # no UTF-8
        ("with_mask\n" * 90_000, "labels.txt says"),  # told in short
        ("x" * 2_000_000, "larger than 1000000 bytes"),
    ],
)
def test_labels_that_differ_from_the_contract_are_refused(
    tmp_path: Path, labels: bytes | str | None, expected: str
) -> None:
    content = packed(json.dumps(metadata_of()), labels)
    assert expected in refused(tmp_path / "model.tflite", content)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compressed_contract_is_refused_before_it_is_unpacked(
    tmp_path: Path, compression: int
) -> None:
    content = packed(json.dumps(metadata_of()), compression=compression)
    assert "compressed" in refused(tmp_path / "model.tflite", content)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=8,
    ),
    st.sampled_from(sorted(metadata_of())),
)
@example(None, "scores")
@example({}, "labels")
def test_any_json_in_any_place_is_read_or_refused_in_one_line(
    scratch: Path, value: Any, name: str
) -> None:
    scratch.write_bytes(packed(json.dumps(metadata_of() | {name: value})))
    try:
        read_model(scratch)
    except ModelError as error:
        check_line(error, scratch)


WRONG_ARGUMENTS: list[Callable[[], ModelContract]] = [
    lambda: replace(CONTRACT, labels=("without_mask", "with_mask")),
    lambda: replace(CONTRACT, colour_order="BGR"),
    lambda: replace(CONTRACT, input_size=16),
    lambda: replace(CONTRACT, face_margin=2.0),
    lambda: replace(CONTRACT, variant="int4"),
    lambda: replace(CONTRACT, scores={"accuracy": float("nan")}),
]


@pytest.mark.parametrize("make", WRONG_ARGUMENTS)
def test_a_wrong_contract_cannot_even_be_made(make: Callable[[], ModelContract]) -> None:
    with pytest.raises(ModelError, match="expected"):
        make()
