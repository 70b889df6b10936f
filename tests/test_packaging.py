"""What is installed is what is in the tree: every package, the specs, the grammar and its tables.

`compiler`, `grammar` and `specs` are parts of the package by links in `archspec/`.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]
PACKAGED = ("archspec", "compiler", "grammar", "specs")
LINKED = ("compiler", "grammar", "specs")
SHIPPED = {".py", ".typed", ".lark", ".md", ".arch"}
BUILT_FROM = (*PACKAGED, "tests", "MANIFEST.in", "pyproject.toml", "setup.py", "README.md", "LICENSE")


def packages_in_the_tree() -> set[str]:
    """Every folder with an `__init__.py`, by its import name; one that holds nothing yet is none."""
    inits = [init for folder in PACKAGED for init in (ROOT / folder).rglob("__init__.py")]
    return {imported_as(init.parent) for init in inits if init.stat().st_size or holds_more(init.parent)}


def holds_more(folder: Path) -> bool:
    """Whether anything stands beside the folder's `__init__.py`."""
    return any(path.name not in ("__init__.py", "__pycache__") for path in folder.iterdir())


def imported_as(folder: Path) -> str:
    """`compiler/onnx` is imported as `archspec.compiler.onnx`."""
    parts = folder.relative_to(ROOT).parts
    return ".".join(parts if parts[0] == "archspec" else ("archspec", *parts))


def run(*command: str | Path, cwd: Path) -> str:
    """The standard output of a command that must succeed."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy_sources(tree: Path) -> None:
    """What a fresh clone would hold of what the package is built from."""
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            made = shutil.ignore_patterns("__pycache__", *(["tables.py"] if name == "grammar" else []))
            shutil.copytree(ROOT / name, tree / name, ignore=made, symlinks=True)
        else:
            shutil.copy(ROOT / name, tree)


def build(tree: Path, kind: str, into: Path) -> None:
    """A `sdist` or a `wheel` by the build back end itself, which needs no network."""
    program = f"from setuptools import build_meta; build_meta.build_{kind}({str(into)!r})"
    run(sys.executable, "-W", "ignore", "-c", program, cwd=tree)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The wheel, unpacked by pip, and a folder outside of it and of the clone.

    It is built as a release is: tree -> source archive -> wheel. From a copy of the tree without the tables,
    so that nothing left over in `build/` gets in and nothing is written into the clone.
    """
    home = tmp_path_factory.mktemp("packaging")
    tree, site, outside = home / "tree", home / "site", home / "outside"
    tree.mkdir()
    outside.mkdir()
    copy_sources(tree)
    build(tree, "sdist", home)
    (archive,) = home.glob("*.tar.gz")
    shutil.unpack_archive(archive, home, filter="data")
    unpacked = home / archive.name.removesuffix(".tar.gz")
    build(unpacked, "wheel", home)
    (wheel,) = home.glob("*.whl")
    offline = ("--no-deps", "--no-index", "--quiet", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "install", *offline, "--target", site, wheel, cwd=outside)
    return SimpleNamespace(site=site, outside=outside, unpacked=unpacked)


def python_outside(installed: SimpleNamespace, program: str) -> str:
    """What `program` prints where only the unpacked wheel is `archspec`, never the clone."""
    site = str(installed.site)
    setup = f"import sys; sys.path.insert(0, {site!r})\nimport archspec\n"
    proof = f"assert archspec.__file__.startswith({site!r}), archspec.__file__\n"
    return run(sys.executable, "-P", "-c", setup + proof + program, cwd=installed.outside)


@pytest.mark.parametrize("name", LINKED)
def test_a_part_of_the_package_at_the_top_is_linked(name: str) -> None:
    assert (ROOT / "archspec" / name).is_symlink()
    assert (ROOT / "archspec" / name).resolve() == ROOT / name


def test_a_source_archive_contains_what_a_wheel_is_built_from_and_no_tests(installed: SimpleNamespace) -> None:
    held = {path.relative_to(installed.unpacked).as_posix() for path in installed.unpacked.rglob("*") if path.is_file()}
    sources = [path for name in ("archspec", *LINKED) for path in (ROOT / name).rglob("*") if path.suffix in SHIPPED]
    assert {f"{folder_of(path)}/{path.name}" for path in sources if path.name != "tables.py"} <= held
    assert not any(name.startswith(("tests", "compiler", "benchmarks")) for name in held)


def folder_of(path: Path) -> str:
    """Where a source stands in the archive: `compiler/onnx` is `archspec/compiler/onnx`."""
    return imported_as(path.parent).replace(".", "/")


def test_the_wheel_contains_every_source_file(installed: SimpleNamespace) -> None:
    tree = [path for folder in PACKAGED for path in (ROOT / folder).rglob("*") if path.suffix in SHIPPED]
    written = {(imported_as(path.parent), path.name) for path in tree}
    expected = {(package, name) for package, name in written if package in packages_in_the_tree()}
    wheel = [path.relative_to(installed.site) for path in installed.site.rglob("*")]
    assert expected <= {(".".join(path.parent.parts), path.name) for path in wheel}


def test_nothing_but_the_package_is_installed_at_the_top(installed: SimpleNamespace) -> None:
    top = {path.name for path in installed.site.iterdir() if path.suffix != ".dist-info"}
    assert top - {"bin", "Scripts"} == {"archspec"}


def test_the_licence_is_in_the_wheel(installed: SimpleNamespace) -> None:
    (licence,) = installed.site.glob("*.dist-info/licenses/LICENSE")
    assert licence.read_text() == (ROOT / "LICENSE").read_text()


def test_a_spec_is_read_from_the_wheel_outside_the_clone(installed: SimpleNamespace) -> None:
    assert python_outside(installed, "print(archspec.load('vgg16').params)") == "138357544\n"


def test_the_tables_in_the_wheel_match_its_grammar(installed: SimpleNamespace) -> None:
    program = """
from pathlib import Path
from archspec.grammar import tables
from archspec.language.tables import _key
print(tables.KEY == _key((Path(tables.__file__).parent / "archspec.lark").read_text(encoding="utf-8")))
"""
    assert python_outside(installed, program) == "True\n"
