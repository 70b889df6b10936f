"""What slides, answers, papers and scans make of a spec: one finding for each cause, whose help mends it.

Each text has one finding, and its first help, applied alone, leaves a spec without findings.
"""

import pytest

from support.helps import findings_in, trials

INPUT = "[32x32x3] INPUT\n"
END = "FC 10\n"
BLOCK = "block unit(f)\n    CONV f 3x3 p1 -> RELU\n"

# lines between an input and a head, the message, and the lines that the help makes of them
LINES = [
    ("CONV 16 3x3 p1 -&gt; RELU\n", "`&gt;` is HTML for `>`", "CONV 16 3x3 p1 -> RELU\n"),
    (r"CONV 16 $3\times3$ p1 -> RELU", "`$` is LaTeX, not the notation", "CONV 16 3x3 p1 -> RELU"),
    (r"CONV 16 3x3 p1 $\to$ RELU \\", "`$` is LaTeX, not the notation", None),
    ("[32x32x16] & CONV 16 3x3 p1 -> RELU", "`&` is LaTeX, not the notation", "[32x32x16] CONV 16 3x3 p1 -> RELU"),
    ("7x7 conv, 64, /2\nRELU", "the layer comes first, and a stride is written `s2`: `7x7 conv, 64, /2`", None),
    (
        "CONV 16 3x3 p1 -> RELU (x2)",
        "a repeat is written before its step: `CONV 16 3x3 p1 -> RELU (x2)`",
        "CONV 16 3x3 p1 -> RELU -> CONV 16 3x3 p1 -> RELU",
    ),
    ("CONV 16 3x3 p1 bias=False -> RELU", "a flag has no value, got `bias=False`", None),
    ("CONV 16 3x3 p1 -> RELU inplace=True", "`inplace=True` is an argument of Python, not of a layer", None),
    ("CONV 16 3x3/2 p1 floor -> RELU", "a stride is written `s2`, got `/2`", "CONV 16 3x3 s2 p1 floor -> RELU"),
    ("CONV 16 3 x3 p1 -> RELU", "a size is written `3x3`, got `3 x3`", "CONV 16 3x3 p1 -> RELU"),
    ("CONV 16 3x3 p1px -> RELU", "`p1px` is neither an argument of CONV nor a known name", "CONV 16 3x3 p1 -> RELU"),
    ("CONV 16 3x3 p1 à RELU", "`à` is not an arrow", "CONV 16 3x3 p1 -> RELU"),
    ("CONV 16 3x3 p1 - RELU", "`-` is not an arrow", "CONV 16 3x3 p1 -> RELU"),
    ("CONV l6 3x3 p1 -> RELU", "`l6` has letters for digits", "CONV 16 3x3 p1 -> RELU"),
    ("CONV 1OO 3x3 p1 -> RELU", "`1OO` has letters for digits", "CONV 100 3x3 p1 -> RELU"),
    ("FC 4 096 -> RELU", "`4 096` is two numbers", "FC 4096 -> RELU"),
    ("FC 4\u2009096 -> RELU", "`4\u2009096` is two numbers", "FC 4096 -> RELU"),
    ("FC 64 -> RELU -> DROPOUT 0,5", "`0,5` is two numbers", "FC 64 -> RELU -> DROPOUT 0.5"),
    ("In [3]: CONV 16 3x3 p1 -> RELU", "`In [3]:` is the prompt of a notebook", "CONV 16 3x3 p1 -> RELU"),
    ("**Layer 1**: CONV 16 3x3 p1 -> RELU", "unexpected title: `**Layer 1**:`", "CONV 16 3x3 p1 -> RELU"),
    ("**Model**\nCONV 16 3x3 p1 -> RELU", "line 2 is prose", "# **Model**\nCONV 16 3x3 p1 -> RELU"),
    ("Our network:\nCONV 16 3x3 p1 -> RELU", "line 2 is prose", "# Our network:\nCONV 16 3x3 p1 -> RELU"),
    ("CONV 16 3x3 fil-\nters p1 -> RELU", "a word is divided at the end of the line", "CONV 16 3x3 filters p1 -> RELU"),
    ("+\n    | CONV 3 3x3 p1 -> RELU\n    | x", "unknown merge `+`", "add\n    | CONV 3 3x3 p1 -> RELU\n    | x"),
    (
        "x + CONV 3 3x3 p1 -> RELU",
        "`+` does not merge",
        "add\n    | x\n    | CONV 3 3x3 p1 -> RELU",
    ),
    (
        "a: CONV 3 3x3 p1 -> RELU\nb: CONV 3 3x3 p1 -> RELU\na + b",
        "`+` does not merge",
        "a: CONV 3 3x3 p1 -> RELU\nb: CONV 3 3x3 p1 -> RELU\nadd\n    | @a\n    | @b",
    ),
    (
        "CONV 3 3x3 p1 -> BN -> add x",
        "`add` has its branches under it",
        "add\n    | CONV 3 3x3 p1 -> BN\n    | x",
    ),
    (
        "add\n| CONV 3 3x3 p1 -> RELU\n| x",
        "the branches of `add` are not indented",
        "add\n  | CONV 3 3x3 p1 -> RELU\n  | x",
    ),
    ("for i in range(3):\n    CONV 16 3x3 p1 -> RELU", "a spec has no loops", None),
    ("2: CONV 16 3x3 p1 -> RELU", "`2:` numbers the line, and is not part of it", "CONV 16 3x3 p1 -> RELU"),
    ("b) CONV 16 3x3 p1 -> RELU", "`b)` numbers the line, and is not part of it", "CONV 16 3x3 p1 -> RELU"),
    ("*CONV 16 3x3 p1* -> _RELU_", "unexpected markup: `*`", "CONV 16 3x3 p1 -> RELU"),
    ("3xRELU", "a repeat is written `3 x`, got `3x`", "3 x RELU"),
    ("repeat 3 times:\n    RELU", "a spec has no loops", "3 x RELU"),
    ("stem\uff1aCONV 16 3x3 p1 -> RELU", "`\uff1a` is a full-width colon (U+FF1A)", "stem: CONV 16 3x3 p1 -> RELU"),
    ("CONV 16 3x3 S1 P1 -> RELU", "arguments are in lower case: `S1`", "CONV 16 3x3 s1 p1 -> RELU"),
    (
        "[32x32\nx16] CONV 16 3x3 p1 -> RELU",
        "a volume is divided at the end of the line",
        "[32x32x16] CONV 16 3x3 p1 -> RELU",
    ),
    ("repeat 3: RELU", "a repeat is written `3 x`, got `repeat 3:`", "3 x RELU"),
    ("CONV 16 3x3 p1 -> RELU memroy: 32*32*16=16.4K", "unknown claim `memroy`", None),
    *(
        (f"add\n    | CONV 3 3x3 p1 -> DROPPATH {old}\n    | x", f"a range is written with `to`, got `{old}`", None)
        for old in ("0..0.1", "0:0.1", "0 ~ 0.1")
    ),
    (
        "if 1 == 1: CONV 8 3x3 p1 -> RELU",
        "`if` is followed by the lines under it",
        "if 1 == 1\n    CONV 8 3x3 p1 -> RELU",
    ),
]

