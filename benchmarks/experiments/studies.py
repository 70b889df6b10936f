"""LeNet-5 on digits, ResNet-18 on photographs and from one task to another, and how depth degrades plain networks.

In: folders of runs and images. Out: pages. All flags of the recipe are given, so that it is the same later.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from archspec.compiler.pages.line_chart import line_chart
from benchmarks.experiments.runs import RESULTS, SEEDS, Done, Folders, Run, done, page, words, write_epochs
from benchmarks.stopwatch import archspec_command

SGD = words("--optimizer sgd --momentum 0.9 --label-smoothing 0 --clip 0 --accumulate 1")
COSINE = words("--schedule cosine --warmup 1 --weight-decay 5e-4")


# ---- digits
def digits(folders: Folders) -> None:
    """LeNet-5 on the bundled digits."""
    recipe = (*SGD, *words("--batch 32 --lr 0.02"), *COSINE, "--epochs", "30")
    runs = [done(Run(f"digits-{seed}", ("lenet5", *recipe, "--seed", str(seed))), folders) for seed in SEEDS]
    write_epochs("digits", runs)
    table = ["| seed | top-1, last epoch | best epoch | training loss | time |", "| ---: | ---: | ---: | ---: | ---: |"]
    table += [
        f"| {seed} | {one.counts} | {100 * one.summary['best_top1']:.2f} % | {one.rows[-1]['loss']:.4f} | {one.time} |"
        for seed, one in zip(SEEDS, runs, strict=True)
    ]
    note = (
        "The seed also chooses the fifth of the 1,797 digits that is held out. The best epoch is chosen by these",
        "same digits, so the last epoch's figure is the honest one.",
    )
    page("digits", "LeNet-5 on handwritten digits", [one.run.command for one in runs], table, note)


# ---- clothing
SOURCE = ("dress", "longsleeve", "pants", "shoes", "skirt", "t-shirt")
TARGET = ("hat", "outwear", "shirt", "shorts")


def _photos(seed: int) -> tuple[str, ...]:
    size = words("--batch 16 --lr 0.16 --lr-for-batch 256")
    seen = words("--flip --scale 1 1.25 --color 0 --workers 0 --epochs 10")
    return (*SGD, *size, *COSINE, *seen, "--seed", str(seed))


def _linked(folders: Folders, name: str, classes: Sequence[str]) -> list[str]:
    """A folder with some of the classes, made of links. Returns the commands that make it."""
    assert folders.data is not None
    root = folders.runs / name
    for split in ("train", "validation"):
        (root / split).mkdir(parents=True, exist_ok=True)
        for one in classes:
            link = root / split / one
            if not link.is_symlink():
                link.symlink_to((folders.data / split / one).resolve())
    return [
        f"mkdir -p RUNS/{name}/train RUNS/{name}/validation",
        f"for class in {' '.join(classes)}; do for split in train validation; do",
        f"    ln -s DATA/$split/$class RUNS/{name}/$split/$class; done; done",
    ]


def clothing(folders: Folders) -> None:
    """ResNet-18 on photographs: from scratch, and from weights that it learned on other classes."""
    spec = ("resnet18", "--input", "64x64x3")
    everything = done(Run("clothing-all", (*spec, "--data", "DATA", *_photos(0))), folders)
    commands = [*_linked(folders, "six", SOURCE), *_linked(folders, "four", TARGET)]
    source = done(Run("clothing-six", (*spec, "--data", "RUNS/six", *_photos(0))), folders)
    start = ("--from", "RUNS/clothing-six/weights.safetensors", "--data", "RUNS/four")
    ways = {
        "from scratch": ("scratch", (*spec, "--data", "RUNS/four")),
        "linear probe": ("probe", (*start, "--linear-probe")),
        "fine-tuned": ("tuned", start),
    }
    found = {
        way: [done(Run(f"clothing-four-{name}-{seed}", (*words, *_photos(seed))), folders) for seed in SEEDS]
        for way, (name, words) in ways.items()
    }
    tuned = found["fine-tuned"][0]
    runs = [everything, source, *(one for several in found.values() for one in several)]
    write_epochs("clothing", runs)
    tasks = ["| run | top-1 | training loss | time |", "| --- | ---: | ---: | ---: |"]
    sources = {"all 10 classes, from scratch": everything, "six classes, from scratch": source}
    tasks += [f"| {text} | {one.counts} | {one.rows[-1]['loss']:.4f} | {one.time} |" for text, one in sources.items()]
    transfer = ["| four other classes | seed 0 | seed 1 | seed 2 | together |", "| --- | ---: | ---: | ---: | ---: |"]
    transfer += [_row(way, several) for way, several in found.items()]
    views = [
        _evaluation(folders, "RUNS/clothing-all", "DATA"),
        _evaluation(folders, "RUNS/clothing-all", "DATA", "--tta", "flip"),
        _evaluation(folders, "RUNS/clothing-all", "DATA", "--tta", "10-crop", "--tta", "scales"),
        _evaluation(folders, *(f"RUNS/clothing-four-tuned-{seed}" for seed in SEEDS), "RUNS/four"),
    ]
    commands = [everything.run.command, *commands, *(one.run.command for one in runs[1:]), *(one[0] for one in views)]
    evaluations = ["| `archspec eval` | top-1 |", "| --- | ---: |", *(f"| `{text}` | {top} |" for text, top in views)]
    note = (
        "The photographs are `clothing-dataset-small` (CC0), its `train` and `validation`. Probe and fine-tuning",
        "begin with what ResNet-18 learned on six classes, but for the last layer, which has another number of",
        "classes and begins anew; the probe trains it alone. Of the four classes' "
        f"{tuned.summary['images']} held-out images, 29 are of",
        "the most frequent; the three seeds share these images, and one image is 1.1 %. Last epochs, none chosen.",
    )
    page(
        "clothing",
        "ResNet-18 on photographs of clothes, and from one task to another",
        commands,
        tasks,
        transfer,
        evaluations,
        note,
    )


def _row(way: str, runs: Sequence[Done]) -> str:
    right, images = (sum(one.summary[name] for one in runs) for name in ("right", "images"))
    return f"| {way} | " + " | ".join(one.counts for one in runs) + f" | {100 * right / images:.1f} % |"


def _evaluation(folders: Folders, *words: str) -> tuple[str, str]:
    """`archspec eval` of runs on a folder of images, which comes before its flags."""
    places = [place for place, word in enumerate(words) if word.startswith("--")]
    split = (places[0] if places else len(words)) - 1
    given = [*words[:split], "--data", words[split], *words[split + 1 :]]
    command = [archspec_command(), "eval", *folders.words(given), "--workers", "0", "--json"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(printed)
    return "archspec eval " + " ".join(given), f"{100 * found['top1']:.2f} % ({found['right']} of {found['images']})"


# ---- degradation
EPOCHS = 20


def degradation(folders: Folders) -> None:
    """Plain and residual networks of 20 and 56 layers (He et al. 2015, figures 1 and 6)."""
    names = ("plain20", "plain56", "resnet20", "resnet56")
    size = words("--batch 32 --lr 0.1 --lr-for-batch 128 --schedule step --warmup 0 --weight-decay 1e-4")
    seen = words(f"--flip --crop 1.25 --workers 0 --epochs {EPOCHS} --seed 0")
    recipe = (*SGD, *size, *seen)
    runs = [done(Run(name, (name, "--input", "16x16x3", "--data", "DATA", *recipe)), folders) for name in names]
    write_epochs("degradation", runs)
    pictures = {"train_top1": "training error, %", "top1": "held-out error, %"}
    links = []
    for column, label in pictures.items():
        series = {one.run.name: [(row["epoch"], 100 * (1 - row[column])) for row in one.rows] for one in runs}
        path = RESULTS / f"degradation_{column}.svg"
        path.write_text(line_chart(label, series, x_label="epoch", y_label="16 x 16 photographs"), encoding="utf-8")
        links.append(f"![{label}]({path.name})")
    table = [
        "| network | training error | training loss | held-out error | top-1 | time |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    table += [
        f"| {one.run.name} | {100 * (1 - one.rows[-1]['train_top1']):.1f} % | {one.rows[-1]['loss']:.3f}"
        f" | {100 * (1 - one.summary['top1']):.1f} % | {one.counts} | {one.time} |"
        for one in runs
    ]
    error = {one.run.name: 1 - one.rows[-1]["train_top1"] for one in runs}
    gaps = {kind: 100 * (error[f"{kind}56"] - error[f"{kind}20"]) for kind in ("plain", "resnet")}
    shown = ("shows", "does not show")
    verdict = (
        f"What 36 more layers change in training error, in points: {gaps['plain']:+.1f} without shortcuts, and",
        f"{gaps['resnet']:+.1f} with them. He et al. 2015 found that plain networks become worse with depth, which",
        f"this {shown[gaps['plain'] <= 0]}, and that residual ones do not, which it {shown[gaps['resnet'] > 0]}.",
        "",
        f"One seed, 3,068 photographs of 16 x 16 pixels, {EPOCHS} epochs of 95 steps; theirs are 50,000 images and",
        "64,000 steps. Training error is counted during the epoch, on images that were cropped and mirrored.",
    )
    page("degradation", "Degradation, part two: training", [one.run.command for one in runs], table, links, verdict)
