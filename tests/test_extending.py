"""A family, a data set, an activation, a search method: each is one new file, and the rest of the package follows."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from depthsearch.data.base import DataSpec
from depthsearch.networks.base import Network
from tests.search.test_method import LINEAR

FAMILY = '''
"""Dense layers of which every second one is half as wide."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from depthsearch.data.base import DataSpec
from depthsearch.networks.base import Activation, Dense, Layer, LayerCounts, Normalization, Plan, count_layers
from depthsearch.networks.dense import DenseNetwork


class HourGlass(DenseNetwork):
    """Depth is the number of pairs of a wide layer and a narrow one.

    Attributes:
        narrow: Units in every narrow layer.
    """

    unit: ClassVar[str] = "pair of layers"
    family: Literal["hourglass"] = "hourglass"
    narrow: Annotated[int, Field(strict=True, ge=1)] = 3

    @property
    def units(self) -> str:
        """The plural."""
        return "pairs of layers"

    def plan(self, spec: DataSpec, depth: int) -> Plan:
        """Wide, narrow, `depth` times; then the output layer."""
        layers: list[Layer] = []
        inputs = spec.features
        for k in range(1, depth + 1):
            for name, width in ((f"wide {k}", self.width), (f"narrow {k}", self.narrow)):
                layers.append(Dense(name, inputs, width))
                if self.normalization != "none":
                    layers.append(Normalization(f"{name} norm", self.normalization, width))
                layers.append(Activation(f"{name} {self.activation}", self.activation))
                inputs = width
        return (*layers, Dense("output", inputs, spec.outputs))

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """Keras counts the input, too."""
        per_pair = 2 if self.normalization == "none" else 6  # with a normalization, an activation is a layer of Keras
        return count_layers(self.plan(spec, depth), keras=per_pair * depth + 2)
