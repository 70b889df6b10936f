"""Training on one GPU: archspec's networks and loop against timm's and torchvision's networks in a bare loop.

    python -m benchmarks.gpu.training_throughput --output benchmarks/results/gpu_training.md

For each network, precision, and torch.compile on and off, a process of its own measures images a second, their share of
what the GPU could do (MFU, from the spec's count of operations), and the peak of torch's memory. `archspec` is what
`archspec train` runs: bytes that are copied, normalised and trained on, a schedule, the guard, counts. `bare` loops
have their images ready on the device, and the same optimiser, precision and memory layout. Data are random. A case that
runs out of memory, or whose package does not import, says so in its line. `--smoke --device cpu` is for a try without a
GPU: tiny images, which say nothing of speed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import archspec
from archspec.api import Network
from archspec.compiler import build
from archspec.compiler.training.loop.observer import SilentObserver
from archspec.compiler.training.loop.optimizer import optimiser
from archspec.compiler.training.loop.trainer import Trainer
from archspec.compiler.training.parallel.engine import engine, precision_of
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.records.throughput import peak_tflops, throughput
from archspec.recipe import Recipe
from benchmarks.stopwatch import machine
from benchmarks.training_speed import synthetic

COMMAND = "python -m benchmarks.gpu.training_throughput"
GIB = 2**30
SMOKE = 32  # the side of a smoke test's images
WAYS = ("archspec", "archspec, bare", "torchvision, bare", "timm, bare")


class Peer(NamedTuple):
    """A network by the names of others."""

    torchvision: str
    timm: str
    batch: int
    sized: str = ""  # torchvision's name for the side of the input, where it needs it


NETWORKS = {
    "resnet50": Peer("resnet50", "resnet50", 256),
    "vgg16": Peer("vgg16", "vgg16", 128),
    "convnext": Peer("convnext_tiny", "convnext_tiny", 256),
    "vit": Peer("vit_b_16", "vit_base_patch16_224", 256, "image_size"),
}


class Case(NamedTuple):
    """One line of the table, before it is measured."""

    network: str
    way: str
    amp: str
    compiled: bool


class Setup(NamedTuple):
    """What all cases share."""

    device: str
    smoke: bool
    steps: int
    repeats: int
    batch: int | None
    cudnn_benchmark: bool

    def load(self, name: str) -> Network:
        """The network, at its own size or a tiny one."""
        return archspec.load(name, input=f"{SMOKE}x{SMOKE}x3") if self.smoke else archspec.load(name)

    def images(self, name: str) -> int:
        """Images of a step."""
        return 2 if self.smoke else self.batch or NETWORKS[name].batch


def cases(arguments: argparse.Namespace) -> list[Case]:
    """All that were asked for."""
    return [
        Case(network, way, amp, compiled)
        for network in arguments.networks
        for amp in arguments.amp
        for compiled in ((False, True) if arguments.compile == "both" else (arguments.compile == "on",))
        for way in WAYS
    ]


# ---- one case, in its own process
def measure(case: Case, setup: Setup) -> dict[str, Any]:
    """The figures of a case."""
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = setup.cudnn_benchmark
    network, batch = setup.load(case.network), setup.images(case.network)
    group = Group(0, 1, torch.device(setup.device, 0) if setup.device == "cuda" else torch.device("cpu"))
    recipe = Recipe(
        batch=batch,
        reference_batch=batch,
        lr=1e-4,
        schedule="constant",
        epochs=10**6,
        amp=case.amp,
        channels_last=True,
        compile=case.compiled,
    )
    epoch, module = _ready(case, setup, network, recipe, group)
    is_cuda = group.device.type == "cuda"
    begin = time.perf_counter()
    epoch()  # which compiles, and chooses algorithms
    _wait(is_cuda)
    first = time.perf_counter() - begin
    if is_cuda:
        torch.cuda.reset_peak_memory_stats()
    seconds = []
    for _ in range(setup.repeats):
        begin = time.perf_counter()
        epoch()
        _wait(is_cuda)
        seconds.append(time.perf_counter() - begin)
    speed = setup.steps * batch / median(seconds)
    # the analysis is of float32, and of networks that are not compiled
    predicted = network.training_bytes(batch) if case.amp == "off" and not case.compiled else None
    return {
        **case._asdict(),
        "batch": batch,
        "input": list(network.input),
        "params": sum(one.numel() for one in module.parameters()),
        "images_per_second": speed,
        "slowest": setup.steps * batch / max(seconds),
        "fastest": setup.steps * batch / min(seconds),
        "first_epoch_seconds": first,
        **throughput(network, speed, 1, peak_tflops(group.device, case.amp))._asdict(),
        "peak_bytes": torch.cuda.max_memory_allocated() if is_cuda else None,
        "predicted_bytes": predicted,
    }


def _wait(is_cuda: bool) -> None:
    if is_cuda:
        torch.cuda.synchronize()


def _ready(
    case: Case, setup: Setup, network: Network, recipe: Recipe, group: Group
) -> tuple[Callable[[], object], nn.Module]:
    """What runs so many steps, and its network."""
    data = synthetic(setup.steps, recipe.batch, network.input)
    if case.way == "archspec":
        module = build(network, seed=0)
        trainer = Trainer(engine(network.graph, module, recipe, group), data)
        quiet = SilentObserver()

        def steps() -> None:
            trainer.steps_done = 0
            trainer.run_steps(quiet)

        return steps, module
    model = build(network, seed=0) if case.way == "archspec, bare" else peer(case, network.input[0])
    model.to(group.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs
    model.train()
    if recipe.compile:
        model.compile()
    optimizer = optimiser(model.parameters(), recipe)
    batch = data.train.__getitems__([(0, -1)] * recipe.batch)
    images = batch.images.to(group.device).float().div_(255).contiguous(memory_format=torch.channels_last)
    classes, precision = batch.classes.to(group.device), precision_of(recipe, group)

    def epoch() -> None:
        for _ in range(setup.steps):
            optimizer.zero_grad(set_to_none=True)
            with precision():
                scores: Tensor = model(images)
            torch.autograd.backward(nn.functional.cross_entropy(scores.float(), classes))
            optimizer.step()

    return epoch, model


def peer(case: Case, side: int) -> nn.Module:
    """Another package's network. Raises ImportError where it is not installed."""
    names = NETWORKS[case.network]
    found: nn.Module
    if case.way.startswith("torchvision"):
        sized = {names.sized: side} if names.sized else {}
        found = getattr(import_module("torchvision.models"), names.torchvision)(weights=None, **sized)
    else:
        sized = {"img_size": side} if names.sized else {}
        # as deep paths are dropped in the spec and in torchvision
        drop = {"drop_path_rate": 0.1} if case.network == "convnext" else {}
        found = import_module("timm").create_model(names.timm, pretrained=False, **sized, **drop)
    return found


