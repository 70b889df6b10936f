"""What comes of one spec, and whether that is what the front end promises.

In: a `SpecInput`. Out: an `Outcome`; anything but a network or an `ArchspecError`, and any broken promise, is raised.
"""

from __future__ import annotations

import json
import sys
import tempfile
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import archspec
from archspec.api import overrides, read, restore
from archspec.diagnostics.codes import CODES
from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic, listed
from archspec.diagnostics.source import Source
from archspec.library import Located, locate
from archspec.report import report
from benchmarks.sweeps.spec_texts.spec_input import SpecInput

MOST_LAYERS = 3_000  # a changed repeat count makes more, which take their time
RESTORED = 150  # networks up to so many layers are also built from their bundle
_FIGURES = (
    "params",
    "params_no_bias",
    "macs",
    "attention_macs",
    "flops",
    "activations",
    "training_bytes",
    "weight_layers",
)


class Outcome(NamedTuple):
    """The codes that were reported, in order of appearance, whether there is a network, and how much was written."""

    codes: tuple[str, ...]
    is_network: bool
    written: int

    @property
    def is_past_parsing(self) -> bool:
        """Whether the text was read and its volumes were looked at: a network, or an error about volumes or claims."""
        return self.is_network or any(code[:2] in ("E2", "E3") for code in self.codes)


class Broken(Exception):
    """A promise of the front end that did not hold."""


def outcome(given: SpecInput) -> Outcome:
    """Return what comes of a spec. Raises what `archspec` raises beside its own errors, and `Broken`."""
    try:
        network = _loaded(given)
    except archspec.ArchspecError as error:
        return _refused(error)
    table, document = str(network), network.to_dict()
    table += report(network, depth=sys.maxsize)
    _expect(_is_printable(table), "the table has control characters")
    _expect(document["params"] == network.params, "the JSON's parameters are not the network's")
    _check_figures(document)
    _check_findings(network.diagnostics)
    if len(network.graph.nodes) <= RESTORED:
        again = restore(json.loads(json.dumps(network.bundle.to_dict())))
        _expect(_figures(again.to_dict()) == _figures(document), "the bundle's network has other figures")
    return Outcome(_codes(network.diagnostics), True, _written(table, document))


def _loaded(given: SpecInput) -> archspec.Network:
    content, changes, beside = given
    wanted: dict[str, Any] = {"input": None, "classes": None, "variant": None, "values": {}}
    wanted.update({"values" if name == "set" else name: value for name, value in changes.items()})
    if isinstance(content, str):
        located = Located("spec", Source("spec", content), None)
        return read(located, overrides(**wanted), max_layers=MOST_LAYERS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.arch"
        path.write_bytes(content)
        for name, text in beside.items():
            (Path(folder) / f"{name}.arch").write_bytes(text.encode("utf-8", "surrogatepass"))
        return read(locate(str(path)), overrides(**wanted), max_layers=MOST_LAYERS)


def _refused(error: archspec.ArchspecError) -> Outcome:
    text, findings = str(error), error.diagnostics
    _expect(bool(text), "an error without text")
    _expect(_is_printable(text), "the findings have control characters")
    _expect(any(finding.severity == "error" for finding in findings), "an error without an error among its findings")
    _check_findings(findings)
    shown = sum(line.startswith(("error[", "warning[")) for line in text.splitlines())
    _expect(shown == min(len(findings), MAX_SHOWN), f"{shown} of {len(findings)} findings are shown")
    return Outcome(_codes(findings), False, _written(text, listed(findings)))


def _codes(findings: Sequence[Diagnostic]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.code for finding in findings))


def _written(text: str, data: object) -> int:
    """Return the bytes of the text and of the JSON, which must be what other programs read."""
    return len(text.encode("utf-8")) + len(json.dumps(data, allow_nan=False).encode("utf-8"))


def _check_findings(findings: Sequence[Diagnostic]) -> None:
    for finding in findings:
        _expect(finding.code in CODES, f"the code {finding.code} is not explained")
        data: dict[str, Any] = finding.to_dict()
        for text in (data["message"], *data["notes"], *data["helps"]):
            _expect(bool(text.strip()), f"{finding.code} has an empty text")
            _expect(_is_printable(text), f"{finding.code} has control characters: {text!r:.300}")
        for label in finding.labels:
            source, start, end = label.span
            _expect(0 <= start <= end <= len(source.text), f"{finding.code} points outside the text: {start} to {end}")
            line, column = source.position(start)
            _expect(1 <= column <= len(source.line(line)) + 1, f"{finding.code} points to column {column}")


def _check_figures(document: dict[str, Any]) -> None:
    rows = [document, *document["layers"]]
    for row in rows:
        for name in _FIGURES:
            value = row.get(name, 0)
            _expect(type(value) is int and value >= 0, f"{name} is {value!r:.60}")
        sizes = [*row["output"], *(row["receptive_field"] or ())]
        _expect(all(type(size) is int and size >= 1 for size in sizes), f"a size of {sizes!r:.60}")


def _figures(document: dict[str, Any]) -> object:
    """Return all figures, without the names of files."""
    rows = [{name: value for name, value in row.items() if name != "file"} for row in document["layers"]]
    others = ("receptive_field", "inputs", "outputs")
    return [document[name] for name in (*_FIGURES, *others)], rows


def _is_printable(text: str) -> bool:
    """Whether a terminal shows the text as it is: no control characters but the ends of lines, no surrogates."""
    return text.isprintable() or not any(
        unicodedata.category(letter) in ("Cc", "Cs") for letter in text if letter != "\n"
    )


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)