'''

MODULE = '''
"""Gated recurrent layers, each of which reads the outputs of the one before."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from depthsearch.data.base import DataSpec
from depthsearch.networks.base import LayerCounts, Network

if TYPE_CHECKING:
    from torch import Tensor, nn


class Recurrent(Network):
    """Depth is the number of recurrent layers, which read the numbers of an input one after the other.

    Attributes:
        cells: Units in each recurrent layer.
    """

    unit: ClassVar[str] = "recurrent layer"
    reliability: ClassVar[float] = 0.5
    family: Literal["gru"] = "gru"
    cells: Annotated[int, Field(strict=True, ge=1)] = 8

    def build(self, spec: DataSpec, depth: int) -> "nn.Module":
        """From inputs [batch, *spec.shape] to logits [batch, spec.outputs]."""
        from torch import nn  # noqa: PLC0415

        cells = self.cells

        class Module(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layers = nn.GRU(1, cells, depth, batch_first=True)
                self.output = nn.Linear(cells, spec.outputs)

            def forward(self, x: "Tensor") -> "Tensor":
                hidden, _ = self.layers(x.reshape(len(x), -1, 1))  # [batch, numbers, cells]
                logits: Tensor = self.output(hidden[:, -1])
                return logits

        return Module()

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """A layer has three gates, each with weights for its input and its state, and two biases."""
        states, gates = self.cells, 3 * self.cells
        parameters = gates * (1 + states + 2) + (depth - 1) * gates * (2 * states + 2) + (states + 1) * spec.outputs
        return LayerCounts(hidden=depth, weight_layers=depth + 1, parameters=parameters)
'''

DATA = '''
"""Points on both sides of a line."""

from typing import Literal

import numpy as np

from depthsearch.data.planar import Labelled, Planar


class Halves(Planar):
    """The square [-1, 1]^2, cut in two by a line through its middle."""

    name: Literal["halves"] = "halves"

    def labelled(self) -> Labelled:
        """The points in random order."""
        rng = np.random.default_rng(self.seed)
        points = rng.uniform(-1, 1, (self.points, 2))
        return points + self.noise * rng.standard_normal(points.shape), (points[:, 0] > 0).astype(np.int64)
'''

ACTIVATION = '''
"""Mish (arXiv 1908.08681)."""

from depthsearch.networks.activations import Activation, register_activation

register_activation(Activation("mish", "torch.nn.functional.mish"))
'''

WITH_FILES = """
import depthsearch.data, depthsearch.networks, depthsearch.search
depthsearch.networks.__path__.append("networks")
depthsearch.data.__path__.append("data")
depthsearch.search.__path__.append("search")
from depthsearch.cli.main import main
main()
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    written = {
        "networks/hourglass": FAMILY, "networks/gru": MODULE, "networks/mish": ACTIVATION, "data/halves": DATA,
        "search/linear": LINEAR,
    }  # fmt: skip
    for name, text in written.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def depthsearch(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-c", WITH_FILES, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


NEW = ("--arch", "hourglass", "--act", "mish", "--data", "halves", "--narrow", "2")
SHORT = ("--epochs", "3", "--max-runs", "8", "--seeds", "4", "--quiet")


def test_help_names_the_new_entries_and_the_new_option(files: Path) -> None:
    text = " ".join(depthsearch(files, "find", "--help").split())

    families = "cnn, fixup, gru, hf, hourglass, preact, resnet, resnet_image, rezero, timm, transformer, vgg"
    assert f"Kind of network: ffnet, {families}." in text
    assert "identity, mish." in text
    assert "halves" in text
    assert "linear" in text
    assert "--narrow INTEGER Units in every narrow layer (of hourglass). [default: 3]" in text


def test_families_lists_the_new_entries(files: Path) -> None:
    facts = json.loads(depthsearch(files, "families", "--json"))

    (family,) = [one for one in facts["families"] if one["family"] == "hourglass"]
    assert family["unit"] == "pair of layers"
    narrow = {"option": "--narrow", "field": "narrow", "default": 3, "text": "Units in every narrow layer"}
    assert narrow in family["options"]
    assert "mish" in facts["activations"]
    assert "halves" in [one["name"] for one in facts["data"]]


def test_find_searches_a_family_that_only_builds(files: Path) -> None:
    quick = ("--steps", "20", "--max-runs", "2", "--seeds", "2", "--quiet", "--json")
    answer = json.loads(depthsearch(files, "find", "--arch", "gru", "--cells", "4", *quick))

    assert answer["problem"]["network"] == {"family": "gru", "cells": 4}
    assert answer["cost"]["runs"] == 2


def test_the_family_that_only_builds_counts_its_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "entries", dict(Network.entries))
    names: dict[str, Any] = {"__name__": "gru"}
    exec(compile(MODULE, "gru.py", "exec"), names)
    family, spec = names["Recurrent"](cells=6), DataSpec(shape=(5,), classes=3)

    for depth in (1, 4):
        built = sum(parameter.numel() for parameter in family.build(spec, depth).parameters())
        assert family.layer_counts(spec, depth).parameters == built


def test_find_searches_them_and_goes_on_with_the_study(files: Path) -> None:
    answer = json.loads(depthsearch(files, "find", *NEW, *SHORT, "--json"))

    assert answer["problem"]["network"] == {
        "family": "hourglass", "width": 5, "narrow": 2, "activation": "mish", "initialization": "glorot_uniform",
        "normalization": "none", "sigma_w2": None, "sigma_b2": None,
    }  # fmt: skip
    assert answer["problem"]["data"]["name"] == "halves"
    assert answer["study"].startswith("hourglass-mish-halves-")
    again = json.loads(depthsearch(files, "find", *NEW, *SHORT, "--json"))
    assert again["cost"] == answer["cost"]
    (listed,) = json.loads(depthsearch(files, "studies", "list", "--json"))
    assert listed["problem"] == "hourglass mish on halves"


def test_a_study_file_declares_them(files: Path) -> None:
    (files / "study.toml").write_text(
        '[[problems]]\nname = "new"\nfamily = "hourglass"\nnarrow = 2\nactivation = "mish"\ndata = "halves"\n'
        "recipe = { epochs = 3 }\n"
        '[settings]\nsampler = "linear"\ncap = 2\n'
    )
    answer = json.loads(depthsearch(files, "find", "study.toml", "--max-runs", "8", "--seeds", "4", "--json"))

    assert answer["problem"]["network"]["narrow"] == 2
    assert answer["settings"]["sampler"] == "linear"
    assert answer["curve"][0]["depth"] == 1


