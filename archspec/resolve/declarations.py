"""The names that a file defines: blocks, parameters, variants, `after` rules, and what it uses from other files.

In: a file's declarations, the command line's changes, and a function that loads a file by name. Out: `FileNames`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from archspec.diagnostics.errors import Finding, collect
from archspec.diagnostics.findings import Diagnostic, Label, did_you_mean
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.language.expressions import Unknown, evaluate
from archspec.language.transform_expressions import LARGEST
from archspec.layers import Layer
from archspec.record import Record
from archspec.resolve.layer_names import labels_in, name_layer

Loader = Callable[[str, Span], s.File]
MAX_FILES = 50


class Overrides(Record):
    """What the command line changes: `--input`, `--classes`, `--set` and `--variant`."""

    input: tuple[int, ...] | None = None
    classes: int | None = None
    values: tuple[tuple[str, object], ...] = ()
    variant: str | None = None

    @property
    def any(self) -> bool:
        """Whether anything is changed."""
        return self != Overrides()


class Block(Record):
    """A block: its definition, and the names and rules of the file that defines it."""

    definition: s.BlockDefinition
    file: FileNames
    labels: frozenset[str]  # of its lines


Value: TypeAlias = int | float | Block


class FileNames:
    """A file's own names: its blocks (with those it uses), its parameters, its `after` rules."""

    def __init__(self) -> None:
        self.blocks: dict[str, Block] = {}
        self.values: dict[str, Value] = {}
        self.after: dict[type[Layer], s.After] = {}
        self.train: s.Train | None = None
        self.lost: set[str] = set()  # names of an invalid `use` or `param`, which was reported


class DeclarationReader:
    """Read declarations, collecting findings."""

    def __init__(self, load: Loader, overrides: Overrides) -> None:
        self.load = load
        self.overrides = overrides
        self.findings: list[Diagnostic] = []
        self.title = ""
        self.variants: dict[str, s.Variant] = {}
        self._loaded: dict[str, FileNames] = {}
        self._loading: list[str] = []
        self._asked: set[str] = set()

    def read(self, file: s.File, is_main: bool = True) -> FileNames:
        """Return the names that a file defines."""
        names = FileNames()
        seen: dict[tuple[str, str], Span] = {}
        for declaration in sorted(file.declarations, key=_order):
            try:
                self._once(declaration, seen)
                self._declare(declaration, names, is_main)
            except (Finding, Unknown) as wrong:
                names.lost |= {declaration.name} if isinstance(declaration, s.Param) else set()
                if isinstance(wrong, Finding):
                    collect(self.findings, wrong, declaration.span)
        if is_main:
            self._override(names, file)
        return names

    def _declare(self, node: s.Declaration, names: FileNames, is_main: bool) -> None:
        if isinstance(node, s.BlockDefinition):
            _check_parameters(node)
            names.blocks[node.name] = Block(node, names, labels_in(node.body))
        elif isinstance(node, s.Use):
            self._use(node, names)
        elif isinstance(node, s.Train):
            names.train = node
        elif isinstance(node, s.After):
            _declare_after(node, names)
        elif isinstance(node, s.Param):
            names.values[node.name] = self._value(node.value, names)
        elif isinstance(node, s.Variant) and is_main:
            self.variants[node.name] = node
        elif isinstance(node, s.Net) and is_main:
            self.title = node.title

    @staticmethod
    def _once(node: s.Declaration, seen: dict[tuple[str, str], Span]) -> None:
        if isinstance(node, s.Net | s.Train):
            key = (type(node).__name__, "")
        elif isinstance(node, s.BlockDefinition | s.Param | s.Variant):
            key = (type(node).__name__, node.name)
        else:
            return
        if key in seen:
            nouns = {"Net": "the title", "Train": "`train`", "Param": "the parameter", "Variant": "the variant"}
            noun = nouns.get(key[0], "the block")
            others = (Label(seen[key], "the first"),)
            message = f"{noun} `{key[1]}` is given twice" if key[1] else f"{noun} is given twice"
            raise Finding("E109", message, node.span, "the second", others=others, helps=("drop one",))
        seen[key] = node.span

    @staticmethod
    def _value(expression: s.Expression, names: FileNames) -> Value:
        def lookup(name: s.Name) -> Value:
            for known in (names.values, names.blocks):
                if name.name in known:
                    return known[name.name]
            if name.name in names.lost:
                raise Unknown
            raise Finding("E101", f"undefined name `{name.name}`", name.span, "unknown", helps=lambda: near(name.name))

        def near(name: str) -> tuple[str, ...]:
            return did_you_mean(name, [*names.values, *names.blocks])

        value: Value = evaluate(expression, lookup)
        return value

    def _override(self, names: FileNames, file: s.File) -> None:
        """Apply a variant, then the values of single parameters."""
        if self.overrides.variant is not None:
            variant = self.variants.get(self.overrides.variant)
            if variant is None:
                raise _no_variant(self.overrides.variant, self.variants)
            for binding in variant.bindings:
                try:
                    self._set(names, binding.name, self._value(binding.value, names), binding.span)
                except Finding as finding:
                    collect(self.findings, finding, binding.span)
        for name, value in self.overrides.values:
            try:
                self._set(names, name, _setting(name, value, names), Span(file.span.source, 0, 0))
            except Finding as finding:
                self.findings.append(Diagnostic(finding.code, finding.message, helps=finding.helps))

    @staticmethod
    def _set(names: FileNames, name: str, value: Value, span: Span) -> None:
        if name not in names.values:
            has = ("the parameters are " + ", ".join(names.values) if names.values else "the spec has no parameters",)
            message = f"unknown parameter `{name}`"
            raise Finding("E103", message, span, "unknown", helps=lambda: did_you_mean(name, names.values) or has)
        if isinstance(names.values[name], Block) != isinstance(value, Block):
            kind, blocks = ("number", ()) if isinstance(value, Block) else ("block", tuple(names.blocks))
            raise Finding("E105", f"`{name}` takes a {kind}", span, helps=(f"`{name}={block}`" for block in blocks[:3]))
        names.values[name] = value

    def _use(self, node: s.Use, names: FileNames) -> None:
        names.lost |= {name.name for name in node.names if name.name != "train"}
        other = self._names(node)
        for name in node.names:
            if name.name == "train":
                names.train = _recipe_of(node, name, other, names.train)
                continue
            if name.name not in other.blocks:
                raise _no_block(node, name, other)
            names.blocks[name.name] = other.blocks[name.name]

    def _names(self, node: s.Use) -> FileNames:
        if node.file in self._loaded:
            return self._loaded[node.file]
        self._asked.add(node.file)
        if len(self._asked) > MAX_FILES:
            raise Finding("E112", f"more than {MAX_FILES} files are used", node.span, helps=("merge some of them",))
        if node.file in self._loading:
            message = f"files use each other: {' -> '.join([*self._loading, node.file])}"
            raise Finding("E115", message, node.span, helps=("move the shared blocks to a third file",))
        self._loading.append(node.file)
        try:
            self._loaded[node.file] = self.read(self.load(node.file, node.span), is_main=False)
        finally:
            self._loading.pop()
        return self._loaded[node.file]


