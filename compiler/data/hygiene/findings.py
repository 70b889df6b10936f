"""What is found in the parts of a folder: images in two parts or classes, copies, colours, sizes, uneven classes.

In: `ImageSet`: the images of each part with their classes and headers. Out: a `FolderFinding` for each thing to know:
how many, which, and what to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from shlex import quote

from archspec.compiler.data.damaged import first_few
from archspec.compiler.data.hygiene.copies import Group, copies
from archspec.compiler.data.hygiene.headers import Header, Headers
from archspec.diagnostics.findings import Diagnostic, plural
from archspec.graph.volume import Volume

TINY = 32  # pixels; shorter sides are tiny for any network
UNEVEN = 4  # the largest class has so many times the images of the smallest
MANY = 0.05  # a share of images for which another input is proposed
REMOVE = r"| tr '\n' '\0' | xargs -0 rm"


@dataclass(frozen=True)
class ImagePart:
    """Some of the images of a folder, by path, with the names of their classes; `name` is for messages."""

    name: str
    classes: dict[Path, str]

    @property
    def counts(self) -> Counter[str]:
        """How many images each class has."""
        return Counter(self.classes.values())


@dataclass(frozen=True)
class ImageSet:
    """The parts of a folder, the one to train on first. `input` is the network's, if one is given.

    `is_divided`: the parts are folders; otherwise the seed has chosen them.
    """

    root: Path
    parts: tuple[ImagePart, ...]
    headers: Headers
    input: Volume | None = None
    is_divided: bool = True
    unused: tuple[Path, ...] = ()  # folders that are named like the held-out part

    @cached_property
    def copies(self) -> list[Group]:
        """The groups of readable files with the same content."""
        return copies(path for part in self.parts for path in part.classes if self.headers.get(path))

    @property
    def readable(self) -> dict[Path, Header]:
        """The headers of images."""
        return {path: one for path, one in self.headers.items() if one}

    def listing(self, kind: str) -> str:
        """Return the command that lists the files of a finding."""
        size = f" --input {str(self.input)[1:-1]}" if self.input and kind == "tiny" else ""
        return f"archspec data {quote(str(self.root))}{size} --list {kind}"


@dataclass(frozen=True)
class FolderFinding:
    """One finding. `groups` are the images that belong together; `--list` prints `listed`: those that can go."""

    kind: str
    code: str
    count: int
    message: str
    advice: str
    groups: tuple[Group, ...] = ()
    listed: Group = ()

    @classmethod
    def of_files(cls, kind: str, code: str, paths: Iterable[Path], message: str, advice: str) -> FolderFinding:
        """Return a finding on files that do not belong together."""
        listed = tuple(paths)
        return cls(kind, code, len(listed), message, advice, tuple((path,) for path in listed), listed)

    @property
    def examples(self) -> tuple[str, ...]:
        """The first groups, a line each."""
        return first_few([" = ".join(f"`{path}`" for path in group) for group in self.groups])

    def diagnostic(self) -> Diagnostic:
        """Return the finding as commands show it."""
        return Diagnostic(self.code, self.message, notes=self.examples, helps=(self.advice,))


def findings(images: ImageSet) -> tuple[FolderFinding, ...]:
    """Return what is worth knowing before training, the worst first."""
    return tuple(
        one
        for kind in (leaks, two_labels, duplicates, unreadable, colours, tiny, uneven_classes, unused)
        for one in kind(images)
    )


def leaks(images: ImageSet) -> Iterator[FolderFinding]:
    """Find images that lie in two parts."""
    for first, second in combinations(images.parts, 2):
        groups = [group for group in images.copies if any(one in first.classes for one in group)]
        groups = [group for group in groups if any(one in second.classes for one in group)]
        if groups:
            held_out = [path for group in groups for path in group if path in second.classes]
            count = plural(len(held_out), "image")
            message = f"{count} in {second.name} {be(held_out)} also in {first.name}: the accuracy will be too high"
            kind = "leaks" if images.is_divided else "duplicates"
            kept = f"removes the copies in {first.name}" if images.is_divided else "keeps one copy of each"
            advice = f"`{images.listing(kind)} {REMOVE}` {kept}"
            listed = tuple(path for group in groups for path in group if path in first.classes)
            yield FolderFinding("leaks", "W434", len(held_out), message, advice, tuple(groups), listed)


def two_labels(images: ImageSet) -> Iterator[FolderFinding]:
    """Find images that lie in two classes."""
    classes = {path: name for part in images.parts for path, name in part.classes.items()}
    groups = [group for group in images.copies if len({classes[path] for path in group}) > 1]
    if groups:
        one, *others = groups[0]
        other = next(path for path in others if classes[path] != classes[one])
        message = f"{plural(len(groups), 'image')} {be(groups)} in two classes: `{one}` is `{other}`"
        advice = f"`{images.listing('labels')}` lists them: keep each in its own class"
        listed = tuple(path for group in groups for path in group)
        yield FolderFinding("labels", "W435", len(groups), message, advice, tuple(groups), listed)


def duplicates(images: ImageSet) -> Iterator[FolderFinding]:
    """Find copies in one class and part."""
    for part in images.parts:
        groups = [
            own
            for group in images.copies
            for name in sorted({part.classes[path] for path in group if path in part.classes})
            if len(own := tuple(path for path in group if part.classes.get(path) == name)) > 1
        ]
        listed = tuple(path for group in groups for path in group[1:])
        if listed:
            of = "is a copy of another" if len(listed) == 1 else "are copies of others"
            message = f"{plural(len(listed), 'image')} in {part.name} {of} in the same class"
            advice = f"`{images.listing('duplicates')} {REMOVE}` keeps one of each"
            yield FolderFinding("duplicates", "W436", len(listed), message, advice, tuple(groups), listed)


def unreadable(images: ImageSet) -> Iterator[FolderFinding]:
    """Find files that are not images."""
    paths = tuple(path for path, one in images.headers.items() if one is None)
    if paths:
        message = f"{plural(len(paths), 'image')} cannot be read: training leaves {it(paths)} out"
        advice = f"`{images.listing('unreadable')}` lists {it(paths)}: repair or remove {it(paths)}"
        yield FolderFinding.of_files("unreadable", "W431", paths, message, advice)


def colours(images: ImageSet) -> Iterator[FolderFinding]:
    """Find images that are not RGB."""
    if images.input and images.input.channels == 1:
        return  # gray is what it takes, and colours are refused
    found = {path: one.colours for path, one in images.readable.items() if one.colours != "RGB"}
    if found:
        parts = ", ".join(f"{count:,} {name}" for name, count in Counter(found.values()).most_common())
        message = f"{plural(len(found), 'image')} {be(found)} not RGB ({parts}): training converts {it(found)}"
        advice = f"`{images.listing('colours')}` lists {it(found)}"
        if len(found) == len(images.readable) and {*found.values()} == {"gray"}:
            height, width = images.input[:2] if images.input else (TINY, TINY)
            advice = f"`--input {height}x{width}x1` trains on one channel"
        yield FolderFinding.of_files("colours", "W437", found, message, advice)


def tiny(images: ImageSet) -> Iterator[FolderFinding]:
    """Find images smaller than the input."""
    height, width = images.input[:2] if images.input else (TINY, TINY)
    needed = min(height, width), max(height, width)  # a photograph may be turned
    sizes = {path: sorted(one.size) for path, one in images.readable.items()}
    small = {path: size for path, size in sizes.items() if size[0] < needed[0] or size[1] < needed[1]}
    if small:
        smallest = "x".join(map(str, min(small.values())))
        than = f"the input of {height}x{width}" if images.input else f"{TINY}x{TINY} pixels"
        message = f"{plural(len(small), 'image')} {be(small)} smaller than {than} ({smallest} and up): enlarged"
        advice = f"`{images.listing('tiny')}` lists {it(small)}"
        shorts = sorted(size[0] for size in sizes.values())
        fits = shorts[int(MANY * len(shorts))] // 8 * 8
        if images.input and len(small) > MANY * len(sizes) and 0 < fits < min(height, width):  # never a larger input
            advice = f"`--input {fits}x{fits}x{images.input.channels}` enlarges at most {100 * MANY:g} % of them"
        yield FolderFinding.of_files("tiny", "W438", small, message, advice)


def uneven_classes(images: ImageSet) -> Iterator[FolderFinding]:
    """Find classes that are much larger than others."""
    counts = images.parts[0].counts
    smallest, largest = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    ratio = counts[largest] / counts[smallest]
    if ratio >= UNEVEN:
        most = f"the class `{largest}` has {plural(counts[largest], 'image')} to train on"
        message = f"{most}, {ratio:.1f} times as many as `{smallest}` with {counts[smallest]:,}"
        advice = "`--sampling balanced` draws images of every class equally often"
        yield FolderFinding("imbalance", "W439", counts[largest], message, advice)


def unused(images: ImageSet) -> Iterator[FolderFinding]:
    """Find folders of images that are not read."""
    if images.unused:
        names = ", ".join(f"`{path.name}`" for path in images.unused)
        held_out = images.parts[1].name
        message = f"{names} {be(images.unused)} not used: the images in {held_out} are held out"
        advice = f"remove or rename {it(images.unused)}, or move the images into {held_out}"
        yield FolderFinding("unused", "W440", len(images.unused), message, advice, (images.unused,), images.unused)


def be(counted: Sized) -> str:
    """Return the verb for what is counted."""
    return "is" if len(counted) == 1 else "are"


def it(counted: Sized) -> str:
    """Return the pronoun for what is counted."""
    return "it" if len(counted) == 1 else "them"
