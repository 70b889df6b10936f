"""A spec that is wrapped in something else: a conflict of git, a diff, a string of JSON or Python, numbered lines.

In: the text. Out: the finding that names what it is in, with the spec itself as its help.
"""

from __future__ import annotations

import re

from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Source, Span
from archspec.language.layout import Unread
from archspec.language.mistakes.foreign import printed

_CONFLICT = re.compile(
    r"^<{7}.*\n(?P<ours>(?:.*\n)*?)(?:^\|{7}.*\n(?:.*\n)*?)?^={7}.*\n(?P<theirs>(?:.*\n)*?)^>{7}.*(?:\n|\Z)",
    re.MULTILINE,
)
_DIFF = re.compile(r"^@@ .*@@", re.MULTILINE)
_REMOVED = re.compile(r"^-(?=[A-Za-z\[|]| {2,}\S).*", re.MULTILINE)
_ADDED = re.compile(r"^\+(?=[A-Za-z\[|]| {2,}\S).*", re.MULTILINE)
_HEADER = re.compile(r"(?:diff |index |--- |\+\+\+ |@@|\\ No newline|new file|deleted file|commit |Author: |Date: )")
_STRING = re.compile(r"""\s*(?:\w+ *= *)?[rbu]?(["'])(?P<inside>.*\\n.*)\1[,;]?\s*""")
LONGEST = 100_000


def wrapped(source: Source) -> Unread | None:
    """Return the finding for a spec inside something else."""
    if len(source.text) > LONGEST:
        return None
    return _conflict(source) or _diff(source) or _string(source) or printed.numbered(source)


def _conflict(source: Source) -> Unread | None:
    found = list(_CONFLICT.finditer(source.text))
    if not found:
        return None
    first = Span(source, found[0].start(), found[0].start() + len(found[0][0].split("\n", 1)[0]))
    helps = (
        Help(text, *(Edit(Span(source, *one.span()), one[side]) for one in found))
        for text, side in (("keep the first version", "ours"), ("keep the second version", "theirs"))
    )
    return Unread("E001", "git left a conflict here: two versions of the same lines", first, "a conflict", helps=helps)


def _diff(source: Source) -> Unread | None:
    found = _DIFF.search(source.text)
    lines = source.text.rstrip("\n").split("\n")
    new = [line[1:] for line in lines if line[:1] in ("+", " ") and not _HEADER.match(line)]
    if not found and _REMOVED.search(source.text) and (found := _ADDED.search(source.text)):
        new = [line.removeprefix("+") for line in lines if not line.startswith("-")]
    if not found:
        return None
    first = Span(source, *found.span())
    helps = (Help("the new version of its lines", Edit(Span(source, 0, len(source.text)), "\n".join(new) + "\n")),)
    return Unread("E001", "this is a diff, not a spec", first, "not a line of a spec", helps=helps)


def _string(source: Source) -> Unread | None:
    found = _STRING.fullmatch(source.text)
    if not found:
        return None
    text = found["inside"].replace("\\n", "\n").replace("\\t", "    ").replace("\\u2192", "→").replace('\\"', '"')
    span = Span(source, found.start(1), found.end("inside") + 1)
    helps = (Help("its lines without quotes", Edit(Span(source, 0, len(source.text)), text.rstrip("\n") + "\n")),)
    return Unread(
        "E001", "the spec is a quoted string, with `\\n` for its ends of lines", span, "a string", helps=helps
    )
