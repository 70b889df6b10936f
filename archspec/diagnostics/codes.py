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
        parts = [self.title, fill(self.text, 98, break_on_hyphens=False)]
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
        I8 + "CONV 4 3x3 stride=\n",
        I8 + "CONV 4 3x3 stride=1\n",
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
        "No tensor is that large, and no parameter. Is there a space missing between two numbers?",
        I8 + "CONV 99999999999999999999 3x3\n",
        I8 + "CONV 9 3x3\n",
    ),
    "E009": Explanation(
        "a file or a line that is too long",
        "A file may have up to 4 MiB, 250,000 lines that are not blank, and 1,000,000 words and signs; a line up to 5,000"
        " characters. Repeats, `36 x block(64)`, keep a spec short.",
    ),
    "E010": Explanation(
        "no layers",
        "The file is empty, or contains only comments and declarations; or an `aux` has no layers.",
        "# a spec, some day\n",
        I8 + "FC 10\n",
    ),
    "E011": Explanation(
        "an invalid training setting",
        "A `train` section has one setting per line, each at most once: optimizer, lr, warmup, epochs, augment,"
        " label_smoothing, clip, ema. grammar/README.md lists their arguments. Neither a setting nor a flag of `archspec"
        " train` may take effect after the last epoch. `--freeze` names layers or blocks with weights, and leaves some to"
        " train; `--class-weights` names classes of the images.",
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
        " input of the previous step. At the top level they are undefined. A result of an `aux` is undefined outside it,"
        " and results leave the network, `output p3: ...`, only at the top level.",
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
        "no INPUT, or one in the wrong place",
        "A network's first line is its input: `[224x224x3] INPUT`, or the bracket of the first line. Further inputs are lines"
        " of the top level too, each with a label: `[224x224x3] right: INPUT`.",
        "CONV 4 3x3\n",
        I8 + "CONV 4 3x3\n",
    ),
    "E112": Explanation(
        "a network that is too large",
        "A network may take up to 250,000 steps, counted before a repeat is expanded: layers, calls, branches, `let`s and"
        " `if`s count each time they run, and a long step once more for each 50 characters. Blocks may be nested up to 64"
        " levels deep. A block that calls itself needs an `if` that ends the recursion.",
        "block again()\n    again()\n" + I8 + "again()\n",
        "block again(n)\n    RELU\n    if n > 0\n        again(n-1)\n" + I8 + "again(3)\n",
    ),
    "E113": Explanation(
        "an unused result",
        "Every layer must contribute to an output: the last line, or those of `output` lines. A line that begins with `x` or"
        " `@name` discards the result of the line above.",
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
        "`--input` takes height x width x channels, `384x384x3`, or a sequence or a vector, as the spec's input is one;"
        " `--classes` a number of at least 1, if the network's scores come from layers that have an output for each class;"
        " `--set` a parameter of the spec, and a number or the name of a block.",
    ),
    "E118": Explanation(
        "a name that has a meaning already",
        "`x` is the input of a block, `C`, `H`, `W` and `N` are its dimensions, `s2`, `p1`, `g32`, `same` and `bias` are"
        " arguments of layers, and `if`, `block`, `let` and the like are keywords: parameters, `let`s and labels need other names.",
        "block unit(s2)\n    CONV s2 3x3\n" + I8 + "unit(4)\n",
        "block unit(f)\n    CONV f 3x3\n" + I8 + "unit(4)\n",
    ),
    "E119": Explanation(
        "weights that cannot be shared",
        "All calls of a `shared` block that stand in one instance of a block, or at the top level, use the same weights: they"
        " need the same numbers, the same layers, and tensors of the same shapes. The size of a map may differ. A layer with"
        " `weights=@name` uses the tensors of the layer `name` that have the same name and shape as its own, at least one.",
        "block unit shared\n    CONV 4 3x3 same -> RELU\n" + I8 + "unit() -> CONV 8 1x1 -> RELU -> unit()\n",
        "block unit shared\n    CONV 4 3x3 same -> RELU\n" + I8 + "unit() -> CONV 4 1x1 -> RELU -> unit()\n",
    ),
    "E120": Explanation(
        "a wrong command line",
        "An unknown command or flag, a missing argument, or a value that a flag does not take. `archspec --help` lists the"
        " commands, and `archspec check --help` the flags of one.",
    ),
    "W101": Explanation(
        "a name that is never used",
        "A parameter or a `let` that nothing refers to, or an `init` line for a layer that its file does not have, is probably"
        " a leftover, or another name was meant. Blocks and imports may wait for their use."
        " The parameters of a block that is passed on as a value may be unused: others say what it is given.",
        "block unit(f, n)\n    CONV f 3x3\n" + I8 + "unit(4, 2)\n",
        "block unit(f, n)\n    CONV f 3x3\n    n x RELU\n" + I8 + "unit(4, 2)\n",
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
        "a wrong total of parameters",
        "`TOTAL params:` or `published params=` is a different number than the rows add up to, with and without biases.",
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
    "W303": Explanation(
        "a wrong total of multiply-accumulates",
        "`published macs=` is a different number than the rows add up to, with and without attention's own products. What"
        " papers and torchvision call FLOPs are usually multiply-accumulates: `macs`.",
        "published macs=3M\n" + I8 + "FC 10\n",
        "published macs=2.56K\n" + I8 + "FC 10\n",
    ),
}
SHIPPING = {
    "E400": Explanation(
        "a label that clashes with an attribute of torch modules",
        "A layer becomes an attribute of a torch module under its name, and torch modules already have methods such as"
        " `train` and `type`. Choose another label.",
    ),
    "E401": Explanation(
        "missing or invalid weights",
        "The file is missing, was not written by `archspec train`, or belongs to an unfinished run. A weights file contains"
        " its spec, its class names and its preprocessing; the note says what is wrong with them.",
    ),
    "E450": Explanation(
        "a folder that cannot be trained on",
        "`--data` takes a folder with one folder of images per class, at least two classes, each with images to train on"
        " and some images to hold out. Hidden folders and files are ignored. Links to a class's folder are followed, links"
        " below it are not. A resumed run must find the images it began with. A network whose output is a map of classes"
        " takes a folder with `images` and `masks` instead: each image has a mask of its name and size, a PNG with one"
        " value a class from 0; 255 is ignored. `classes.txt` names the classes, a line each.",
    ),
    "E451": Explanation(
        "a folder that already contains a run", "`--resume` continues it; `--out` names another folder."
    ),
    "E452": Explanation(
        "no checkpoint to resume from",
        "The folder contains none, all of them are damaged, or another version of archspec wrote them.",
    ),
    "E453": Explanation(
        "fewer images than a step takes",
        "A step takes `--batch` x `--accumulate` images in each process: make one of them smaller.",
    ),
    "E454": Explanation(
        "a network that cannot be trained",
        "Training needs a layer with weights, a map with 1 or 3 channels as input, and as output a vector of class scores,"
        " or a map of them with a place for each pixel of the input, or of its centre. A map learns from `--data` with"
        " images and masks.",
    ),
    "E455": Explanation(
        "a setting that requires CUDA",
        "`--amp fp16` scales the loss and requires a GPU; `--amp bf16` works everywhere. `--sync-bn` is torch's SyncBatchNorm,"
        " which does not run on the CPU.",
    ),
    "E456": Explanation(
        "too many unreadable images to train on",
        "Damaged images are named and left out, up to 1 % of all images, or ten. More suggest that something else is wrong:"
        " an incomplete copy, or files of another kind.",
    ),
    "E457": Explanation(
        "colour images for a network with one channel",
        "`--input HxWx3` gives the network three channels; or convert the images to gray.",
    ),
    "E458": Explanation(
        "resumed with another number of processes",
        "Each process has its own part of the images, so a run is resumed with as many processes as it began with.",
    ),
    "E459": Explanation(
        "training has diverged",
        "Steps whose loss or gradients are NaN or infinite are skipped; ten in a row, or a held-out loss that is not"
        " finite, end the run. A lower learning rate, a longer warm-up or clipped gradients help.",
    ),
    "E460": Explanation(
        "different classes",
        "Networks are evaluated on images of their own classes, and the members of an ensemble must have the same classes,"
        " in any order. Classes are matched by name: a folder of images must have the name of its class in the weights.",
    ),
    "E461": Explanation(
        "too many unreadable images to evaluate on",
        "Damaged images are named and left out, up to 1 % of all images, or ten; `--max-damaged` sets another limit. At"
        " least one image must be readable.",
    ),
    "E462": Explanation(
        "no images to evaluate on",
        "Without `--data`, which names a folder with one folder of images per class, only weights that were trained on the"
        " bundled digits can be evaluated. `--split` names a part that the images have.",
    ),
    "E463": Explanation(
        "no held-out images",
        "Training without a `val` folder holds out some images, chosen by its seed. On that folder, weights are evaluated"
        " on the images that all of the runs held out. Here there are none, or a file does not say its seed: `--all` uses"
        " every image.",
    ),
    "E464": Explanation(
        "scores that are not finite",
        "The network outputs NaN or infinity for some image: its training diverged, or its weights are damaged.",
    ),
    "E465": Explanation(
        "weights without class scores",
        "To be evaluated, a network must output a vector with one score for each class, and its weights must name the"
        " classes. A network whose output is a map of classes is evaluated alone, on images with masks.",
    ),
    "E466": Explanation("out of GPU memory", "With a smaller `--batch` fewer images are in memory at once."),
    "E470": Explanation(
        "more stages than layers with weights",
        "Each process of a pipeline runs one stage of the network, and every stage must have a layer with weights. Layers"
        " that share weights are in one stage.",
    ),
    "E471": Explanation(
        "wrong number of processes for a pipeline",
        "Each process runs one stage, so a pipeline of N stages requires N processes, at least two:"
        " `--processes N` starts them.",
    ),
    "E473": Explanation(
        "processes cannot connect",
        "`WORLD_SIZE` asks for several processes, but the address where they meet is missing or wrong: `torchrun` and"
        " `--processes` set both.",
    ),
    "E474": Explanation(
        "network too large for the memory",
        "Training, exporting or probing takes more memory than the machine or the GPU has: a training step of one image, an"
        " export with its proof (in float64, of 3 images), or the batch of a probe.",
    ),
    "E475": Explanation(
        "batch normalisation of a single value",
        "In a batch of 1, a normalisation after global pooling has one value per channel, and so no variance:"
        " `--batch 2` gives it two.",
    ),
    "E476": Explanation(
        "another process uses this run's folder",
        "Two processes that write checkpoints into one folder would mix two runs. So `archspec train` locks its folder until"
        " its process ends, however it ends. `archspec eval` and `archspec export` can read a locked folder.",
    ),
    "E477": Explanation(
        "a process of the run was lost",
        "One of the processes that train together was killed, crashed, or does not answer, so the others cannot continue."
        " `archspec train --resume` continues from the last checkpoint. A process that does not answer for 60 seconds"
        " counts as lost; `ARCHSPEC_TIMEOUT` sets another number of seconds.",
    ),
    "E478": Explanation(
        "the working directory cannot be used",
        "The folder in which the command was started was deleted or cannot be read, so the libraries cannot be loaded.",
    ),
    "E472": Explanation(
        "not supported in a pipeline",
        "Each process of a pipeline has only one stage, and the setting that the message names requires the whole"
        " network: leave out that setting or `--pipeline`.",
    ),
    "E420": Explanation(
        "an unknown result",
        "`--output` of `archspec export` names an output, a layer or a block of the spec, all of which"
        " `archspec check SPEC --all` shows; that of `archspec run` names an output of the model.",
    ),
    "E421": Explanation(
        "weights of another network",
        "The weights and the spec differ in the name, shape or precision of a tensor; the message shows the first difference.",
    ),
    "E422": Explanation(
        "a file that cannot be written",
        "The folder is missing or write-protected, the path is not that of a regular file, or the disk is full.",
    ),
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
    "E427": Explanation(
        "weights that are not finite",
        "A tensor of the weights contains NaN or infinity, so the model outputs no scores: training has diverged, or the"
        " weights are damaged. Weights from before that can be exported.",
    ),
    "E430": Explanation("not an ONNX model", "The file is missing, or onnxruntime cannot load it."),
    "E431": Explanation(
        "a model that cannot be given images",
        "It has several inputs, its input is not an image, or it lacks the preprocessing that `archspec export` writes into a model.",
    ),
    "E432": Explanation("not an image", "The file is missing, damaged, or something else under the name of an image."),
    "E433": Explanation("a folder without images", "No file in it has the suffix of an image."),
    "E434": Explanation(
        "CUDA cannot be used",
        "The message says what is missing. `--device cpu` works without CUDA; `archspec doctor` checks the installation.",
    ),
    "E435": Explanation(
        "a model without class scores",
        "It outputs features, which `--features` prints; or it has several outputs that its metadata do not describe, or more"
        " or fewer scores than they have class names.",
    ),
    "E436": Explanation(
        "a model that fails",
        "onnxruntime could not run the model, crashed, or did not finish: the file is damaged, too large for the memory,"
        " or not meant for images. It runs in a separate process, so nothing else is lost.",
    ),
    "W431": Explanation("images that are left out", "Some cannot be read; the others are used."),
    "W432": Explanation(
        "not the folder that the network was trained on",
        "Of the folder that it was trained on, a network is evaluated on the tenth that was held out; of any other, on all"
        " images. Folders are compared by the names of their files: if this one is a changed copy of the training folder, it"
        " contains training images, and the accuracy is too high.",
    ),
    "W433": Explanation(
        "two packages of onnxruntime",
        "`onnxruntime` and `onnxruntime-gpu` contain the same files: whichever was installed last has overwritten the"
        " other, and CUDA may be unavailable. Uninstall both, then install one.",
    ),
    "W434": Explanation(
        "held-out images that are also training images",
        "The same file lies in two parts of the folder, so the network is evaluated on images that it has learned. Files"
        " are compared by their bytes. Without a `val` folder, copies of one image may be divided between the parts.",
    ),
    "W435": Explanation(
        "an image in two classes",
        "Copies of one file lie in the folders of two classes. At most one label is right, and evaluation counts the other"
        " as a mistake.",
    ),
    "W436": Explanation(
        "copies of images",
        "Copies of a file count as several images: training sees them more often, and evaluation weighs them more.",
    ),
    "W437": Explanation(
        "images that are not RGB",
        "They are converted when they are read. Transparent pixels get the colour that is stored with them, often black.",
    ),
    "W438": Explanation(
        "images smaller than the input",
        "They are enlarged, which adds pixels but no detail. A smaller input trains faster and may lose nothing.",
    ),
    "W439": Explanation(
        "uneven classes",
        "With a class that is much larger than another, a network can be right often by guessing the larger one."
        " `--sampling balanced` shows it all classes equally often; `archspec eval` prints the accuracy of each class.",
    ),
    "W441": Explanation(
        "a class without pixels",
        "No mask of a part of the folder has a pixel of this class. What is missing from the training part cannot be"
        " learned. A class that is missing from the held-out part, and is not predicted there, is left out of the mean IoU.",
    ),
    "W442": Explanation(
        "masks that are of no use",
        "A mask without an image of its name is not read. From one whose pixels are all ignored, nothing is learned.",
    ),
    "W440": Explanation(
        "a second folder of held-out images",
        "`val`, `validation` and `valid` are names of the same part. The first of them is held out; the others are not"
        " read.",
    ),
}
CODES: dict[str, Explanation] = {**READING, **NAMES, **VOLUMES, **CLAIMS, **SHIPPING}
