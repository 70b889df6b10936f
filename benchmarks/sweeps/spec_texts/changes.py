"""What comes with a spec rather than in it: changes from the command line, and the bytes of a file.

In: a source of chance. Out: a `SpecInput`.
"""

from __future__ import annotations

from random import Random

from benchmarks.sweeps.spec_texts.mutations import MUTATIONS, change_text, change_words, seeds
from benchmarks.sweeps.spec_texts.networks import network
from benchmarks.sweeps.spec_texts.spec_input import SpecInput

INPUTS = (
    "32x32x3",
    "8×8×4",
    "10",
    "6x4",
    "",
    "x",
    "0x0x3",
    "1e3",
    "99999999999x1x1",
    "999999999x999999999x9",
    "٣x3x3",
    "-1",
)
CLASSES = (1, 2, 10, 1000, 2**31 - 1, 2**31, 0, -1)
NAMES = ("width", "depth", "f", "n", "nothing", "", "x", "\ud800", "a" * 300)
VALUES = (
    0,
    1,
    2,
    4,
    -1,
    0.5,
    1e-300,
    1e300,
    float("inf"),
    float("nan"),
    2**63,
    10**400,
    "unit",
    "",
    "\x1b[2J",
    "\udcff",
    True,
)
VARIANTS = ("small", "large", "50", "18", "nothing", "", "\ud800", "x" * 300, "\x1b")
PARTS = (
    "block unit(f)\n    FC f\nblock stage(u, f)\n    u()\n    FC f\n",
    "use spec: a\nblock unit(f)\n    a()\nblock stage(u, f)\n    u()\n",
    "use part: unit\nblock stage(u, f)\n    u()\n",
    "block unit(f)\n    POOL f\n    [9x9x9] CONV f\nblock stage(u, f)\n    unit(f) -> x\n",
    "after FC: RELU\nparam f = 2/0\nblock unit(f)\n    FC g\nblock stage\n    stage()\n",
    "",
)
_ENDS = ("\n", "\r\n", "\r", "\n\r")


def changed(chance: Random) -> SpecInput:
    """Return a spec with one or two changes to it."""
    text = network(chance) if chance.random() < 0.7 else chance.choice(seeds())
    changes: dict[str, object] = {}
    for _ in range(chance.randint(1, 2)):
        kind = chance.choice(("input", "classes", "variant", "set", "set"))
        if kind == "set":
            changes[kind] = {chance.choice(NAMES): chance.choice(VALUES) for _ in range(chance.randint(1, 2))}
        else:
            changes[kind] = chance.choice({"input": INPUTS, "classes": CLASSES, "variant": VARIANTS}[kind])
    return SpecInput(text, changes)


def encoded(chance: Random) -> SpecInput:
    """Return a spec as the bytes of a file: other encodings, marks, line ends, damage, files that it uses."""
    if chance.random() < 0.2:
        return _with_a_part(chance)
    text = network(chance)
    if chance.random() < 0.3:
        text = change_text(text, chance, 1, (change_words,))
    data = text.replace("\n", chance.choice(_ENDS)).encode(chance.choice(("utf-8", "utf-8-sig", "utf-16", "utf-32-be")))
    kind = chance.randrange(5)
    at = chance.randrange(len(data) + 1)
    if kind == 0:
        data = (
            data[:at] + chance.choice((b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x1a")) + data[at:]
        )
    elif kind == 1:
        data = data[:at]
    elif kind == 2:
        data = chance.randbytes(chance.randrange(300))
    return SpecInput(data)


def _with_a_part(chance: Random) -> SpecInput:
    """Return a spec that uses a file, which may be wrong, or use the spec."""
    part = chance.choice((*PARTS, change_text(network(chance), chance, 1, MUTATIONS)))
    text = (
        "use part: unit, stage\nblock a\n    RELU\n[8x8x4] INPUT\n"
        + chance.choice(("unit(4)", "stage(a, 4)", "a()"))
        + "\n"
    )
    return SpecInput(text.encode(), beside={"part": part})
