"""The names that a file defines: blocks, parameters, variants, rules for layers, and what it uses from other files.

In: a file's declarations, the command line's changes, and a function that loads a file by name. Out: `FileNames`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, TypeAlias

from archspec.diagnostics.errors import Finding, collect
from archspec.diagnostics.findings import Diagnostic
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.language.expressions import Unknown, evaluate
from archspec.layers import Layer
from archspec.record import Record
from archspec.resolve.layer_names import is_reserved, labels_in, name_layer

Loader = Callable[[str, Span], s.File]
Seen: TypeAlias = dict[tuple[str, str], Span]
MAX_FILES = 50


class Overrides(Record):
    """What the command line changes; `inputs` are those that it names: `--input left=128x128x1`."""

    input: tuple[int, ...] | None = None
    classes: int | None = None
    values: tuple[tuple[str, object], ...] = ()
    variant: str | None = None
    inputs: tuple[tuple[str, tuple[int, ...]], ...] = ()

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
    """A file's own names: its blocks (with those it uses), its parameters, its `after` and `init` rules."""

    def __init__(self) -> None:
        self.blocks: dict[str, Block] = {}
        self.values: dict[str, Value] = {}
        self.after: dict[type[Layer], s.After] = {}
        self.init: dict[type[Layer], s.Init] = {}
        self.train: s.Train | None = None
        self.lost: set[str] = set()  # names of an invalid `use`, `param` or `block`, which was reported
        self.syntax: s.File | None = None


class DeclarationReader:
    """Read declarations, collecting findings."""

    def __init__(self, load: Loader, overrides: Overrides) -> None:
        self.load = load
        self.overrides = overrides
        self.findings: list[Diagnostic] = []
        self.title = ""
        self.variants: dict[str, s.Variant] = {}
        self.sources: list[s.SourceLine] = []
        self.loaded: dict[str, FileNames] = {}
        self._loading: list[str] = []
        self._asked: set[str] = set()

    def read(self, file: s.File, is_main: bool = True) -> FileNames:
        """Return the names that a file defines."""
        names = FileNames()
        names.syntax = file
        seen: Seen = {}
        for declaration in sorted(file.declarations, key=_order):
            try:
                _once(declaration, seen)
                self._declare(declaration, names, seen, is_main)
            except (Finding, Unknown) as wrong:
                names.lost |= {declaration.name} if isinstance(declaration, s.Param | s.BlockDefinition) else set()
                if isinstance(wrong, Finding):
                    collect(self.findings, wrong, declaration.span)
        if is_main and self.sources:
            from archspec.resolve.sources import findings  # most specs name none

            self.findings += [one.diagnostic(file.span) for one in findings(self.sources, self.variants)]
        if is_main and (self.variants or self.overrides.values or self.overrides.variant is not None):
            self._change(names, file)
        return names

    def _declare(self, node: s.Declaration, names: FileNames, seen: Seen, is_main: bool) -> None:
        if isinstance(node, s.BlockDefinition):
            _check_names(node, names)
            names.blocks[node.name] = Block(node, names, labels_in(node.body))
        elif isinstance(node, s.Use):
            self._use(node, names, seen)
        elif isinstance(node, s.Train):
            names.train = node
        elif isinstance(node, s.After | s.Init):
            _declare_rule(node, names)
        elif isinstance(node, s.Param):
            _check_names(node, names)
            names.values[node.name] = _value(node.value, names.values, names)
        elif isinstance(node, s.Variant) and is_main:
            self.variants[node.name] = node
        elif isinstance(node, s.Net) and is_main:
            self.title = node.title
        elif isinstance(node, s.SourceLine) and is_main:
            self.sources.append(node)

    def _change(self, names: FileNames, file: s.File) -> None:
        """Check all variants and apply one; then set the values of single parameters."""
        from archspec.resolve.changes.parameters import ParameterChanges  # of families only

        changes = ParameterChanges(self.variants, names.blocks, self.findings)
        for variant in self.variants.values():
            values = names.values if variant.name == self.overrides.variant else dict(names.values)
            changes.apply(variant, values, partial(_value, values=values, names=names))
        if self.overrides.variant is not None and self.overrides.variant not in self.variants:
            raise changes.unknown_variant(self.overrides.variant)
        changes.set(names.values, self.overrides.values, Span(file.span.source, 0, 0))

    def _use(self, node: s.Use, names: FileNames, seen: Seen) -> None:
        names.lost |= {name.name for name in node.names if name.name != "train"}
        other = self._names(node)
        for name in node.names:
            if name.name == "train":
                if other.train is None or names.train is not None:
                    raise _findings().no_recipe(node, name, names.train)
                names.train = other.train
                continue
            key = (s.BlockDefinition.__name__, name.name)
            if key in seen:
                raise _findings().used_twice(name, seen[key])
            if name.name not in other.blocks:
                raise _findings().no_used_block(node, name, other.blocks)
            seen[key] = name.span
            names.blocks[name.name] = other.blocks[name.name]

    def _names(self, node: s.Use) -> FileNames:
        if node.file in self.loaded:
            return self.loaded[node.file]
        self._asked.add(node.file)
        if len(self._asked) > MAX_FILES:
            raise Finding("E112", f"more than {MAX_FILES} files are used", node.span, helps=("merge some of them",))
        if node.file in self._loading:
            message = f"files use each other: {' -> '.join([*self._loading, node.file])}"
            raise Finding("E115", message, node.span, helps=("move the shared blocks to a third file",))
        self._loading.append(node.file)
        try:
            file = self.load(node.file, node.span)
            if file.span.source.text == node.span.source.text:
                raise _findings().used_by_itself(node)
            self.loaded[node.file] = self.read(file, is_main=False)
        finally:
            self._loading.pop()
        return self.loaded[node.file]


