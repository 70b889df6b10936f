"""Networks in other languages, recognised once, and written in the notation as far as they are a plain list.

In: a text that is not a spec. Out: the finding that names its language. `lines` translates single lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from archspec.diagnostics.findings import Edit, Help, plural
from archspec.diagnostics.source import Source, Span
from archspec.language.layout import Unread
from archspec.language.mistakes.foreign import printed, sections
from archspec.language.mistakes.foreign.calls import Call, calls, numbers
from archspec.language.mistakes.foreign.lines import kinds_in
from archspec.language.mistakes.foreign.python_layers import layer
from archspec.language.mistakes.foreign.sketch import ListedLayer, spec
from archspec.language.mistakes.rules.rule import Words

LONGEST, LONGEST_LINE = 20_000, 200  # characters that are looked at: the patterns take longer than linear time
LONGEST_QUOTE = 60
MOST_SHOWN = 3
_TORCH = r"\bnn\.[A-Z]\w*\(|\bself\.\w+ *[=(]|^\s*(?:super\(|def forward)|\bF\.\w+\(|\(\w+\): [A-Z]\w+\("
_KERAS = (
    r"\b(?:keras|layers|tf|models|model)\.\w+"
    r"|(?<!nn\.)\b(?:Conv[1-3]D|Dense|LSTM|GRU|SimpleRNN|MaxPooling[1-3]D|MaxPool[1-3]D|BatchNormalization)\("
)
_PYTHON = (
    r"^\s*(?:import \w|from [\w.]+ import|class \w+(?:\(.*\))?:|def \w+\(.*\)|return\b|@\w+$|print\("
    r"|\w+(?:, \w+)* = (?:\w+(?:\.\w+)*\(|\[))"
)
_FLAX = r"@nn\.compact|\bflax\b|\bnn\.(?:Conv|Dense)\((?:features *=|\d+, *(?:kernel_size *=)? *\()|\bhk\.\w+\(|\beqx\."
_SLIM = r"\bslim\.\w+\("
_MXNET = r"\bmx\.sym\w*\.\w+|\bgluon\b|\bnet\.add\(nn\.|\bmxnet\b"
_MERMAID = r"^\s*\w+(?:[\[({]+.*[\])}]+)? *(?:-->|---|==>|-\.->).*|^\s*(?:graph|flowchart|subgraph|end)\b"
_DARKNET = (
    r"^\[(?:net|network|convolutional|maxpool|avgpool|route|shortcut|upsample|yolo|connected|dropout|softmax|cost"
    r"|region|local|crop)\]"
)
_SETTING = r"^\w+ *= *[\w.,+ -]+$"
_CAFFE = (
    r"^\s*(?:layers?\s*\{|\w+_(?:param|filler)\s*\{|\}|\w+: *(?:\"[^\"]*\"|[\w.+-]+)\s*$|param\s*\{|input_dim:|shape)"
)
_JSON = r"^\s*(?:[{}\[\]],?|[{}\[\]]*\"[^\"]*\"\s*:.*|\"[^\"]*\",?|[\d.]+,?)\s*[{}\[\],]*$"
_YAML = r"^\s*(?:- *)?(?:\w+:(?: +\S.*)?$|\[.*\](?:,|\s*#.*)?$|- +\S)|^---$"
_SUMMARY = (
    r"ListedLayer \(type|Output Shape|Param #|^\s*(?:Total|Trainable|Non-trainable) params"
    r"|^\s*\w+(?:-\d+)?(?: \(\w+\))?\s+[\[(].*[\])]\s+[\d,]+\s*\S*$"
)
_TABLE = r"^\s*\|.*\|.*\|\s*$"
# a name for people, what its lines look like, and the line without which it is not this language
_LANGUAGES = (
    *printed.LANGUAGES,
    ("a table of layers that a framework printed", _SUMMARY, r"Param #|Output Shape"),
    ("a darknet `cfg` file", f"{_DARKNET}|{_SETTING}", _DARKNET),
    ("a Caffe `prototxt` file", _CAFFE, r"^\s*layers?\s*\{"),
    ("a Mermaid diagram", _MERMAID, r"^\s*(?:graph|flowchart) +(?:TD|TB|BT|LR|RL)\b"),
    ("a Graphviz graph", r"->|\w+ *\[.*\];?$|^\s*(?:digraph|rankdir|node)\b|^\}", r"^\s*(?:strict )?digraph\b"),
    ("MATLAB code", r"\w+Layer\(|^\s*\w+ *= *\[|^\s*\];?$|^%|\.\.\.$", r"\b[a-z]\w+Layer(?:\(|\b)"),
    ("Flax code", f"{_FLAX}|{_PYTHON}|{_TORCH}", _FLAX),
    ("TF-Slim code", f"{_SLIM}|{_PYTHON}", _SLIM),
    ("MXNet code", f"{_MXNET}|{_PYTHON}", _MXNET),
    ("Julia code", r"=>|^\s*Chain\(|^\s*\w+\(|^using ", r"^.*\bConv\(\(\d+, *\d+\), *\d+ *=> *\d+"),
    ("Keras code", f"{_KERAS}|{_PYTHON}", _KERAS),
    ("PyTorch code", f"{_TORCH}|{_PYTHON}", _TORCH),
    (
        "Python code",
        f"{_PYTHON}|^\\s*(?:for|if|while|elif|with) .*:$|^\\s*else:$",
        r"^\s*(?:import|from|def|class|for|print)\b|^\w+ = (?:\w+(?:\.\w+)+\(.*\)|\[.*\])$",
    ),
    ("XML", r"^\s*</?\w+[^<>]*>", r"^\s*<[\w:]+(?: +[\w:]+=\"[^\"]*\")+ */?>\s*$|^\s*<\?xml"),
    ("TOML", rf"^\[[\w.]+\]$|{_SETTING}|^\w+ *= *[\"'\[].*", r"^\[[a-z_][\w.]*\]$"),
    (
        "an ONNX model as text",
        r"op_type|ir_version|graph|^\s*(?:node|input|output|t\w* = )|[{}]",
        r"\bir_version\b|\bop_type\b",
    ),
    ("a CSV file", r"^[^,()\[\]]*(?:,[^,()\[\]]*){2,}$", r"\A[A-Za-z_ ]+(?:,[A-Za-z_ ]+){2,}\n"),
    ("C code", r";\s*$|^\s*[{}]|^\s*#include|^//", r"^\s*[a-z]\w*\(.*\);\s*$"),
    ("JSON", _JSON, r"^\s*[{\[].*|\"[^\"]*\"\s*:"),
    ("a Markdown table", _TABLE, r"^\s*\|(?:\s*:?-+:?\s*\|)+\s*$"),
    ("YAML", _YAML, r"^\w+:\s*$"),
)
_CLOSING = re.compile(r"^[\s)\]}(\[{,;\"']*$|^\s*(?:#|//|\"\"\").*$|^\s*```")
_OURS = re.compile(
    r"\s*(?:\[\d[^\]]*\]\s*)?(?:[A-Z][A-Z0-9]+(?:-\d+)?(?: |:|$)|\||block \w+\(|(?:add|concat|mul)$)|\s*[-*] [A-Z]{2}"
)


def whole(source: Source, words: Words) -> Unread | None:
    """Return the finding for a text that is mostly in another language."""
    all_lines = [line[:LONGEST_LINE] for line in source.text[:LONGEST].split("\n")]
    text = "\n".join(all_lines)
    lines = [line for line in all_lines if line.strip() and not _CLOSING.match(line)]
    ours = sum(_OURS.match(line) is not None and "](" not in line for line in lines)
    for name, looks, needed in _LANGUAGES:
        pattern = re.compile(looks)
        theirs = [line for line in lines if pattern.search(line)]
        if not theirs or not re.search(needed, text, re.MULTILINE) or len(theirs) * 2 < len(lines):
            continue
        if (ours * 3 >= len(theirs) and name not in printed.TABLES) or not words.layers:
            continue
        return _finding(source, name, theirs[0], ours == 0)
    return None


def _finding(source: Source, name: str, first: str, is_all: bool) -> Unread:
    start = source.text.index(first) + len(first) - len(first.lstrip())
    span = Span(source, start, start + len(first.strip()))
    shown, written = _translation(source.text[:LONGEST], name)
    notes = [f"`{old}` is `{new}` here" for old, new in shown[:MOST_SHOWN]]
    notes += ["PyTorch prints the parts of a network, not how it connects them"] if name == printed.TORCH else []
    missing = kinds_in(source.text[:LONGEST])
    notes += missing
    notes += [] if shown or missing else ["a spec has one layer on each line, such as `CONV 64 7x7 s2 p3`"]
    helps: tuple[Help, ...] = ()
    if written and is_all and len(source.text) <= LONGEST:
        text = f"the same {plural(written.count(chr(10)), 'line')} as a spec: `{written.split(chr(10))[1]}` ..."
        helps = (Help(text, Edit(Span(source, 0, len(source.text)), written)),)
    return Unread("E001", f"this is {name}, not a spec", span, "not a line of a spec", notes=notes, helps=helps)


def _translation(text: str, name: str) -> tuple[list[tuple[str, str]], str | None]:
    """Return some lines with what they are in the notation, and all of the text as a spec if it is a plain list."""
    if "cfg" in name or "prototxt" in name:
        layers, volume = (sections.darknet if "cfg" in name else sections.caffe)(text)
        known = [one for one in layers if one is not None]
        return [], spec(_named(known), volume) if len(known) == len(layers) > 0 else None
    if name == printed.TORCH:
        text = printed.in_sequence(text) or ""
    elif name not in ("PyTorch code", "Keras code", "Python code"):
        return [], None
    shown, known, is_whole, given = [], [], True, None
    for call in calls(text):
        given = given or _input(call)
        one = layer(call)
        if one is not None:
            known.append(one)
            if one.text:
                shown.append((_quoted(text[call.start : call.end]), one.text))
        elif call.name not in ("Input", "InputLayer", "super", "__init__"):
            is_whole = False
    is_whole = is_whole and not re.search(
        r"^\s*def |^\s*class |\bF\.|^\s*\w+ *= *\w+\([^=]*\)\(\w+\)", text, re.MULTILINE
    )
    return shown, spec(_named(known), given) if is_whole and known else None


def _quoted(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 3]}..."


def _named(layers: Sequence[ListedLayer]) -> list[ListedLayer]:
    return [one for one in layers if one.text]


def _input(call: Call) -> tuple[int, ...] | None:
    """Return the input that a call declares, height x width x channels."""
    if call.name in ("Input", "InputLayer"):
        return numbers(call.get(0, "shape", "input_shape"))
    return numbers(call.get(None, "input_shape"))
