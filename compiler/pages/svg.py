"""The parts that every picture is made of: an SVG document, text, numbers.

In: positions and words. Out: the text of an SVG that needs no other file, and is readable in light and dark mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from archspec.diagnostics.findings import printable

STYLE = (
    "<style>.pic{background:#fff;font:12px system-ui,sans-serif}.pic text{fill:#222}.pic .dim{fill:#666}"
    ".pic .grid{stroke:#ddd;fill:none}.pic .frame{stroke:#999;fill:none}.pic .on{fill:#fff}"
    "@media screen and (prefers-color-scheme:dark){.pic{background:#16181d}.pic text{fill:#e4e4e4}"
    ".pic .dim{fill:#a0a0a0}.pic .grid{stroke:#333}.pic .frame{stroke:#777}.pic .on{fill:#fff}}</style>"
)
LETTER = 0.58  # average width, as a share of the font size
ROW = 18  # height of a line of text


def shown_text(words: str) -> str:
    """Return words for a page: names of classes may have characters that act on text, or that no XML may have."""
    return escape(printable(words))


def svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    """Return a document of this size."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pic" viewBox="0 0 {width:.0f} {height:.0f}"'
        f' font-family="system-ui,sans-serif" font-size="12" role="img" aria-label="{shown_text(title)}">'
    )
    return "\n".join([head, STYLE, *parts, "</svg>"]) + "\n"


def text(x: float, y: float, words: str, more: str = "") -> str:
    """Return words at a position; `more` are further attributes."""
    return f'<text x="{x:.1f}" y="{y:.1f}"{more and " " + more}>{shown_text(words)}</text>'


def number(value: float) -> str:
    """Return a number as pictures show it.

    >>> number(0.0213456), number(1234567.0), number(3.0)
    ('0.02135', '1.235e+06', '3')
    """
    return f"{value:.4g}"
