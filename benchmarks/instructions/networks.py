"""What a run of a network takes, with either interpreter: the shipped ones, or any files.

    python -m benchmarks.instructions.networks                            # the shipped ones
    python -m benchmarks.instructions.networks --cpu cortex-a76 FILE...

The ends are the change from uint8 to int8 and back, and the scaling to [-1, 1]. A network is run
without them, and the difference is told: no profile with its own cost, and no other conversion.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from maskwatch_edge.contract import read_finder, read_model
from maskwatch_edge.interpreter import PACKAGES
from maskwatch_edge.models import SHIPPED_FINDERS, SHIPPED_MODELS, shipped_finder, shipped_model

from .emulator import CPU, run
from .ends import operations, without_first, without_last

BEGINNING = ["QUANTIZE", "MUL", "ADD"]
"""What a network of ours begins with: from uint8 to int8, then the scaling."""

PART_LEFT_OUT = ", without"
"""In the names of the variants that are written here, after that of the whole network."""


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="a .tflite file")
    parser.add_argument("--cpu", default=CPU, help="the emulated processor; default: %(default)s")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        files = options.files or write_variants(Path(folder))
        for package in PACKAGES:
            print(f"\n{package}, {options.cpu}")
            print_counts(package, options.cpu, files)


def write_variants(folder: Path) -> list[Path]:
    """Write both networks, whole and without their ends."""
    files = []
    networks = {
        **{f"{name} classifier": read_model(shipped_model(name))[0] for name in SHIPPED_MODELS},
        **{f"finder {name}": read_finder(shipped_finder(name))[0] for name in SHIPPED_FINDERS},
    }
    for name, whole in networks.items():
        names = operations(whole)
        if names[: len(BEGINNING)] != BEGINNING:
            raise ValueError(f"the {name} begins with {names[:3]}; expected {BEGINNING}")
        variants = {
            "": whole,
            f"{PART_LEFT_OUT} QUANTIZE at its beginning": without_first(whole, 1),
            f"{PART_LEFT_OUT} QUANTIZE, MUL and ADD at its beginning": without_first(whole, 3),
            f"{PART_LEFT_OUT} QUANTIZE at its end": without_last(whole, "QUANTIZE"),
        }
        for what, flatbuffer in variants.items():
            files.append(folder / f"{name}{what}")
            files[-1].write_bytes(flatbuffer)
    return files


def print_counts(package: str, cpu: str, files: Sequence[Path]) -> None:
    """Count a run of each, and say what is left out costs."""
    guest = "benchmarks.instructions.guest.networks"
    counted = run("-m", guest, package, *files, package=package, cpu=cpu)
    whole = 0
    for said, (path, instructions) in zip(counted.said, counted.by_name().items(), strict=True):
        name = Path(path).name
        is_cut = whole > 0 and PART_LEFT_OUT in name
        whole = whole if is_cut else instructions
        saved = f"{instructions - whole:+13,} ({instructions / whole - 1:+.2%})"
        delegated = f"{said['ops']} operations, {said['delegates']} of them a delegate"
        print(f"{name:60}{instructions:13,}  {saved if is_cut else delegated}")


if __name__ == "__main__":
    main()
