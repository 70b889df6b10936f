"""Layers under other names: misspelt, as other tools call them, or that this language does not have.

In: a step whose layer is unknown. Out: a finding, with the step as it was meant. A name is never taken for a layer that
computes something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help, did_you_mean
from archspec.diagnostics.source import Span
from archspec.diagnostics.spelling import nearest_layer
from archspec.language import syntax as s
from archspec.layers import REGISTRY, Layer
from archspec.resolve.names.late import LateFinding
from archspec.resolve.names.lines import without_step

# what no layer here computes, however similar the name
_MISSING = frozenset(
    """
    adain alphadropout bilinear capsule celu cnorm crelu crop cropping2d crossattention dconv deformconv
    deformconv2d depth2space depthtospace dropblock einsum fft fpn fractionalmaxpool2d gcn geglu
    glu gsp hardshrink hardswiglu hash interpolate involution kan lambda lenet logsigmoid logsoftmax lppool
    mamba maskedconv maxout maxpool1d maxunpool nms normalize octconv pixelshuffle pixelunshuffle pwl quantize
    rmsnorm roialign roipool rope rotary rrelu selu sin softplus softshrink softsign spectralnorm spp sppf
    swiglu switchnorm tcn threshold transformer unfold unpool weightnorm wn yolo
    """.split()  # noqa: SIM905  # a list of words
)
_RECURRENT = re.compile(r"(?:bi|bidirectional|conv|simple|min)?(?:lstm|gru|rnn|sru)(?:cell|1d|2d)?\d*")
_SOLID = re.compile(r"[a-z]3d(?:dw)?\d*$")
_READ_AT_ONCE = (
    "a layer runs once on a whole sequence; a recurrent layer runs on one place after the other",
    "attention reads a whole sequence: `POSEMBED -> MHSA 4`",
)
_FRAMES = (
    "a map has a height, a width and channels, and a window two sizes",
    "frames or slices can be channels: `[112x112x48]` for 16 frames in colour",
)
_NEEDLESS = {
    "flatten": "FC flattens a map itself",
    "identity": "it passes its input through",
    "reshape": "FC flattens a map itself, and TOKENS makes it a sequence",
    "view": "FC flattens a map itself, and TOKENS makes it a sequence",
    "squeeze": "GAP leaves a vector",
    "output": "the last line is the output",
}
_KEYWORDS = sorted(key for key in REGISTRY if " " not in key)
_BLOCK = re.compile(r"^block +([a-z_]\w*)", re.MULTILINE)
_POINTWISE = ("pwconv", "pointwise", "pointwiseconv", "conv1x1")
_SEPARABLE = ("sepconv", "separableconv", "separableconv2d", "dwsepconv", "dsconv")


def unknown_layer(step: s.LayerStep, name: str, known: Callable[[], Mapping[str, str]]) -> Finding:
    """Return the finding for an unknown layer; `known` gives the layers by all their names in lower case."""
    word = step.words[-1]
    bare = word.text.lower().replace("_", "")
    if one := _of_another_kind(step, bare):
        return one
    is_missing = bare in _MISSING or name.lower() in _MISSING

    def notes() -> tuple[str, ...]:
        if bare in _NEEDLESS:
            return (f"no layer is needed: {_NEEDLESS[bare]}",)
        if is_missing:
            return ("archspec has no such layer",)
        if name.upper() in REGISTRY and name != name.upper():
            return ("layers are written in capitals",)
        return () if _meant(step, name, known()) else ("the layers are " + ", ".join(_KEYWORDS),)

    def helps() -> tuple[Help, ...]:
        if bare in _NEEDLESS:
            return (Help("drop it", without_step(step.span)),)  # on a sequence FC works on each vector
        found = None if is_missing else _meant(step, name, known())
        return (found,) if found else ()

    return LateFinding("E102", f"unknown layer `{word.text}`", word.span, "unknown", notes=notes, helps=helps)


def _of_another_kind(step: s.LayerStep, bare: str) -> Finding | None:
    """Return the finding for a recurrent layer, or one of three dimensions: one for the whole spec."""
    word = step.words[-1]
    if _RECURRENT.fullmatch(bare):
        kind, notes = "recurrent layers", _READ_AT_ONCE
        helps: tuple[Help, ...] = _attention(step)
    elif _SOLID.search(bare):
        kind, notes, helps = "video and volumes", _FRAMES, ()
    else:
        return None
    found = Finding("E102", f"`{word.text}`: {kind} are not handled", word.span, "unknown", notes=notes, helps=helps)
    found.once = kind
    return found


def _attention(step: s.LayerStep) -> tuple[Help, ...]:
    """Return the help that reads the sequence with attention, in as many channels."""
    if len(step.arguments) != 1 or not isinstance(step.arguments[0].value, s.Number):
        return ()
    width = step.arguments[0].value.value
    if not isinstance(width, int) or width % 4:
        return ()
    text = f"FC {width} -> POSEMBED -> MHSA 4"
    return (Help(f"`{text}` reads the whole sequence at once", Edit(step.span, text)),)


def _meant(step: s.LayerStep, name: str, known: Mapping[str, str]) -> Help | None:
    word = step.words[-1]
    bare = word.text.lower().replace("_", "")
    if block := _block(step, bare):
        return block
    if bare in _POINTWISE or bare in _SEPARABLE:
        return _separable(step, bare)
    keyword = known.get(bare)
    if keyword is not None:
        return Help(f"did you mean `{keyword}`?", Edit(word.span, keyword), is_safe=True)
    keyword = known.get(name.lower()) or nearest_layer(name, REGISTRY)
    if keyword is None:
        return None
    span = Span(word.span.source, word.span.start, word.span.start + len(name))
    return Help(f"did you mean `{keyword}`?", Edit(span, keyword), is_safe=True)


def _block(step: s.LayerStep, bare: str) -> Help | None:
    """`Unit(8)` and `UNIT 8` as the call of the block `unit`."""
    names = _BLOCK.findall(step.span.source.text)
    found = next((name for name in names if name.lower().replace("_", "") == bare), None)
    if found is None:
        return None
    given = [argument.span.text for argument in step.arguments]
    source = step.span.source
    end = (step.arguments or step.words)[-1].span.end
    end += source.text[end : end + 1] == ")"
    text = f"{found}({', '.join(given)})"
    return Help(f"a block is called by its own name: `{text}`", Edit(Span(source, step.span.start, end), text))


def _separable(step: s.LayerStep, bare: str) -> Help | None:
    """`SEPCONV 64 3x3` as a DWCONV and a CONV of 1x1, `PWCONV 64` as a CONV of 1x1."""
    texts = [argument.span.text for argument in step.arguments]
    count = next((text for text in texts if text.isdigit()), "")
    rest = " ".join(text for text in texts if text not in (count, "1x1"))
    if not count or (bare in _SEPARABLE and "x" not in rest):
        return None
    text = f"DWCONV {rest} linear -> CONV {count} 1x1" if bare in _SEPARABLE else f"CONV {count} 1x1 {rest}".rstrip()
    return Help(f"`{text}`", Edit(step.words[0].span.to(step.arguments[-1].span), text))


def not_one_layer(words: tuple[s.Word, ...], text: str) -> Finding:
    """Return the finding for two words that are not a layer together."""
    span = words[0].span.to(words[-1].span)
    known = [name for name in REGISTRY if " " in name]
    first, last = text.split(" ", 1)
    near = None if first in REGISTRY or last in REGISTRY else nearest_layer(text, known)
    helps = (Help(f"did you mean `{near}`?", Edit(span, near), is_safe=True),) if near else ()
    return Finding("E102", f"unknown layer `{text}`", span, notes=("such layers are " + ", ".join(known),), helps=helps)


def no_argument(name: str, argument: s.GivenArgument, layer: type[Layer], others: Sequence[str], takes: str) -> Finding:
    """Return the finding for a named argument that the layer lacks; `others` are names that all such layers take."""
    span = Span(argument.span.source, argument.span.start, argument.span.start + len(name))
    message = f"{layer.keyword} has no argument `{name}`"
    known = [*layer.arguments, *layer.words, *others]

    def helps() -> tuple[str, ...]:
        if isinstance(argument.value, s.Reference) and re.match(r"tied?|ties|shared?|same", name) and others:
            return (Help(f"`{others[0]}={argument.value.span.text}`", Edit(span, others[0])),)
        return did_you_mean(name, known, span)

    return Finding("E103", message, span, "unknown", notes=(takes,), helps=helps)


def needs_label(name: str, value: s.Expression | s.Extent | s.Short) -> Finding:
    """Return the finding for an argument that takes a label and has none."""
    text = f"@{value.span.text}"
    helps = (Help(f"`{name}={text}`", Edit(value.span, text)),) if isinstance(value, s.Name) else ()
    return Finding("E105", f"`{name}` takes a label, `{name}=@name`", value.span, "not a label", helps=helps)


def no_dash(word: s.Word, name: str) -> Finding:
    """Return the finding for a name with a dash and a number, of a layer that has no such form."""
    helps = (Help(f"`{name}`", Edit(word.span, name)),)
    return Finding("E103", f"`{word.text}`: {name} cannot be written with a dash", word.span, helps=helps)
