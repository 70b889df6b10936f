"""From the parser's rules to syntax: one method for each rule of grammar/archspec.lark.

In: tokens and the results of the rules below, as lark passes them. Out: records of `syntax.py`.
Text that the grammar accepts but that is meaningless raises a `Finding` here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lark import Token, v_args

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.language.transform_expressions import NO_NOTE, TIMES, ExpressionBuilder

_FIRST_WORDS = frozenset({"MAX", "AVG", "AVERAGE", "GLOBAL"})  # of layers with two
# words on slides without a meaning: `96 11x11 filters at stride 4`, `NORM1: Normalization layer`, `FC8: class scores`
NOISE_WORDS = (
    {"a", "and", "at", "each", "of", "size", "the", "to", "with"}
    | {"class", "layer", "local", "normalization", "response", "scores"}
    | {"channels", "filter", "filters", "kernel", "kernels", "neuron", "neurons", "nodes", "unit", "units"}
    | {"pixels", "window", "windows"}
)


@v_args(inline=True)
class SyntaxBuilder(ExpressionBuilder):
    """Build syntax while a line is parsed; token positions count from `offset` in `source`."""

    # ---- parts of steps
    def positional(self, value: Any) -> s.GivenArgument:
        if isinstance(value, s.Name) and TIMES.fullmatch(value.name):  # RELU (x2)
            raise Finding("E001", f"`{value.name}` is not an argument", value.span, "a repeat?")
        return s.GivenArgument(None, value, value.span)

    def named(self, name: Token, value: Any) -> s.GivenArgument:
        return s.GivenArgument(str(name), value, self._span(name, value))

    def volume(self, token: Token) -> s.GivenArgument:
        return s.GivenArgument(None, self._reference(token), self._span(token))

    def named_volume(self, name: Token, token: Token) -> s.GivenArgument:
        return s.GivenArgument(name.removeprefix("@"), self._reference(token), self._span(name, token))

    def _reference(self, token: Token) -> s.Reference:
        return s.Reference(str(token[1:]), self._span(token))

    def word(self, token: Token) -> s.Word:
        return s.Word(str(token), self._span(token))

    def note(self, token: Token) -> None:
        if NO_NOTE.search(token):
            helps = (Help(f"drop `{token}`", Edit(self._span(token), "")),)
            raise Finding(
                "E001", "arguments and steps in a note are not read", self._span(token), "a note", helps=helps
            )

    def bracket(self, *dimensions: Any) -> s.Bracket:
        first, last = dimensions[0], dimensions[-1]
        if isinstance(first, Token):
            text = first[1:-1].replace(" ", "")
            return s.Bracket(self._dimensions(first, text), self._span(first))
        start = self.source.text.rfind("[", 0, first.span.start)
        start = first.span.start if start < 0 else start  # a bracket that lacks one of its marks
        end = max(last.span.end, self.source.text.find("]", last.span.end) + 1)
        return s.Bracket(dimensions, Span(self.source, start, end))

    def claimed_volume(self, bracket: s.Bracket) -> s.Bracket:
        return bracket

    def claim(self, kind: Token, value: Any, figure: Any) -> s.Claim:
        value, figure = self._measure(value), self._measure(figure)
        span = self._span(kind, value if figure is None else figure)
        return s.Claim(kind.rstrip(": "), value, figure, span)

    # ---- steps
    def layer(self, first: Token, *parts: Any) -> s.LayerStep:
        words = [s.Word(str(first), self._span(first))]
        if not parts:
            return s.LayerStep(tuple(words), False, (), None, (), words[0].span)
        rest = [part for part in parts if part is not None]
        while rest and isinstance(rest[0], s.Word):
            words.append(rest.pop(0))
        has_colon = bool(rest) and isinstance(rest[0], Token) and rest[0].type == "COLON"
        arguments: list[s.GivenArgument] = []
        brackets: list[s.Bracket] = []
        claims: list[s.Claim] = []
        for part in rest[has_colon:]:
            if isinstance(part, s.GivenArgument):
                arguments.append(part)
            elif isinstance(part, s.Bracket):
                brackets.append(part)
            elif isinstance(part, s.Claim):
                claims.append(part)
            elif isinstance(part, s.Word):
                if part.text.lower() not in NOISE_WORDS:
                    raise missing_arrow(Span(self.source, words[0].span.start, part.span.start), part)
            elif part.type == "COLON":
                raise Finding("E001", "a second `:`", self._span(part), helps=("one `:` after the layer's name",))
        if len(brackets) > 1:
            raise Finding("E001", "two volumes for one layer", brackets[1].span, "the second volume")
        ends = [node.span.end for nodes in (words, arguments, brackets, claims) for node in nodes[-1:]]
        span = Span(self.source, words[0].span.start, max(ends))
        bracket = brackets[0] if brackets else None
        reads_labels = any(isinstance(argument.value, s.Reference) for argument in arguments)
        return s.LayerStep(tuple(words), has_colon, tuple(arguments), bracket, tuple(claims), span, reads_labels)

    def call(self, name: Token, *arguments: Any) -> s.CallStep:
        *given, close = (argument for argument in arguments if argument is not None)
        return s.CallStep(str(name), tuple(given), self._span(name, close))

    def repeat(self, times: s.Expression, step: s.Step) -> s.RepeatStep:
        return s.RepeatStep(times, step, self._span(times, step))

    def entry(self, token: Token) -> s.EntryStep:
        return s.EntryStep(self._span(token))

    def reference(self, token: Token) -> s.ReferenceStep:
        return s.ReferenceStep(str(token[1:]), self._span(token))

    def merge(self, token: Token) -> s.MergeStep:
        return s.MergeStep(str(token), (), self._span(token))

    # ---- statements
    def start(self, *parts: Any) -> tuple[Any, ...]:
        return parts

    def chain(self, start: tuple[Any, ...], *rest: Any) -> s.Chain:
        bracket, output, label, step = (None, None, None, *start) if len(start) == 1 else start
        steps = (step, *rest)
        first = bracket or output or label or step
        span = step.span if first is steps[-1] else self._span(first, steps[-1])
        return s.Chain(bracket, str(label[:-1]) if label else None, steps, span, output is not None)

    def let(self, name: Token, value: s.Expression) -> s.Let:
        return s.Let(str(name), value, self._span(name, value))

    def if_(self, condition: s.Expression) -> s.Arm:
        return s.Arm(condition, (), condition.span)

    def else_(self, condition: s.Expression | None) -> s.Arm:
        return s.Arm(condition, (), Span(self.source, 0, 0) if condition is None else condition.span)

    def aux(self, weight: s.Expression, chain: s.Chain) -> s.Aux:
        return s.Aux(weight, chain, self._span(weight, chain))

    # ---- declarations
    def parameter(self, name: Token, default: Any) -> s.Parameter:
        return s.Parameter(str(name), default, False, self._span(name, default))

    def volume_parameter(self, name: Token, default: Token | None) -> s.Parameter:
        value = None if default is None else self._reference(default)
        return s.Parameter(str(name[1:]), value, True, self._span(name, default))

    def list_parameter(self, token: Token) -> s.Parameter:
        return s.Parameter(str(token[1:-3]), None, True, self._span(token), is_list=True)

    def block(self, name: Token, *parts: Any) -> s.BlockDefinition:
        *parameters, shared = parts
        *given, close = (parameter for parameter in (name, *parameters) if parameter is not None)
        return s.BlockDefinition(str(name), tuple(given[1:]), (), self._span(name, close), shared is not None)

    def net(self, title: Token) -> s.Net:
        return s.Net(self._title("net", title), self._span(title))

    def use(self, file: Token, *names: s.Name) -> s.Use:
        return s.Use(str(file), names, self._span(file, names[-1]))

    used = ExpressionBuilder.name

    def param(self, name: Token, value: s.Expression) -> s.Param:
        return s.Param(str(name), value, self._span(name, value))

    def binding(self, name: Token, value: s.Expression, *_comma: Token) -> s.Binding:
        return s.Binding(str(name), value, self._span(name, value))

    def variant(self, name: Token, *bindings: Any) -> s.Variant:
        given = tuple(binding for binding in bindings if binding is not None)
        return s.Variant(str(name), given, self._span(name, given[-1] if given else name))

    def after(self, *parts: Any) -> s.After:
        words = tuple(self.word(part) for part in parts if isinstance(part, Token))
        return s.After(words, parts[len(words) :], self._span(words[0], parts[-1]))

    def init(self, *parts: Any) -> s.Init:
        words = tuple(self.word(part) for part in parts[:-1])
        return s.Init(words, parts[-1], self._span(words[0], parts[-1]))

    def total(self, kind: Token, figure: Token, _bytes: Any, size: Any, *_prose: Any) -> s.Total:
        span = self._span(kind, figure if size is None else size)
        return s.Total(kind.rstrip(": "), self._measure(figure), self._measure(size), span)

    def train(self) -> s.Train:
        return s.Train((), Span(self.source, self.offset, self.offset))

    def setting(self, name: Token, *words: s.SettingWord) -> s.Setting:
        return s.Setting(str(name), words, self._span(name, words[-1] if words else name))

    def setting_word(self, name: Token, number: Token | None) -> s.SettingWord:
        value = None if number is None else self._number(number).value
        return s.SettingWord(str(name), value, self._span(name, name if number is None else number))

    def setting_number(self, token: Token) -> s.SettingWord:
        return s.SettingWord(None, self._number(token).value, self._span(token))


def unknown_layers(nodes: list[Any], layers: Mapping[str, str]) -> list[s.Chain]:
    """Return the lines that begin with no layer of `layers`, names in lower case, or with a call: `Conv2d(...)`."""
    found = []
    for node in nodes:
        step = node.steps[0] if isinstance(node, s.Chain) and layers else None
        if isinstance(step, s.LayerStep):
            word = step.words[0].text
            name, end = word.lower().rstrip("-0123456789"), step.words[0].span.end
            is_known = name in layers or word in _FIRST_WORDS
            if not is_known or (not word.isupper() and step.span.source.text.startswith("(", end)):
                found.append(node)
    return found


def missing_arrow(before: Span, word: s.Word) -> Finding:
    """Return the finding for two layers side by side; `before` is the text before the second."""
    message = f"missing `->` before `{word.text}`"
    arrow = Edit(Span(word.span.source, word.span.start, word.span.start), "-> ")
    helps = (Help(f"`{before.text.rstrip()} -> {word.text}`", arrow, is_safe=True),)
    return Finding("E006", message, word.span, "a second step", helps=helps)
