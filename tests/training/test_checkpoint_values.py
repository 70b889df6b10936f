"""A checkpoint whose checksum is right and whose values are not: one message that names the value."""

import copy
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

import archspec
from archspec.cli import main
from archspec.compiler import build
from archspec.compiler.data.digits import digits
from archspec.compiler.training.loop.observer import SilentObserver
from archspec.compiler.training.loop.trainer import Trainer
from archspec.compiler.training.parallel.engine import engine
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.records.checkpoint import Checkpoint, RunDescription, TrainerState
from archspec.compiler.weights.files import need_fit
from archspec.diagnostics.errors import ArchspecError
from archspec.recipe import Recipe

SMALL = "net Small\n[8x8x1] INPUT\nCONV 4 3x3 p1 -> BN -> RELU -> POOL 4x4 s4\nFC 10\n"
NETWORK = archspec.loads(SMALL)
ROW = {"epoch": 1, "lr": 0.1, "loss": 1.0, "train_top1": 0.5, "held_out_loss": 1.0, "top1": 0.5, "top5": 0.9}
ROW |= {"images_per_second": 10.0, "data_wait": 0.0, "skipped": 0, "damaged": 0, "seconds": 1.0}
SCALER = {"scale": 2.0**16, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 2000, "_growth_tracker": 0}


