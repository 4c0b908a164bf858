"""What a run of a network takes, with either interpreter: the shipped ones, or any files.

    python -m benchmarks.instructions.networks                            # the shipped ones
    python -m benchmarks.instructions.networks --cpu cortex-a76 FILE...

The ends are the change from uint8 to int8 and back, and the scaling to [-1, 1]. A network is run
without them, and the difference is told: no profile with its own cost, and no other conversion.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from maskwatch_edge.contract import read_finder, read_model
from maskwatch_edge.interpreter import PACKAGES
from maskwatch_edge.models import SHIPPED_FINDERS, SHIPPED_MODELS, shipped_finder, shipped_model

from .emulator import CPU, run
from .ends import operations, without_first, without_last

BEGINNING = ["QUANTIZE", "MUL", "ADD"]
"""What a network of ours begins with: from uint8 to int8, then the scaling."""


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="a .tflite file")
    parser.add_argument("--cpu", default=CPU, help="the emulated processor; default: %(default)s")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        given = {file: file for file in options.files}
        wholes = given or write_variants(Path(folder))
        for package in PACKAGES:
            print(f"\n{package}, {options.cpu}")
            print_counts(package, options.cpu, wholes)


def write_variants(folder: Path) -> dict[Path, Path]:
    """Write all networks, whole and without their ends; return of which whole each file is."""
    wholes = {}
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
            ", without QUANTIZE at its beginning": without_first(whole, 1),
            ", without QUANTIZE, MUL and ADD at its beginning": without_first(whole, 3),
            ", without QUANTIZE at its end": without_last(whole, "QUANTIZE"),
        }
        for what, flatbuffer in variants.items():
            file = folder / f"{name}{what}"
            file.write_bytes(flatbuffer)
            wholes[file] = folder / name
    return wholes


def print_counts(package: str, cpu: str, wholes: Mapping[Path, Path]) -> None:
    """Count a run of each file, and say what was left out of its whole costs, if anything was."""
    guest = "benchmarks.instructions.guest.networks"
    counted = run("-m", guest, package, *wholes, package=package, cpu=cpu)
    counts = counted.by_name()
    for said, (file, whole) in zip(counted.said, wholes.items(), strict=True):
        instructions, of_whole = counts[str(file)], counts[str(whole)]
        told = f"{said['ops']} operations, {said['delegates']} of them a delegate"
        if file != whole:
            told = f"{instructions - of_whole:+13,} ({instructions / of_whole - 1:+.2%})"
        print(f"{file.name:60}{instructions:13,}  {told}")


if __name__ == "__main__":
    main()
