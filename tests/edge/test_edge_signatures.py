"""Signed models: the real program signs and verifies, and refuses whatever was changed."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskwatch_edge.__main__ import main
from maskwatch_edge.classifier import open_classifier
from maskwatch_edge.config import Config, FacesConfig, ModelConfig
from maskwatch_edge.doctor.model import check_faces, check_interpreter, check_model
from maskwatch_edge.errors import SignatureError
from maskwatch_edge.finders import open_finder
from maskwatch_edge.web.status import model_facts

pytest.importorskip("cryptography", reason="needs the extra signatures")

from maskwatch_edge.signatures.keys import new_key, read_private, read_trusted
from maskwatch_edge.signatures.signature import signature_file
from maskwatch_edge.signatures.signing import check_content, check_file, sign

Program = Callable[..., "subprocess.CompletedProcess[str]"]

FRAME = Path(__file__).parents[2] / "docs" / "demo.jpg"


@dataclass(frozen=True)
class Signed:
    """A model with its signature, and the public key of who signed it."""

    model: Path
    trusted: Path

    @property
    def signature(self) -> Path:
        return signature_file(self.model)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    new_key(tmp_path / "key")
    return tmp_path / "key"


@pytest.fixture
def signed(tmp_path: Path, key: Path, tiny_model: Path) -> Signed:
    model = Path(shutil.copy(tiny_model, tmp_path / "ours.tflite"))
    sign(model, read_private(key), serial=7)
    return Signed(model, key.with_name("key.pub"))


def test_what_was_signed_is_verified_and_run(
    maskwatch: Program, tmp_path: Path, tiny_model: Path
) -> None:
    shutil.copy(tiny_model, tmp_path / "ours.tflite")
    made = maskwatch("keys", "new", "key")
    assert (made.returncode, "key.pub" in made.stdout) == (0, True), made.stderr
    assert maskwatch("sign", "ours.tflite", "--key", "key", "--serial", "12").returncode == 0
    told = maskwatch("verify", "ours.tflite", "--trust", "key.pub")
    (name,) = read_trusted(tmp_path / "key.pub")
    assert told.stdout == f"ours.tflite: signed by the key {name}, serial 12\n"
    ran = maskwatch("detect", FRAME, "--model", "ours.tflite", "--trust", "key.pub")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "mask" in ran.stdout


def test_a_serial_rises_by_itself(signed: Signed, key: Path) -> None:
    assert main(["sign", str(signed.model), "--key", str(key)]) == 0
    assert check_file(signed.model, signed.trusted).serial > 1_700_000_000


def test_a_private_key_is_for_its_owner_alone_and_never_replaced(
    key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes(), key.with_name("key.pub").read_bytes()
    assert main(["keys", "new", str(key)]) == 1
    key.with_name("key.pub").rename(key.with_name("kept"))
    assert main(["keys", "new", str(key)]) == 1
    assert capsys.readouterr().err.count("no key is ever replaced") == 2
    assert (key.read_bytes(), key.with_name("kept").read_bytes()) == before
    assert not key.with_name("key.pub").exists()


def change_model(signed: Signed) -> None:
    content = bytearray(signed.model.read_bytes())
    content[1000] ^= 1
    signed.model.write_bytes(content)


def take_signature_of_another_file(signed: Signed) -> None:
    other = signed.model.with_name("other.tflite")
    other.write_bytes(b"other")
    sign(other, read_private(signed.trusted.with_suffix("")), serial=8)
    signature_file(other).replace(signed.signature)


def sign_with_another_key(signed: Signed) -> None:
    new_key(signed.model.with_name("another"))
    sign(signed.model, read_private(signed.model.with_name("another")), serial=8)


def claim_another_key(signed: Signed) -> None:
    sign_with_another_key(signed)
    (name,) = read_trusted(signed.trusted)
    (another,) = read_trusted(signed.model.with_name("another.pub"))
    told = signed.signature.read_text().replace(another, name)
    signed.signature.write_text(told)


def rewrite(old: str, new: str) -> Callable[[Signed], None]:
    def act(signed: Signed) -> None:
        told = signed.signature.read_text()
        assert old in told
        signed.signature.write_text(told.replace(old, new))

    return act


REFUSED: list[tuple[Callable[[Signed], object], str]] = [
    (change_model, "is not the file that the key"),
    (lambda signed: signed.signature.unlink(), "is not signed: cannot read"),
    (lambda signed: signed.signature.write_bytes(b""), "is not a whole signature file"),
    (lambda signed: os.truncate(signed.signature, 200), "is not a whole signature file"),
    (lambda signed: os.truncate(signed.signature, 1 << 30), "is not a whole signature file"),
    (lambda signed: shutil.copy(signed.model, signed.signature), "is not a whole signature file"),
    (take_signature_of_another_file, "is not the file that the key"),
    (sign_with_another_key, "expected a key of"),
    (claim_another_key, "was changed: expected what the key"),
    (rewrite("serial 7", "serial 8"), "was changed: expected what the key"),
    (rewrite("serial 7", "serial 07"), "is not a whole signature file"),
    (rewrite("\n", "\r\n"), "is not a whole signature file"),
]


@pytest.mark.parametrize(("act", "told"), REFUSED)
def test_what_was_changed_is_refused_and_named(
    signed: Signed, capsys: pytest.CaptureFixture[str], act: Callable[[Signed], object], told: str
) -> None:
    act(signed)
    assert main(["verify", str(signed.model), "--trust", str(signed.trusted)]) == 1
    out, err = capsys.readouterr()
    assert (out, told in err, str(signed.model) in err, err.count("\n")) == ("", True, True, 1), err
    words = ["detect", str(FRAME), "--model", str(signed.model), "--trust", str(signed.trusted)]
    assert main(words) == 1
    assert told in capsys.readouterr().err


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    folder = tmp_path_factory.mktemp("signed")
    new_key(folder / "key")
    (folder / "ours").write_bytes(b"any bytes at all")
    sign(folder / "ours", read_private(folder / "key"), serial=7)
    return Signed(folder / "ours", folder / "key.pub")


@given(st.data())
@settings(deadline=None)
def test_any_change_of_any_byte_is_refused(example: Signed, data: st.DataObject) -> None:
    content, signature = example.model.read_bytes(), example.signature.read_bytes()
    whole = data.draw(st.sampled_from((content, signature)))
    start, end = sorted(data.draw(st.tuples(*2 * [st.integers(0, len(whole))])))
    changed = whole[:start] + data.draw(st.binary(max_size=200)) + whole[end:]
    try:
        if whole is signature:
            example.signature.write_bytes(changed)
        check_content(example.model, content if whole is signature else changed, example.trusted)
        assert changed == whole
    except SignatureError:
        assert changed != whole
    finally:
        example.signature.write_bytes(signature)


UNREADABLE = b"neither a network nor anything else"


@pytest.mark.parametrize("finder", ["tflite", "haar"])
def test_nothing_is_parsed_of_a_finder_that_is_not_signed(
    signed: Signed, tmp_path: Path, finder: str
) -> None:
    path = tmp_path / "finder"
    path.write_bytes(UNREADABLE)
    is_haar = finder == "haar"
    faces = FacesConfig(
        finder=finder, model=None if is_haar else path, cascade=path if is_haar else None
    )
    model = ModelConfig(trusted_keys=signed.trusted)
    with pytest.raises(SignatureError, match=r"is not signed|cannot be signed"):
        open_finder(faces, model)
    (finding,) = check_faces(faces, model, lambda: 0.0)
    assert "signed" in finding.finding


@pytest.mark.parametrize("command", ["run", "bench", "detect", "evaluate"])
def test_nothing_is_parsed_of_a_model_that_is_not_signed(
    signed: Signed, tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    signed.model.write_bytes(UNREADABLE)
    signed.signature.unlink()
    words = {
        "run": ["--source", str(FRAME), "--model", str(signed.model)],
        "bench": ["--source", str(FRAME), "--model", str(signed.model)],
        "detect": [str(FRAME), "--model", str(signed.model)],
        "evaluate": [str(signed.model), "--crops", str(tmp_path)],
    }[command]
    assert main([command, *words, "--trust", str(signed.trusted)]) == 1
    assert f"{signed.model} is not signed" in capsys.readouterr().err


def test_the_setting_holds_for_all_that_read_the_model(signed: Signed) -> None:
    model = ModelConfig(path=signed.model, trusted_keys=signed.trusted)
    open_classifier(model)
    model_facts(Config(model=model))
    signed.signature.unlink()
    with pytest.raises(SignatureError):
        open_classifier(model)
    with pytest.raises(SignatureError):
        model_facts(Config(model=model))
    (finding,) = check_model(model, signed.model, lambda: 0.0)
    assert "is not signed" in finding.finding
    (finding,) = check_interpreter(model, signed.model)
    assert "not tried" in finding.finding


def test_what_comes_with_maskwatch_needs_no_signature_of_its_own(signed: Signed) -> None:
    model = ModelConfig(trusted_keys=signed.trusted)
    open_classifier(model)
    open_finder(FacesConfig(), model)


def test_the_published_yunet_needs_no_signature(signed: Signed, yunet: Path) -> None:
    open_finder(FacesConfig(finder="yunet", model=yunet), ModelConfig(trusted_keys=signed.trusted))


def test_the_bytes_that_are_checked_are_those_that_are_run(signed: Signed) -> None:
    content = signed.model.read_bytes()
    signed.model.unlink()
    os.mkfifo(signed.model)  # can be read once
    writer = threading.Thread(target=signed.model.write_bytes, args=(content,))
    writer.start()
    open_classifier(ModelConfig(path=signed.model, trusted_keys=signed.trusted))
    writer.join()


def test_one_of_several_keys_is_enough(signed: Signed, tmp_path: Path) -> None:
    new_key(tmp_path / "another")
    both = tmp_path / "trusted-keys"
    another = (tmp_path / "another.pub").read_text()
    both.write_text(f"# of the house\n\n{another}{signed.trusted.read_text()}")
    check_file(signed.model, both)
    both.write_text(another)
    with pytest.raises(SignatureError, match="expected a key of"):
        check_file(signed.model, both)


KEYS = [
    ("", "holds no key"),
    ("# nobody\n", "holds no key"),
    ("ssh-ed25519 AAAA", "line 1 of"),
    ("\nssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==", "line 2 of"),
    ("-----BEGIN PRIVATE KEY-----", "line 1 of"),
    ("x" * 100_001, "holds more than"),
    (None, "cannot read"),
]


@pytest.mark.parametrize(("keys", "told"), KEYS)
def test_what_is_no_key_is_told(
    signed: Signed, capsys: pytest.CaptureFixture[str], keys: str | None, told: str
) -> None:
    if keys is None:
        signed.trusted.unlink()
    else:
        signed.trusted.write_text(keys)
    assert main(["verify", str(signed.model), "--trust", str(signed.trusted)]) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"-----BEGIN", None])
def test_what_cannot_sign_is_told(
    signed: Signed, key: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signed.signature.read_bytes()
    key.write_bytes(signed.trusted.read_bytes() if content is None else content)
    assert main(["sign", str(signed.model), "--key", str(key)]) == 1
    assert "is not a private key" in capsys.readouterr().err
    assert signed.signature.read_bytes() == before


@pytest.mark.parametrize("serial", ["-1", "1.5", "9" * 19, "9" * 9999, "\u0661"])
def test_what_is_no_serial_is_told(
    signed: Signed, key: Path, serial: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["sign", str(signed.model), "--key", str(key), f"--serial={serial}"])
    assert "expected a whole number from 0" in capsys.readouterr().err


def test_keys_of_ssh_are_taken_too(signed: Signed, tmp_path: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("needs ssh-keygen")
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "theirs")]
    subprocess.run(words, check=True)
    assert len(read_trusted(tmp_path / "theirs.pub")) == 1