def _no_block(node: s.Use, name: s.Name, other: FileNames) -> Finding:
    def helps() -> tuple[str, ...]:
        return did_you_mean(name.name, other.blocks) or ("its blocks are " + ", ".join(other.blocks),)

    return Finding("E101", f"`{node.file}` has no block `{name.name}`", name.span, "unknown", helps=helps)


def _recipe_of(node: s.Use, name: s.Name, other: FileNames, before: s.Train | None) -> s.Train:
    if other.train is None:
        helps = ("add one here: `train`, with its settings indented under it",)
        raise Finding("E101", f"`{node.file}` has no `train` section", name.span, "not found", helps=helps)
    if before is not None:
        raise Finding("E109", "`train` is used from two files", name.span, "the second", helps=("drop one",))
    return other.train


def _setting(name: str, value: object, names: FileNames) -> Value:
    """Return the value that `--set name=value` gives a parameter: a number, or a block by its name."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not abs(value) <= LARGEST:  # nor is NaN
            raise Finding("E008", f"`{name}`: expected a number of at most 2^63", helps=(f"`--set {name}=64`",))
        return value
    text = str(value)
    if text not in names.blocks:
        helps = did_you_mean(text, names.blocks) or ("give a number or the name of a block",)
        raise Finding("E105", f"`{name}={text}`: `{text}` is neither a number nor a block", helps=helps)
    return names.blocks[text]


def _order(node: s.Declaration) -> int:
    """Sort blocks before the declarations that may refer to them."""
    return {s.Use: 0, s.BlockDefinition: 1, s.Param: 2}.get(type(node), 3)


def _check_parameters(node: s.BlockDefinition) -> None:
    seen: dict[str, Span] = {}
    for parameter in node.parameters:
        if parameter.name in seen:
            others = (Label(seen[parameter.name], "the first"),)
            raise Finding("E109", f"the parameter `{parameter.name}` is given twice", parameter.span, others=others)
        seen[parameter.name] = parameter.span


def _declare_after(node: s.After, names: FileNames) -> None:
    for word in node.words:
        layer = name_layer(s.LayerStep((word,), True, (), None, (), word.span)).layer
        if layer in names.after:
            others = (Label(names.after[layer].span, "the first"),)
            raise Finding("E109", f"`after {word.text}` is given twice", word.span, "the second", others=others)
        names.after[layer] = node


def _no_variant(name: str, variants: dict[str, s.Variant]) -> Finding:
    known = ", ".join(variants)
    helps = did_you_mean(name, variants) or (f"the variants are {known}" if known else "the spec has no variants",)
    return Finding("E116", f"unknown variant `{name}`", helps=helps)
