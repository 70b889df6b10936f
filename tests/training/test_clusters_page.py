"""The page for clusters: its flags exist, and its batch script starts, resumes and requeues as it says.

Slurm's commands are stand-ins: there is no Slurm here.
"""

import os
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from archspec.commands.train import command
from archspec.commands.train_usage import ON_RESUME

PAGE = Path(__file__).parents[2] / "compiler" / "training" / "CLUSTERS.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
(SCRIPT,) = re.findall(r"^```bash\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
OPTIONS = {name: option for option in command.params if isinstance(option, click.Option) for name in option.opts}

STAND_INS = {
    "scontrol": '#!/bin/bash\nif [ "$1" = show ]; then echo node1; echo node2; else echo "$@" >> "$LOG"; fi\n',
    "srun": '#!/bin/bash\nshift\nSLURM_PROCID=9 SLURM_LOCALID=1 "$@"\nexit "$ENDS_WITH"\n',
    "archspec": '#!/bin/bash\necho "$RANK $LOCAL_RANK $WORLD_SIZE $MASTER_ADDR $MASTER_PORT: $*" >> "$LOG"\n',
}


def arguments_of(line: str) -> list[str]:
    """What `archspec train` is given in a line of the page."""
    words = shlex.split(line.replace("\\\n", " "), comments=True)
    return words[words.index("train") + 1 :]


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_the_flags_of_the_page_exist(block: str) -> None:
    arguments = arguments_of(block)
    with command.make_context("train", list(arguments)) as context:
        assert context.params["spec"] == ("resnet50" if "--resume" not in arguments else None)
    names = {OPTIONS[one].name for one in arguments if one.startswith("--")}
    assert "--resume" not in arguments or names <= ON_RESUME


def ran(folder: Path, ends_with: int) -> tuple[int, list[str]]:
    """The exit status of the script, and what its commands were given."""
    for name, text in STAND_INS.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    script, log = folder / "train.sbatch", folder / "log"
    script.write_text(SCRIPT.replace("/shared/runs/resnet50", str(folder / "run")))
    log.write_text("")
    slurm = {"SLURM_JOB_NODELIST": "node[1-2]", "SLURM_NTASKS": "32", "SLURM_JOB_ID": "77"}
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    environment = {**os.environ, **slurm, "PATH": path, "LOG": str(log), "ENDS_WITH": str(ends_with)}
    done = subprocess.run(["bash", script], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, log.read_text().splitlines()


@pytest.mark.parametrize("ends_with", [0, 1, 130])
def test_the_batch_script_starts_a_run_and_requeues_a_stopped_one(tmp_path: Path, ends_with: int) -> None:
    status, said = ran(tmp_path, ends_with)
    new = f"train resnet50 --data /data/imagenet --epochs 90 --out {tmp_path / 'run'} --amp bf16 --batch 256"
    assert said[0] == f"9 1 32 node1 29500: {new} --workers 7 --save-every 1000"
    assert said[1:] == (["requeue 77"] if ends_with == 130 else [])
    assert status == ends_with


def test_the_batch_script_resumes_from_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint-000000100.pt").touch()
    _, said = ran(tmp_path, 0)
    assert said == [f"9 1 32 node1 29500: train --resume {tmp_path / 'run'} --workers 7 --save-every 1000"]
