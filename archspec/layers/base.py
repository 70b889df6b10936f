"""What every layer is: the class whose fields are a layer's arguments and whose methods are its rules.

In: the volumes that enter. Out: the volume that leaves, the parameters, the arithmetic, the receptive field.
Knows no torch and no ONNX: `module()` names the torch.nn class as data. A layer is added by writing one class
in this folder, with examples, and the contract (tests/test_layers.py) runs it against torch.
"""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

from archspec.graph.volume import Volume
from archspec.layers.arguments import Argument
from archspec.record import Record

REGISTRY: dict[str, type[Layer]] = {}  # by every name that a layer goes by
MERGES: dict[str, type[Layer]] = {}  # add, concat, mul


class Tensor(Record):
    """A parameter tensor in torch's layout.

    `formula` is its size as a lecture writes it, `(3*3*64)*128`; empty where the size says it all.
    """

    name: str
    shape: tuple[int, ...]
    formula: str = ""

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)

    @property
    def is_bias(self) -> bool:
        """Whether a lecture leaves it out ("not counting biases")."""
        return self.name.endswith("bias")


class Window(Record):
    """What one output looks at along height and width: the receptive field's step.

    The output at place o sees `kernel` places from o*stride - pad on, `dilation` apart. They are places of a
    grid that is `scale` times finer than the input's (2 for an UPCONV at stride 2): the pixel i lies at
    i*scale, and between pixels there is nothing. If `is_tiled` (Swin's windows), tiles of `kernel` pixels lie
    side by side, one of them from -pad on, and o sees the tile that it is in. `is_global` sees all of its
    input, wherever o is.
    """

    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    scale: tuple[int, int] = (1, 1)
    is_tiled: bool = False
    is_global: bool = False


class Module(Record):
    """A torch.nn class by name, with its arguments."""

    name: str
    arguments: dict[str, Any]


class Example(Record):
    """A use of a layer for the contract and the reference: the step, and the volumes that enter."""

    text: str
    inputs: tuple[tuple[int, ...], ...]


POINTWISE = Window()


class Layer(Record):
    """One layer. Subclasses say their `keyword` and their fields, `argument(...)`, and override the rules."""

    keyword: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()  # other spellings, "MAX POOL"
    known_as: ClassVar[tuple[str, ...]] = ()  # its names in other tools, lower case without underscores: suggestions
    kind: ClassVar[str] = ""  # the word that names are numbered by; the keyword in lower case if empty
    role: ClassVar[str] = ""  # "activation", "normalisation" or "" (what `after` looks at)
    is_weight_layer: ClassVar[bool] = False  # counts for depth
    is_linear: ClassVar[bool] = False  # a linear map of its input (once trained): no activation
    in_place: ClassVar[bool] = False  # may write over its input, or is a view of it
    is_view: ClassVar[bool] = False  # is a view of it, whoever else reads that
    absorbs_bias: ClassVar[bool] = False  # a weight layer directly before it needs no bias
    outputs: ClassVar[str] = ""  # the field that --classes sets in a classifier
    sized_by_bracket: ClassVar[bool] = False  # without its number, its bracket says it
    examples: ClassVar[tuple[Example, ...]] = ()
    arguments: ClassVar[dict[str, Argument]] = {}
    words: ClassVar[dict[str, tuple[str, Any]]] = {}  # the bare words that set a field: `same`, `floor`

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        arguments = {}
        for field, value in list(cls._defaults.items()):
            if isinstance(value, Argument):
                arguments[field] = value
                cls._defaults[field] = value.default
        cls.arguments = {**cls.arguments, **arguments}
        cls.words = {word: (field, value) for field, one in cls.arguments.items() for word, value in one.words}
        if cls.keyword:
            cls.kind = cls.__dict__.get("kind", "") or cls.keyword.lower()
            register(cls, REGISTRY if cls.keyword.isupper() else MERGES)

    @classmethod
    def shorthand(cls, number: int, dash: int | None) -> dict[str, Any] | None:
        """The fields that `POOL2` or `CONV3-64` sets, or nothing where the layer has no such form."""
        return None

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        """The volume that leaves. Raises `Finding` for volumes that the layer cannot take."""
        return inputs[0]

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        """The trainable parameters."""
        return ()

    def macs(self, inputs: tuple[Volume, ...], output: Volume) -> int:
        """Multiply-accumulates of convolutions and weight matrices, for one image."""
        return 0

    def attention_macs(self, inputs: tuple[Volume, ...], output: Volume) -> int:
        """Multiply-accumulates of attention's own products, Q K^T and A V."""
        return 0

    def scratch(self, inputs: tuple[Volume, ...]) -> int:
        """Values that it keeps beside its output: the scores of an attention."""
        return 0

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        """What one output sees: the receptive field's step."""
        return POINTWISE

    def module(self, inputs: tuple[Volume, ...]) -> Module | None:
        """The torch.nn module that is this layer; nothing where it takes more than one."""
        return None

    @property
    def is_marked_linear(self) -> bool:
        """Whether it is written with `linear`: no activation is meant to follow."""
        return False

    @property
    def has_optional_bias(self) -> bool:
        """Whether the spec leaves its bias open: it has one unless a BN follows."""
        return False

    @property
    def lacks_bias(self) -> bool:
        """Whether it could have a bias and has none."""
        return False

    def without_bias(self) -> Layer:
        """The same layer without a bias."""
        return self

    def describe(self) -> str:
        """The layer as the short form writes it: `CONV 64 3x3 p1`."""
        words = [self.keyword]
        for field, description in sorted(self.arguments.items(), key=_order):
            value = getattr(self, field)
            if value == description.default:
                continue
            word = next((word for word, meaning in description.words if meaning == value), None)
            if word is not None:
                words.append(word)
            elif not isinstance(value, bool):
                prefix = "" if description.is_positional else description.short or f"{field}="
                words.append(prefix + written(value, squeeze=bool(prefix)))
        return " ".join(words)


def _order(item: tuple[str, Argument]) -> tuple[bool, bool]:
    """Counts first, then sizes, then what has a letter, then what has a name."""
    argument = item[1]
    if argument.is_positional:
        return False, argument.kind.takes_extent
    return True, argument.short is None


def written(value: Any, squeeze: bool = False) -> str:
    """An argument's value in the short form; `squeeze` writes 2x2 as 2.

    >>> written((3, 3)), written(((1, 1), (1, 1))), written(((0, 1), (0, 1))), written(((0, 0), (3, 3)))
    ('3x3', '1', '0:1', '0x3')
    """
    if not isinstance(value, tuple):
        return f"{value:g}".replace("e-0", "e-") if isinstance(value, float) else str(value)
    if not isinstance(value[0], tuple):
        return str(value[0]) if squeeze and value[0] == value[1] else f"{value[0]}x{value[1]}"
    rows = [str(begin) if begin == end else f"{begin}:{end}" for begin, end in value]
    return rows[0] if rows[0] == rows[1] else "x".join(rows)


def register(cls: type[Layer], registry: dict[str, type[Layer]]) -> None:
    """Make a layer known by its names. Raises ValueError where one is taken."""
    for name in (cls.keyword, *cls.aliases):
        if name in registry:
            raise ValueError(f"two layers are called {name}: {registry[name].__name__} and {cls.__name__}")
        registry[name] = cls
