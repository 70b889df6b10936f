"""The rooms are as ARCHITECTURE.md says: what imports what, without circles, and nothing too large.

Imports are read from the source, those inside functions and under TYPE_CHECKING included.
"""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
LINKED = ("compiler", "grammar", "specs")
ROW = re.compile(r"^\| `(?P<room>(?:archspec|compiler)/\S+)` \|[^|]*\|(?P<imports>[^|]*)\|$", re.MULTILINE)
PATH = re.compile(r"^text -> \w+ +(?P<rooms>\S+(?: -> \S+)+)$", re.MULTILINE)

MAX_LINES = 250
LONG_TABLES = {"archspec/diagnostics/codes.py", "archspec/diagnostics/command_examples.py"}
MAX_FILES = 12
PAGES = (
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "grammar/README.md",
    "archspec/analyses/memory/MODEL.md",
)
FULL_FOLDERS = {"archspec/layers", "archspec/commands"}  # a file per layer, a file per command
ROOM_CIRCLES = {  # a node has a layer, a layer computes volumes; the layers' reference page reads its examples
    ("archspec/layers", "archspec/graph"),
    ("archspec/layers", "archspec/resolve"),
}

MAX_MODULES_OF_CHECK = 76  # of archspec, imported by `archspec check lenet5`: as many as before there were rooms


# ---- the source
@cache
def modules() -> dict[str, str]:
    """Each module by its import name: the path of its file."""
    paths = [path for top in ("archspec", *LINKED) for path in (ROOT / top).rglob("*.py")]
    own = [path.relative_to(ROOT) for path in paths if not linked(path.relative_to(ROOT))]
    return {imported_as(path): path.as_posix() for path in own}


def linked(path: Path) -> bool:
    return len(path.parts) > 1 and path.parts[0] == "archspec" and path.parts[1] in LINKED


def imported_as(path: Path) -> str:
    parts = path.with_suffix("").parts
    parts = parts if parts[0] == "archspec" else ("archspec", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def imports_of(module: str) -> Iterator[str]:
    for node in ast.walk(tree_of(modules()[module])):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules())
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{modules()[module]}: a relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield from [name for name in (full, node.module) if name in modules()][:1]


@cache
def graph() -> dict[str, frozenset[str]]:
    """What each file imports, by paths."""
    return {
        modules()[name]: frozenset(modules()[one] for one in imports_of(name)) - {modules()[name]} for name in modules()
    }


def circle(edges: dict[str, frozenset[str]]) -> list[str]:
    """A circle of imports, or nothing."""
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        todo = [(start, False)]
        while todo:
            node, left = todo.pop()
            if left:
                done.add(path.pop())
            elif node in path:
                return [*path[path.index(node) :], node]
            elif node not in done:
                path.append(node)
                todo += [(node, True), *((one, False) for one in sorted(edges[node]))]
    return []


def listed(violations: Iterable[str], head: str = "") -> str:
    return "\n".join([head, *violations])


# ---- the page
@cache
def rooms() -> dict[str, frozenset[str]]:
    """The table: what each room may import, by the rooms' full names."""
    rows = {found["room"]: re.findall(r"`(\S+?)`", found["imports"]) for found in ROW.finditer(PAGE)}
    return {
        room: frozenset(one for name in names for one in full_names(room, name, [*rows]))
        for room, names in rows.items()
    }


def full_names(room: str, name: str, known: list[str]) -> list[str]:
    """`data` is `compiler/data` where there is no `archspec/data`; `compiler` is every room of it."""
    if name == "compiler":
        return [one for one in known if one.startswith("compiler/")]
    found = [one for one in known if one.split("/", 1)[1] == name]
    assert found or name in LINKED, f"ARCHITECTURE.md: the row of {room} lists {name}, which has no row"
    return found


def room_of(file: str) -> str | None:
    """The room of a file; None for what the rooms share."""
    parts = file.split("/")
    if parts[0] in ("grammar", "specs") or (parts[0] == "compiler" and len(parts) == 2):
        return None
    return "/".join(parts[:2])


@cache
def imports_of_rooms() -> dict[tuple[str, str], str]:
    """Which room imports which, with a file that does."""
    found = {}
    for file, imported in graph().items():
        for other in imported:
            one, two = room_of(file), "compiler/lowering" if other == "compiler/__init__.py" else room_of(other)
            if one and two and one != two:
                found[one, two] = f"{file} imports {other}"
    return found


# ---- imports
def test_no_files_import_each_other_in_a_circle() -> None:
    found = circle(graph())
    assert not found, " -> ".join(found)


def test_a_circle_is_found() -> None:
    edges = {"a": frozenset("b"), "b": frozenset("cd"), "c": frozenset("b"), "d": frozenset[str]()}
    assert circle(edges) == ["b", "c", "b"]
    assert circle({**edges, "c": frozenset("d")}) == []


