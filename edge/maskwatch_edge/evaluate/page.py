"""The report of `maskwatch evaluate --report`: one page of HTML beside its pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from maskwatch_edge.dataset import WORN_WRONG
from maskwatch_edge.errors import MissingExtraError
from maskwatch_edge.files import write_atomically
from maskwatch_edge.metrics import IOU

from .conditions import Conditions
from .frames import Trial, plot_trials
from .gallery import write_gallery
from .markup import document, meanings, plot, table, text
from .output import warn_of_missing_plots
from .shelves import mistakes
from .tables import NOUNS, Figures, comparison, counted, groups, recall_by_size, small_faces_note

PRECISION_RECALL, RECALL_BY_SIZE = "precision-recall.png", "recall-by-size.png"

FINDERS = {
    "tflite": "Maskwatch's own network, which learned from masked faces",
    "tflite-small": "the smaller one of Maskwatch's own networks",
    "yunet": "YuNet, a small network of the OpenCV zoo",
    "haar": "OpenCV's Haar cascade, which learned from faces without masks, long ago",
}
KINDS = {**NOUNS, WORN_WRONG: "with the mask worn wrong"}
WORDS = {
    "found": "A box of the finder lies on the annotated face: what the two share is at least "
    f"{IOU:g} of what they cover together (their IoU).",
    "right": "Found, and called what it is: “mask” if masked; “no mask” if unmasked, and also if "
    "the mask is worn wrong, with the nose or mouth bare. An unsure verdict is not right.",
    "false alarm": "A box on no annotated face, too far off one, or the second one on it. It may "
    "be a face that the people who annotated left out.",
    "AP50, mAP50": f"Average precision at an IoU of {IOU:g}: 1 if every face is found and called "
    "right and nothing else is; false alarms that the networks are sure of cost most. AP50 is of "
    "one kind of faces and mAP50 the mean of both; masks worn wrong are left out.",
    "px": "The shorter side of a face or box, in pixels of the original picture.",
    "ms a frame": "Milliseconds for finding and judging together, on the machine that measured.",
}
CURVES_CAPTION = (
    "From left to right, boxes that the networks are less and less sure of are counted in. Recall: "
    "the share of the faces that is found and called right by then. Precision: the share of the "
    "boxes so called that is right. A good finder stays at the top and reaches far to the right; "
    "where a line ends, all its boxes are counted."
)


def write_report(
    folder: Path, title: str, trials: Mapping[str, Trial], unavailable: Mapping[str, str]
) -> Path:
    """Write the page and its pictures.

    Args:
        folder: Made if need be; the page in it is `index.html`.
        title: What was measured on what.
        trials: What each finder made of the frames, by its name.
        unavailable: Why a finder was left out, by its name.

    Returns:
        The path of the page.

    Raises:
        OutputError: If a file cannot be written.
    """
    has_plots = _write_plots(folder, trials)
    shelves = [
        shelf
        for name, trial in trials.items()
        for shelf in write_gallery(folder, name, trial.mistakes)
    ]
    figures = {name: trial.figures() for name, trial in trials.items()}
    parts = [
        f"<h1>{text(title)}</h1>",
        *_introduction(figures),
        *_finders(list(trials), unavailable),
        *_comparison(figures),
        *_by_size(figures, has_plots),
        *(_curves() if has_plots else ()),
        *_groups(figures),
        *mistakes(shelves),
    ]
    path = folder / "index.html"
    write_atomically(path, document(title, parts))
    return path


def _write_plots(folder: Path, trials: Mapping[str, Trial]) -> bool:
    try:
        plot_trials(trials, folder / PRECISION_RECALL, folder / RECALL_BY_SIZE)
    except MissingExtraError as error:
        warn_of_missing_plots(error)
        return False
    return True


def _introduction(finders: Mapping[str, Figures]) -> Iterator[str]:
    one = next(iter(finders.values()))
    kinds = [
        f"{one['outcomes'][kind]['faces']:,} {words}"
        for kind, words in KINDS.items()
        if kind in one["outcomes"]
    ]
    yield (
        f"<p>Maskwatch looked at {counted(one['frames'], 'frame')} in which people had boxed and "
        "labelled the faces. A finder boxes the faces that it sees, and the model judges each: "
        f"mask or no mask. What counts is {counted(one['faces'], 'annotated face')} of "
        f"{one['min_face_size']} px and more{': ' if kinds else ''}{', '.join(kinds)}.</p>"
    )
    yield f'<p class="note">{text(" ".join(Conditions(**one["conditions"]).sentences()))}</p>'


def _finders(names: Sequence[str], unavailable: Mapping[str, str]) -> Iterator[str]:
    yield "<h2>The finders</h2>"
    left_out = {name: f"Left out: {reason}" for name, reason in unavailable.items()}
    yield meanings({name: FINDERS.get(name, "") for name in names} | left_out)


def _comparison(finders: Mapping[str, Figures]) -> Iterator[str]:
    yield "<h2>Finders compared</h2>"
    yield table(list(finders), comparison(finders))
    yield "<h3>What the words mean</h3>"
    yield meanings(WORDS)


def _by_size(finders: Mapping[str, Figures], has_plot: bool) -> Iterator[str]:
    yield "<h2>Found, by the size of the face</h2>"
    yield table(list(finders), recall_by_size(finders))
    caption = "Faces of all labels that were found, whatever was said of them. "
    caption += small_faces_note(next(iter(finders.values())))
    if has_plot:
        yield plot(RECALL_BY_SIZE, "Share of faces found by size, as in the table above", caption)
    else:
        yield f'<p class="note">{text(caption)}</p>'


def _curves() -> Iterator[str]:
    yield "<h2>Precision and recall</h2>"
    alternative = "Precision over recall for each label, a curve for each finder"
    yield plot(PRECISION_RECALL, alternative, CURVES_CAPTION)


def _groups(finders: Mapping[str, Figures]) -> Iterator[str]:
    heads, rows = groups(finders)
    if rows:
        yield "<h2>Groups of faces</h2>"
        yield "<p>The lists of faces that --groups named; a face may be on several.</p>"
        yield table(heads, rows)
