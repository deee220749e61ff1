"""A family, a data set, an activation, a search method: each is one new file, and the rest of the package follows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.search.test_method import LINEAR

FAMILY = '''
"""Dense layers of which every second one is half as wide."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from depthsearch.data.base import DataSpec
from depthsearch.networks.base import Activation, Dense, Layer, LayerCounts, Plan, count_layers
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
                layers += [Dense(name, inputs, width), Activation(f"{name} {self.activation}", self.activation)]
                inputs = width
        return (*layers, Dense("output", inputs, spec.outputs))

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """Keras counts the input, too."""
        return count_layers(self.plan(spec, depth), keras=2 * depth + 2)
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
    written = {"networks/hourglass": FAMILY, "networks/mish": ACTIVATION, "data/halves": DATA, "search/linear": LINEAR}
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

    assert "Kind of network: ffnet, hourglass, resnet." in text
    assert "identity, mish." in text
    assert "halves" in text
    assert "linear" in text
    assert "--narrow INTEGER Units in every narrow layer (of hourglass). [default: 3]" in text


def test_families_lists_the_new_entries(files: Path) -> None:
    facts = json.loads(depthsearch(files, "families", "--json"))

    (family,) = [one for one in facts["families"] if one["family"] == "hourglass"]
    assert family["unit"] == "pair of layers"
    assert {"option": "--narrow", "field": "narrow", "default": 3} in family["options"]
    assert "mish" in facts["activations"]
    assert "halves" in [one["name"] for one in facts["data"]]


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
