"""The words and signs of the language, for `archspec explain`: what each means, with a spec that uses it.

grammar/README.md is the reference; tests/commands/test_explain.py checks every example.
"""

from __future__ import annotations

from archspec.commands.explain_references import INPUT as _INPUT
from archspec.commands.explain_references import REFERENCES
from archspec.commands.explain_references import word as _word
from archspec.commands.language_word import LanguageWord

_UNIT = "block unit(f, stride=1)\n    CONV f 3x3 stride=stride pad=1 -> BN -> RELU\n\n" + _INPUT


WORDS = (
    _word(
        "net title",
        "the title of a network",
        "`net` and a title, on a line near the top. It is optional: without it the file's name is the title.",
        "net Tiny\n\n" + _INPUT + "GAP -> FC 10\n",
    ),
    _word(
        "cites license published",
        "where a network and its figures come from",
        "`cites` names a paper, an implementation or weights, `license` their licence, and `published top1=76.13 top5=92.862 params=25.6M macs=4.09G` what is published of them; `published b3: ...` is about a variant. `archspec check` compares params and macs with the totals (K, M, G: within 1 %), `archspec eval` shows accuracies beside its own.",
        "net Tiny\ncites Someone et al. 2015\nlicense BSD-3-Clause\npublished top1=76.13 params=650\n\n[8x8x1] INPUT\nFC 10\n",
    ),
    _word(
        "INPUT input",
        "an input of the network",
        "The first layer. Its bracket is the image: height x width x channels. Every other size is computed from it. Of several inputs each is a line of its own, from the second on with a label: `right: INPUT`.",
        "[224x224x3] INPUT\nCONV 64 7x7 s2 p3 -> RELU\nGAP -> FC 10\n",
    ),
    _word(
        "bracket volume [",
        "a volume, such as [55x55x96]",
        "Height x width x channels, [NxC] for a sequence, [C] for a vector. Brackets are checked against what the layers compute. In a file that begins with INPUT a bracket is what its line produces, otherwise what its line receives.",
        "[32x32x3]  INPUT\n[28x28x6]  CONV 6 5x5 -> RELU\n[10]       FC 10\n",
    ),
    _word(
        "-> arrow chain",
        "the next step",
        "Joins the steps of a line: each takes what the step before it produces. A line continues from the line above it.",
        _INPUT + "CONV 8 3x3 p1 -> BN -> RELU\nGAP -> FC 10\n",
    ),
    _word(
        "# comment",
        "a comment",
        "The rest of the line is not read.",
        _INPUT + "CONV 8 3x3 p1 -> RELU    # 8 filters of 3x3\n",
    ),
    _word(
        "| branch bar",
        "a branch of `add`, `concat` or `mul`",
        "Each line with a bar begins a branch from the volume before the merge. A branch continues over lines that are indented further than its bar.",
        _INPUT + "concat\n    | CONV 8 1x1\n    | CONV 4 1x1 -> RELU\n      CONV 8 3x3 p1\n",
    ),
    _word(
        "block call",
        "steps with a name and parameters",
        "Lines under `block name(parameters)` are used by calling it, `name(arguments)`, with parentheses even without arguments. A parameter may have a default. Each call has weights of its own: two calls share nothing.",
        _UNIT + "unit(8)\nunit(16, stride=2)\n",
    ),
    _word(
        "x",
        "what entered the block or the merge; or a repeat",
        "As a step, `x` is the input of the block or the merge around it, not the line above. `3 x step` repeats a step. In a size, `3x3` is height x width.",
        "block residual()\n    add\n        | CONV C 3x3 p1 -> BN\n        | x\n    RELU\n\n"
        + _INPUT
        + "3 x residual()\n",
    ),
    _word(
        "add residual skip",
        "the sum of its branches",
        "The branches need the same height, width and channels. `| x` is the shortcut of a residual block.",
        _INPUT + "add\n    | CONV 4 3x3 p1 -> BN\n    | x\nRELU\n",
    ),
    _word(
        "concat",
        "its branches joined along their channels",
        "The branches need the same height and width.",
        _INPUT + "concat\n    | CONV 8 1x1\n    | CONV 8 3x3 p1\n",
    ),
    _word(
        "mul",
        "the product of its branches",
        "A branch that is a vector [C] scales each channel of the others, as in squeeze-and-excitation.",
        _INPUT + "mul\n    | x\n    | GAP -> FC 4 -> SIGMOID\n",
    ),
    *REFERENCES,
    _word(
        "output outputs",
        "a result that leaves the network",
        "Without such lines the output is the last line. `output` before a label makes the line's result an output, and the next line goes on from it. A network with `output` lines has these outputs, in their order, and no others.",
        _INPUT + "output fine: CONV 4 3x3 p1\nRELU\noutput coarse: CONV 8 3x3 s2 p1 floor\n",
    ),
    _word(
        "loss losses",
        "the results that training compares with the classes",
        "A setting of `train`: labels, each with the weight of its loss. Without it the loss is that of the only output. Each `aux` has its weight on its own line.",
        _INPUT + "GAP\noutput a: FC 10\nRELU\noutput b: FC 10\n\ntrain\n    loss a 0.5, b 0.5\n",
    ),
    _word(
        "if else",
        "steps that depend on a comparison",
        "`if`, `else if` and `else` choose lines of a block. They need a comparison: `==`, `!=`, `<`, `<=`, `>`, `>=`, joined by `and`, `or`, `not`.",
        "block shortcut(f)\n    if C == f\n        x\n    else\n        CONV f 1x1\n\n"
        + _INPUT
        + "add\n    | CONV 8 3x3 p1\n    | shortcut(8)\n",
    ),
    _word(
        "let",
        "a name for a value inside a block",
        "The value may use the parameters, and C, H and W, the sizes of what entered the block.",
        "block squeeze(r)\n    let narrow = max(1, C//r)\n    mul\n        | x\n        | GAP -> FC narrow -> RELU -> FC C -> SIGMOID\n\n"
        + _INPUT
        + "squeeze(2)\n",
    ),
    _word(
        "param --set",
        "a parameter of the whole network",
        "A number or the name of a block, with a default. `--set width=2` gives another value on the command line.",
        "param width = 1\n\n" + _INPUT + "CONV 8*width 3x3 p1 -> RELU\n",
    ),
    _word(
        "variant --variant family",
        "a member of a family",
        "Values of `param`s under a name: `archspec check FILE --variant large`.",
        "param depth = 2\nvariant small\nvariant large: depth=4\n\n" + _INPUT + "depth x RELU\n",
    ),
    _word(
        "use import",
        "blocks of another file",
        "`use parts: unit` takes blocks from parts.arch in the same folder, or from a built-in spec. `use resnet: train` takes its recipe.",
        "use resnet: basic\n\n" + _INPUT + "basic(8, 2)\n",
    ),
    _word(
        "after",
        "layers that a listing omits",
        "`after CONV: BN -> RELU` adds the layers after every CONV of the file that no normalisation or activation follows, except after the last layer with weights and after layers marked `linear`.",
        "after CONV FC: RELU\n\n" + _INPUT + "CONV 8 3x3 p1\nFC 32\nFC 10\n",
    ),
    _word(
        "init bias_init",
        "the first weights",
        "`init FC CONV: 0.02` gives the weights of these layers of the file their standard deviation before training, and `FC 10 init=0 bias_init=1` those of one layer; of a normalisation, `init` is the value of its scales. Without it the weights follow He and Glorot.",
        "init CONV: 0.02\n\n" + _INPUT + "CONV 8 3x3 p1 -> RELU\nGAP -> FC 10 init=0\n",
    ),
    _word(
        "aux auxiliary",
        "an auxiliary classifier",
        "Its lines are trained with the loss weight before the colon, and left out of inference and of all totals.",
        _INPUT + "CONV 8 3x3 p1 -> RELU\naux 0.3: FC 10\nCONV 8 3x3 p1 -> RELU\nGAP -> FC 10\n",
    ),
    _word(
        "train recipe",
        "how the network is trained",
        "Settings, one on each line: optimizer, lr, warmup, epochs, augment, label_smoothing, loss, clip, ema. `archspec train` follows them.",
        _INPUT
        + "GAP -> FC 10\n\ntrain\n    optimizer sgd momentum=0.9\n    lr 0.1 for batch 256, cosine\n    epochs 90\n",
    ),
    _word(
        "window kernel 3x3 size",
        "a size, height x width",
        "`3x3` is a window of 3x3 pixels, `1x7` one that is 7 wide. With names, spaces belong around the `x`: `k x k`.",
        _INPUT + "CONV 8 3x3 p1 -> RELU\nCONV 8 1x7 same\n",
    ),
    _word(
        "stride s s2",
        "the step of a window",
        "`s2`, `s2x1`, `stride=2` or `stride 2`. A window of F pixels over W pixels with padding P has (W - F + 2P)/S + 1 places.",
        "[224x224x3] INPUT\n[112x112x64] CONV 64 7x7 s2 p3 -> RELU\n[56x56x64] MAXPOOL 3x3 s2 p1\n",
    ),
    _word(
        "pad p p1 padding",
        "pixels around the map",
        "`p1` on all sides, `p0x3` above and below x left and right, `p0:1` at the beginning and at the end.",
        _INPUT + "[8x8x8] CONV 8 3x3 p1\n",
    ),
    _word(
        "kv causal k v width grid qkv_nobias",
        "what MHSA attends to",
        "`causal`: each vector sees itself and those before it. `kv=@label`: keys and values of another sequence, `k=@a v=@b`: of one each. `grid=7`: 7x7 pixels spread over a map. `width=128`: the channels of all heads; `nobias` and `qkv_nobias` leave out biases. `archspec explain MHSA` has all arguments.",
        "[9x16]  image: INPUT\n[6x16]  words: INPUT\n        MHSA 4 causal -> MHSA 4 kv=@image width=32\n",
    ),
    _word(
        "note notes ( )",
        "a note in parentheses",
        "A line within one pair of parentheses is not read, as slides have them: `(not counting biases)`.",
        _INPUT + "(not counting biases)\nFC 10\n",
    ),
    _word(
        "same",
        "the padding that keeps the size at stride 1",
        "(k-1)/2 pixels on both sides of an odd window.",
        _INPUT + "[8x8x8] CONV 8 5x5 same\n",
    ),
    _word(
        "floor ceil",
        "what happens to pixels that are left over",
        "If the places of a window are not a whole number, `floor` drops the pixels after the last window and `ceil` adds a window for them. As functions they round a number down or up.",
        "[9x9x4] INPUT\n[4x4x4] POOL 2x2 s2 floor\n",
    ),
    _word(
        "groups g g2 dilation d",
        "groups of channels, and the distance between a window's pixels",
        "`g2` or `groups=2` splits the channels of a CONV into groups that do not see each other; `d2` or `dilation=2` spreads its window.",
        _INPUT + "CONV 8 3x3 p1 g2 -> RELU\nCONV 8 3x3 same d2\n",
    ),
    _word(
        "bias nobias",
        "whether a layer has a bias",
        "CONV, FC and UPCONV have one unless a BN follows directly. `bias` and `nobias` override this.",
        _INPUT + "CONV 8 3x3 p1 nobias -> RELU\n",
    ),
    _word(
        "linear",
        "a layer without an activation, on purpose",
        "`after` adds nothing to it, and no warning asks for an activation between it and the next layer.",
        _INPUT + "CONV 8 1x1 linear -> CONV 4 1x1\n",
    ),
    _word(
        "TOTAL memory: params: memory claim",
        "what a slide says of memory and parameters",
        "`memory:` and `params:` after a layer are checked; `TOTAL` is the sum over all lines. A figure with K, M, G or B may be off by 1 %.",
        _INPUT + "CONV3-4: [8x8x4]  memory: 8*8*4  params: (3*3*4)*4 = 144\nTOTAL params: 148\n",
    ),
    _word(
        "C H W N dimension",
        "the sizes of what entered the block",
        "Channels, height and width of a map, N and C of a sequence, as numbers in expressions.",
        "block halve()\n    CONV C//2 1x1\n\n" + _INPUT + "halve()\n",
    ),
    _word(
        "round8 round min max expression",
        "arithmetic",
        "`+ - * / // %`, `min`, `max`, `round`, `ceil`, `floor`, and `round8`, the nearest multiple of 8 that is not below 90 % of the number. `/` is exact.",
        "param width = 1.4\n\n" + _INPUT + "CONV round8(32*width) 3x3 p1 -> RELU\n",
    ),
)
BY_NAME = {name: word for word in WORDS for name in word.names}


def word(name: str) -> LanguageWord | None:
    """Return the entry of a word, in any case if its own case is not known."""
    return BY_NAME.get(name) or BY_NAME.get(name.lower())
