"""Every help that is given for the specs of tests/errors, applied as it is written."""

from pathlib import Path

import pytest

from support.helps import bare, findings_in, trials

CASES = sorted((Path(__file__).parents[1] / "errors").glob("*.arch"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_help_that_quotes_text_to_paste_has_an_edit_that_removes_its_finding_and_brings_no_other(
    path: Path,
) -> None:
    text = path.read_text(encoding="utf-8")
    before = findings_in(text)
    failing = [
        (str(one.help), one.is_gone, [f"{new.code} {new.message}" for new in one.new])
        for one in trials(text, before)
        if not one.works
    ]
    assert failing == []
    assert [(finding.code, help_) for finding in before for help_ in bare(finding)] == []
