"""The folder that `maskwatch train` leaves behind, as far as conversion needs it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskwatch_edge.contract import CLASSIFIER, KINDS
from maskwatch_edge.errors import InputError

NETWORK, DATA_REPORT, METRICS = "model.keras", "data.json", "metrics.json"


@dataclass(frozen=True)
class TrainingRun:
    """What is known of a finished training.

    Attributes:
        network: The Keras file.
        fitted: Identities of the faces it was trained on; see `LabelledFace.identity`.
        held_out: Identities of the faces that training never saw. A finder's run names pictures
            without annotation as a whole.
        data_fingerprint: Names the data it was trained on.
        command: The command that trained it.
        kind: What was trained, a key of `contract.KINDS`.
    """

    network: Path
    fitted: frozenset[str]
    held_out: frozenset[str]
    data_fingerprint: str
    command: str
    kind: str = CLASSIFIER

    @classmethod
    def read(cls, folder: Path) -> TrainingRun:
        """Read the folder of a run.

        Raises:
            InputError: If it is not the folder of a finished run, or a file in it is broken.
        """
        for name in (NETWORK, DATA_REPORT, METRICS):
            if not (folder / name).is_file():
                raise InputError(
                    f"{folder} holds no {name}; expected the folder of a finished "
                    f"training: maskwatch train DATA --out {folder}"
                )
        report, metrics = _read_json(folder / DATA_REPORT), _read_json(folder / METRICS)
        try:
            return cls(
                folder / NETWORK,
                fitted=frozenset(report["identities"]["train"]),
                held_out=frozenset(report["identities"]["test"]),
                data_fingerprint=str(report["fingerprint"]),
                command=str(metrics["command"]),
                kind=_known_kind(metrics.get("kind", CLASSIFIER)),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{DATA_REPORT} and {METRICS} in {folder} are not as maskwatch train writes them "
                f"({error!r}); train again"
            ) from error


def _known_kind(kind: Any) -> str:
    if kind not in tuple(KINDS):
        raise InputError(
            f"the run trained a {kind!r}; expected one of {', '.join(KINDS)}: update maskwatch"
        )
    return str(kind)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"cannot read {path}: {error}; train again") from error
