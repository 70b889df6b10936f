"""What every layer is: a class whose fields are the layer's arguments and whose methods are its rules.

In: the volumes that enter. Out: the volume that leaves, parameters, arithmetic, receptive field, memory, and what runs
the layer in torch and ONNX, as data: neither is imported here. CONTRIBUTING.md adds a layer step by step; the contract
(tests/layers/test_layers.py) compares every layer with torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from archspec.graph.volume import Volume
from archspec.layers.arguments import VOLUME, Argument, Pads, Pair, order, spelt
from archspec.layers.demand import UNKNOWN, Demand, Workload, conservative
from archspec.layers.facts import POINTWISE, Example, OnnxNode, Tensor, TorchModule, Window
from archspec.record import Record

__all__ = ["MERGES", "POINTWISE", "REGISTRY", "Example", "Layer", "OnnxNode", "Tensor", "TorchModule", "Window"]

REGISTRY: dict[str, type[Layer]] = {}  # by every name of a layer
MERGES: dict[str, type[Layer]] = {}  # add, concat, mul


class Layer(Record):
    """One layer. A subclass sets its `keyword`, declares its arguments as fields and overrides rules."""

    keyword: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()  # other spellings, "MAX POOL"
    known_as: ClassVar[tuple[str, ...]] = ()  # its names in other tools, lower case without underscores: suggestions
    kind: ClassVar[str] = ""  # the word that names are numbered by; the keyword in lower case if empty
    role: ClassVar[str] = ""  # "activation", "normalisation" or "" (what `after` looks at)
    is_weight_layer: ClassVar[bool] = False  # counts for depth
    is_linear: ClassVar[bool] = False  # a linear map of its input (once trained): no activation
    in_place: ClassVar[bool] = False  # its result can share its input's memory: written over it, or a view of it
    is_view: ClassVar[bool] = False  # is a view of its input, even if other layers read that too
    is_identity: ClassVar[bool] = False  # passes its input on in inference (dropout)
    overwrites: ClassVar[bool] = False  # writes over its first input wherever autograd allows it: see `overwriting`
    memory: ClassVar[Demand] = UNKNOWN  # what autograd keeps of it, unless `demand` computes that
    leaves_channels_last: ClassVar[bool] = False  # its result, if a map, is stored pixel by pixel
    leaves_window: ClassVar[bool] = False  # its result is a window on some of its input's values
    is_pairwise: ClassVar[bool] = False  # torch merges its inputs two at a time
    has_statistics: ClassVar[bool] = False  # keeps a running mean and variance of each channel
    is_rectifier: ClassVar[bool] = False  # weights before it start with He's variance
    passes_values: ClassVar[bool] = False  # merges or selects values: He's variance applies before it if it does after
    is_embedding: ClassVar[bool] = False  # its parameters start as a narrow normal distribution, as ViT's
    absorbs_bias: ClassVar[bool] = False  # a weight layer directly before it needs no bias
    output_axis: ClassVar[int | None] = None  # of its weight, the axis of the output's channels: a BN can be folded in
    reads_tokens: ClassVar[bool] = False  # takes token ids, which no other layer reads
    outputs: ClassVar[str] = ""  # the field that --classes sets in a classifier
    sized_by_bracket: ClassVar[bool] = False  # without its number, its bracket says it
    examples: ClassVar[tuple[Example, ...]] = ()
    arguments: ClassVar[dict[str, Argument]] = {}
    written_order: ClassVar[tuple[tuple[str, Argument], ...]] = ()  # the arguments as `describe` shows them
    volumes: ClassVar[tuple[str, ...]] = ()  # the arguments that take a volume: `kv`; its inputs, after the flow
    words: ClassVar[dict[str, tuple[str, Any]]] = {}  # the bare words that set a field: `same`, `floor`
    free_words: ClassVar[tuple[str, ...]] = ()  # those that a parameter may be called, too

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        arguments = {}
        for field, value in list(cls._defaults.items()):
            if isinstance(value, Argument):
                arguments[field] = value
                cls._defaults[field] = value.default
        cls.arguments = {**cls.arguments, **arguments}
        cls.written_order = tuple(sorted(cls.arguments.items(), key=order))
        cls.volumes = tuple(field for field, one in cls.arguments.items() if one.kind is VOLUME)
        cls.words = {word: (field, value) for field, one in cls.arguments.items() for word, value in one.words}
        if cls.keyword:
            cls.kind = cls.__dict__.get("kind", "") or cls.keyword.lower()
            register(cls, REGISTRY if cls.keyword.isupper() else MERGES)

    @classmethod
    def shorthand(cls, number: int, dash: int | None) -> dict[str, Any] | None:
        """The fields that `POOL2` or `CONV3-64` sets, or None if the layer has no such form."""
        return None

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        """The volume that leaves. Raises `Finding` for volumes that the layer cannot take."""
        return inputs[0]

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        """The trainable parameters."""
        return ()

    @property
    def keeps_channels(self) -> bool:
        """Whether it outputs as many channels as each of its inputs has, but for those with one channel."""
        return True

    def macs(self, inputs: tuple[Volume, ...], output: Volume) -> int:
        """Multiply-accumulates of convolutions and weight matrices, for one image."""
        return 0

    def attention_macs(self, inputs: tuple[Volume, ...], output: Volume) -> int:
        """Multiply-accumulates of attention's own products, Q K^T and A V."""
        return 0

    def scratch(self, inputs: tuple[Volume, ...]) -> int:
        """Values that it keeps besides its output: the scores of an attention."""
        return 0

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        """What one output sees: the receptive field's step."""
        return POINTWISE

    def demand(self, at: Workload) -> Demand:
        """What autograd keeps of it and what its kernels allocate; a cautious guess unless the class says more."""
        return conservative(at) if self.memory is UNKNOWN else self.memory

    def parts(self, inputs: tuple[Volume, ...]) -> tuple[Layer, ...]:
        """The operations that torch runs for it, one after another; empty if it is a single one."""
        return ()

    def slides(self) -> tuple[Pair, Pair, Pads, Pair] | None:
        """Kernel, stride, pads and dilation of a window that slides over a map; None if there is no such window."""
        return None

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule | None:
        """The torch.nn module that computes the layer; None if a module in compiler/lowering/modules does."""
        return None

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        """The layer as a Python expression on tensors, used instead of a module. `names` are those of its inputs."""
        raise NotImplementedError

    def overwriting(self, names: Sequence[str]) -> str:
        """The same, written into the first input; only for a layer that `overwrites`."""
        raise NotImplementedError

    def entering(self, name: str, inputs: tuple[Volume, ...]) -> str:
        """The expression that its module is called with: the input unless a layer reshapes it first."""
        return name

    @property
    def is_expression(self) -> bool:
        """Whether an expression computes it rather than a module."""
        return type(self).expression is not Layer.expression

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        """The ONNX operator that computes the layer, unless an emitter in compiler/onnx/emitters does."""
        raise NotImplementedError

    @property
    def is_onnx_node(self) -> bool:
        """Whether one ONNX operator computes it rather than an emitter."""
        return type(self).onnx is not Layer.onnx

    @property
    def given(self) -> tuple[str, ...]:
        """The arguments by which it is given volumes, in the order of its inputs after the first."""
        return tuple(name for name in self.volumes if getattr(self, name))

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
        parts = (spelt(field, getattr(self, field), description) for field, description in self.written_order)
        return " ".join([self.keyword, *filter(None, parts)])


def register(cls: type[Layer], registry: dict[str, type[Layer]]) -> None:
    """Register a layer by its names. Raises ValueError if one is taken."""
    for name in (cls.keyword, *cls.aliases):
        if name in registry:
            raise ValueError(f"two layers are called {name}: {registry[name].__name__} and {cls.__name__}")
        registry[name] = cls
