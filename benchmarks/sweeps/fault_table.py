"""Faults of the machine, the commands that meet them, and what is expected of each.

In: nothing. Out: the rows of the table that `faults.py` runs.
"""

from __future__ import annotations

from benchmarks.sweeps.data_faults import DATA
from benchmarks.sweeps.fault_row import CLOSED, FULL, GONE, NEW, NO_FOLDER, PROCESS, TRAIN, Row, each

RUN = r"run/(checkpoint-\d{9}\.pt|latest|metrics\.(csv|jsonl)|(best|weights)\.safetensors|.+\.(json|html|png|damaged))"
TRAIN_PROCESS = TRAIN.replace("archspec", PROCESS)
KILLED = "{ sleep 0.2; kill -9 $!; wait $!; }"
SHORT = ("archspec check net.arch", "archspec check net.arch --json", "archspec specs", "archspec explain E201")
FRONT_END = [
    *each("full standard output", "{} >/dev/full", [*SHORT, "archspec --help", "archspec --version"], 1, FULL),
    *each("closed standard output", "{} >&-", SHORT, 1, CLOSED),
    *each("closed standard error", "{} 2>&-", SHORT, 0),
    *each("closed pipe", "{} | true", SHORT, 1),
    Row("full standard error", "archspec check wrong.arch 2>/dev/full", 1),
    Row("closed standard error", "archspec check wrong.arch 2>&-", 1),
    Row("closed standard output", "archspec check wrong.arch >&-", 1, r"error\[E202\]"),
    Row("all streams closed", "archspec check net.arch <&- >&- 2>&-", 1),
    Row("closed standard input", "archspec check net.arch <&-", 0),
    Row("closed standard input", "archspec check - <&-", 2, r"error\[E014\]: standard input cannot be read"),
    Row("deleted working directory", GONE + "archspec check lenet5", 0),
    Row("deleted working directory", GONE + "archspec check x.arch", 2, r"error\[E014\]: no such file"),
    Row("no HOME", 'env -u HOME "$PYTHON" -m archspec check net.arch', 0),
    Row("C locale", "export LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0; archspec check r\u00e9seau.arch", 0),
    Row("Ctrl-C", 'sleep 9 | timeout --preserve-status -s INT 1 "$PYTHON" -m archspec check -', 130, "interrupted"),
    Row("no permission", "chmod 0 net.arch; archspec check net.arch", 2, "Permission denied", "", True),
]
BACK_END = [
    Row("full standard output", f"{TRAIN} --out new --json >/dev/full", 1, FULL, NEW),
    Row("full standard output", "archspec eval done >/dev/full", 1, FULL),
    Row("full standard output", "archspec export done -o n.onnx >/dev/full", 1, FULL, r"n\.onnx"),
    Row("full standard output", "archspec run net.onnx digit.png >/dev/full", 1, FULL),
    Row("full standard output", "archspec probe net.arch >/dev/full", 1, FULL),
    Row("full standard output", "archspec doctor >/dev/full", 1, FULL),
    Row("full standard error", f"{TRAIN} --out new 2>/dev/full", 0, "", NEW),
    Row("all streams closed", f"{TRAIN} --out new <&- >&- 2>&-", 0, "", NEW),
    Row("closed pipe", "archspec run net.onnx digit.png | true", 1),
    *each(
        "deleted working directory",
        GONE + "archspec {}",
        ("train lenet5", "eval ../done", "export lenet5 -o ../n.onnx", "run ../net.onnx ../digit.png", "probe lenet5"),
        1,
        NO_FOLDER,
    ),
    Row("deleted working directory", GONE + "archspec doctor", 1),
    Row("no HOME", f"unset HOME; {TRAIN} --out new", 0, "", NEW),
    Row(
        "C locale",
        "export LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0; archspec train r\u00e9seau.arch --epochs 1 --out new",
        0,
        "",
        NEW,
    ),
    Row(
        "full disk",
        f"ulimit -f 8; {TRAIN} --out new",
        1,
        r"error\[E422\]: cannot write",
        r"new/(best\.safetensors|metrics\.(csv|jsonl)|report\.html)",
    ),
    Row("full disk", "ulimit -f 4; archspec train --resume run", 1, r"error\[E422\]: cannot write `run/report\.html`"),
    Row("full disk", "ulimit -f 1; archspec export done -o n.onnx", 1, r"error\[E422\]: cannot write"),
    Row("full disk", "ulimit -f 1; archspec eval done --plot p.svg", 1, r"error\[E422\]: cannot write"),
    Row(
        "read-only folder",
        f"mkdir new; chmod 555 new; {TRAIN} --out new",
        1,
        r"error\[E422\]: cannot write into `new`",
        "",
        True,
    ),
    Row(
        "read-only folder",
        "chmod 555 run; archspec train --resume run",
        1,
        r"error\[E422\]: cannot write into `run`",
        "",
        True,
    ),
    Row(
        "read-only folder with a damaged checkpoint",
        "for f in run/checkpoint-*; do echo >> $f; done; chmod 555 run; archspec train --resume run",
        1,
        r"error\[E422\]: cannot write into `run`",
        r"run/checkpoint-\d+\.pt",
        True,
    ),
    Row("read-only folder", "chmod 555 done; archspec eval done", 0, "", "", True),
    Row(
        "read-only folder",
        "chmod 555 .; archspec export done -o n.onnx",
        1,
        r"error\[E422\]: cannot write `n.onnx`",
        "",
        True,
    ),
    Row(
        "no permission",
        "chmod 0 done/weights.safetensors; archspec eval done",
        1,
        "Permission denied",
        "",
        True,
    ),
    Row("no permission", "chmod 0 net.onnx; archspec run net.onnx digit.png", 2, "is not readable", "", True),
    Row("no permission", "chmod 0 digit.png; archspec run net.onnx digit.png", 2, "is not readable", "", True),
    Row(
        "damaged checkpoint",
        "for f in run/checkpoint-*; do echo >> $f; done; archspec train --resume run",
        1,
        r"error\[E452\]",
        r"run/checkpoint-\d+\.pt",
    ),
    Row(
        "lock held",
        '"$PYTHON" hold.py run & until [ -s run/.lock ]; do sleep 0.1; done; archspec train --resume run; s=$?; kill -9 $!; exit $s',
        1,
        r"error\[E476\]: `run` is in use by another run: process \d+ on ",
        r"run/\.lock",
    ),
    Row(
        "lock held by a process that was killed",
        '"$PYTHON" hold.py run & until [ -s run/.lock ]; do sleep 0.1; done; kill -9 $!; wait $!; archspec train --resume run',
        0,
        "",
        RUN,
    ),
    Row("killed before it begins", f"{TRAIN_PROCESS} --out new & {KILLED}", 137),
    Row(
        "killed in training, and resumed",
        f"{PROCESS} train net.arch --epochs 3 --batch 8 --save-every 5 --out new & "
        "until [ -s new/latest ]; do sleep 0.05; done; "
        "kill -9 $!; wait $!; archspec train --resume new",
        0,
        "",
        r"new/[^.].+",
    ),
    Row(
        "killed at its end, and resumed",
        f"{TRAIN_PROCESS} --out new & until [ -e new/best.safetensors ]; do sleep 0.01; done; kill -9 $!; wait $!; "
        "until archspec train --resume new 2>e; do grep -q E452 e || exit 1; exit 0; done",
        0,
        "",
        r"new/[^.].+|e|new/\..+",
    ),
    Row(
        "killed while it exports, and exported again",
        f"{PROCESS} export resnet18 -o n.onnx & until ls -A | grep -q '^[.]'; do sleep 0.02; done; kill -9 $!; wait $!; "
        "[ ! -e n.onnx ] && archspec export done -o n.onnx",
        0,
        "",
        r"n\.onnx",
    ),
    Row(
        "SIGTERM",
        f"{PROCESS} train net.arch --epochs 999 --out new & until [ -s new/latest ]; do sleep 0.1; done; kill $!; wait $!",
        130,
        "stopped; ",
        NEW,
    ),
    Row("files from the future", "find . -exec touch -d 2099-01-01 {} +; archspec train --resume run", 0, "", RUN),
    Row("files from the future", "find . -exec touch -d 2099-01-01 {} +; archspec eval done", 0),
    Row("clock that goes backwards", '"$PYTHON" backwards.py train net.arch --epochs 1 --out new', 0, "", NEW),
]
# a FIFO without a writer, in place of each file that a command reads
FIFOS = [
    Row("FIFO as a spec", "rm net.arch; mkfifo net.arch; archspec check net.arch", 2, "regular file", "net.arch"),
    Row(
        "FIFO as weights",
        "rm done/w*; mkfifo done/weights.safetensors; archspec eval done",
        1,
        "regular file",
        "done/w.+",
    ),
    Row("FIFO as `latest`", "mkfifo run/latest; archspec train --resume run", 1, "not a regular file"),
    Row(
        "FIFO as a checkpoint",
        "mkfifo run/checkpoint-999999999.pt; archspec train --resume run",
        0,
        "regular file",
        RUN,
    ),
    Row(
        "FIFO as a model",
        "rm net.onnx; mkfifo net.onnx; archspec run net.onnx digit.png",
        1,
        "regular file",
        r"net\.onnx",
    ),
    Row(
        "FIFO as an image",
        "rm digit.png; mkfifo digit.png; archspec run net.onnx digit.png",
        1,
        "regular file",
        r"digit\.png",
    ),
    Row("FIFO as the lock", "mkfifo run/.lock; archspec train --resume run", 1, "not a regular file"),
]
TABLE = (*FRONT_END, *BACK_END, *DATA, *FIFOS)
