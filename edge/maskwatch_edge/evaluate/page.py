"""The report of `maskwatch evaluate --report`: one page of HTML beside its pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from maskwatch_edge.errors import MissingExtraError
from maskwatch_edge.files import write_atomically
from maskwatch_edge.metrics import IOU

from .frames import Trial, plot_trials
from .gallery import Shelf, write_gallery
from .mistakes import Mistake
from .output import warn_of_missing_plots
from .tables import NOUNS, Figures, Row, comparison, recall_by_size

PRECISION_RECALL, RECALL_BY_SIZE = "precision-recall.png", "recall-by-size.png"

STYLE = """
:root { color-scheme: light dark; --text: #1d1d1f; --ground: #fff; --faint: #6b6b6b;
  --line: #d8d8d8; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e8e8e8; --ground: #17181a; --faint: #a0a0a0; --line: #3a3b3e; } }
body { color: var(--text); background: var(--ground); font: 16px/1.5 system-ui, sans-serif;
  max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; margin: 2rem 0 0.5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child { text-align: left; font-weight: normal; }
.plot { max-width: 100%; background: #fff; border-radius: 6px; }
.shelf { display: flex; flex-wrap: wrap; gap: 0.75rem; padding: 0; list-style: none; }
figure { margin: 0; max-width: 13rem; }
figure img { height: 144px; max-width: 100%; object-fit: contain; border-radius: 4px; }
figcaption, .note { color: var(--faint); font-size: 0.8rem; overflow-wrap: anywhere; }
"""


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
        *_introduction(title, figures, unavailable),
        *_figures(figures),
        *(_plots() if has_plots else ()),
        *_gallery(shelves),
    ]
    path = folder / "index.html"
    write_atomically(path, _document(title, parts))
    return path


def _write_plots(folder: Path, trials: Mapping[str, Trial]) -> bool:
    try:
        plot_trials(trials, folder / PRECISION_RECALL, folder / RECALL_BY_SIZE)
    except MissingExtraError as error:
        warn_of_missing_plots(error)
        return False
    return True


def _document(title: str, parts: Iterable[str]) -> str:
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            '<head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(title)}</title>",
            f"<style>{STYLE}</style></head>",
            "<body>",
            *parts,
            "</body></html>\n",
        ]
    )


def _introduction(
    title: str, finders: Mapping[str, Figures], unavailable: Mapping[str, str]
) -> Iterator[str]:
    one = next(iter(finders.values()))
    yield f"<h1>{_text(title)}</h1>"
    yield (
        f"<p>{one['frames']:,} frames with {one['faces']:,} annotated faces of "
        f"{one['min_face_size']} px and more, measured by the shorter side. A face is found where "
        f"a box overlaps it with an IoU of at least {IOU:g}. Right is a mask that is called one, "
        "and everything else that is called no mask; masks worn wrong are left out of the average "
        "precision.</p>"
    )
    for name, reason in unavailable.items():
        yield f"<p>Left out: {_text(name)}: {_text(reason)}</p>"


def _figures(finders: Mapping[str, Figures]) -> Iterator[str]:
    yield "<h2>Finders compared</h2>"
    yield _table(list(finders), comparison(finders))
    yield "<h2>Found, by the size of the face</h2>"
    yield _table(list(finders), recall_by_size(finders))


def _table(head: Sequence[str], rows: Iterable[Row]) -> str:
    heads = "".join(f'<th scope="col">{_text(name)}</th>' for name in ("", *head))
    lines = [
        f'<tr><th scope="row">{_text(name)}</th>'
        + "".join(f"<td>{_text(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, cells in rows
    ]
    return "\n".join(["<table>", f"<tr>{heads}</tr>", *lines, "</table>"])


def _plots() -> Iterator[str]:
    yield "<h2>Plots</h2>"
    yield _plot(PRECISION_RECALL, "Precision over recall for each label, a curve for each finder")
    yield _plot(RECALL_BY_SIZE, "Share of faces found by size, as in the table above")


def _plot(name: str, alternative: str) -> str:
    return f'<p><img class="plot" src="{quote(name)}" alt="{_text(alternative)}"></p>'


def _gallery(shelves: Iterable[Shelf]) -> Iterator[str]:
    yield "<h2>Mistakes</h2>"
    yield '<p class="note">The largest misses and the surest other mistakes come first.</p>'
    for shelf in shelves:
        yield f"<h3>{_text(shelf.finder)}: {_text(_heading(shelf))}</h3>"
        if shelf.left_out:
            yield f'<p class="note">{shelf.left_out:,} more are not shown.</p>'
        if shelf.pictures:
            figures = [f"<li>{_figure(one, name)}</li>" for one, name in shelf.pictures]
            yield "\n".join(['<ul class="shelf">', *figures, "</ul>"])


def _heading(shelf: Shelf) -> str:
    count = len(shelf.pictures) + shelf.left_out
    plural = "es" if shelf.what.endswith("s") else "s"
    return f"{count:,} {shelf.what}{'' if count == 1 else plural}"


def _figure(mistake: Mistake, name: str) -> str:
    said = _said(mistake)
    alternative = f"{mistake.what}: {said}"
    return (
        f'<figure><img src="{quote(name)}" alt="{_text(alternative)}">'
        f"<figcaption>{_text(said)}<br>{_text(mistake.path.name)}</figcaption></figure>"
    )


def _said(mistake: Mistake) -> str:
    """Say what the picture shows and what was said of it."""
    truth = NOUNS.get(mistake.kind, "no annotated face")
    said = f", called {mistake.said.replace('_', ' ')}" if mistake.said else ""
    score = f" ({mistake.weight:.2f})" if mistake.said else ""
    return f"{truth}, {mistake.box.size} px{said}{score}"


def _text(text: str) -> str:
    """Escape text for HTML, quotes too; a name of a file need not be UTF-8."""
    return escape(text.encode("utf-8", "replace").decode())
