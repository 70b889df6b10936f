"""The syntax tree: a file with its declarations; its body is made of the nodes of `statement_syntax.py`.

In: the parser's rules. Out: a `File`, which the resolver reads; every node is a name of this module. Nothing here knows
what a layer or a volume is. Every node has the span in which it was written; spans are ignored in comparisons.
"""

from __future__ import annotations

from typing import TypeAlias

from archspec.diagnostics.source import Span
from archspec.language.statement_syntax import (
    Arm,
    Aux,
    Binary,
    Body,
    Bracket,
    CallStep,
    Chain,
    Claim,
    EntryStep,
    Expression,
    Extent,
    Figure,
    Function,
    GivenArgument,
    If,
    LayerStep,
    Let,
    MergeStep,
    Name,
    Negate,
    Not,
    Number,
    Reference,
    ReferenceStep,
    RepeatStep,
    Short,
    Statement,
    Step,
    UnreadStep,
    Word,
)
from archspec.record import Record

__all__ = [  # besides the records below
    "Arm",
    "Aux",
    "Binary",
    "Body",
    "Bracket",
    "CallStep",
    "Chain",
    "Claim",
    "EntryStep",
    "Expression",
    "Extent",
    "Figure",
    "Function",
    "GivenArgument",
    "If",
    "LayerStep",
    "Let",
    "MergeStep",
    "Name",
    "Negate",
    "Not",
    "Number",
    "Reference",
    "ReferenceStep",
    "RepeatStep",
    "Short",
    "Statement",
    "Step",
    "UnreadStep",
    "Word",
]


# ---- declarations --------------------------------------------------------------------------------------------------
class Parameter(Record):
    """A parameter of a block; one written `@h` takes a volume, one written `@more...` all further volumes."""

    name: str
    default: Expression | Reference | None
    is_volume: bool
    span: Span
    is_list: bool = False

    @property
    def text(self) -> str:
        """The parameter without its default: `f`, `@h`, `@more...`."""
        return "@" * self.is_volume + self.name + "..." * self.is_list


class BlockDefinition(Record):
    """`block bottleneck(f, stride=1)` with the lines under it; all calls of a `shared` one use the same weights."""

    name: str
    parameters: tuple[Parameter, ...]
    body: Body
    span: Span
    is_shared: bool = False


class Net(Record):
    """`net ResNet-50`."""

    title: str
    span: Span


class Cites(Record):
    """`cites torchvision, ResNet50_Weights.IMAGENET1K_V1`."""

    title: str
    span: Span


class License(Record):
    """`license BSD-3-Clause`."""

    title: str
    span: Span


class PublishedFigure(Record):
    """`top1=76.13`, `params=25.6M`."""

    name: str
    figure: Figure | Number
    span: Span


class Published(Record):
    """`published b3: top1=82.008 params=12.2M`; `name` is the variant's, empty for the spec as written."""

    name: str
    figures: tuple[PublishedFigure, ...]
    span: Span


class Use(Record):
    """`use resnet: bottleneck, stage, train`: blocks, and the recipe."""

    file: str
    names: tuple[Name, ...]
    span: Span


class Param(Record):
    """`param width = 1.0`."""

    name: str
    value: Expression
    span: Span


class Binding(Record):
    """`depth=1.1` in a variant."""

    name: str
    value: Expression
    span: Span


class Variant(Record):
    """`variant b1: depth=1.1 resolution=240`."""

    name: str
    bindings: tuple[Binding, ...]
    span: Span


class After(Record):
    """`after CONV FC: RELU -> DROPOUT 0.5`."""

    words: tuple[Word, ...]
    steps: tuple[Step, ...]
    span: Span


class Init(Record):
    """`init FC CONV: 0.02`."""

    words: tuple[Word, ...]
    value: Expression
    span: Span


class Total(Record):
    """`TOTAL memory: 24M * 4 bytes ~= 96MB`."""

    kind: str
    figure: Figure | Number
    size: Figure | Number | None  # in bytes
    span: Span


class SettingWord(Record):
    """`flip`, `mixup=0.8`, `90` in a setting: a word, a word with its number, a number."""

    name: str | None
    value: int | float | None
    span: Span


class Setting(Record):
    """`lr 0.1 for batch 256, divided by 10 on plateau`."""

    name: str
    words: tuple[SettingWord, ...]
    span: Span


class Train(Record):
    """`train` with the settings under it."""

    settings: tuple[Setting, ...]
    span: Span


SourceLine: TypeAlias = Cites | License | Published  # of a network, and of its figures
Declaration: TypeAlias = BlockDefinition | Net | SourceLine | Use | Param | Variant | After | Init | Total | Train


class File(Record):
    """A whole spec: its declarations, and the body of the network.

    `is_whole` is False if a line could not be read; `has_all_names` is False if that line, or the structure around it,
    may have defined a name that others use.
    """

    declarations: tuple[Declaration, ...]
    body: Body
    span: Span
    is_whole: bool = True
    has_all_names: bool = True
