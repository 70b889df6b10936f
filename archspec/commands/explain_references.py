"""The words and signs of the language that name results, for `archspec explain`.

In: nothing. Out: their entries among `explain_words.WORDS`.
"""

from __future__ import annotations

from archspec.commands.language_word import LanguageWord

INPUT = "[8x8x4] INPUT\n"


def word(names: str, title: str, text: str, example: str) -> LanguageWord:
    """Return an entry; its names are separated by spaces."""
    return LanguageWord(title, text, example, tuple(names.split()))


REFERENCES = (
    word(
        "@ @name label result",
        "the result of the line with a label",
        "`name:` before a line names its result, and `@name` begins a line or a branch with it. A parameter written `@h` takes such a result.",
        INPUT + "stem: CONV 4 3x3 p1 -> RELU\nCONV 4 3x3 p1\nadd\n    | x\n    | @stem\n",
    ),
    word(
        "@before before",
        "the input of the step before",
        "In a chain or a repeat of calls each call can take the results of the two before it, as NASNet's cells do.",
        "block cell(f, @h=@before)\n    concat\n        | CONV f 3x3 p1\n        | @h\n          CONV f 1x1\n\n"
        + INPUT
        + "stem: CONV 8 3x3 p1 -> RELU\ncell(8, @stem)\n2 x cell(8)\n",
    ),
    word(
        "@last.name last @s.name dot",
        "a result inside a call",
        "`@s.low` is the line `low` in the call labelled `s`, `@last.low` that in the last call above. As a default, `@b=@last.low` hands a second volume from call to call.",
        "block two(@b=@last.low)\n    low: CONV C 3x3 p1 -> RELU\n    add\n        | @b\n        | @low\n\n"
        + INPUT
        + "s: two(@input) -> 3 x two()\nadd\n    | x\n    | @s.low\n",
    ),
    word(
        "@more... ... list",
        "any number of volumes",
        "The last parameter of a block may take all further volumes. A branch that begins with it stands for one branch for each of them; a merge with one branch left is that branch.",
        "block join(@more...)\n    concat\n        | x\n        | @more\n\n"
        + INPUT
        + "a: CONV 4 3x3 p1 -> RELU\njoin(@a, @input)\n",
    ),
    word(
        "shared weights= weights tied",
        "one set of weights for several layers",
        "All calls of a `shared` block that stand in one instance of a block, or at the top level, use the same weights. `weights=@name` gives a layer the tensors of another one that have the same name and shape.",
        "block unit shared\n    CONV C 3x3 p1 -> RELU\n\n"
        + INPUT
        + "3 x unit()\nc: CONV 4 1x1\nRELU\nCONV 4 1x1 weights=@c\n",
    ),
)
