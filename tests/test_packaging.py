"""What is installed is what is in the tree: every package, the specs, the grammar and its tables."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]
PACKAGED = ("archspec", "compiler", "grammar", "specs")
SHIPPED = {".py", ".typed", ".lark", ".md", ".arch"}
BUILT_FROM = (*PACKAGED, "pyproject.toml", "setup.py", "README.md", "LICENSE")


def declared() -> list[str]:
    """The packages that pyproject.toml lists."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages: list[str] = settings["tool"]["setuptools"]["packages"]
    return packages


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
            shutil.copytree(ROOT / name, tree / name, ignore=made)
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
    build(home / archive.name.removesuffix(".tar.gz"), "wheel", home)
    (wheel,) = home.glob("*.whl")
    offline = ("--no-deps", "--no-index", "--quiet", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "install", *offline, "--target", site, wheel, cwd=outside)
    return SimpleNamespace(site=site, outside=outside)


def python_outside(installed: SimpleNamespace, program: str) -> str:
    """What `program` prints where only the unpacked wheel is `archspec`, never the clone."""
    site = str(installed.site)
    setup = f"import sys; sys.path.insert(0, {site!r})\nimport archspec\n"
    proof = f"assert archspec.__file__.startswith({site!r}), archspec.__file__\n"
    return run(sys.executable, "-P", "-c", setup + proof + program, cwd=installed.outside)


def test_every_package_in_the_tree_is_listed_for_the_wheel() -> None:
    assert sorted(declared()) == sorted(packages_in_the_tree())
    assert len(declared()) == len(set(declared()))


def test_the_wheel_holds_every_source_file_of_the_tree(installed: SimpleNamespace) -> None:
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


def test_the_wheels_tables_are_made_from_its_grammar(installed: SimpleNamespace) -> None:
    program = """
from pathlib import Path
from archspec.grammar import tables
from archspec.tables import _key
print(tables.KEY == _key((Path(tables.__file__).parent / "archspec.lark").read_text(encoding="utf-8")))
"""
    assert python_outside(installed, program) == "True\n"
