"""The long form of every message, by its code, for `archspec explain`.

A code is a letter and three digits: E0 reading, E1 names and arguments, E2 volumes, E3 claims, E4 building, training
and deployment; W likewise for warnings. Each has a spec that triggers it and one that is right, unless no spec can
trigger it; tests/diagnostics/test_errors.py runs both.
"""

from __future__ import annotations

from textwrap import fill

from archspec.record import Record


class Explanation(Record):
    """What a message means, why it is reported, and how to fix it."""

    title: str
    text: str
    wrong: str = ""
    right: str = ""

    def __str__(self) -> str:
        """Return the text that `archspec explain` prints."""
        parts = [self.title, fill(self.text, 98)]
        if self.wrong:
            parts += ["Wrong:", _indented(self.wrong), "Right:", _indented(self.right)]
        return "\n\n".join(parts) + "\n"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.strip("\n").split("\n"))


I8 = "[8x8x4] INPUT\n"
READING = {
    "E001": Explanation(
        "this line cannot be read",
        "Something is out of place, or the line ends too early. A line is a chain of steps joined by `->`; a step is a"
        " layer with its arguments, a block call, a repeat, `x` or `@name`.",
        I8 + "CONV 4 3x3 same -> RELU -> -> BN\n",
        I8 + "CONV 4 3x3 same -> RELU -> BN\n",
    ),
    "E002": Explanation(
        "an unexpected character",
        "Names, numbers and layers are written without quotes; blocks are indented, not put in braces; steps are joined"
        " by `->`.",
        I8 + "CONV 4 3x3 => RELU\n",
        I8 + "CONV 4 3x3 -> RELU\n",
    ),
    "E003": Explanation(
        "a tab in the indentation",
        "Indentation is significant, and the width of a tab differs between editors. Use spaces.",
        I8 + "add\n    | CONV 4 3x3 same\n\t| x\n",
        I8 + "add\n    | CONV 4 3x3 same\n    | x\n",
    ),
    "E004": Explanation(
        "inconsistent indentation",
        "Lines that belong to another line are indented under it; lines of one level begin at the same column (a bracket"
        " may stand to the left of it). Among branches, every line begins with `|` or is indented further than the `|` of"
        " the branch it continues.",
        I8 + "CONV 4 3x3 same\n    RELU\n",
        I8 + "CONV 4 3x3 same\nRELU\n",
    ),
    "E005": Explanation(
        "a misplaced line",
        "`add`, `concat` and `mul` end their line, with branches under it; `block`, `if` and `else` have lines under"
        " them; `else` follows `if`; declarations begin at the left margin.",
        I8 + "CONV 4 3x3 same -> add\nRELU\n",
        I8 + "add\n    | CONV 4 3x3 same\n    | x\nRELU\n",
    ),
    "E006": Explanation(
        "a missing or dangling `->`",
        "Steps on one line are joined by `->`; a line ends with a step.",
        I8 + "CONV 4 3x3 same BN RELU\n",
        I8 + "CONV 4 3x3 same -> BN -> RELU\n",
    ),
    "E007": Explanation(
        "an empty branch",
        "A branch that passes its input through is written `| x`.",
        I8 + "add\n    | CONV 4 3x3 same\n    |\n",
        I8 + "add\n    | CONV 4 3x3 same\n    | x\n",
    ),
    "E008": Explanation(
        "a number larger than 2^63",
        "No tensor is that large. Is there a space missing between two numbers?",
        I8 + "CONV 99999999999999999999 3x3\n",
        I8 + "CONV 9 3x3\n",
    ),
    "E009": Explanation(
        "a file or a line that is too long",
        "A file may have up to 16 MiB, a line up to 5,000 characters. Repeats, `36 x block(64)`, keep a spec short.",
    ),
    "E010": Explanation(
        "no layers",
        "The file is empty, or contains only comments and declarations.",
        "# a spec, some day\n",
        I8 + "FC 10\n",
    ),
    "E011": Explanation(
        "an invalid training setting",
        "A `train` section has one setting per line, each at most once: optimizer, lr, warmup, epochs, augment,"
        " label_smoothing, clip, ema. grammar/README.md lists their arguments. No setting may take effect after the last"
        " epoch.",
        I8 + "FC 10\ntrain\n    lr 0.1, divided by 10 at 30 60\n    epoch 90\n",
        I8 + "FC 10\ntrain\n    lr 0.1, divided by 10 at 30 60\n    epochs 90\n",
    ),
    "E012": Explanation(
        "unbalanced parentheses or brackets",
        "Each `(` needs a `)` and each `[` a `]` on the same line.",
        "[8x8x4 INPUT\nFC 10\n",
        I8 + "FC 10\n",
    ),
    "E013": Explanation(
        "an expression that is nested too deeply",
        "Expressions may be nested up to 100 levels deep. Give a part of it a name: `let half = ...`.",
        I8 + "FC " + "1+" * 120 + "1\n",
        I8 + "FC 121\n",
    ),
    "E014": Explanation(
        "a spec that cannot be found or read",
        "A name refers to a built-in spec (`archspec specs` lists them); a path contains a `/` or ends in `.arch`. `use`"
        " searches the folder of the spec, then the built-in specs, and nowhere else.",
    ),
    "E015": Explanation("not UTF-8", "A spec is a text file in UTF-8. Is this another kind of file?"),
}
NAMES = {
    "E101": Explanation(
        "an unknown name",
        "There is no parameter, `let`, block, function or result with this name in scope. A name is visible in the block"
        " that defines it; a top-level parameter or block in the whole file. `use` imports blocks from other files.",
        "block unit(f)\n    CONV g 3x3\n" + I8 + "unit(4)\n",
        "block unit(f)\n    CONV f 3x3\n" + I8 + "unit(4)\n",
    ),
    "E102": Explanation(
        "an unknown layer or merge",
        "`archspec explain CONV` describes a layer; grammar/README.md lists them all. Branches are joined by `add`,"
        " `concat` or `mul`.",
        I8 + "CONVV 4 3x3\n",
        I8 + "CONV 4 3x3\n",
    ),
    "E103": Explanation(
        "an unknown argument",
        "The layer, block or spec has no argument with this name or of this form.",
        I8 + "RELU 4\n",
        I8 + "RELU\n",
    ),
    "E104": Explanation(
        "the wrong number of arguments or branches",
        "A block takes the arguments in its definition, a function those in the reference; a merge joins at least two branches.",
        "block unit(f)\n    FC f\n" + I8 + "unit(4, 5)\n",
        "block unit(f)\n    FC f\n" + I8 + "unit(4)\n",
    ),
    "E105": Explanation(
        "a value of the wrong kind",
        "A count is a whole number of at least 1, a probability is below 1, a condition is a comparison. `/` is exact:"
        " where the result may not be a whole number, use `floor(...)`, `ceil(...)` or `round(...)`.",
        I8 + "CONV 7/2 3x3\n",
        I8 + "CONV floor(7/2) 3x3\n",
    ),
    "E106": Explanation(
        "an argument that is missing or given twice",
        "Arguments without a default must be given, exactly once. A pool needs its stride.",
        I8 + "POOL 2x2\n",
        I8 + "POOL 2x2 s2\n",
    ),
    "E107": Explanation("division by zero", "The divisor is 0.", I8 + "FC 8/0\n", I8 + "FC 8/2\n"),
    "E108": Explanation(
        "a name that is undefined here",
        "`C`, `H`, `W` and `N` are the dimensions of a block's input, `x` is the input of a block or a merge, `@before` the"
        " input of the previous step. At the top level they are undefined.",
        I8 + "FC C\n",
        "block same()\n    FC C\n" + I8 + "same()\n",
    ),
    "E109": Explanation(
        "a name given twice",
        "Blocks, parameters, variants, labels and `let`s have unique names; a layer has one `after` rule; a spec has one"
        " title and one `train` section, its own or one that it uses.",
        I8 + "a: RELU\na: RELU\n",
        I8 + "a: RELU\nb: RELU\n",
    ),
    "E110": Explanation(
        "no INPUT, or a second one",
        "A network has one input, on its first line: `[224x224x3] INPUT`, or the bracket of the first line.",
        "CONV 4 3x3\n",
        I8 + "CONV 4 3x3\n",
    ),
    "E112": Explanation(
        "a network that is too large",
        "A network may have up to 250,000 layers and calls, counted before a repeat is expanded, and blocks may be nested"
        " up to 64 levels deep. A block that calls itself needs an `if` that ends the recursion.",
        "block again()\n    again()\n" + I8 + "again()\n",
        "block again(n)\n    RELU\n    if n > 0\n        again(n-1)\n" + I8 + "again(3)\n",
    ),
    "E113": Explanation(
        "an unused result",
        "Every layer must contribute to the output. A line that begins with `x` or `@name` discards the result of the line above.",
        "block b()\n    CONV 4 3x3 same\n    x\n    RELU\n" + I8 + "b()\n",
        "block b()\n    add\n        | CONV 4 3x3 same\n        | x\n    RELU\n" + I8 + "b()\n",
    ),
    "E114": Explanation(
        "`x` or `@name` in the middle of a line",
        "They can only begin a line. To join two volumes, write them as branches of `add`, `concat` or `mul`.",
        "block b()\n    RELU -> x\n" + I8 + "b()\n",
        "block b()\n    add\n        | RELU\n        | x\n" + I8 + "b()\n",
    ),
    "E115": Explanation("files that use each other", "Move the blocks that both need into a third file."),
    "E116": Explanation("an unknown variant", "`archspec specs` lists the variants of the built-in families."),
    "E117": Explanation(
        "an invalid change",
        "`--input` takes height x width x channels, `384x384x3`, or a sequence or a vector; `--classes` a number of at least 1.",
    ),
}
VOLUMES = {
    "E201": Explanation(
        "a window that does not fit",
        "(W - F + 2P)/S + 1 is not a whole number, so pixels of the map would be dropped. The message lists sizes and pads"
        " that fit. `floor` drops the pixels on purpose, `ceil` adds a window.",
        "[224x224x3] INPUT\nCONV 96 11x11 s4\n",
        "[227x227x3] INPUT\nCONV 96 11x11 s4\n",
    ),
    "E202": Explanation(
        "a window larger than the map",
        "The window is larger than the map with its padding.",
        I8 + "CONV 4 9x9\n",
        I8 + "CONV 4 9x9 p1\n",
    ),
    "E203": Explanation(
        "numbers that do not divide evenly",
        "Groups must divide the channels and the filters; heads must divide the channels; blocks and windows must tile the map.",
        I8 + "CONV 4 3x3 g3\n",
        I8 + "CONV 4 3x3 g2\n",
    ),
    "E204": Explanation(
        "a volume of the wrong kind",
        "CONV takes a map [HxWxC], MHSA a sequence [NxC]; FC and GAP produce a vector [C], TOKENS a sequence.",
        I8 + "FC 10 -> POOL 2x2 s2\n",
        I8 + "POOL 2x2 s2 -> FC 10\n",
    ),
    "E205": Explanation(
        "an argument that does not suit the volume",
        "For example a slice beyond the channels, a position beyond the sequence, `same` with an even window, or a pad wider than"
        " half the window.",
        I8 + "SLICE 2 9\n",
        I8 + "SLICE 2 4\n",
    ),
    "E206": Explanation(
        "volumes that cannot be joined",
        "`add` needs volumes of equal shape, `concat` of equal height and width; `mul` also takes a vector that scales the"
        " channels.",
        I8 + "add\n    | CONV 8 3x3 same\n    | x\n",
        I8 + "add\n    | CONV 8 3x3 same\n    | CONV 8 1x1\n",
    ),
}
CLAIMS = {
    "E301": Explanation(
        "a bracket with the wrong volume",
        "A bracket claims a volume, and the layers produce another. In a file that begins with INPUT, a bracket shows what"
        " its line produces, otherwise what its line receives.",
        I8 + "[8x8x4] CONV 4 3x3\n",
        I8 + "[6x6x4] CONV 4 3x3\n",
    ),
    "E302": Explanation(
        "a wrong number of parameters",
        "The left side must evaluate to the layer's number of parameters, with or without biases. The right side must equal"
        " the left, within 1 % if it is written with K, M, G or B.",
        I8 + "CONV3-4: [8x8x4] params: (3*3*4)*5 = 180\n",
        I8 + "CONV3-4: [8x8x4] params: (3*3*4)*4 = 144\n",
    ),
    "E303": Explanation(
        "a wrong number of values",
        "`memory:` is the number of values in the layer's volume.",
        I8 + "CONV3-4: [8x8x4] memory: 8*8*5\n",
        I8 + "CONV3-4: [8x8x4] memory: 8*8*4\n",
    ),
    "E304": Explanation(
        "a bracket that is not a volume",
        "[HxWxC] is a map, [NxC] a sequence, [C] a vector.",
        "[1x8x8x4] INPUT\nFC 10\n",
        I8 + "FC 10\n",
    ),
    "W201": Explanation(
        "no activation between two weight layers",
        "Without an activation between them, two linear layers are equivalent to one: the listing probably omits its"
        " activations. `after` adds them everywhere; `linear` after a layer marks it as intended (MobileNetV2's"
        " bottlenecks).",
        I8 + "CONV 4 3x3 -> CONV 4 3x3\n",
        "after CONV: RELU\n" + I8 + "CONV 4 3x3 -> CONV 4 3x3\n",
    ),
    "W202": Explanation(
        "an input that looks like channels first",
        "Volumes are written height x width x channels, as in lectures; torch puts the channels first.",
        "[3x32x32] INPUT\nFC 10\n",
        "[32x32x3] INPUT\nFC 10\n",
    ),
    "W301": Explanation(
        "a wrong TOTAL of parameters",
        "The rows add up to a different number, with and without biases.",
        I8 + "FC 10\nTOTAL params: 3M parameters\n",
        I8 + "FC 10\nTOTAL params: 2,570\n",
    ),
    "W302": Explanation(
        "a wrong TOTAL of memory",
        "The rows (in-place layers are not counted again) add up to a different number of values, or at 4 bytes each to a"
        " different size.",
        I8 + "FC 10\nTOTAL memory: 24M * 4 bytes ~= 96MB\n",
        I8 + "FC 10\nTOTAL memory: 266\n",
    ),
}
SHIPPING = {
    "E400": Explanation(
        "a label that clashes with an attribute of torch modules",
        "A layer becomes an attribute of a torch module under its name, and torch modules already have methods such as"
        " `train` and `type`. Choose another label.",
    ),
    "E401": Explanation(
        "invalid weights",
        "There is no such file, or it was not written by `archspec train`. A weights file records its network, its class"
        " names and its preprocessing; the note says what is wrong with them.",
    ),
    "E450": Explanation(
        "a folder that is not a training set",
        "--data takes a folder with one subfolder of images per class, for at least two classes. Hidden folders and files"
        " are ignored. A class folder may be a link; links inside it are not followed.",
    ),
    "E451": Explanation(
        "a folder that contains a run", "`--resume` continues it; another `--out` leaves it untouched."
    ),
    "E452": Explanation("no checkpoint", "The folder contains no checkpoint, or a damaged one."),
    "E453": Explanation("fewer images than a step takes", "A smaller `--batch` makes steps of fewer images."),
    "E454": Explanation(
        "a network that is not an image classifier",
        "Training needs a network that takes a map of 1 or 3 colour channels and outputs a vector of class scores.",
    ),
    "E455": Explanation("fp16 without CUDA", "Training in fp16 needs a GPU; `--amp bf16` works everywhere."),
    "E456": Explanation(
        "too many unreadable images",
        "Damaged images are listed and skipped, up to 1 % of the images or ten of them. More than that suggests another"
        " problem, such as an incomplete copy or files of another kind.",
    ),
    "E457": Explanation(
        "colour images for a greyscale network",
        "`--input` with `x3` builds a network for colour images; otherwise convert the images to greyscale.",
    ),
    "E458": Explanation(
        "a run started with a different number of processes",
        "Each process has its own part of the images, so a run must be resumed with as many processes as it was started with.",
    ),
    "E459": Explanation(
        "non-finite steps",
        "A step whose loss or gradients are NaN or infinite is skipped. After many in a row, training has diverged and"
        " stops: try a lower learning rate, a longer warm-up or gradient clipping.",
    ),
    "E460": Explanation(
        "different classes",
        "Weights are evaluated on images of their own classes, and the members of an ensemble must have the same classes,"
        " in any order. Classes are matched by name: a folder of images must have the name of its class in the weights.",
    ),
    "E461": Explanation(
        "too many damaged images",
        "Images that cannot be read are listed and skipped, up to 1 % of the images or ten of them; `--max-damaged` sets"
        " another limit.",
    ),
    "E462": Explanation(
        "no images to evaluate on",
        "Only weights trained on the bundled digits can be evaluated without `--data`, which takes a folder with one"
        " subfolder of images per class.",
    ),
    "E463": Explanation(
        "no held-out images in common",
        "Without a `val` folder, a run holds out some images, chosen by its seed. Weights of different seeds are evaluated"
        " on the images that all of them held out, and here there are none: `--all` uses every image.",
    ),
    "E464": Explanation(
        "non-finite scores",
        "The network outputs NaN or infinity for some image: its training diverged, or its weights are damaged.",
    ),
    "E465": Explanation(
        "weights without class scores",
        "Evaluation needs a network that outputs a vector with one score per class, and weights that name the classes.",
    ),
    "E466": Explanation("out of GPU memory", "A smaller `--batch` processes fewer images at once."),
    "E470": Explanation(
        "more stages than layers with weights",
        "A pipeline assigns each process one stage of the network, and every stage needs a layer with weights.",
    ),
    "E471": Explanation(
        "a pipeline with one process",
        "Each process runs one stage: `torchrun --nproc-per-node 2` starts two.",
    ),
    "E473": Explanation(
        "processes that cannot connect",
        "`WORLD_SIZE` asks for several processes, but the address where they connect is missing or wrong: `torchrun` sets both.",
    ),
    "E474": Explanation(
        "a network that does not fit into memory",
        "A training step with a single image needs more memory than the machine or the GPU has, so training was not started.",
    ),
    "E472": Explanation(
        "a recipe that a pipeline does not support",
        "Each process of a pipeline has only one stage, and the message names the setting that needs the whole network."
        " Drop `--pipeline` or that setting.",
    ),
    "E420": Explanation(
        "an unknown result",
        "`--output` names a layer or a block of the spec; `archspec check SPEC --all` shows all names.",
    ),
    "E421": Explanation(
        "weights of a different network",
        "The weights and the spec differ in names or shapes; the first difference is shown.",
    ),
    "E422": Explanation("a file that cannot be written", "The folder is missing, read-only or full."),
    "E423": Explanation(
        "too large for one file",
        "A protobuf file is limited to 2 GiB: `--external-data` stores the weights in a second file.",
    ),
    "E424": Explanation(
        "a missing package",
        "Training, exporting and running need more packages than `archspec check`: install `archspec-nn[all]`.",
    ),
    "E425": Explanation(
        "an exported model that fails verification",
        "onnxruntime and torch compute different results, so no file was written. This is a bug in archspec: please report"
        " it with the spec.",
    ),
    "E426": Explanation(
        "a flag that cannot be combined with weights",
        "Weights belong to one spec, which their file contains; `--classes` and similar flags change a spec before it is trained.",
    ),
    "E430": Explanation("not an ONNX model", "There is no such file, or onnxruntime cannot load it."),
    "E431": Explanation(
        "a model without the required metadata",
        "`archspec export` stores class names and preprocessing in a model; this one has none.",
    ),
    "E432": Explanation("not an image", "The file is missing, damaged, or not what its name says."),
    "E433": Explanation("a folder without images", "None of its files has the extension of an image."),
    "E434": Explanation(
        "CUDA cannot be used",
        "The message says what is missing. `--device cpu` runs without CUDA; `archspec doctor` checks the whole setup.",
    ),
    "E435": Explanation("a model without class scores", "It outputs features: `--features` prints them."),
    "W431": Explanation("skipped images", "Some images could not be read; the others were classified."),
    "W432": Explanation(
        "not the folder of the training",
        "In a folder without `val`, the held-out tenth depends on the seed and the file names. With other names it is a"
        " different tenth, which the network may have been trained on: its figures are then too good.",
    ),
}
CODES: dict[str, Explanation] = {**READING, **NAMES, **VOLUMES, **CLAIMS, **SHIPPING}
