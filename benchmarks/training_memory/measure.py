"""The peak memory of a real training step on the CPU, one process a case, as lines of JSON.

    python -m benchmarks.training_memory.measure                      # every case, to measured.jsonl
    python -m benchmarks.training_memory.measure --case vgg16 --batch 8 --weight-decay 1e-4

The peak is the largest `Total Allocated` among torch's `[memory]` events between the beginning and the end
of the second step (`zero_grad` before forward, forward, backward, `step`). That counter starts at zero with
the profiler and leaves out what was allocated earlier, weights for instance, so the profiler runs from
before the model is built. The first step is there because it alone creates the momentum.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.profiler import ProfilerActivity, profile, record_function

from benchmarks import reference
from benchmarks.reference.googlenet import AUX_WEIGHT
from benchmarks.training_memory.unseen import UNSEEN, UNSEEN_SIZES

MODELS = reference.MODELS | UNSEEN
INPUT_SIZES = reference.INPUT_SIZES | UNSEEN_SIZES
WEIGHT_DECAYS = (0.0, 1e-4)
BATCHES: dict[str, tuple[int, int]] = dict.fromkeys(MODELS, (2, 8)) | {
    "lenet5": (32, 128),
    "alexnet": (8, 64),
    "alexnet_2gpu": (8, 64),
    "zfnet": (8, 32),
    "googlenet": (4, 16),
    "resnet18": (4, 16),
    "resnet34": (4, 16),
    "plain20": (32, 128),
}


def loss_of(scores: Tensor | tuple[Tensor, ...], labels: Tensor) -> Tensor:
    """Cross entropy; auxiliary heads follow the main scores and count AUX_WEIGHT each."""
    if isinstance(scores, Tensor):
        return cross_entropy(scores, labels)
    main, *auxiliary = (cross_entropy(head, labels) for head in scores)
    return torch.stack([main, *(AUX_WEIGHT * loss for loss in auxiliary)]).sum()


def train_two_steps(build: Callable[[], nn.Module], size: tuple[int, ...], batch: int, decay: float) -> None:
    """Two steps of SGD with momentum on one batch of noise; only the second is marked."""
    model = build().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=decay, foreach=False)
    images, labels = torch.randn(batch, *size), torch.zeros(batch, dtype=torch.long)
    for mark in ("first step", "second step"):
        with record_function(mark):
            optimizer.zero_grad()
            loss = loss_of(model(images), labels)
            loss.backward()
            optimizer.step()


def trace_events(action: Callable[[], object]) -> list[dict[str, Any]]:
    """Run the action under the memory profiler and return the events of the exported trace."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        action()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        events: list[dict[str, Any]] = json.loads(path.read_text())["traceEvents"]
    return events


def peak_within(events: list[dict[str, Any]], mark: str) -> int:
    """Largest `Total Allocated`, in bytes, while the region of that name runs."""
    region = next(e for e in events if e.get("name") == mark and e.get("ph") == "X")
    begin, end = region["ts"], region["ts"] + region["dur"]
    memory = (e for e in events if e.get("name") == "[memory]" and begin <= e["ts"] <= end)
    return max(int(e["args"]["Total Allocated"]) for e in memory)


def self_test() -> None:
    """A case whose answer is known: 4,000 bytes kept from before the region, 24,000 at once within it."""

    def known() -> None:
        kept = torch.empty(1000)
        with record_function("region"):
            first, second = torch.empty(2000), torch.empty(3000)
            del first, second
        del kept

    found = peak_within(trace_events(known), "region")
    if found != 24_000:
        raise AssertionError(f"the profiler reports a peak of {found} bytes where 24000 were alive")


def measure(name: str, batch: int, decay: float) -> dict[str, object]:
    """One case, as the line that is written."""
    self_test()
    events = trace_events(lambda: train_two_steps(MODELS[name], INPUT_SIZES[name], batch, decay))
    return {
        "network": name,
        "batch": batch,
        "weight_decay": decay,
        "peak_bytes": peak_within(events, "second step"),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
    }


def cases() -> Iterator[tuple[str, int, float]]:
    for name in MODELS:
        for batch in BATCHES[name]:
            for decay in WEIGHT_DECAYS:
                yield name, batch, decay


def measure_in_process(name: str, batch: int, decay: float) -> str:
    """The case in a fresh interpreter, so that nothing of an earlier one is alive."""
    command = [sys.executable, "-m", "benchmarks.training_memory.measure", "--case", name]
    command += ["--batch", str(batch), "--weight-decay", str(decay)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description="measure the peak memory of a training step")
    parser.add_argument("--case", choices=MODELS, help="measure this network alone, in this process")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--weight-decay", type=float, default=0.0)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("measured.jsonl"))
    arguments = parser.parse_args()
    if arguments.case:
        print(json.dumps(measure(arguments.case, arguments.batch, arguments.weight_decay)))
        return
    with arguments.out.open("w") as out:
        for case in cases():
            line = measure_in_process(*case)
            print(line, flush=True)
            out.write(line + "\n")
            out.flush()


if __name__ == "__main__":
    main()
