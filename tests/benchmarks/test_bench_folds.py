"""Several folds measured as one: which frames count, how the score is chosen, and with what."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.folds import SCORES, Fold, Seen, choose, figures_of, headline, others_of
from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.contract import WITH_MASK
from maskwatch_edge.dataset import LabelledFace, LabelledFrame
from maskwatch_edge.verdict import Sighting, Verdict, decide

MODELS = Path(__file__).parents[2] / "models"


def a_fold(*false_alarms: float, found: float = 0.9) -> Fold:
    """Make twenty frames of one masked face each, and false alarms of such scores in the first."""
    path, verdict = Path("frame.jpg"), Verdict(WITH_MASK, 0.95)

    def seen(x: int, score: float) -> Sighting:
        return Sighting(FaceBox(x, 0, x + 40, 40, score), verdict, decide(verdict, 0.8))

    face = LabelledFace(path, WITH_MASK, "frames", FaceBox(0, 0, 40, 40))
    frame = LabelledFrame(path, (face,))
    astray = [seen(100 * place, score) for place, score in enumerate(false_alarms, 1)]
    return [Seen(frame, [seen(0, found), *astray]), *[Seen(frame, [seen(0, found)])] * 19]


@pytest.mark.parametrize(
    ("false_alarms", "chosen"),
    [
        ([], 0.3),
        ([0.42], 0.3),  # one in twenty frames is allowed
        ([0.42, 0.33], 0.35),
        ([0.52, 0.52], 0.55),
        ([0.9, 0.9], 0.6),  # no score serves: the greatest
    ],
)
def test_the_least_score_with_few_enough_false_alarms_is_chosen(
    false_alarms: list[float], chosen: float
) -> None:
    assert choose([a_fold(*false_alarms)]) == chosen


def test_a_fold_has_no_say_in_its_own_score() -> None:
    folds = [a_fold(0.58, 0.58, 0.58), a_fold(), a_fold()]
    assert choose(others_of(folds, 0)) == SCORES[0]
    assert choose(others_of(folds, 1)) == SCORES[-1]


def test_all_frames_count_as_one_each_fold_with_its_own_score() -> None:
    folds = [a_fold(0.5, found=0.55), a_fold(0.5, found=0.45)]
    figures = figures_of(folds, [0.4, 0.52])
    assert headline(figures) == {
        "mAP50": "0.250",  # half of the masked ones, surer than the false alarm; unmasked none
        "false alarms": "0.025",
        "masked: found, right": "20, 20 of 40",
    }


def test_one_fold_gives_what_evaluate_does(shared: Path, tmp_path: Path) -> None:
    frames, held_out = shared / "data" / "mask-frames", MODELS / "held_out.txt"
    model = MODELS / "maskwatch-mobilenetv2-int8.tflite"
    finder = MODELS / "maskwatch-finder-int8.tflite"
    run(
        "benchmarks.folds", frames, "--fold", model, finder, held_out, held_out,
        "--json", tmp_path / "folds.json",
    )  # fmt: skip
    run(
        "maskwatch_edge", "evaluate", model, "--frames", frames, "--held-out", held_out,
        "--json", tmp_path / "evaluate.json",
    )  # fmt: skip
    evaluated = json.loads((tmp_path / "evaluate.json").read_text())["finders"]["tflite"]
    folds = json.loads((tmp_path / "folds.json").read_text())["scores"]
    assert "chosen" not in folds
    assert folds["0.4"].items() <= evaluated.items()


def test_a_fold_of_which_nothing_is_there_is_told_in_one_line(
    shared: Path, tmp_path: Path, tiny_model: Path
) -> None:
    (tmp_path / "held_out.txt").write_text("another picture\n")
    finder = MODELS / "maskwatch-finder-int8.tflite"
    fold = ("--fold", tiny_model, finder, tmp_path / "held_out.txt")
    for frames, told in (
        (tmp_path, f"folds: {tmp_path} holds no annotated frames"),
        (shared / "data" / "mask-frames", "folds: no frame is named by all of"),
    ):
        done = run("benchmarks.folds", frames, *fold)
        assert done.returncode == 1
        assert done.stderr.startswith(told)
        assert len(done.stderr.splitlines()) == 1


def run(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a module as a user does."""
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=MODELS.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
