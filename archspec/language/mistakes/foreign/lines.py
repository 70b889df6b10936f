"""Single lines of Python frameworks among the lines of a spec: assignments, calls inside calls, functions, inputs.

In: a line. Out: what it computes, in the notation; whose language it is if the notation cannot say it.
"""

from __future__ import annotations

import re

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.source import Span
from archspec.language.mistakes.foreign.calls import Call, calls, numbers
from archspec.language.mistakes.foreign.python_layers import LAYERS, layer
from archspec.language.mistakes.rules.rule import Match, Rule, Words

_DOTTED = re.compile(r"\b(nn|F|torch|keras|layers|tf|self|models)\.(?:\w+\.)*\w+ ?\(")
_OWNERS = {"keras": "Keras", "layers": "Keras", "models": "Keras", "tf": "TensorFlow"}
_WHOLE = (
    r"^(?:return +)?(?:(?:self\.)?\w+ *= *|\(?[\w]+\)?: *|model\.add\()?"
    r"(?:[\w.]+\.)?(?:[A-Z]\w*|(?<=\.)[a-z]\w*)\(.*\)[,)]*$"
)
_FLATTEN = (
    r"^(?:return +)?(?:\w+ *= *)?(?:(?:torch|tf|np)\.(?:flatten|reshape)\(.*\)"
    r"|(?:nn|layers)\.Flatten\([^()]*\)(?:\(\w+\))?"
    r"|\w+\.(?:flatten|view|reshape)\(.*\))$"
)
# functions of a map, and members that a class names after what they do
_PLAIN = {
    **{name: name.upper() for name in ("relu", "relu6", "gelu", "silu", "sigmoid", "tanh", "softmax", "mish")},
    **{"log_softmax": "SOFTMAX", "hardswish": "HSWISH", "hardsigmoid": "HSIGMOID", "swish": "SILU"},
    **dict.fromkeys(("flatten", "identity"), ""),
}
_MEMBER = re.compile(r"(bn|norm|batch_?norm|relu|act|gelu|silu|sigmoid|tanh|softmax|flatten|gap)_?\d*$")
_MEMBERS = {**_PLAIN, **dict.fromkeys(("bn", "norm", "batchnorm", "batch_norm"), "BN"), "gap": "GAP"}
_TORCH_NAMES = {
    "max_pool2d": "MaxPool2d",
    "avg_pool2d": "AvgPool2d",
    "adaptive_avg_pool2d": "AdaptiveAvgPool2d",
    "adaptive_max_pool2d": "AdaptiveMaxPool2d",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "hardtanh": "Hardtanh",
    "interpolate": "Upsample",
    "dropout": "Dropout",
}
MOST_NESTED = 6
_NOT_HANDLED = {
    "recurrent layers": re.compile(r"\b((?:Conv|Simple)?(?:LSTM|GRU|RNN)(?:Cell)?(?:\dD)?)\("),
    "video and volumes": re.compile(r"\b([A-Z]\w*3[dD])\("),
}


def _steps(text: str, depth: int = 0) -> list[str] | None:
    """Return the steps of the calls in a text, those inside others first; None if one has no equal."""
    steps: list[str] = []
    for call in calls(text):
        inner: list[str] | None = []
        if call.name not in LAYERS and call.values and "(" in call.values[0]:
            inner = _steps(call.values[0], depth + 1) if depth < MOST_NESTED else None
        one = _step(call)
        if inner is None or one is None:
            return None
        steps += [*inner, *([one] if one else [])]
    return steps


def _step(call: Call) -> str | None:
    """Return what one call computes."""
    if call.name in ("Input", "InputLayer"):
        sizes = numbers(call.get(0, "shape", "input_shape"))
        return f"[{'x'.join(map(str, sizes))}] INPUT" if sizes and len(sizes) in (1, 3) else None
    if call.name in ("max_pool", "avg_pool", "max_pool2d", "avg_pool2d") and call.get(None, "ksize"):
        return _window(call)
    if call.name == "dropout" and call.get(1, "p", "rate") is None:
        return None  # a member, whose probability is elsewhere
    if call.name in _TORCH_NAMES:  # their first argument is the map
        call = Call(_TORCH_NAMES[call.name], call.values[1:], call.named, call.start, call.end, "nn")
    if call.name in LAYERS:
        found = layer(call)
        return None if found is None else f"{found.text} nobias" if found.bias is False and found.text else found.text
    if call.name in _PLAIN:
        return _PLAIN[call.name]
    member = _MEMBER.match(call.name)
    return _MEMBERS.get(member[1]) if member else None


def _window(call: Call) -> str | None:
    """Return `MAXPOOL 2x2 s2` for the window and the stride of `tf.nn.max_pool`."""
    size, stride = (numbers(call.get(None, name)) for name in ("ksize", "strides"))
    if not size or not stride or len(size) not in (1, 2, 4) or len(stride) not in (1, 2, 4):
        return None
    height, width = size[1:3] if len(size) == 4 else (size[0], size[-1])
    step = stride[1] if len(stride) == 4 else stride[0]
    pool = f"{'AVG' if call.name.startswith('avg') else 'MAX'}POOL {height}x{width} s{step}"
    is_same = call.word(None, "padding") == "same" and height > step
    return f"{pool} same" if is_same and step == 1 else None if is_same else pool


def _translated(match: Match, _words: Words) -> str | None:
    """Return the steps of a line, in the notation."""
    text = re.sub(r"^\(?\w+\)?: *", "", match[0])
    if not _DOTTED.search(text) and not any(call.name in (*LAYERS, "Input") for call in calls(text)):
        return None
    return " -> ".join(_steps(text) or []) or None


def kinds_in(text: str) -> tuple[str, ...]:
    """Return what the notation does not have of what a text calls: recurrent layers, layers of three dimensions."""
    found = [(kind, pattern.search(text)) for kind, pattern in _NOT_HANDLED.items()]
    return tuple(f"{kind} are not handled: `{match[1]}`" for kind, match in found if match)


def untranslated(line: Span) -> Finding | None:
    """Return the finding for a line of a framework that the notation cannot say, or that says too little."""
    found = _DOTTED.search(line.text)
    if not found or re.match(r"[A-Z]{2,}[A-Z0-9]* ", line.text):
        return None
    owner = _OWNERS.get(found[1], "PyTorch")
    notes = kinds_in(line.text) or ("a line is a layer with its sizes, such as `CONV 64 7x7 s2 p3`",)
    return Finding("E001", f"line {line.line} is {owner} code", line, "not a step", notes=notes)


RULES = (
    Rule(
        "flatten",
        re.compile(_FLATTEN),
        "",
        "`{old}` is Python, not a line of a spec",
        "drop the line: FC flattens a map itself",
        "not a step",
    ),
    Rule("python", re.compile(_WHOLE), _translated, "`{old}` is Python, not a line of a spec", "`{new}`", "not a step"),
)