def _order(node: s.Declaration) -> int:
    """Sort blocks before the declarations that may refer to them."""
    return {s.Use: 0, s.BlockDefinition: 1, s.Param: 2}.get(type(node), 3)


def _once(node: s.Declaration, seen: Seen) -> None:
    """Raise Finding for a declaration with the name of another."""
    if isinstance(node, s.Net | s.Train | s.License):
        key = (type(node).__name__, "")
    elif isinstance(node, s.BlockDefinition | s.Param | s.Variant | s.Published):
        key = (type(node).__name__, node.name)
    elif isinstance(node, s.Cites):
        key = (type(node).__name__, node.title)
    else:
        return
    if key in seen:
        raise _findings().declared_twice(node, key[1], seen[key])
    seen[key] = node.span


def _value(expression: s.Expression, values: dict[str, Value], names: FileNames) -> Value:
    """Evaluate the value of a parameter, which may refer to those above it. Raises Finding for an invalid one."""

    def lookup(name: s.Name) -> Value:
        for known in (values, names.blocks):
            if name.name in known:
                return known[name.name]
        if name.name in names.lost:
            raise Unknown
        raise _findings().undefined(name, [*values, *names.blocks], names.syntax)

    value: Value = evaluate(expression, lookup)
    return value


def _check_names(node: s.BlockDefinition | s.Param, names: FileNames) -> None:
    """Raise Finding for a reserved name, and for two parameters of one name."""
    if node.name == "x" or (isinstance(node, s.Param) and is_reserved(node.name)):
        raise _findings().reserved(node.name, node.span, names.syntax)
    if isinstance(node, s.Param):
        return
    seen: dict[str, Span] = {}
    for parameter in node.parameters:
        if is_reserved(parameter.name) or (parameter.is_volume and parameter.name == "before"):
            raise _findings().reserved_parameter(parameter, node, names.syntax)
        if "." in parameter.name or (parameter.is_list and parameter is not node.parameters[-1]):
            raise _findings().misplaced_parameter(parameter, node)
        if parameter.name in seen:
            raise _findings().parameter_twice(parameter, node, seen[parameter.name])
        seen[parameter.name] = parameter.span


def rule_layer(word: s.Word) -> type[Layer]:
    """Return the layer that a word of an `after` or `init` line names. Raises Finding if there is none."""
    return name_layer(s.LayerStep((word,), True, (), None, (), word.span)).layer


def _declare_rule(node: s.After | s.Init, names: FileNames) -> None:
    rules: dict[type[Layer], Any] = names.after if isinstance(node, s.After) else names.init
    for step in node.steps if isinstance(node, s.After) else ():
        if not isinstance(step, s.LayerStep):
            raise Finding("E105", "`after` can only add layers", step.span, notes=("write them out: `BN -> RELU`",))
        if any(isinstance(argument.value, s.Reference) for argument in step.arguments):
            raise Finding("E105", "`after` cannot give volumes or weights to a layer", step.span, "given a label")
    for word in node.words:
        layer = rule_layer(word)
        if layer in rules:
            raise _findings().rule_twice(node, word, rules[layer])
        rules[layer] = node


def _findings() -> ModuleType:
    """Return the module of the findings, which a correct spec does not need."""
    from archspec.resolve.names import declared

    return declared
