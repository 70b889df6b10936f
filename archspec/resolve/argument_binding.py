"""From the arguments of a step to the fields of a layer.

In: the arguments as written, and a lookup of names. Out: a layer. Noise words of slides (`filters at`) are dropped
only if no value is bound to them.
"""

from __future__ import annotations

from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Label, did_you_mean
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.language.expressions import Lookup, Unknown, evaluate, need_number, number
from archspec.language.transform import NOISE_WORDS
from archspec.layers import Layer
from archspec.layers.arguments import Argument, Respelling
from archspec.record import REQUIRED

SECOND = "the second"
WEIGHTS = "weights"  # of another layer: `weights=@words`
_EXAMPLES = {"stride": "s2", "groups": "g32", "dilation": "d2"}


class ArgumentBinder:
    """Bind the arguments of one step; `bound` maps fields to values, `places` fields to spans."""

    def __init__(self, layer: type[Layer], step: s.LayerStep, lookup: Lookup, fields: dict[str, Any]) -> None:
        self.layer = layer
        self.step = step
        self.lookup = lookup
        self.bound = dict(fields)
        self.places: dict[str, Span] = {}
        self.words = layer.words
        self.unknown = False

    def bind(self) -> Layer:
        """Return the layer. Raises Finding for an invalid argument, Unknown if one depends on an unknown volume."""
        waiting = list(self.step.arguments)
        while waiting:
            argument = waiting.pop(0)
            try:
                if argument.name is not None:
                    self._named(argument.name, argument)
                elif isinstance(argument.value, s.Name):
                    self._word(argument.value, waiting)
                else:
                    self._placed(argument.value)
            except Unknown:
                self.unknown = True
        required = [field for field, one in self.layer.arguments.items() if one.default is REQUIRED]
        missing = [field for field in required if field not in self.bound]
        if missing:
            raise self._missing(missing[0])
        if self.unknown:
            raise Unknown
        return self.layer(**self.bound)

    def _named(self, name: str, argument: s.GivenArgument) -> None:
        has_tensors = self.layer.tensors is not Layer.tensors
        if name in self.layer.volumes or (name == WEIGHTS and has_tensors):
            self._once(name, argument.span)
            self.bound |= dict.fromkeys({name} & {*self.layer.volumes}, True)
            if not isinstance(argument.value, s.Reference):
                from archspec.resolve.names.layers import needs_label  # only wrong specs need it

                raise needs_label(name, argument.value)
        elif name not in self.layer.arguments:
            from archspec.resolve.names.layers import no_argument  # only wrong specs need it

            raise no_argument(name, argument, self.layer, [WEIGHTS] * has_tensors, self._takes())
        else:
            self._set(name, argument.value, argument.span)

    def _word(self, word: s.Name, waiting: list[s.GivenArgument]) -> None:
        """Bind a bare word: one that sets a field, the name of the value after it, a variable, or noise."""
        name = word.name
        if name in self.words and not self._is_value(name):
            field, value = self.words[name]
            self._once(field, word.span)
            self.bound[field] = value
        elif self._names_next(name, waiting):
            value_argument = waiting.pop(0)
            self._set(name, value_argument.value, word.span.to(value_argument.span))
        else:
            try:
                self._placed(word)
            except Finding as finding:
                if name in NOISE_WORDS and finding.code == "E101":
                    return
                raise self._bad_word(word, finding) from None

    def _is_value(self, name: str) -> bool:
        """Whether a free word is a name with a value, for a number that the layer lacks: `MHSA causal`."""
        field = name in self.layer.free_words and self._first(lambda one: one.is_positional)
        try:
            return bool(field) and field not in self.bound and self.lookup(s.Name(name, self.step.span)) is not None
        except Finding:
            return False

    def _names_next(self, name: str, waiting: list[s.GivenArgument]) -> bool:
        if name not in self.layer.arguments or not waiting or waiting[0].name is not None:
            return False
        value = waiting[0].value
        takes_extent = self.layer.arguments[name].kind.takes_extent
        if isinstance(value, s.Short) or (isinstance(value, s.Extent) and not takes_extent):
            return False
        if isinstance(value, s.Name):
            return value.name not in self.words and value.name not in NOISE_WORDS and name not in self.bound
        return name not in self.bound

    def _bad_word(self, word: s.Name, finding: Finding) -> Finding:
        if finding.code != "E101":
            return finding
        if word.name in self.layer.arguments:
            kind = self.layer.arguments[word.name].kind
            notes = (f"it is written `{word.name}={kind.written}`",) if kind.written else ()
            return Finding("E106", f"`{word.name}` needs a value", word.span, "no value", notes=notes)
        from archspec.resolve.helps.slips import glued, numbers  # only wrong specs need it

        if slip := numbers.scanned(word.span) or glued.named(word, self.layer, self.lookup):
            return slip
        message = f"`{word.name}` is neither an argument of {self.layer.keyword} nor a known name"

        def nearest() -> tuple[str, ...]:
            return did_you_mean(word.name, [*self.words, *self.layer.arguments], word.span) or finding.helps

        return Finding("E101", message, word.span, "unknown", notes=(self._takes(),), helps=nearest)

    def _placed(self, value: Any) -> None:
        """Bind an argument without a name by its form."""
        if isinstance(value, s.Short):
            field = self._first(lambda description: description.short == value.letter)
            if field is None:
                message = f"{self.layer.keyword} does not take `{value.span.text}`"
                raise Finding("E103", message, value.span, "unexpected", notes=(self._takes(),))
            self._set(field, value, value.span)
            return
        extent = isinstance(value, s.Extent)
        field = self._first(lambda argument: argument.is_positional and argument.kind.takes_extent is extent)
        if field is None or field in self.bound or field in self.places:
            evaluated = None if extent else evaluate(value, self.lookup)
            if field is None and not extent:  # a single number for a size: POOL 2
                field = self._first(lambda argument: argument.is_positional and argument.kind.takes_extent)
            raise self._surplus(value, field, evaluated)
        self._set(field, value, value.span)

    def _first(self, wanted: Any) -> str | None:
        """Return the first such field that has no value yet, otherwise the last such field."""
        fields = [field for field, description in self.layer.arguments.items() if wanted(description)]
        free = [field for field in fields if field not in self.bound and field not in self.places]
        return free[0] if free else fields[-1] if fields else None

    def _surplus(self, value: Any, field: str | None, evaluated: Any) -> Finding:
        name = self.layer.keyword
        text = value.span.text
        size = self._first(lambda argument: argument.is_positional and argument.kind.takes_extent)
        sized = any(isinstance(argument.value, s.Extent) for argument in self.step.arguments)
        if size is not None and size not in self.bound and not sized:  # CONV 64 3
            field = size
        if sized and field == size and not self.layer.outputs:  # DWCONV 32 3x3
            notes = (f"{name} keeps the number of channels", self._takes())
            return Finding("E103", f"{name} does not take `{text}`", value.span, "unexpected", notes=notes)
        if field is not None and field not in self.bound and isinstance(evaluated, int | float):
            return Finding("E105", f"{name} takes its {field} as height x width", value.span, "one number")
        if field is None or field not in self.places:
            message = f"{name} does not take `{text}`"
            return Finding("E103", message, value.span, "unexpected", notes=(self._takes(),))
        from archspec.resolve.helps.slips import numbers  # only wrong specs need it

        if split := numbers.split(self.places[field], value.span):
            return split
        message = f"{name} already has its {field}"
        others = (self._before(field),)
        entering = ("the channels that enter are never written",) if field == self.layer.outputs else ()
        notes = (*entering, self._takes())
        return Finding("E106", message, value.span, "one too many", others=others, notes=notes)

    def _before(self, field: str) -> Label:
        return Label(self.places[field], f"the {field}")

    def _set(self, field: str, value: Any, span: Span) -> None:
        self._once(field, span)
        description: Argument = self.layer.arguments[field]
        try:
            if isinstance(value, s.Name) and value.name in dict(description.words):
                self.bound[field] = dict(description.words)[value.name]
            else:
                self.bound[field] = description.kind.convert(self._evaluate(value, field))
        except Unknown:
            self.bound[field] = None  # it has its argument
            raise
        except Finding as finding:
            finding.span = finding.span or value.span
            finding.label = finding.label or f"the {field if len(field) > 1 else description.kind.noun.split()[-1]}"
            finding.change_helps(lambda helps: [_of_field(text, field) for text in helps])
            if finding.code == "E101" and isinstance(value, s.Name):  # init=xavier
                finding.notes = (*finding.notes, f"{field}: {description.doc}")
            if finding.message.endswith("whole number") and not isinstance(value, s.Extent | s.Short):
                from archspec.resolve.helps.slips import halves  # only wrong specs need it

                finding.notes = (*finding.notes, *halves.notes(value, self.lookup))
                finding.helps = [halves.rounded(value, way) for way in ("floor", "ceil")]
            raise

    def _once(self, field: str, span: Span) -> None:
        if field in self.places:
            message = f"{field} of {self.layer.keyword} given twice"
            raise Finding("E106", message, span, SECOND, others=(self._before(field),))
        self.places[field] = span

    def _evaluate(self, value: Any, field: str) -> Any:
        if isinstance(value, s.Short):
            rows = tuple(row[0] if len(row) == 1 else row for row in value.sizes)
            return rows[0] if len(rows) == 1 and not isinstance(rows[0], tuple) else rows
        if isinstance(value, s.Extent):
            return tuple(number(size, self.lookup) for size in value.sizes)
        if isinstance(value, s.Reference):
            message = f"`@{value.name}` is a volume and cannot be the {field} of {self.layer.keyword}"
            raise Finding("E105", message, value.span)
        evaluated = evaluate(value, self.lookup)
        return evaluated if isinstance(evaluated, bool) else need_number(evaluated, value.span)

    def _missing(self, field: str) -> Finding:
        description: Argument = self.layer.arguments[field]
        span = self.step.words[0].span.to(self.step.words[-1].span)
        message = f"{self.layer.keyword} needs its {field}"
        return Finding("E106", message, span, f"no {field}", notes=(f"{field}: {description.doc}",))

    def _takes(self) -> str:
        """Return one line that lists the layer's arguments."""
        fields = self.layer.arguments
        if not fields:
            return f"{self.layer.keyword} takes no arguments"
        shown = [_shown(field, description) for field, description in fields.items() if description.kind.written]
        return f"{self.layer.keyword} takes " + ", ".join([*shown, *self.words])


def _of_field(text: str, field: str) -> str:
    """Return a help of a kind of value, which knows no field, for the field that was refused."""
    if not isinstance(text, Respelling) or field in text.fields:
        return text
    return Respelling(text, text.steps, **{field: text.fields["value"]})


def _shown(field: str, argument: Argument) -> str:
    """Return an argument as the usage line shows it: kernel (3x3), stride (s2), heads."""
    example = _EXAMPLES.get(field, (argument.short or "") + argument.kind.written)
    return f"{field} ({example})" if argument.short or argument.kind.takes_extent else field