# lines of frameworks after a CONV, and what they are in the notation
PYTHON = {
    "x = F.relu(self.bn1(x))": "BN -> RELU",
    "nn.Conv2d(16, 16, 3, padding=1, groups=16, bias=False)\nBN": "DWCONV 3x3 p1 nobias\nBN",
    "x = torch.flatten(x, 1)": "",
    "x = x.view(x.size(0), -1)": "",
    "nn.Sequential(nn.Conv2d(16, 8, 3, padding=1), nn.ReLU(inplace=True))": "CONV 8 3x3 p1 -> RELU",
    "tf.nn.max_pool(h, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME')": "MAXPOOL 2x2 s2",
    "x = F.max_pool2d(F.relu(x), 2)": "RELU -> MAXPOOL 2x2 s2",
    "self.bn1 = nn.BatchNorm2d(16)\nself.relu = nn.ReLU()": "BN\nRELU",
}
# and those without an equal
NO_EQUAL = {
    "x = self.dropout(F.relu(x))": "line 3 is PyTorch code",
    "x = self.layer1(x)": "line 3 is PyTorch code",
    "x = x + self.conv2(x)": "line 3 is PyTorch code",
    "y = tf.nn.conv2d(x, W, strides=[1, 1, 1, 1])": "line 3 is TensorFlow code",
    "[CONV -> RELU]*N -> POOL?": "a pattern of layers, not a network",
    "inception (3a) 28x28x256 2 64 96 128 16 32 32 159K 128M": "line 3 is a row of a table, not a layer",
    "[3x3, 64; 3x3, 64] x 2": "convolutions in brackets, as in the ResNet paper's table, are not a step",
}