def plain() -> dict[str, Any]:
    """What a checkpoint's file says, of a run that has just begun."""
    weights = dict(build(NETWORK, seed=0).state_dict())
    plateau = {"patience": 5, "by": 0.1, "factor": 1.0, "best": math.inf, "waited": 0}
    memory: dict[str, Any] = {"state": {}, "param_groups": []}
    state = TrainerState(weights, None, memory, {}, plateau, 0, 0, 0, 0, 0, torch.zeros(3), [], 1)
    names = tuple(map(str, range(10)))
    description = RunDescription(NETWORK.bundle.to_dict(), Recipe(epochs=1, batch=512), (0.5,), (0.25,), names)
    return Checkpoint(state, description, "", "", -1.0, 0, ()).to_dict() | {"rows": [dict(ROW)]}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"epoch": -1}, "`epoch` is -1; expected an integer from 0 to "),
    ({"epoch": 1.0}, "`epoch` is 1.0; expected an integer"),
    ({"epoch": True}, "`epoch` is True; expected an integer"),
    ({"steps_done": 10**30}, "`steps_done` is 1000"),
    ({"skipped": "0"}, "`skipped` is '0'"),
    ({"module": []}, "`module` is []; expected tensors by name"),
    ({"module": {"conv1.weight": 3}}, "`module` is {'conv1.weight': 3}; expected tensors by name"),
    ({"module": {1: torch.ones(1)}}, "expected tensors by name"),
    ({"module": {"a": torch.ones(2, 2).to_sparse()}}, "expected tensors by name"),
    ({"average": 3}, "`average` is 3; expected tensors by name"),
    ({"optimizer": None}, "`optimizer` is None; expected an object"),
    ({"scaler": {"scale": 1.0}}, "`scaler` is {'scale': 1.0}; expected the state of a loss scaler"),
    ({"scaler": SCALER | {"scale": math.nan}}, "expected the state of a loss scaler"),
    ({"scaler": SCALER | {"growth_interval": 0}}, "expected the state of a loss scaler"),
    ({"plateau": 0}, "`plateau` is 0; expected an object"),
    ({"seen": torch.zeros(2)}, "`seen` is another tensor; expected 3 or more numbers that are not negative"),
    ({"seen": torch.tensor([1.0, math.nan, 1.0])}, "`seen` is another tensor"),
    ({"seen": [0, 0, 0]}, "`seen` is [0, 0, 0]"),
    ({"damaged": "a.png"}, "`damaged` is 'a.png'; expected a list of texts"),
    ({"damaged": [1]}, "`damaged` is [1]; expected a list of texts"),
    ({"replicas": 0}, "`replicas` is 0; expected an integer from 1 to 65,536"),
    ({"pipeline": -2}, "`pipeline` is -2; expected an integer from 0"),
    ({"pipeline": "2"}, "`pipeline` is '2'"),
    ({"bundle": 1}, "`bundle` is 1; expected an object"),
    ({"recipe": []}, "`recipe` is []; expected an object"),
    ({"mean": ["x"]}, "`mean` is ['x']; expected a list of numbers"),
    ({"std": [0.0]}, "`std` is [0.0]; expected a list of numbers above 0"),
    ({"std": [math.nan]}, "`std` is [nan]; expected a list of numbers above 0"),
    ({"class_names": ["a", "a"]}, "`class_names` is ['a', 'a']; expected a list of different names"),
    ({"class_names": [["a"]]}, "expected a list of different names"),
    ({"class_names": []}, "expected a list of different names"),
    ({"data": 5}, "`data` is 5; expected text"),
    ({"data": "a\0b"}, "`data` is 'a\\x00b'; expected text"),
    ({"fingerprint": None}, "`fingerprint` is None; expected text"),
    ({"best": math.nan}, "`best` is nan; expected a number from -1 to 1"),
    ({"best": torch.ones(1)}, "`best` is another tensor; expected a number from -1 to 1"),
    ({"rows": {}}, "`rows` is {}; expected figures"),
    ({"rows": [{}]}, "an epoch lacks `damaged`"),
    ({"rows": [ROW | {"\x1b": 1}]}, "an epoch has the unknown figure "),
    ({"rows": [3]}, "`rows` is [3]; expected figures"),
    ({"rows": [ROW | {"loss": "x"}]}, "`loss` of an epoch is 'x'; expected a number"),
    ({"rows": [ROW | {"epoch": 1.5}]}, "`epoch` of an epoch is 1.5; expected an integer"),
]
WRONG_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"lr": math.nan}, "`recipe.lr` is nan; expected a number from 1e-30 to 1e+30"),
    ({"lr": 0}, "`recipe.lr` is 0"),
    ({"lr": [0.1]}, "`recipe.lr` is (0.1,)"),
    ({"lr": 10**400}, "`recipe.lr` is 1000"),
    ({"epochs": 0}, "`recipe.epochs` is 0; expected an integer from 1 to "),
    ({"epochs": 1.5}, "`recipe.epochs` is 1.5"),
    ({"batch": -3}, "`recipe.batch` is -3"),
    ({"accumulate": "1"}, "`recipe.accumulate` is '1'"),
    ({"optimizer": "lion"}, "`recipe.optimizer` is 'lion'; expected sgd, adamw, rmsprop"),
    ({"optimizer": {}}, "`recipe.optimizer` is {}"),
    ({"schedule": 1}, "`recipe.schedule` is 1; expected constant, "),
    ({"amp": "fp8"}, "`recipe.amp` is 'fp8'; expected off, bf16, fp16"),
    ({"flip": 1}, "`recipe.flip` is 1; expected true or false"),
    ({"momentum": -0.5}, "`recipe.momentum` is -0.5; expected a number from 0 to 1"),
    ({"weight_decay": math.inf}, "`recipe.weight_decay` is inf; expected a number from 0 to 1e+30"),
    ({"milestones": 3}, "`recipe.milestones` is 3; expected numbers"),
    ({"milestones": ["x"]}, "`recipe.milestones` is ('x',); expected numbers"),
    ({"scale": [1.0]}, "`recipe.scale` is (1.0,); expected two numbers from 1 to 10"),
    ({"seed": 2**40}, "`recipe.seed` is 1099511627776"),
    ({"freeze": "conv1"}, "`recipe.freeze` is 'conv1'; expected texts"),
    ({"freeze": ["conv1", 2]}, "`recipe.freeze` is ('conv1', 2); expected texts"),
    ({"class_weights": {"hat": 3}}, "`recipe.class_weights` is {'hat': 3}; expected text"),
    ({"sampling": "even"}, "`recipe.sampling` is 'even'; expected shuffled, balanced"),
    ({"layer_decay": 0}, "`recipe.layer_decay` is 0; expected a number from 1e-30 to 1"),
    ({"head_lr": -1}, "`recipe.head_lr` is -1"),
]


@pytest.mark.parametrize(
    ("change", "message"),
    [*WRONG, *(({"recipe": Recipe().to_dict() | change}, message) for change, message in WRONG_SETTINGS)],
    ids=[text for _, text in [*WRONG, *WRONG_SETTINGS]],
)
def test_a_wrong_value_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as raised:
        Checkpoint.from_dict(plain() | change)
    assert message in str(raised.value)


