"""Frozen, slotted records: what `dataclass(frozen=True, slots=True)` gives, without its cost at import.

In: a class with annotated fields. Out: `__slots__`, `__init__`, `__eq__`, `__hash__`, `__repr__`.
`dataclasses` compiles generated source for every class; for the eighty or so classes of the front end that takes
40 ms, as long as the rest of `archspec check`. A type checker sees ordinary frozen dataclasses (PEP 681). A field
called `span` says where a node was written and takes no part in equality.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar, dataclass_transform

REQUIRED = object()


class RecordType(type):
    """Turns annotations into slots, and class-level values into defaults."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> RecordType:
        """Make the class."""
        inherited: dict[str, Any] = {}
        for base in reversed(bases):
            inherited.update(getattr(base, "_defaults", {}))
        own = {
            field: namespace.pop(field, REQUIRED)
            for field, annotation in namespace.get("__annotations__", {}).items()
            if not str(annotation).startswith("ClassVar")
        }
        namespace["__slots__"] = tuple(field for field in own if field not in inherited)
        namespace["_defaults"] = {**inherited, **own}
        cls = super().__new__(mcls, name, bases, namespace)
        fields = tuple(namespace["_defaults"])
        cls._fields = fields  # type: ignore[attr-defined]  # a class attribute made here
        cls._setters = tuple(getattr(cls, field).__set__ for field in fields)  # type: ignore[attr-defined]
        cls._pairs = tuple(zip(fields, cls._setters, strict=True))  # type: ignore[attr-defined]
        cls._compared = tuple(field for field in fields if field != "span")  # type: ignore[attr-defined]
        return cls


@dataclass_transform(frozen_default=True)
class Record(metaclass=RecordType):
    """The base class of every node and result in the front end."""

    _fields: ClassVar[tuple[str, ...]]
    _defaults: ClassVar[dict[str, Any]]
    _setters: ClassVar[tuple[Any, ...]]
    _pairs: ClassVar[tuple[tuple[str, Any], ...]]
    _compared: ClassVar[tuple[str, ...]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        cls = type(self)
        setters = cls._setters
        given = len(args)
        if given > len(setters):
            raise TypeError(f"{cls.__name__} has {len(setters)} fields, got {given}")
        for setter, value in zip(setters, args):  # noqa: B905  # fewer arguments than fields are fine, and this is hot
            setter(self, value)
        if given == len(setters) and not kwargs:
            return
        for field, setter in cls._pairs[given:]:
            value = kwargs.pop(field) if field in kwargs else cls._defaults[field]
            if value is REQUIRED:
                raise TypeError(f"{cls.__name__} requires `{field}`")
            setter(self, value)
        if kwargs:
            raise TypeError(f"{cls.__name__}: unknown field or given twice: {', '.join(kwargs)}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: make a new one with `replace`")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, field) == getattr(other, field) for field in self._compared)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, field) for field in self._compared)))

    def __repr__(self) -> str:
        inside = ", ".join(f"{field}={getattr(self, field)!r}" for field in self._compared)
        return f"{type(self).__name__}({inside})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, field) for field in self._fields)


_compiled: set[type[Record]] = set()
_general = Record.__init__


@contextmanager
def collector_off() -> Iterator[None]:
    """Run without the garbage collector: syntax and graphs have no cycles, and traversing them repeatedly while they
    grow would make long specs quadratic."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def compile_constructors() -> None:
    """Compile an `__init__` for each record class, which takes half the time of the general one.

    Worth its 0.3 ms a class for a spec of thousands of lines. A second call compiles the classes that are new.
    """
    waiting = [Record]
    for cls in waiting:
        waiting += cls.__subclasses__()
        owner = next(base for base in cls.__mro__ if "__init__" in vars(base))
        required = [cls._defaults[field] is REQUIRED for field in cls._fields]
        if cls is not owner and (owner is Record or owner in _compiled):
            is_plain = required == sorted(required, reverse=True)  # those with defaults come last
            cls.__init__ = _constructor(cls) if required and is_plain else _general  # type: ignore[method-assign]
            _compiled.add(cls)


def _constructor(cls: type[Record]) -> Any:
    fields = cls._fields
    given = [name if cls._defaults[name] is REQUIRED else f"{name}=_defaults[{name!r}]" for name in fields]
    setters = [f"_set{place}" for place in range(len(fields))]
    source = [
        f"def make(_defaults, {', '.join(setters)}):",
        f"    def __init__(self, {', '.join(given)}):",
        *(f"        {setter}(self, {name})" for setter, name in zip(setters, fields, strict=True)),
        "    return __init__",
    ]
    made: dict[str, Any] = {}
    exec("\n".join(source), made)  # as `dataclasses` does: the text consists of names of fields
    return made["make"](cls._defaults, *cls._setters)


R = TypeVar("R", bound=Record)


def replace(record: R, **changes: object) -> R:
    """Return a copy of `record` with some fields changed."""
    cls = type(record)
    unknown = changes.keys() - cls._defaults.keys()
    if unknown:
        raise TypeError(f"{cls.__name__} has no field {', '.join(sorted(unknown))}")
    return cls(*[changes[field] if field in changes else getattr(record, field) for field in cls._fields])