# whole texts, and the message
TEXTS = [
    (
        f"{INPUT}{END}train\noptimizer sgd momentum=0.9\nlr 0.1 for batch 128, divided by 10 at 30 60\nepochs 90\n"
        "augment crop=1.25 flip\n\nlabel_smoothing 0.1\n",
        "the settings of `train` are not indented",
    ),
    (
        " 8  [32x32x3] INPUT\n 9  CONV 8 3x3 p1 -> RELU\n10  add\n11      | RELU\n12      | x\n13\n14  FC 10\n",
        "the lines are numbered, and their numbers are not part of a spec",
    ),
    (
        "inputs = keras.Input(shape=(28, 28, 1))\nCONV 8 3x3 p1 -> RELU\nFC 10\n",
        "`inputs = keras.Input(shape=(28, 28, 1))` is Python, not a line of a spec",
    ),
    (f"{BLOCK}{INPUT}unit 16\n{END}", "the arguments of a block are in parentheses: `unit 16`"),
    (f"def unit(f: int):\n    CONV f 3x3 p1 -> RELU\n{INPUT}unit(16)\n{END}", "unknown keyword `def`"),
    (
        f"block unit(n)\n    n-1 x RELU\n{INPUT}unit(3)\n{END}",
        "a computed number of repeats is in parentheses, got `n-1 x`",
    ),
    (
        f"{INPUT}for i in range(2):\n    CONV 8 3x3 p1 -> RELU\n    CONV 16 3x3 p1 -> RELU\n{END}",
        "a spec has no loops",
    ),
    (
        f"block unit(f) {{ CONV f 3x3 p1 -> RELU }}\n{INPUT}unit(16)\n{END}",
        "the lines of a block are indented, not in braces",
    ),
    (f"net = LeNet\n{INPUT}CONV 8 3x3 p1 -> RELU\n{END}", "a title has no `=`: `net = LeNet`"),
    (
        f"Net LeNet\nParam w=2\nBlock unit(f)\n    If f == 8\n        RELU\n    Else\n        CONV f 3x3 p1 -> RELU\n"
        f"{INPUT}unit(16) -> unit(8)\nFC 10*w\n",
        "keywords are in lower case: `Net`",
    ),
    (
        f"{INPUT}<<<<<<< HEAD\nCONV 8 3x3 p1 -> RELU\n=======\nCONV 16 3x3 p1 -> RELU\n>>>>>>> wider\n{END}",
        "git left a conflict here: two versions of the same lines",
    ),
    (f"@@ -1,3 +1,3 @@\n {INPUT}-CONV 8 3x3\n+CONV 16 3x3 p1 -> RELU\n {END}", "this is a diff, not a spec"),
    (f"{INPUT}-CONV 8 3x3\n+CONV 16 3x3 p1 -> RELU\n{END}", "this is a diff, not a spec"),
    (
        '"[32x32x3] INPUT\\nCONV 16 3x3 p1 -> RELU\\nGAP -> FC 10\\n"\n',
        "the spec is a quoted string, with `\\n` for its ends of lines",
    ),
]

FOREIGN = [
    (
        "graph torch-jit-export (\n  %input.1[FLOAT, 1x3x224x224]\n) initializers (\n  %w[FLOAT, 64x3x7x7]\n) {\n"
        "  %123 = Conv[group = 1, kernel_shape = [7, 7]](%input.1, %w)\n  %124 = Relu(%123)\n  return %124\n}\n",
        "an ONNX graph that a tool printed",
    ),
    (
        "\\begin{tabular}{c|c|c}\nlayer name & output size & 18-layer \\\\\n\\hline\n"
        "conv1 & 112$\\times$112 & 7$\\times$7, 64, stride 2 \\\\\n\\end{tabular}\n",
        "a LaTeX table",
    ),
    ("┌─────┬──────┐\n│ A   │ B    │\n├─────┼──────┤\n│ C1  │ 55x5 │\n└─────┴──────┘\n", "a table drawn in text"),
    ("+------+-----+\n| name | out |\n+------+-----+\n| CONV | 55  |\n+------+-----+\n", "a table drawn in text"),
    (
        "LeNet-5   [32x32x1] -> [10]\n\nname      layer       output     memory  parameters  MACs  field\n"
        "input     INPUT       [32x32x1]  1,024                           1\n"
        "conv1     CONV 6 5x5  [28x28x6]  4,704  150 + 6          118K    5\n",
        "a report of `archspec check`",
    ),
    ("graph TD\n    A[INPUT 224x224x3] --> B[CONV 64 7x7]\n    B --> C[FC 10]\n", "a Mermaid diagram"),
    ("layers = [\n    imageInputLayer([28 28 1])\n    reluLayer\n];\n", "MATLAB code"),
    ("class A(nn.Module):\n  @nn.compact\n  def __call__(self, x):\n    x = nn.Dense(10)(x)\n", "Flax code"),
    ("net = slim.conv2d(inputs, 64, [3, 3])\nnet = slim.flatten(net)\n", "TF-Slim code"),
    ("data = mx.sym.Variable('data')\nc = mx.sym.Convolution(data=data, num_filter=20)\n", "MXNet code"),
    ("layer,filters,kernel\nconv,64,7x7\nfc,10,\n", "a CSV file"),
    ('<layers>\n<layer type="conv" filters="64"/>\n</layers>\n', "XML"),
    ("[model]\nlayers = 4\n[model.conv]\nfilters = 64\n", "TOML"),
    ("model = timm.create_model('resnet50', pretrained=True)\n", "Python code"),
]

