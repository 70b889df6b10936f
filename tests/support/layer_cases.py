"""Every registered layer and its examples, as cases for the tests that go over all of them."""

from dataclasses import dataclass

from archspec.graph.volume import Volume
from archspec.layers import MERGES, REGISTRY
from archspec.layers.base import Example, Layer
from archspec.layers.input import Input
from archspec.resolve.layer_names import layer_from_text
from support.layer_modules import Inputs

WITHOUT_RULES = (Input,)  # its bracket is its volume
CLASSES = [cls for cls in dict.fromkeys([*REGISTRY.values(), *MERGES.values()]) if cls not in WITHOUT_RULES]


@dataclass
class Case:
    text: str
    layer: Layer
    inputs: Inputs

    def __str__(self) -> str:
        return f"{self.text} of {' '.join(map(str, self.inputs))}"


def built(text: str) -> Layer:
    return MERGES[text]() if text in MERGES else layer_from_text(text)


def case(example: Example) -> Case:
    return Case(example.text, built(example.text), tuple(map(Volume, example.inputs)))


def examples_of(cls: type[Layer]) -> list[Case]:
    """The examples. A layer must have some, of its own class."""
    assert cls.examples, f"{cls.__name__} has no example"
    cases = [case(example) for example in cls.examples]
    assert all(type(one.layer) is cls for one in cases), f"an example of {cls.__name__} is another layer"
    return cases


CASES = [case(example) for cls in CLASSES for example in cls.examples]