def test_unchanged_values_are_read() -> None:
    assert Checkpoint.from_dict(plain() | {"scaler": SCALER}).rows[0].epoch == 1


def test_settings_survive_json() -> None:
    recipe = Recipe(
        freeze=("conv1", "stage*"), class_weights="hat=3", sampling="balanced", head_lr=0.1, layer_decay=0.75
    )
    assert (
        Checkpoint.from_dict(plain() | {"recipe": json.loads(json.dumps(recipe.to_dict()))}).description.recipe
        == recipe
    )


# ---- what depends on the network
def trainer(**recipe: Any) -> Trainer:
    made = Recipe(epochs=2, batch=512, **recipe)
    one = engine(NETWORK.graph, build(NETWORK, seed=0), made, Group(0, 1, torch.device("cpu")))
    return Trainer(one, digits(NETWORK.input, 0))


@pytest.fixture(scope="module")
def states() -> dict[str, TrainerState]:
    """A state of each optimiser after an epoch."""
    found = {}
    for optimizer in ("sgd", "adamw", "rmsprop"):
        one = trainer(optimizer=optimizer, ema=0.9)
        one.run_epoch(SilentObserver())
        found[optimizer] = one.state()
    return found


def first_state(state: TrainerState) -> dict[str, Any]:
    kept: dict[str, Any] = state.optimizer["state"][0]
    return kept


def renamed(state: TrainerState) -> None:
    state.optimizer["state"][0] = {"other": torch.ones(4, 1, 3, 3)}


def of_another_shape(state: TrainerState) -> None:
    for name in first_state(state):
        first_state(state)[name] = torch.ones(2, 2)


def of_another_type(state: TrainerState) -> None:
    for name in first_state(state):
        first_state(state)[name] = first_state(state)[name].double()


def of_no_parameter(state: TrainerState) -> None:
    state.optimizer["state"][99] = first_state(state)


def not_by_number(state: TrainerState) -> None:
    state.optimizer["state"] = [first_state(state)]


def not_by_name(state: TrainerState) -> None:
    state.optimizer["state"][0] = 1.0


def negative_step(state: TrainerState) -> None:
    first_state(state)["step"] = torch.tensor(-1.0)


def weights_of_integers(state: TrainerState) -> None:
    state.module["conv1.weight"] = state.module["conv1.weight"].long()


def weights_of_another_shape(state: TrainerState) -> None:
    state.module["conv1.weight"] = torch.ones(4, 1, 1, 1)


def fewer_weights(state: TrainerState) -> None:
    del state.module["bn1.weight"]


def fewer_averages(state: TrainerState) -> None:
    assert state.average is not None
    del state.average["fc1.weight"]


def plateau_of_text(state: TrainerState) -> None:
    state.plateau["best"] = "low"


def plateau_of_nan(state: TrainerState) -> None:
    state.plateau["factor"] = math.nan


def plateau_before_it_began(state: TrainerState) -> None:
    state.plateau["waited"] = -1


def too_late(state: TrainerState) -> None:
    object.__setattr__(state, "epoch", 3)


Change = Callable[[TrainerState], None]
WRONG_STATES: list[tuple[str, Change, str]] = [
    ("sgd", renamed, "the optimiser's state is ['other']; expected ['momentum_buffer']"),
    ("adamw", renamed, "the optimiser's state is ['other']; expected ['exp_avg', 'exp_avg_sq', 'step']"),
    ("rmsprop", renamed, "expected ['momentum_buffer', 'square_avg', 'step']"),
    ("sgd", of_another_shape, "the optimiser's `momentum_buffer` of parameter 0 is not float32 4x1x3x3"),
    ("adamw", of_another_shape, "of parameter 0 is not float32"),
    ("rmsprop", of_another_type, "of parameter 0 is not float32"),
    ("sgd", of_no_parameter, "the optimiser has state for 99, but only 5 parameters"),
    ("sgd", not_by_number, "the optimiser's state is [{'momentum_buffer': "),
    ("sgd", not_by_name, "the optimiser's state is 1.0; expected ['momentum_buffer']"),
    ("adamw", negative_step, "the optimiser's `step` is -1; expected a count"),
    ("sgd", weights_of_integers, "`module.conv1.weight` is int64 4x1x3x3; expected float32 4x1x3x3"),
    ("sgd", weights_of_another_shape, "`module.conv1.weight` is float32 4x1x1x1; expected float32 4x1x3x3"),
    ("sgd", fewer_weights, "`module` lacks `bn1.weight`"),
    ("sgd", fewer_averages, "`average` lacks `fc1.weight`"),
    ("sgd", plateau_of_text, "`plateau.best` is 'low'; expected a loss"),
    ("sgd", plateau_of_nan, "`plateau.factor` is nan; expected a number from 0 to 1"),
    ("sgd", plateau_before_it_began, "`plateau.waited` is -1; expected a count"),
    ("sgd", too_late, "it is at step 0 of epoch 4, after the run's end"),
]


