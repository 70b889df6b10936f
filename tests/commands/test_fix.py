"""`archspec check --fix` and `--diff`: which files they change, how, and what they say."""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from archspec.cli import main
from archspec.diagnostics.errors import ArchspecError
from archspec.diagnostics.findings import Diagnostic, Edit, Help, Label
from archspec.diagnostics.source import Source, Span
from archspec.fixes import spec_file, workspace
from archspec.fixes.rounds import MAX_ROUNDS, fix_files
from archspec.fixes.spec_file import SpecFile, opened, write
from archspec.fixes.spec_text import SpecText
from archspec.library import Located
from archspec.resolve import Overrides

HEAD = "[8x8x3] INPUT\nCONV 4 3x3 -> RELU\nGAP -> FC 10\n"
TRAIN = "\ntrain\n    epohcs 5   # short\n    labl_smoothing 0.1\n"
RIGHT = TRAIN.replace("epohcs", "epochs").replace("labl", "label")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("check", *arguments))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "mynet.arch"
    made.write_text(HEAD + TRAIN)
    return made


def test_fix_changes_the_file_says_what_it_changed_and_checks_the_result(path: Path) -> None:
    result = run("--fix", str(path))
    assert result.exit_code == 0
    assert path.read_text() == HEAD + RIGHT
    assert result.stderr.splitlines()[:3] == [
        f"{path}:6: epohcs -> epochs (E011)",
        f"{path}:7: labl_smoothing -> label_smoothing (E011)",
        "2 fixes applied",
    ]
    assert "conv1" in result.stdout
    assert run("--fix", str(path)).stderr.strip() == "0 fixes applied"


def test_check_says_how_many_findings_fix_would_mend_and_only_for_files(path: Path) -> None:
    assert f"`archspec check --fix {path}` fixes 2" in run(str(path)).stderr
    piped = CliRunner().invoke(main, ("check", "-"), input=HEAD + TRAIN)
    assert "--fix" not in piped.stderr
    path.write_text("[8x8x3] INPUT\nCONV 4 3x3 -> CONV 4 3x3\n")
    assert "--fix" not in run(str(path)).stderr


def test_fix_ends_as_check_of_the_result_does(path: Path) -> None:
    path.write_text("[8x8x3] INPUT\nCONV 4 9x9\n" + TRAIN)
    result = run("--fix", str(path))
    assert path.read_text().endswith(RIGHT)
    assert result.exit_code == 1
    assert "error[E202]" in result.stderr
    assert "E011]" not in result.stderr


def test_a_fix_that_brings_another_error_to_its_line_is_not_applied(path: Path) -> None:
    path.write_text(HEAD + "\ntrain\n    epohcs 5\n    warmupp 7\n")
    result = run("--fix", str(path))
    assert result.exit_code == 1
    assert path.read_text() == HEAD + "\ntrain\n    epochs 5\n    warmupp 7\n"
    assert "1 fix applied" in result.stderr


def test_diff_shows_the_changes_and_writes_nothing(path: Path) -> None:
    result = run("--fix", "--diff", str(path))
    assert result.exit_code == 1
    assert path.read_text() == HEAD + TRAIN
    assert result.stdout.startswith(f"--- {path}\n+++ {path}\n@@ ")
    assert "-    epohcs 5   # short\n-    labl_smoothing 0.1\n+    epochs 5   # short\n" in result.stdout
    assert run("--diff", str(path)).stdout == result.stdout
    path.write_text(HEAD)
    clean = run("--diff", str(path))
    assert (clean.exit_code, clean.stdout) == (0, "")


def test_the_diff_is_one_that_git_applies(path: Path) -> None:
    path.write_bytes((HEAD + TRAIN).rstrip("\n").encode())
    (path.parent / "fix.diff").write_text(run("--diff", str(path)).stdout.replace(str(path), path.name))
    subprocess.run(["git", "apply", "-p0", "fix.diff"], cwd=path.parent, check=True, capture_output=True)
    assert path.read_text() == (HEAD + RIGHT).rstrip("\n")


