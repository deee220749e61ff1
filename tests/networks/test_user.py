"""A user's torch module as a family of networks."""

import copy
import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from depthsearch import Problem
from depthsearch.data.base import DataSpec
from depthsearch.errors import InvalidValue, UserCodeFailed
from depthsearch.networks.base import LayerCounts, Network
from depthsearch.networks.shorthands import expand_shorthands, network_table
from depthsearch.networks.user import UserNetwork
from tests.user_code.written import MODEL, PARTS, write

SPEC = DataSpec(shape=(2,), classes=2)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write(tmp_path, model=MODEL, parts=PARTS)


def network(text: str) -> UserNetwork:
    found = Network.of({"model": text})
    assert isinstance(found, UserNetwork)
    return found


def refused(folder: Path, code: str) -> str:
    write(folder, other=f"import torch\nfrom torch import nn\n\n\n{code}\n")
    found = network("other.py:build")
    if "kept" in code:
        found.build(SPEC, 2)
    with pytest.raises(UserCodeFailed) as error:
        found.build(SPEC, 2)
    return str(error.value)


def test_build_takes_a_depth(folder: Path) -> None:
    module = network("model.py:build").build(SPEC, 3)

    assert len(module.blocks) == 3  # type: ignore[arg-type]
    assert module(torch.zeros(5, 2)).shape == (5, 2)


def test_build_may_take_what_is_known_of_the_data(folder: Path) -> None:
    module = network("model.py:build_for").build(SPEC, 2)

    assert module.get_submodule("last").in_features == 8


def test_a_class_builds_too(folder: Path) -> None:
    assert type(network("model.py:Net").build(SPEC, 2)).__name__ == "Net"


def test_the_weights_come_from_the_generators_of_the_moment(folder: Path) -> None:
    found = network("model.py:build")
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        weights.append(torch.cat([one.detach().flatten() for one in found.build(SPEC, 2).parameters()]))

    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_functions_of_the_file_take_the_place_of_the_recipe(folder: Path) -> None:
    found = network("model.py:build").custom_training()

    assert (found.step, found.optimizer) == (None, None)
    assert found.loss is not None
    assert found.loss(torch.zeros(3, 2), torch.zeros(3, dtype=torch.long)) == pytest.approx(0.6931, abs=1e-4)
    with pytest.raises(UserCodeFailed, match=r"^model.py, line \d+: .*\(in loss\)$"):
        found.loss(torch.zeros(3, 2), torch.zeros(4, dtype=torch.long))


def test_a_loss_that_is_no_function_is_refused(folder: Path) -> None:
    write(folder, other="from torch import nn\n\n\ndef build(depth):\n    return nn.Linear(2, 2)\n\n\nstep = 3\n")

    with pytest.raises(UserCodeFailed, match=r"^other.py: step must be a function, but is 3$"):
        network("other.py:build").custom_training()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("build = 3", "other.py: build must be a function that builds a module, but is 3"),
        ("def build(depth):\n    return {1: 2}", "other.py: build(2) must return a torch module, but returned {1: 2}"),
        (
            "def build(depth):\n    return nn.ReLU()",
            "other.py: build(2) returned a module without parameters: there is nothing to train",
        ),
        (
            "def build(depth):\n    return nn.Sequential(nn.LazyLinear(2))",
            "other.py: build(2) returned lazy layers: give their input sizes, or run a batch through the module before",
        ),
        (
            "def build():\n    return nn.Sequential(nn.Linear(2, 2), *[nn.LazyBatchNorm1d() for _ in range(3)])",
            "other.py: build() returned lazy layers: give their input sizes, or run a batch through the module before",
        ),
        (
            "def build(a, b, c):\n    pass",
            "other.py: build(a, b, c) takes 3 arguments; it must take a depth, a depth and a spec, or none",
        ),
        (
            "def build(depth):\n    return nn.Linear(depth, 'two')",
            "other.py, line 6: TypeError: empty(): argument 'size' (position 1) must be tuple of ints",
        ),
        (
            "kept = nn.Linear(2, 2)\n\n\ndef build(depth):\n    return kept",
            "other.py: build(2) returned a module that it returned before: build a new one in each call",
        ),
        (
            "def build():\n    return nn.Linear(2, 2)",
            "build() takes no depth, and its module has no nn.Sequential or nn.ModuleList that repeats a block: write",
        ),
    ],
    ids=["number", "dict", "no parameters", "lazy", "lazy statistics", "arguments", "raises", "same", "no stack"],
)
def test_a_mistake_is_one_line(folder: Path, code: str, message: str) -> None:
    assert refused(folder, code).startswith(message)