@pytest.mark.parametrize(
    ("optimizer", "change", "message"), WRONG_STATES, ids=[f"{one}-{do.__name__}" for one, do, _ in WRONG_STATES]
)
def test_a_state_of_another_trainer_is_refused(
    optimizer: str, change: Change, message: str, states: dict[str, TrainerState]
) -> None:
    state = copy.deepcopy(states[optimizer])
    one = trainer(optimizer=optimizer, ema=0.9)
    one.restore(state)
    change(state)
    with pytest.raises(ValueError) as raised:
        one.restore(state)
    assert message in str(raised.value)


# ---- the command
def write(path: Path, state: dict[str, Any]) -> None:
    """A checkpoint with the right checksum."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    path.write_bytes(buffer.getvalue() + hashlib.sha256(buffer.getvalue()).digest())


def resumed(folder: Path) -> str:
    result = CliRunner().invoke(main, ["train", "--resume", str(folder)])
    assert result.exit_code == 1
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return " ".join(result.stderr.split())


def test_the_command_names_the_value(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint-000000001.pt"
    write(path, plain() | {"epoch": -1})
    assert f"error[E452]: no intact checkpoint in `{tmp_path}` = `{path.name}`: `epoch` is -1" in resumed(tmp_path)
    write(path, [1])  # type: ignore[arg-type]  # what it may be
    assert "`average` is missing: another version of archspec wrote it" in resumed(tmp_path)
    write(path, plain() | {"optimizer": {"state": {0: 1}}})
    assert "the optimiser's state is 1; expected ['momentum_buffer']" in resumed(tmp_path)
    for name in ("mean", "std"):
        write(path, plain() | {name: [0.5, 0.5, 0.5]})
        assert f"error[E452]: the checkpoint in `{tmp_path}` does not fit" in resumed(tmp_path)
        assert f"`{name}` has 3 numbers for 1 channel" in resumed(tmp_path)
    write(path, plain() | {"bundle": {}})
    assert "the checkpoint does not say which network it belongs to = `bundle.name` is missing" in resumed(tmp_path)
    write(path, plain() | {"class_names": list("abcdefghij")})
    assert "error[E450]: the bundled digits have changed since the run began" in resumed(tmp_path)


def test_a_damaged_pickle_with_the_right_checksum_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02a.")  # APPENDs to an empty stack: an IndexError in torch
        archive.writestr("archive/version", "3\n")
    data = buffer.getvalue()
    (tmp_path / "checkpoint-000000001.pt").write_bytes(data + hashlib.sha256(data).digest())
    assert "error[E452]: no intact checkpoint" in resumed(tmp_path)


def test_a_network_that_does_not_fit_into_memory_is_refused_before_it_is_built(tmp_path: Path) -> None:
    bundle = archspec.loads("[8x8x1] INPUT\nFC 2000000000 -> FC 10\n").bundle.to_dict()
    write(tmp_path / "checkpoint-000000001.pt", plain() | {"bundle": bundle})
    assert "error[E474]" in resumed(tmp_path)


def test_weights_of_another_type_are_refused() -> None:
    module = build(NETWORK, seed=0)
    state = dict(module.state_dict()) | {"fc1.weight": module.state_dict()["fc1.weight"].half()}
    with pytest.raises(ArchspecError, match=r"`fc1\.weight` is float16 in the weights; expected float32"):
        need_fit(module, state)
