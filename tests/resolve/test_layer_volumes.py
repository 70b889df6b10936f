"""Volumes that a layer is given by name: `ATTEND kv=@memory`."""

import pytest

import archspec
from archspec.graph.volume import Volume
from archspec.layers import REGISTRY, Layer
from archspec.layers.arguments import volume
from archspec.report import report


class _Attend(Layer):
    """A layer that is given volumes, registered by these tests alone."""

    keys: bool = volume("the keys")
    values: bool = volume("the values")

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        return inputs[0]

    def expression(self, names: object, inputs: tuple[Volume, ...]) -> str:
        return ""


HEAD = "[6x4] INPUT\nm: FC 3 -> RELU\nn: FC 5 -> RELU\n"


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Attend, "keyword", "ATTEND")
    monkeypatch.setattr(_Attend, "kind", "attend")
    monkeypatch.setitem(REGISTRY, "ATTEND", _Attend)


@pytest.mark.parametrize(
    ("arguments", "inputs"),
    [
        ("", ["n"]),
        ("keys=@m", ["n", "m"]),
        ("values=@input keys=@m", ["n", "m", "input"]),
        ("values=@m", ["n", "m"]),
    ],
)
def test_the_flow_comes_first_and_then_the_given_volumes_in_their_declared_order(
    arguments: str, inputs: list[str]
) -> None:
    network = archspec.loads(f"{HEAD}a: ATTEND {arguments}\nadd\n    | @m -> FC 5\n    | x\n")
    node = network["a"].node
    assert [network.graph.nodes[index].name for index in node.inputs] == inputs
    assert _Attend.volumes == ("keys", "values")
    assert node.layer.given == tuple(name for name in ("keys", "values") if name in arguments)


def test_the_table_shows_them() -> None:
    assert " ATTEND keys=@m " in report(archspec.loads(f"{HEAD}ATTEND keys=@m\n"))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("queries=@m", "E103", "ATTEND has no argument `queries`"),
        ("keys=@mm", "E101", "unknown result `@mm`"),
        ("keys=m", "E105", "`keys` takes a label, `keys=@name`"),
        ("keys=@m keys=@n", "E106", "keys of ATTEND given twice"),
        ("weights=@m", "E103", "ATTEND has no argument `weights`"),
    ],
)
def test_a_wrong_volume_is_reported(arguments: str, code: str, message: str) -> None:
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.loads(f"{HEAD}ATTEND {arguments}\n")
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == (code, message)