# lines with a step, or an argument of one, that other lines of their form could hide
HIDDEN = [
    "// CONV 32 3x3 p1 -> RELU",
    "% CONV 32 3x3 p1",
    "; conv 32 3x3",
    "-- CONV 32 3x3 p1",
    "<!-- CONV 32 3x3 p1 -->",
    "/* CONV 32 3x3 p1\nCONV 32 3x3 p1 -> RELU */",
    "``` CONV 32 3x3",
    "(CONV 32 3x3 p1 -> RELU)",
    "(RELU)",
    "(x2)",
    "(stride 2)",
    "net = slim.conv2d(inputs, 64, [11, 11], 4, scope='conv1')",
    "net -> CONV 32 3x3",
    "net CONV 32 3x3 p1 -> RELU",
    "CONV 16 3x3 p1 (with BN and RELU)",
    "CONV 16 3x3 p1 (same padding)",
]


@pytest.mark.parametrize(("lines", "message", "mended"), LINES)
def test_a_line_of_a_page_has_one_mistake_and_the_help_mends_it(lines: str, message: str, mended: str | None) -> None:
    text = f"{INPUT}{lines.rstrip()}\n{END}"
    (finding,) = findings_in(text)
    assert finding.message == message
    first = next(iter(trials(text)))
    assert mended is None or first.text == f"{INPUT}{mended.rstrip()}\n{END}"
    assert findings_in(first.text) == ()


@pytest.mark.parametrize("lines", PYTHON)
def test_lines_of_a_framework_are_one_mistake_and_the_help_translates_them(lines: str) -> None:
    head = f"{INPUT}CONV 16 3x3 p1 -> RELU\n" if "Conv2d" in lines else f"{INPUT}CONV 16 3x3 p1\n"
    (trial,) = trials(f"{head}{lines}\nRELU\n{END}")
    assert "is Python" in trial.finding.message
    assert trial.text == f"{head}{PYTHON[lines]}\nRELU\n{END}"
    assert trial.works


@pytest.mark.parametrize("line", NO_EQUAL)
def test_a_line_without_an_equal_is_named_once(line: str) -> None:
    (finding,) = findings_in(f"{INPUT}CONV 16 3x3 p1 -> RELU\n{line}\n{END}")
    assert finding.message == NO_EQUAL[line]
    assert finding.helps == ()


@pytest.mark.parametrize(("text", "message"), TEXTS)
def test_a_pasted_text_has_one_mistake_and_the_help_mends_it(text: str, message: str) -> None:
    (finding,) = findings_in(text)
    assert finding.message == message
    assert findings_in(next(iter(trials(text))).text) == ()


@pytest.mark.parametrize(("text", "language"), FOREIGN)
def test_another_language_is_named_once(text: str, language: str) -> None:
    (finding,) = findings_in(text)
    assert finding.message == f"this is {language}, not a spec"


@pytest.mark.parametrize("line", HIDDEN)
def test_a_step_is_never_read_over_silently(line: str) -> None:
    codes = {finding.code for finding in findings_in(f"{INPUT}CONV 16 3x3 p1 -> RELU\n{line}\n{END}")}
    assert codes & {"E001", "E006"}


@pytest.mark.parametrize("step", ["RELU", "CONV 8 3x3 p1 -> RELU"])
@pytest.mark.parametrize("sign", [" // ", "; ", " % ", " -- "])
def test_a_step_after_the_sign_of_a_comment_is_not_dropped(step: str, sign: str) -> None:
    text = f"{INPUT}CONV 16 3x3 p1{sign}{step}\n{END}"
    (finding,) = findings_in(text)
    assert finding.code in ("E002", "E006")
    assert next(iter(trials(text))).text == f"{INPUT}CONV 16 3x3 p1 -> {step}\n{END}"


def test_bullets_under_bullets_are_at_one_level() -> None:
    assert findings_in(f"{INPUT}- CONV 16 3x3 p1 -> RELU\n  - CONV 16 3x3 p1 -> RELU\n    ✅ BN\n{END}") == ()


@pytest.mark.parametrize("sign", ["├── ", "└── ", "👉 ", "- [ ] ", "* [x] ", "↓\n"])
def test_what_surrounds_a_line_is_read_over(sign: str) -> None:
    assert findings_in(f"{INPUT}{sign}CONV 16 3x3 p1 -> RELU\n{END}") == ()
