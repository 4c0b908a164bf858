"""The seed's loop with float TFLite against Maskwatch, in instructions of a Cortex-A72.

    python -m benchmarks.instructions.seed             # needs the extra train

Keras cannot be counted: there is no TensorFlow in the emulated Python.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.seed import build_network, to_tflite
from maskwatch_edge.quiet import quiet

from .emulator import run


def main() -> None:
    """Count and print."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "float32.tflite"
        with quiet():
            file.write_bytes(to_tflite(build_network()))
        counted = run("-m", "benchmarks.instructions.guest.seed", file).by_name()
    for name, instructions in counted.items():
        ratio = instructions / counted["Maskwatch"]
        print(f"{name:32}{instructions / 1e6:10.2f} million instructions a frame{ratio:8.2f}")


if __name__ == "__main__":
    main()