def test_every_room_is_on_the_page_and_exists() -> None:
    found = {room for file in graph() if (room := room_of(file))}
    assert found == {*rooms()}


def test_rooms_import_only_what_the_page_allows() -> None:
    shared = {"archspec/record.py"}
    wrong = [
        how for (one, two), how in imports_of_rooms().items() if two not in rooms().get(one, ()) and two not in shared
    ]
    assert not wrong, listed(wrong, "ARCHITECTURE.md does not allow:")


def test_the_page_lists_no_import_that_is_not_there() -> None:
    commands = {("archspec/cli.py", "archspec/commands")}  # by name, when they are used
    allowed = {(room, other) for room, others in rooms().items() for other in others} - commands
    allowed = {(one, two) for one, two in allowed if one != "archspec/commands" or not two.startswith("compiler/")}
    stale = sorted(f"{one} -> {two}" for one, two in allowed - imports_of_rooms().keys())
    assert not stale, listed(stale, "ARCHITECTURE.md lists, but no file imports:")


def test_rooms_do_not_import_each_other_in_a_circle() -> None:
    edges = {room: frozenset(two for one, two in imports_of_rooms() if one == room) for room in rooms()}
    for one, two in ROOM_CIRCLES:
        edges[one] -= {two}
    found = circle(edges)
    assert not found, listed((imports_of_rooms()[step] for step in pairwise(found)), " -> ".join(found))


@pytest.mark.parametrize(
    "path", [found["rooms"].split(" -> ") for found in PATH.finditer(PAGE)], ids=lambda path: path[-1]
)
def test_no_room_of_a_path_knows_a_later_one(path: list[str]) -> None:
    assert {*path} <= {*rooms()}
    for place, room in enumerate(path):
        later = {*path[place + 1 :]}
        wrong = [how for (one, two), how in imports_of_rooms().items() if one == room and two in later]
        assert not wrong, listed(wrong)


def test_the_page_shows_two_paths() -> None:
    assert len(PATH.findall(PAGE)) == 2


@pytest.mark.parametrize("page", PAGES)
def test_every_path_on_a_page_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:archspec|benchmarks|compiler|grammar|tests)/[\w/.]+)`", text))
    added = set(re.findall(r"new file\s+`([\w/.]+)`", text))  # by whoever follows CONTRIBUTING.md
    missing = sorted(name for name in named - added if not (ROOT / name).exists())
    assert not missing, listed(missing)


def test_check_imports_no_more_modules_than_before_the_rooms() -> None:
    program = "import sys; sys.argv = ['archspec', 'check', 'lenet5']\nfrom archspec.__main__ import run\n"
    program += "try:\n    run()\nexcept SystemExit as end:\n    assert not end.code\n"
    program += "print(*(name for name in sys.modules if name.split('.')[0] == 'archspec'), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    imported = sorted(done.stderr.split())
    assert "archspec.commands.check" in imported
    assert len(imported) <= MAX_MODULES_OF_CHECK, imported


# ---- sizes and names
def sources() -> list[str]:
    return [file for file in graph() if file.startswith(("archspec/", "compiler/"))]


def test_no_file_is_long() -> None:
    lengths = {file: len((ROOT / file).read_text(encoding="utf-8").splitlines()) for file in sources()}
    long = {file: lines for file, lines in lengths.items() if lines > MAX_LINES and file not in LONG_TABLES}
    assert not long, listed(
        f"{file} has {lines} lines, at most {MAX_LINES} are allowed" for file, lines in long.items()
    )


def test_no_folder_is_full() -> None:
    counts = Counter(path.parent.relative_to(ROOT).as_posix() for file in sources() for path in [ROOT / file])
    full = {folder: count for folder, count in counts.items() if count > MAX_FILES and folder not in FULL_FOLDERS}
    assert not full, listed(
        f"{folder} has {count} files, at most {MAX_FILES} are allowed" for folder, count in full.items()
    )


def test_no_class_name_is_used_twice() -> None:
    named: dict[str, list[str]] = {}
    for file in sources():
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.ClassDef):
                named.setdefault(node.name, []).append(file)
    twice = {name: files for name, files in named.items() if len(files) > 1}
    assert not twice, listed(f"class {name}: {', '.join(files)}" for name, files in sorted(twice.items()))


@pytest.mark.parametrize(
    "file", [file for file in modules().values() if file.endswith("/__init__.py") and room_of(file)]
)
def test_a_room_says_what_comes_in_and_what_goes_out(file: str) -> None:
    text = ast.get_docstring(tree_of(file)) or ""
    assert text, f"{file} has no docstring"
    if file.count("/") == 2:
        assert "In: " in text, f"{file} does not say what comes in"
        assert "Out: " in text, f"{file} does not say what goes out"