def test_json_lists_the_changes(path: Path) -> None:
    result = run("--fix", "--json", str(path))
    data = json.loads(result.stdout)
    assert [change["edits"][0]["replacement"] for change in data["fixed"]] == ["epochs", "label_smoothing"]
    assert data["fixed"][0]["code"] == "E011"
    assert data["fixed"][0]["edits"][0]["start"]["line"] == 6
    assert data["diagnostics"] == []
    assert result.stderr == ""
    assert json.loads(run("--fix", "--json", str(path)).stdout)["fixed"] == []
    assert "fixed" not in json.loads(run("--json", str(path)).stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--fix", "-"), "not standard input"),
        (("--fix", "resnet50"), "`archspec specs --show resnet50 > resnet50.arch`"),
        (("--fix", "mynet.arch", "alexnet"), "built-in"),
        (("--diff", "-"), "not standard input"),
        (("--diff", "--json", "mynet.arch"), "leave out `--json`"),
        (("--fix", str(Path(workspace.__file__).parents[1] / "specs" / "lenet5.arch")), "built-in"),
    ],
)
def test_what_is_no_file_of_the_users_own_is_refused(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_several_files_are_fixed_and_each_once(path: Path) -> None:
    other = path.with_name("other.arch")
    other.write_text(HEAD + "\ntrain\n    epohcs 9\n")
    link = path.with_name("link.arch")
    link.symlink_to(path)
    result = run("--fix", str(path), str(other), str(link), str(path))
    assert result.exit_code == 0
    assert "3 fixes applied in 2 files" in result.stderr
    assert link.is_symlink()
    assert path.read_text() == HEAD + RIGHT
    assert other.read_text() == HEAD + "\ntrain\n    epochs 9\n"


def test_a_used_file_is_fixed_only_if_it_is_given_too(path: Path) -> None:
    part = path.with_name("part.arch")
    wrong = "block unit(f)\n    CONV f 3x3 -> RELU\n" + HEAD + TRAIN
    part.write_text(wrong)
    path.write_text("use part: unit, train\n[8x8x3] INPUT\nunit(4)\nGAP -> FC 10\n")
    assert run("--fix", str(path)).exit_code == 1
    assert part.read_text() == wrong
    result = run("--fix", str(path), str(part))
    assert part.read_text() == wrong.replace(TRAIN, RIGHT)
    assert result.stderr.count("epohcs -> epochs") == 1


def test_line_ends_byte_order_mark_and_permissions_stay(path: Path) -> None:
    data = b"\xef\xbb\xbf" + (HEAD + TRAIN).replace("\n", "\r\n").encode()
    path.write_bytes(data)
    path.chmod(0o640)
    assert run("--fix", str(path)).exit_code == 0
    assert path.read_bytes() == data.replace(b"epohcs", b"epochs").replace(b"labl", b"label")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_other_encodings_are_left_alone(path: Path) -> None:
    data = (HEAD + TRAIN).encode("utf-16")
    path.write_bytes(data)
    result = run("--fix", str(path))
    assert result.exit_code == 1
    assert "E015" in result.stderr
    assert path.read_bytes() == data
    assert run("--fix", str(path.with_name("missing.arch"))).exit_code == 2


@pytest.mark.parametrize("flag", ["--fix", "--diff"])
@pytest.mark.parametrize("spec", [".", "", "nosuch", "./nosuch/", "none/mynet.arch", "resnet_r51"])
def test_a_spec_that_does_not_exist_is_named_as_without_fix(spec: str, flag: str) -> None:
    plain, fixing = run(spec), run(flag, spec)
    assert fixing.exit_code == plain.exit_code == 2
    assert fixing.stderr.endswith(plain.stderr)
    assert "built-in specs: " not in fixing.stderr


def test_standard_input_by_its_path_is_refused(path: Path) -> None:
    command = [sys.executable, "-m", "archspec", "check", "--fix", "/dev/stdin"]
    with path.open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "not standard input" in done.stderr
    assert path.read_text() == HEAD + TRAIN


def test_a_file_with_two_hard_links_is_not_split(path: Path) -> None:
    other = path.with_name("other.arch")
    other.hardlink_to(path)
    result = run("--fix", str(path))
    assert result.exit_code == 1
    assert f"cannot write {path}: it has 2 names (hard links), and only one would change" in result.stderr
    assert path.samefile(other)
    assert path.read_text() == HEAD + TRAIN


def test_the_owner_stays_where_the_user_may_give_a_file_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []

    def give(_: Path, owner: int, group: int) -> None:
        given.append((owner, group))
        raise PermissionError

    monkeypatch.setattr(os, "chown", give)
    assert run("--fix", str(path)).exit_code == 0
    status = path.stat()
    assert given == [(-1, status.st_gid), (status.st_uid, -1)]


def test_what_check_promises_is_what_fix_does_and_what_is_left_out_is_said(path: Path) -> None:
    path.write_text(HEAD + "\ntrain\n    epohcs 5\n    warmupp 7\n")
    assert f"`archspec check --fix {path}` fixes 1\n" in run(str(path)).stderr
    assert "1 fix applied; 1 was left out: it would bring another error\n" in run("--fix", str(path)).stderr
    assert "--fix" not in run(str(path)).stderr
    assert run("--diff", str(path)).stderr == "0 fixes to apply; 1 was left out: it would bring another error\n"


def test_fixes_of_many_findings_are_not_counted(path: Path) -> None:
    path.write_text("[8x8x3] INPUT\n" + "RELUU\n" * 21)
    assert f"`archspec check --fix {path}` applies the safe fixes\n" in run(str(path)).stderr


def test_a_warning_that_an_error_hid_does_not_block_a_fix(path: Path) -> None:
    path.write_text("[32x32x3] INPUT\nCONV 16 3x3 p1\nFCC 10\n")
    assert f"`archspec check --fix {path}` fixes 1\n" in run(str(path)).stderr
    result = run("--fix", str(path))
    assert "1 fix applied\n" in result.stderr
    assert "warning[W201]" in result.stderr


def test_a_read_only_file_is_not_written(path: Path) -> None:
    path.chmod(0o444)
    result = run("--fix", str(path))
    assert result.exit_code == 1
    assert f"error[E422]: cannot write {path}: the file is read-only" in result.stderr
    assert "0 fixes applied" in result.stderr
    assert path.read_text() == HEAD + TRAIN
    described = json.loads(run("--fix", "--json", str(path)).stdout)
    assert [one["code"] for one in described["diagnostics"]] == ["E422", "E011", "E011"]
    assert described["fixed"] == []


@pytest.mark.parametrize("what", ["fsync", "fdopen", "mkstemp", "replace"])
def test_a_write_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if what == "replace":
            patch.setattr(Path, "replace", fail)
        else:
            patch.setattr(spec_file if what == "mkstemp" else os, what, fail)
        result = run("--fix", str(path))
    assert result.exit_code == 1
    assert f"cannot write {path}: No space left on device" in result.stderr
    assert path.read_text() == HEAD + TRAIN
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_file_that_another_program_changed_meanwhile_is_not_overwritten(path: Path) -> None:
    file = opened(str(path))
    assert file is not None
    path.write_text("their version\n")
    result = SpecFile(file.spec, file.path, file.data, SpecText("mine\n", False))
    with pytest.raises(Exception, match="another program has changed it"):
        write(result)
    assert path.read_text() == "their version\n"


def plant(monkeypatch: pytest.MonkeyPatch, edits: Callable[[Source], Iterable[tuple[Edit, ...]]]) -> None:
    """Let every spec have one error for each group of edits, on the line of the first; the first 50 are reported."""

    def read(located: Located, *_: object) -> SimpleNamespace:
        found = [
            Diagnostic("E102", "planted", (Label(group[0].at),), (), (Help("so", *group, is_safe=True),))
            for group in edits(located.source)
        ]
        if found:
            raise ArchspecError(found[:50])
        return SimpleNamespace(diagnostics=())

    monkeypatch.setattr(workspace, "read", read)


def fixed(text: str, path: Path) -> tuple[str, list[str]]:
    path.write_text(text)
    file = opened(str(path))
    assert file is not None
    done = fix_files((file,), Overrides())
    return done.files[0].text.normal, [str(change).replace(f"{path}:", "") for change in done.changes]


def words(source: Source, pattern: str, new: str) -> Iterator[tuple[Edit, ...]]:
    for found in re.finditer(pattern, source.text):
        yield (Edit(Span(source, found.start(), found.end()), new),)


def test_more_findings_than_are_reported_are_fixed_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, lambda source: words(source, "bad", "good"))
    assert fixed("bad\n" * 120, path)[0] == "good\n" * 120