def in_process(case: Case, setup: Setup) -> dict[str, Any]:
    """Measure a case in a process that ends with it."""
    words = [sys.executable, "-m", "benchmarks.gpu.training_throughput", "--case", json.dumps([case, setup])]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    lines = run.stdout.splitlines()
    if run.returncode or not lines:
        error = run.stderr.strip().splitlines()[-1] if run.stderr.strip() else f"exit status {run.returncode}"
        return {**case._asdict(), "batch": setup.images(case.network), "error": error}
    found: dict[str, Any] = json.loads(lines[-1])
    return found


# ---- the page
def row(found: dict[str, Any]) -> str:
    """The table's line."""
    kind = f"{'float32' if found['amp'] == 'off' else found['amp']}{', compiled' if found['compiled'] else ''}"
    start = f"| {found['network']} | {found['batch']} | {kind} | {found['way']} | "
    if "error" in found:
        return start + f"{found['error'].replace('|', ' ')[:100]} | | | | | |"
    mfu = f"{100 * found['mfu']:.1f} %" if found.get("mfu") else "?"
    peak, predicted = (_gib(found[name]) for name in ("peak_bytes", "predicted_bytes"))
    ratio = (
        f"{found['predicted_bytes'] / found['peak_bytes']:.3f}"
        if found["peak_bytes"] and found["predicted_bytes"]
        else ""
    )
    speed = f"{found['images_per_second']:,.1f} | {found['tflops']:.3g} | {mfu}"
    return start + f"{speed} | {peak} | {predicted} | {ratio} |"


