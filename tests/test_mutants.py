"""The table of mutants fits the sources, and the committed result is of that table; `make mutants` runs them."""

import re

from benchmarks.mutants.__main__ import RESULT, ROOT, read_table


def test_each_text_of_the_table_is_found_once() -> None:
    assert [wrong for one in read_table() if (wrong := one.stale(ROOT))] == []


def test_the_committed_result_is_of_the_table() -> None:
    text = RESULT.read_text(encoding="utf-8")
    rows = re.findall(r"^\| [a-z* ]+ \| (.*?) \| `(.*?)` \| `(.*?)` \|", text, re.MULTILINE)
    assert sorted(rows) == sorted((one.name, one.file, one.test) for one in read_table())
