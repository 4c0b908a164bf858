"""The pieces of HTML that a report is made of. Text is escaped here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from urllib.parse import quote

from .tables import Row

STYLE = """
:root { color-scheme: light dark; --text: #1d1d1f; --ground: #fff; --faint: #636366;
  --line: #d8d8d8; --link: #00558a; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e8e8e8; --ground: #17181a; --faint: #a4a4a8; --line: #3a3b3e;
    --link: #56b4e9; } }
body { color: var(--text); background: var(--ground); font: 16px/1.5 system-ui, sans-serif;
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
a { color: var(--link); }
h1, h2, h3 { line-height: 1.2; margin: 2rem 0 0.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: 0.25rem 0.75rem; border-bottom: 1px solid var(--line); text-align: right; }
td { white-space: nowrap; }
th:first-child { text-align: left; font-weight: normal; padding-left: 0; }
dl { display: grid; grid-template-columns: fit-content(7rem) 1fr; gap: 0.25rem 1rem; }
dt { font-weight: 600; }
dd { margin: 0; }
figure { margin: 0; }
figcaption, .note { color: var(--faint); font-size: 0.85rem; }
.plot { margin: 1rem 0; }
.plot img { width: 100%; min-width: 36rem; background: #fff; border-radius: 6px;
  padding: 0.5rem; box-sizing: border-box; }
.shelf { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr));
  gap: 1rem 0.75rem; padding: 0; list-style: none; }
.shelf img { width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 4px; }
.found { border: 2px solid #f0e442; padding: 0 0.25rem; }
.annotated { border: 2px solid #56b4e9; padding: 0 0.25rem; }
@media (max-width: 30rem) { th, td { padding: 0.25rem 0.4rem; font-size: 0.9rem; } }
"""


def document(title: str, parts: Iterable[str]) -> str:
    """Return a whole page."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            '<head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{text(title)}</title>",
            f"<style>{STYLE}</style></head>",
            "<body>",
            *parts,
            "</body></html>\n",
        ]
    )


def table(head: Sequence[str], rows: Iterable[Row]) -> str:
    """Return a table whose first column names the rows; `head` names the others."""
    heads = "".join(f'<th scope="col">{text(name)}</th>' for name in ("", *head))
    lines = [
        f'<tr><th scope="row">{text(name)}</th>'
        + "".join(f"<td>{text(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, cells in rows
    ]
    return "\n".join(['<div class="wide"><table>', f"<tr>{heads}</tr>", *lines, "</table></div>"])


def meanings(words: Mapping[str, str]) -> str:
    """Return a list of words and what they mean."""
    lines = [f"<dt>{text(word)}</dt><dd>{text(meaning)}</dd>" for word, meaning in words.items()]
    return "\n".join(["<dl>", *lines, "</dl>"])


def plot(name: str, alternative: str, caption: str) -> str:
    """Return a plot, the PNG of that name, which opens alone when it is clicked."""
    return (
        f'<figure class="plot"><div class="wide"><a href="{quote(name)}">'
        f'<img src="{quote(name)}" alt="{text(alternative)}"></a></div>'
        f"<figcaption>{text(caption)}</figcaption></figure>"
    )


def shelf(figures: Iterable[str]) -> str:
    """Return small pictures side by side, as many as there is room for."""
    return "\n".join(['<ul class="shelf">', *(f"<li>{one}</li>" for one in figures), "</ul>"])


def picture(name: str, alternative: str, lines: Iterable[str]) -> str:
    """Return a picture, the PNG of that name, with lines below it."""
    caption = "<br>".join(map(text, lines))
    return (
        f'<figure><img src="{quote(name)}" alt="{text(alternative)}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def text(words: str) -> str:
    """Escape text for HTML, quotes too; a name of a file need not be UTF-8."""
    return escape(words.encode("utf-8", "replace").decode())