def test_of_edits_that_overlap_the_first_is_applied(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def edits(source: Source) -> Iterator[tuple[Edit, ...]]:
        yield from words(source, "aab", "c")
        yield from words(source, "a(?=a?b)", "d")

    plant(monkeypatch, edits)
    assert fixed("aab\n", path) == ("c\n", ["1: aab -> c (E102)"])


def test_fixes_that_undo_each_other_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def edits(source: Source) -> Iterator[tuple[Edit, ...]]:
        yield from words(source, r"\Aone\n(?!\n)", "one\n\n")
        yield from words(source, r"(?<=two\n)\Z|(?<=one\n)\n", "")

    plant(monkeypatch, edits)
    text, changes = fixed("one\ntwo\n", path)
    assert text.split() == ["one", "two"]
    assert len(changes) <= 2 * MAX_ROUNDS


def test_a_change_is_shown_with_the_words_around_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, lambda source: words(source, "(?<=BN) (?=RELU)", " -> "))
    assert fixed("BN RELU 3\n", path) == ("BN -> RELU 3\n", ["1: `BN RELU` -> `BN -> RELU` (E102)"])


def test_changes_of_spaces_and_lines_are_shown_exactly(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, lambda source: words(source, r"\t", "    "))
    assert fixed("BN\tRELU\n", path) == ("BN    RELU\n", [r"1: `BN\tRELU` -> `BN    RELU` (E102)"])
    plant(monkeypatch, lambda source: words(source, r" ->(?=\n)", ""))
    assert fixed("BN ->\nRELU\n", path)[1] == ["1: `BN ->` -> BN (E102)"]
    plant(monkeypatch, lambda source: words(source, r"(?<=8)\n(?=3)", " "))
    assert fixed("CONV 8\n3x3\n", path)[1] == [r"1: `8\n3x3` -> `8 3x3` (E102)"]
    plant(monkeypatch, lambda source: words(source, r"FLATTEN\n", ""))
    assert fixed("BN\nFLATTEN\nFC 1\n", path) == ("BN\nFC 1\n", ["2: dropped FLATTEN (E102)"])


def test_a_sign_is_quoted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, lambda source: words(source, "=>", "->"))
    assert fixed("BN => RELU\n", path)[1] == ["1: `=>` -> `->` (E102)"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_edits_keep_the_line_ends(end: str) -> None:
    text = SpecText(end.join(("one", "two", "", "three")), False)
    source = Source("spec", text.normal)
    edits = [Edit(Span(source, 0, 3), "1"), Edit(Span(source, 3, 3), "\nand"), Edit(Span(source, 9, 14), "3")]
    assert text.edited(edits).raw == end.join(("1", "and", "two", "", "3"))
