"""Examples of the codes that no spec alone can show: a command, its message, and a command that works.

`archspec explain` prints them; tests/diagnostics/test_errors.py compares the messages with the program's.
"""

from __future__ import annotations

from textwrap import fill

from archspec.record import Record


class CommandExample(Record):
    """A command with its message, and what to do instead."""

    wrong: str
    message: str
    right: str

    def __str__(self) -> str:
        """Return the text that `archspec explain` prints."""
        message = fill(self.message, 98, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
        return f"Example:\n\n    $ {self.wrong}\n{message}\n\nInstead:\n\n    $ {self.right}\n"


_TRAIN = "archspec train mynet.arch --data photos"
_CHECKED = {
    "E009": ("archspec check data.arch", "data.arch is larger than 4,194,304 bytes", "archspec check mynet.arch"),
    "E014": ("archspec check mynet.arch", "no such file: mynet.arch", "archspec specs"),
    "E015": (
        "archspec check mynet.arch",
        "mynet.arch is not UTF-8 text: byte 0xff on line 1",
        "iconv -f UTF-16 -t UTF-8 mynet.arch > mynet8.arch",
    ),
    "E115": ("archspec check a.arch", "files use each other: a -> b -> a", "archspec check a.arch b.arch"),
    "E116": (
        "archspec check resnet --variant r51",
        "`--variant r51`: unknown variant",
        "archspec check resnet --variant r50",
    ),
    "E117": (
        "archspec check vgg16 --input 224y224",
        "`--input 224y224` is not a volume",
        "archspec check vgg16 --input 224x224x3",
    ),
    "E120": (
        "archspec check vgg16 --inptu 224x224x3",
        "unknown flag `--inptu`; did you mean `--input`?",
        "archspec check vgg16 --input 224x224x3",
    ),
}
_TRAINED = {
    "E400": (
        "archspec train mynet.arch",
        "`train` cannot name a layer: the torch module has an attribute of that name",
        "sed -i 's/^train: CONV/stem: CONV/' mynet.arch",
    ),
    "E401": ("archspec eval model.pt", "no such weights file: `model.pt`", "archspec eval runs/lenet5-1"),
    "E450": (_TRAIN, "the class `cat` has no image to train on", "ls photos/cat"),
    "E451": (
        "archspec train lenet5 --out runs/a",
        "`runs/a` already contains a run",
        "archspec train lenet5 --out runs/b",
    ),
    "E452": ("archspec train --resume runs/a", "no such folder: `runs/a`", "archspec train lenet5 --out runs/b"),
    "E453": (f"{_TRAIN} --batch 512", "a step takes 512 images, and there are 300 to train on", f"{_TRAIN} --batch 64"),
    "E454": (
        "archspec train unet",
        "U-Net outputs [256x256x2], a map of classes: it learns from images with masks",
        "archspec train unet --data shapes",
    ),
    "E455": (f"{_TRAIN} --amp fp16", "`--amp fp16` requires CUDA", f"{_TRAIN} --amp bf16"),
    "E456": (_TRAIN, "60 images cannot be read; at most 10 may be left out", "ls -l photos/cat"),
    "E457": (
        "archspec train lenet5 --data photos",
        "the network takes 1 channel, but `photos/cat/1.jpg` is in colour",
        "archspec train lenet5 --data photos --input 32x32x3",
    ),
    "E458": (
        "archspec train --resume runs/a",
        "the run began with 2 processes, but there is 1 now",
        "archspec train --processes 2 --resume runs/a",
    ),
    "E459": (
        f"{_TRAIN} --lr 10",
        "the loss or the gradients were not finite in 10 steps in a row",
        f"{_TRAIN} --lr 0.01",
    ),
    "E470": (
        "archspec train lenet5 --processes 8 --pipeline 8",
        "8 stages require as many layers with weights, the network has 5",
        "archspec train lenet5 --processes 2 --pipeline 2",
    ),
    "E471": (
        "archspec train lenet5 --pipeline 2",
        "`--pipeline 2` requires 2 processes, one per stage, but there is 1",
        "archspec train lenet5 --processes 2 --pipeline 2",
    ),
    "E472": (
        "archspec train lenet5 --processes 2 --pipeline 2 --compile",
        "`--compile` does not work with `--pipeline`",
        "archspec train lenet5 --processes 2 --pipeline 2",
    ),
    "E473": (
        "WORLD_SIZE=2 archspec train lenet5",
        "cannot connect 2 processes",
        "archspec train lenet5 --processes 2",
    ),
    "E474": (
        "archspec train vgg16 --device cuda",
        "a training step of one image takes 2.4 GiB, but the GPU has 2.0 GiB",
        "archspec train resnet18 --device cuda",
    ),
    "E475": (
        f"{_TRAIN} --batch 1",
        "bn1 has a single value per channel in a batch of 1: it has no variance",
        f"{_TRAIN} --batch 2",
    ),
    "E476": (
        "archspec train --resume runs/a",
        "`runs/a` is in use by another run: process 4711",
        "archspec train lenet5 --out runs/b",
    ),
    "E477": (
        "archspec train lenet5 --processes 2",
        "the connection to another process was lost",
        "archspec train --processes 2 --resume runs/lenet5-1",
    ),
    "E478": (
        "archspec train lenet5",
        "the working directory cannot be used: No such file or directory",
        "cd ~ && archspec train lenet5",
    ),
}
_SHIPPED = {
    "E420": (
        "archspec export runs/a -o a.onnx --output conv9",
        "unknown result `conv9`",
        "archspec export runs/a -o a.onnx --output conv2",
    ),
    "E421": (
        "archspec export model.pt -o a.onnx",
        "the weights have no `conv1.weight`",
        "archspec export runs/a -o a.onnx",
    ),
    "E422": (
        "archspec export runs/a -o /a.onnx",
        "cannot write `/a.onnx`: Permission denied",
        "archspec export runs/a -o a.onnx",
    ),
    "E423": (
        "archspec export runs/a -o a.onnx",
        "the weights take 2.3 GiB, and one ONNX file must be smaller than 2",
        "archspec export runs/a -o a.onnx --external-data",
    ),
    "E424": (
        "archspec train lenet5",
        "this command requires torch, which is not installed",
        "pip install 'archspec-nn[all]'",
    ),
    "E425": (
        "archspec export runs/a -o a.onnx",
        "the model does not compute what torch does; `a.onnx` was not written",
        "archspec doctor",
    ),
    "E426": (
        "archspec export runs/a --classes 5 -o a.onnx",
        "`--classes` would change the spec that `runs/a` was trained for",
        "archspec export runs/a -o a.onnx",
    ),
    "E427": ("archspec export runs/a -o a.onnx", "`conv1.weight` contains NaN", "archspec export runs/b -o b.onnx"),
    "E430": ("archspec run a.onnx photos", "no such file: `a.onnx`", "archspec export runs/a -o a.onnx"),
    "E431": (
        "archspec run x.onnx photos",
        "`x.onnx` does not describe its preprocessing: `archspec export` did not write it",
        "archspec run a.onnx photos",
    ),
    "E432": ("archspec run a.onnx notes.txt", "`notes.txt` is not an image", "archspec run a.onnx cat.jpg"),
    "E433": ("archspec run a.onnx notes", "no image in the folder `notes`", "archspec run a.onnx photos/cat"),
    "E434": (
        "archspec run a.onnx photos --device cuda",
        "CUDA cannot be used: torch was built without it",
        "archspec run a.onnx photos --device cpu",
    ),
    "E435": (
        "archspec run features.onnx photos",
        "`features.onnx` outputs `conv5` [256, 6, 6], which are not class scores",
        "archspec run features.onnx photos --features",
    ),
    "E436": ("archspec run a.onnx photos", "onnxruntime cannot run `a.onnx`", "archspec export runs/a -o a.onnx"),
    "W433": (
        "archspec run a.onnx photos",
        "onnxruntime and onnxruntime-gpu are both installed and overwrite each other's files",
        "pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu",
    ),
}
_EVALUATED = {
    "E460": ("archspec eval runs/a runs/b", "`runs/b` and `runs/a` have different classes", "archspec eval runs/a"),
    "E461": (
        "archspec eval runs/a --data photos",
        "more than 10 of 300 images cannot be read",
        "archspec eval runs/a --data photos --max-damaged 20%",
    ),
    "E462": (
        "archspec eval runs/a",
        "`runs/a` was not trained on the bundled digits",
        "archspec eval runs/a --data photos",
    ),
    "E463": (
        "archspec eval runs/a runs/b --data photos",
        "no image of photos was held out by all 2 runs",
        "archspec eval runs/a runs/b --data photos --all",
    ),
    "E464": (
        "archspec eval runs/a --data photos",
        "`runs/a` outputs NaN or infinity for `photos/cat/1.jpg`",
        "archspec train resnet18 --data photos --lr 0.01",
    ),
    "E465": (
        "archspec eval model.pt --data photos",
        "`model.pt` outputs [1000], but has 10 class names",
        "archspec eval runs/a --data photos",
    ),
    "E466": (
        "archspec eval runs/a --data photos --batch 4096",
        "the GPU has too little memory for 4,096 images at once",
        "archspec eval runs/a --data photos --batch 64",
    ),
    "W431": ("archspec eval runs/a --data photos", "left out 3 images that could not be read", "ls -l photos/cat"),
    "W432": (
        "archspec eval runs/a --data photos2",
        "the files in `photos2` differ from those that `runs/a` was trained on",
        "archspec eval runs/a --data photos",
    ),
    "W434": (
        "archspec data photos",
        "3 images in `validation` are also in `train`: the accuracy will be too high",
        "archspec data photos --list leaks",
    ),
    "W435": (
        "archspec data photos",
        "1 image is in two classes: `photos/cat/1.jpg` is `photos/dog/7.jpg`",
        "archspec data photos --list labels",
    ),
    "W436": (
        "archspec data photos",
        "25 images in `train` are copies of others in the same class",
        "archspec data photos --list duplicates",
    ),
    "W437": (
        "archspec data photos",
        "12 images are not RGB (9 gray, 3 CMYK): training converts them",
        "archspec data photos --list colours",
    ),
    "W438": (
        "archspec data photos --input 224x224x3",
        "7 images are smaller than the input of 224x224 (20x31 and up): enlarged",
        "archspec data photos --input 64x64x3",
    ),
    "W439": (
        "archspec data photos",
        "the class `cat` has 900 images to train on, 9.0 times as many as `dog` with 100",
        "archspec train resnet18 --data photos --sampling balanced",
    ),
    "W441": (
        "archspec data shapes",
        "no pixel in `val` is of the class disc",
        "cp more/images/7.jpg shapes/val/images/ && cp more/masks/7.png shapes/val/masks/",
    ),
    "W442": (
        "archspec data shapes",
        "3 masks are without an image: training does not read them",
        "archspec data shapes --list lonely",
    ),
    "W440": (
        "archspec data photos",
        "`validation` is not used: the images in `val` are held out",
        "mv photos/validation photos/unused",
    ),
}


def command_example(code: str) -> CommandExample | None:
    """Return the example of a code, if no spec alone can show it."""
    found = {**_CHECKED, **_TRAINED, **_SHIPPED, **_EVALUATED}.get(code)
    if found is None:
        return None
    command, message, instead = found
    severity = "warning" if code.startswith("W") else "error"
    return CommandExample(command, f"{severity}[{code}]: {message}", instead)


COMMAND_CODES = frozenset({**_CHECKED, **_TRAINED, **_SHIPPED, **_EVALUATED})