def test_an_option_of_another_family_is_refused_by_name(files: Path) -> None:
    command = [sys.executable, "-c", WITH_FILES, "find", "--arch", "ffnet", "--narrow", "2"]
    done = subprocess.run(command, cwd=files, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith("error: --narrow is not an option of the network 'ffnet', but got 2: accepted: width")


GROWING = '''
"""Widths that grow from depth 10 on: nothing that the dense engine's look at shallow networks shows."""

from typing import ClassVar, Literal

from depthsearch.data.base import DataSpec
from depthsearch.networks.base import Activation, Dense, Layer, LayerCounts, Plan, count_layers
from depthsearch.networks.dense import DenseNetwork


class Growing(DenseNetwork):
    """Depth is the number of hidden layers."""

    unit: ClassVar[str] = "hidden layer"
    family: Literal["growing"] = "growing"

    def plan(self, spec: DataSpec, depth: int) -> Plan:
        """Dense and activation, `depth` times."""
        layers: list[Layer] = []
        inputs = spec.features
        for k in range(1, depth + 1):
            width = self.width + max(0, k - 9)
            layers += [Dense(f"hidden {k}", inputs, width), Activation(f"hidden {k} tanh", "tanh")]
            inputs = width
        return (*layers, Dense("output", inputs, spec.outputs))

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """As Keras counts."""
        return count_layers(self.plan(spec, depth), keras=depth + 2)
'''


def failed(folder: Path, *arguments: str) -> str:
    """The one line that a command ends with."""
    done = subprocess.run([sys.executable, "-c", WITH_FILES, *arguments], cwd=folder, capture_output=True, text=True)  # noqa: PLW1510
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_the_dense_engine_refuses_a_deep_network_that_it_does_not_train(files: Path) -> None:
    (files / "networks" / "growing.py").write_text(GROWING)
    arguments = ("inspect", "--arch", "growing", "--depth", "12", "--epochs", "3", "--quiet")

    assert failed(files, *arguments) == (
        "error: engine 'dense' does not train growing tanh at depth 12: choose the engine 'torch'"
    )
    assert "growing tanh on moons" in depthsearch(files, *arguments, "--engine", "torch")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def broken(:\n", "networks/extra.py cannot be imported: SyntaxError: invalid syntax"),
        (FAMILY.replace("    def layer_counts", "    def other_counts"), "family 'hourglass' has no layer_counts"),
        (FAMILY.replace("hourglass", "ffnet"), "family 'ffnet' is declared twice, in depthsearch.networks."),
        (ACTIVATION.replace('mish"', 'tanh"', 1), "ValueError: activation 'tanh' is declared twice"),
        (ACTIVATION.replace("functional.mish", "functional.wish"), None),
    ],
    ids=["syntax", "abstract", "twice", "activation-twice", "activation"],
)
def test_a_mistake_in_a_new_file_is_one_line(tmp_path: Path, text: str, message: str | None) -> None:
    (tmp_path / "networks").mkdir()
    (tmp_path / "networks" / "extra.py").write_text(text)
    if message is None:
        line = failed(tmp_path, "inspect", "--act", "mish", "--depth", "2", "--epochs", "3", "--quiet")
        assert line == "error: activation 'mish': there is no function 'torch.nn.functional.wish'"
    else:
        assert message in failed(tmp_path, "find", "--help")


def test_another_source_of_a_family_is_another_study(files: Path) -> None:
    first = json.loads(depthsearch(files, "find", *NEW, *SHORT, "--json"))
    path = files / "networks" / "hourglass.py"
    path.write_text(path.read_text() + "\n# changed\n")
    second = json.loads(depthsearch(files, "find", *NEW, *SHORT, "--json"))

    assert first["question"] == second["question"]
    assert first["code"] != second["code"]
    assert first["study"] != second["study"]
