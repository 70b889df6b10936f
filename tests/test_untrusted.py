"""A spec may come from anybody: whatever it asks for, the result is a table or one clear error, and quickly."""

import time

import pytest

import archspec

HEAD = "[32x32x8] INPUT\n"
DOUBLING = "".join(f"block b{n}()\n    b{n + 1}()\n    b{n + 1}()\n" for n in range(60)) + "block b60()\n    RELU\n"
LETS = "".join(f"    let n{n + 1} = n{n} * n{n}\n" for n in range(60))

HOSTILE = {
    "a repeat past the bound": (HEAD + "300000 x RELU\n", "E112"),
    "a repeat near 2^63": (HEAD + "9000000000000000000 x RELU\n", "E112"),
    "repeats of repeats": (HEAD + "100000 x 100000 x RELU\n", "E112"),
    "a number past 2^63": (HEAD + "CONV 99999999999999999999 3x3\n", "E008"),
    "a number of many digits": (HEAD + "CONV " + "9" * 4_000 + " 3x3\n", "E008"),
    "a product past 2^63": (HEAD + "CONV 4000000000*4000000000 3x3\n", "E008"),
    "a number that doubles its length": (f"block b()\n    let n0 = 10\n{LETS}    RELU\n{HEAD}b()\n", "E008"),
    "recursion without an end": ("block b()\n    b()\n" + HEAD + "b()\n", "E112"),
    "two blocks that call each other": ("block a()\n    b()\nblock b()\n    a()\n" + HEAD + "a()\n", "E112"),
    "blocks that double": (DOUBLING + HEAD + "b0()\n", "E112"),
    "deep parentheses": (HEAD + "CONV " + "(" * 2_000 + "1" + ")" * 2_000 + " 3x3\n", None),
    "a long sum": (HEAD + "CONV " + "1+" * 2_000 + "1 3x3\n", "E013"),
    "open parentheses": (HEAD + "CONV " + "(" * 2_000 + "\n", "E012"),
    "deep minuses": (HEAD + "CONV (" + "-" * 4_000 + "1) 3x3\n", "E001"),
    "deep indentation": (HEAD + "".join("  " * n + "add\n" + "  " * n + " | x\n" for n in range(200)), "E004"),
    "division by zero": (HEAD + "CONV 8/0 3x3\n", "E107"),
    "a modulo by zero": (HEAD + "CONV 8%0 3x3\n", "E107"),
    "a window of 2^62": (HEAD + "CONV 8 4611686018427387904x3\n", "E202"),
    "a volume of 2^62": ("[4611686018427387904x4611686018427387904x4611686018427387904] INPUT\nRELU\n", None),
    "zero bytes": ("\0" * 1_000, "E001"),
    "a line of a million characters": (HEAD + "CONV " + "8 " * 500_000 + "\n", "E009"),
    "a name of a million characters": (HEAD + "A" * 1_000_000 + "\n", "E009"),
    "a name of 4,000 characters": (HEAD + "A" * 4_000 + "\n", "E102"),
    "twenty thousand branches": (HEAD + "add\n" + "    | x\n" * 20_000, None),
    "a hundred thousand lines of nonsense": ("=\n" * 100_000, "E001"),
    "a file too large": ("#" * (17 * 2**20), "E009"),
    "a bracket of many dimensions": ("[" + "x".join(["1"] * 2_000) + "] INPUT\n", "E304"),
    "a line of arrows": (HEAD + "RELU " + "-> " * 1_000 + "\n", "E001"),
    "a chain of 600 steps": (HEAD + "RELU" + " -> RELU" * 600 + "\n", None),
    "a file that uses itself": ("use spec: b\n" + HEAD + "RELU\n", "E014"),
    "a path in `use`": ("use ../secret: b\n" + HEAD + "RELU\n", "E001"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_spec_gets_a_table_or_one_clear_error(case: str) -> None:
    text, code = HOSTILE[case]
    start = time.process_time()
    if code is None:
        assert str(archspec.loads(text))
    else:
        with pytest.raises(archspec.ArchspecError) as caught:
            archspec.loads(text)
        assert caught.value.diagnostics[0].code == code
        assert len(str(caught.value)) < 60_000
    assert time.process_time() - start < 10, "an order of magnitude above what it takes: it grows too fast"