def _gib(value: int | None) -> str:
    return f"{value / GIB:.2f}" if value else ""


def report(found: Sequence[dict[str, Any]], setup: Setup, about: dict[str, str], command: str) -> str:
    """The page."""
    title = "A smoke test: these figures say nothing of speed" if setup.smoke else "Training on one GPU"
    return (
        "\n".join(
            [
                f"# {title}",
                "",
                f"Written by `{command}` on {about['device']}; {about['machine']}; {about['versions']}.",
                f"Random data, SGD with momentum, fused, channels last; medians of {setup.repeats} times {setup.steps} steps",
                f"after as many to warm up; cudnn.benchmark {'on' if setup.cudnn_benchmark else 'off, as in archspec train'}.",
                "MFU: 3 x the spec's operations x images a second, by the data sheet's dense peak (bf16, or TF32 for float32).",
                "Peak: torch.cuda.max_memory_allocated; predicted: `archspec check`'s training memory, which is of float32.",
                "",
                "| network | batch | precision | loop | images/s | TFLOP/s | MFU | peak, GiB | predicted, GiB "
                "| predicted / peak |",
                "| --- | ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
                *map(row, found),
            ]
        )
        + "\n"
    )


def about(device: str) -> dict[str, str]:
    """What the figures were taken on."""
    versions = []
    for name in ("torch", "torchvision", "timm"):
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"no {name}")
    name = f"{torch.cuda.get_device_name(0)}, CUDA {torch.version.cuda}" if device == "cuda" else "a CPU"
    return {"device": name, "machine": machine(), "versions": ", ".join(versions)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--amp", nargs="+", choices=("bf16", "off"), default=["bf16", "off"])
    parser.add_argument("--compile", choices=("off", "on", "both"), default="both")
    parser.add_argument("--batch", type=int, help="images of a step, for all networks")
    parser.add_argument("--steps", type=int, default=50, help="of a timed epoch")
    parser.add_argument("--repeats", type=int, default=5, help="timed epochs")
    parser.add_argument("--cudnn-benchmark", action="store_true", help="let cuDNN try algorithms, in all loops")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--smoke", action="store_true", help="tiny images, two steps: whether it runs at all")
    parser.add_argument("--output", type=Path, help="the page; the figures go into a JSON file beside it")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        case, setup = json.loads(arguments.case)
        try:
            print(json.dumps(measure(Case(*case), Setup(*setup))))
        except ImportError as error:
            raise SystemExit(f"left out: {error}") from None
        return 0
    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.error("there is no CUDA GPU; `--device cpu --smoke` tries the program without one")
    steps, repeats = (2, 1) if arguments.smoke else (arguments.steps, arguments.repeats)
    setup = Setup(arguments.device, arguments.smoke, steps, repeats, arguments.batch, arguments.cudnn_benchmark)
    found = []
    for case in cases(arguments):
        found.append(in_process(case, setup))
        print(row(found[-1]), file=sys.stderr, flush=True)
    facts = about(arguments.device)
    page = report(found, setup, facts, " ".join([COMMAND, *sys.argv[1:]]))
    print(page, end="")
    if arguments.output:
        arguments.output.write_text(page, encoding="utf-8")
        data = json.dumps({"about": facts, "setup": setup._asdict(), "cases": found}, indent=2) + "\n"
        arguments.output.with_suffix(".json").write_text(data, encoding="utf-8")
    return 0 if any("error" not in one for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