def test_the_size_is_counted_without_a_trace(folder: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    counts = network("model.py:build").layer_counts(SPEC, 3)

    assert counts == LayerCounts(weight_layers=5, parameters=3 * 8 + 3 * 72 + 18)
    assert torch.equal(torch.rand(1), expected)


def test_what_only_shows_a_study_runs_no_code(tmp_path: Path) -> None:
    problem = Problem(model=f"{tmp_path}/gone.py:build", data=f"{tmp_path}/gone.py:load")

    assert problem.layer_counts(7) == LayerCounts()
    assert problem.label == "gone.py:build on gone.py:load"
    assert Problem.model_validate(problem.model_dump(mode="json")) == problem
    assert len(problem.question()) == 64


def test_the_question_holds_the_name_and_not_the_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Problem(model="model.py:build", data="model.py:load")
    question, code = here.question(), here.code()
    (folder / "inner").mkdir()
    monkeypatch.chdir(folder / "inner")
    there = Problem(model="../model.py:build", data=f"{folder}/model.py:load")

    assert (there.question(), there.code()) == (question, code)
    assert Problem(model="model.py:build_for", data="model.py:load").question() != question
    (folder / "parts.py").write_text(PARTS.replace("0.5", "0.6"))
    assert Problem(model="../model.py:build", data="../model.py:load").code() != code


def test_a_problem_travels_without_its_code_and_finds_it_again(folder: Path) -> None:
    problem = Problem(model="model.py:build", data="model.py:load")
    found = network("model.py:build")
    assert found.loaded
    assert problem.data.spec.classes == 2
    problem = problem.model_copy(update={"network": found})
    again = pickle.loads(pickle.dumps(problem))

    assert again == problem == copy.deepcopy(problem)
    assert again.code() == problem.code()
    assert len(again.network.build(SPEC, 2).blocks) == 2
    late = pickle.loads(pickle.dumps(problem))
    (folder / "parts.py").write_text(PARTS.replace("0.5", "0.6"))
    with pytest.raises(InvalidValue, match="model has changed since it was read"):
        late.network.build(SPEC, 2)


def test_texts_and_the_networks_that_they_name() -> None:
    assert network_table("model.py:build") == {"family": "model", "source": "model.py:build"}
    assert network_table("hf:llama") == {"family": "hf", "architecture": "llama"}
    assert network_table("timm:vit_tiny_patch16_224") == {"family": "timm", "architecture": "vit_tiny_patch16_224"}
    with pytest.raises(InvalidValue, match=r"model must be FILE.py:name"):
        network_table("resnet18")


def test_a_model_and_a_family_exclude_each_other() -> None:
    assert expand_shorthands({"model": "a.py:b", "family": "model"}) == {"family": "model", "source": "a.py:b"}
    with pytest.raises(InvalidValue, match=r"model names the network, but got 'a.py:b' with family 'ffnet'"):
        Problem(model="a.py:b", family="ffnet")
    with pytest.raises(InvalidValue, match="is not an option of the network 'model'"):
        Problem(model="a.py:b", width=3)
    with pytest.raises(InvalidValue, match=r"model names the network, but got 'a.py:b' with train 'a.py:c'"):
        Problem(model="a.py:b", train="a.py:c")


def test_a_module_of_any_package(folder: Path) -> None:
    module = network("torch.nn:Linear").loaded.target

    assert module is nn.Linear
