"""A user's data: arrays, tensors, torch Datasets and DataLoaders, and what they show."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from depthsearch.data.base import Dataset, DataSource, DataSpec, TorchData
from depthsearch.data.user import UserData
from depthsearch.data.user_contents import Given, given_data
from depthsearch.errors import InvalidValue, UserCodeFailed
from depthsearch.training.modules.batches import TorchBatches
from depthsearch.user_code.loading import UserCode
from depthsearch.user_code.objects import hold
from tests.user_code.written import write

CODE = UserCode("model.py:load", file=Path("model.py"))
LABELS = np.array([0, 1, 2, 0, 0, 1])
INPUTS = np.linspace(-1, 1, 12).reshape(6, 2)


def given(train: Any, test: Any) -> Given:
    return given_data((train, test), CODE)


def refused(found: Any) -> str:
    with pytest.raises(InvalidValue) as error:
        given_data(found, CODE)
    return str(error.value)


@pytest.mark.parametrize("as_tensors", [False, True], ids=["arrays", "tensors"])
def test_one_whole_number_for_each_input_is_a_class(as_tensors: bool) -> None:
    part = (torch.tensor(INPUTS), torch.tensor(LABELS)) if as_tensors else (INPUTS, LABELS)
    found = given(part, part)

    assert found.spec == DataSpec(shape=(2,), classes=3)
    assert isinstance(found.data, Dataset)
    assert found.data.x_train.dtype == np.float32
    assert found.data.y_train.dtype == np.int64
    assert (found.data.points, found.data.baseline) == (6, 0.5)


def test_one_whole_number_for_each_position_is_a_sequence() -> None:
    tokens = np.array([[0, 1, 4], [4, 3, 2]])
    labels = np.array([[-100, 1, 1], [-100, 0, 1]])
    found = given((tokens, labels), (tokens, labels))

    assert found.spec == DataSpec(shape=(3,), task="sequence", classes=2, vocabulary=5)
    assert isinstance(found.data, Dataset)
    assert found.data.x_train.dtype == np.int64
    assert found.data.baseline == 0.75


@pytest.mark.parametrize(("targets", "count"), [(np.zeros(6), 1), (np.zeros((6, 3), np.float32), 3)])
def test_fractions_are_a_regression(targets: np.ndarray[Any, Any], count: int) -> None:
    found = given((INPUTS, targets), (INPUTS, targets))

    assert found.spec == DataSpec(shape=(2,), task="regression", targets=count)
    assert isinstance(found.data, Dataset)
    assert found.data.y_train.shape == (6, count)
    assert found.data.baseline == 0


def test_inputs_of_three_dimensions_are_images() -> None:
    images = np.zeros((6, 3, 8, 8), np.uint8)

    assert given((images, LABELS), (images, LABELS)).spec == DataSpec(shape=(3, 8, 8), classes=3, image=(3, 8, 8))


class Rows(torch.utils.data.Dataset[Any]):
    """Items as a user's Dataset gives them."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> Any:
        return self.rows[place]


def test_a_dataset_shows_its_task_in_one_pass() -> None:
    rows = Rows([(torch.zeros(4), torch.zeros(2), label) for label in (0, 1, 1, 2)])
    found = given(rows, rows)

    assert found.spec == DataSpec(shape=(4,), classes=3)
    assert isinstance(found.data, TorchData)
    assert (found.data.train, found.data.points, found.data.baseline) == (rows, 4, 0.5)


@pytest.mark.parametrize("key", ["labels", "label", "targets", "target", "y"])
def test_a_batch_that_is_a_dict_has_its_targets_under_a_usual_name(key: str) -> None:
    batch = {"mask": torch.ones(5), "input_ids": torch.tensor([1, 2, 3, 4, 6]), key: torch.tensor([0, 1, 1, 1, -100])}
    found = given(Rows([batch, batch]), Rows([batch]))

    assert found.spec == DataSpec(shape=(5,), task="sequence", classes=2, vocabulary=7)
    assert found.data.baseline == 0.75


def test_data_without_targets_have_a_task_of_their_own() -> None:
    found = given(Rows([torch.zeros(3, 8, 8)] * 4), Rows([torch.zeros(3, 8, 8)]))

    assert found.spec == DataSpec(shape=(3, 8, 8), task="custom", image=(3, 8, 8))
    assert (found.data.points, found.data.baseline) == (4, 0)


def test_a_loader_is_read_once_and_goes_on_where_it_stood() -> None:
    generator = torch.Generator().manual_seed(3)
    data = TensorDataset(torch.arange(10.0)[:, None], torch.arange(10) % 2)
    loader = DataLoader(data, batch_size=4, shuffle=True, generator=generator)
    state, drawn = generator.get_state(), torch.get_rng_state()
    found = given(loader, loader)

    assert found.spec == DataSpec(shape=(1,), classes=2)
    assert (found.data.points, found.data.baseline) == (10, 0.5)
    assert torch.equal(generator.get_state(), state)
    assert torch.equal(torch.get_rng_state(), drawn)


class Endless(IterableDataset[Any]):
    """Points that never end."""

    def __init__(self, length: Callable[[], int]) -> None:
        self.length = length

    def __iter__(self) -> Iterator[Any]:
        return ((torch.zeros(2), k % 2) for k in itertools.count())


class Counted(Endless):
    """The same, which says that they end."""

    def __len__(self) -> int:
        return self.length()


def test_tensors_of_short_floats_are_data() -> None:
    part = (torch.tensor(INPUTS).bfloat16(), torch.tensor(LABELS))
    found = given(part, part)

    assert isinstance(found.data, Dataset)
    assert np.abs(found.data.x_train - INPUTS).max() < 0.01
    assert found.data.x_train.dtype == np.float32
    assert given(Rows([*zip(*part, strict=True)]), Rows([part])).spec == found.spec


def test_far_labels_of_a_vocabulary_are_classes() -> None:
    labels = np.array([0, 50_000, 2, 0, 0, 1])
    assert given((INPUTS, labels), (INPUTS, labels)).spec.classes == 50_001


def loaders(data: Any, **options: Any) -> tuple[Any, Any]:
    return DataLoader(data, **options), DataLoader(data, **options)


X, Y = torch.tensor(INPUTS), torch.tensor(LABELS)
FAR = "model.py: load() gives the class 2000000000000 among 6 targets: number the classes from 0"
DENSE = "of train of load() must be a dense array or tensor of numbers, but are a"


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (
            loaders(Endless(lambda: 3)),
            "model.py: train of load() must know how many batches it has, but its dataset has no length",
        ),
        (
            loaders(Counted(lambda: 12), batch_size=4),
            "train of load() has 3 batches by its length, but gave 16, and more follow: its dataset must end, or",
        ),
        (
            loaders(Counted(lambda: 1 // 0), batch_size=4),
            "ZeroDivisionError: integer division or modulo by zero (in len",
        ),
        (
            loaders(Counted(lambda: -5), batch_size=4),
            "ValueError: __len__() should return >= 0 (in len(train) of load()",
        ),
        (
            loaders(TensorDataset(X, Y), batch_size=None),
            "model.py: train of load() must give batches of points, but the targets of train of load() hold the single",
        ),
        (((X.to_sparse(), Y),) * 2, f"model.py: the inputs {DENSE} sparse_coo tensor of float64 on cpu"),
        (((X, Y.to("meta")),) * 2, f"model.py: the targets {DENSE} strided tensor of int64 on meta"),
        ((Rows([(X[0].to_sparse(), 1)]),) * 2, f"model.py: the inputs {DENSE} sparse_coo tensor of float64 on cpu"),
        (((X, Y * 10**12),) * 2, FAR),
        ((Rows([*zip(X, (Y * 10**12).tolist(), strict=True)]),) * 2, FAR),
        ((Rows([(X[0] * np.nan, 1)]),) * 2, "model.py: the inputs of train of load() hold a value that is not finite"),
    ],
    ids=["lengthless", "endless", "raises", "negative", "unbatched", "sparse", "meta", "item", "far", "label", "nan"],
)
@pytest.mark.filterwarnings("ignore:Length of IterableDataset")
def test_what_torch_alone_takes_is_one_line(found: Any, message: str) -> None:
    line = refused(found)
    assert message in line
    assert "\n" not in line


@pytest.mark.filterwarnings("ignore:Length of IterableDataset")
def test_a_test_part_that_never_ends_is_refused_as_it_is_read() -> None:
    data = given(*loaders(TensorDataset(X.float(), Y), batch_size=2)).data
    assert isinstance(data, TorchData)
    endless = replace(data, test=loaders(Counted(lambda: 12), batch_size=4)[1])
    batches = TorchBatches(endless, batch_size=2, seed=0, device=torch.device("cpu"))

    with pytest.raises(InvalidValue, match="the test DataLoader has 3 batches by its length, but gave 16"):
        list(batches.test())


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (None, "model.py: load() must return (train, test), each a pair of arrays or tensors, a torch Dataset, or a "),
        ((INPUTS, LABELS, INPUTS), "model.py: load() must return (train, test)"),
        ((INPUTS, LABELS), "model.py: train of load() must be one of (train, test), each a pair"),
        (((INPUTS, LABELS), 3), "model.py: test of load() must be another, since one part of it is a pair of arrays"),
        ((Rows([1]), 3), "model.py: test of load() must be one of (train, test)"),
        (((INPUTS[:0], LABELS[:0]),) * 2, "model.py: train of load() is empty"),
        (([], []), "model.py: train of load() holds nothing"),
        (((INPUTS, LABELS[:4]),) * 2, "model.py: train of load() must hold as many inputs as targets, but has shapes"),
        (((INPUTS * np.nan, LABELS),) * 2, "model.py: the inputs of train of load() hold a value that is not finite"),
        (((INPUTS.astype(str), LABELS),) * 2, "model.py: the inputs of train of load() must be numbers, but are <U"),
        (((INPUTS, LABELS), (INPUTS[:, :1], LABELS)), "model.py: train and test of load() differ in the shape"),
        (((INPUTS, LABELS - 1),) * 2, "model.py: load() gives the class -1: classes are whole numbers from 0"),
        (((INPUTS, LABELS * 0),) * 2, "model.py: load() gives a single class, 0, so there is nothing to learn"),
        (((INPUTS, np.eye(3, dtype=int)[LABELS]),) * 2, "model.py: load() gives targets that are one-hot: give the"),
        (((INPUTS.astype(int) - 3, LABELS),) * 2, "model.py: inputs of load() that are whole numbers are tokens from"),
        ((Rows([]), Rows([])), "model.py: train of load() holds nothing"),
    ],
)
def test_what_is_no_data_is_one_line(found: Any, message: str) -> None:
    assert refused(found).startswith(message)


def test_load_runs_once_for_each_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "import numpy as np\ncalls = []\n\n\ndef load():\n    calls.append(1)\n"
    part = "    part = np.random.rand({}, len(calls)), np.arange({}) % 2\n    return part, part\n"
    write(tmp_path, model=text + part.format(4, 4))
    first = DataSource.of("model.py:load")
    again = DataSource.of({"name": "user", "source": "model.py:load"})

    assert (first.spec.shape, again.spec.shape) == ((1,), (1,))
    assert again.load() is first.load()
    assert np.array_equal(DataSource.of({"name": "model.py:load", "seed": 1}).load().x_train.shape, (4, 2))
    write(tmp_path, model=text + part.format(6, 6))
    assert DataSource.of("model.py:load").contents().points == 6
    assert first.contents().points == 4


def test_the_seed_is_that_of_the_generators_while_load_runs(tmp_path: Path) -> None:
    load = "def load():\n    part = np.random.rand(4, 2), np.arange(4) % 2\n    return part, part\n"
    write(tmp_path, model=f"import numpy as np\n\n\n{load}")
    name = f"{tmp_path}/model.py:load"
    first, second = (DataSource.of({"name": name, "seed": seed}).load().x_train for seed in (0, 1))

    assert not np.array_equal(first, second)


def test_data_of_the_process() -> None:
    source = hold(((INPUTS, LABELS), (INPUTS, LABELS)))
    data = DataSource.of({"name": "user", "source": source})

    assert data.spec.classes == 3
    assert data.label == "tuple"
    assert data.identity()["source"] == "tuple"
    assert data.code == source.rpartition(":")[2]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("model.py", "name must be FILE.py:name or package.module:name, as in model.py:build, but got 'model.py'"),
        ("muns", "unknown data set 'muns': did you mean 'moons'?"),
        ({"name": "user"}, "name is missing: give FILE.py:name or package.module:name"),
        ({"name": "a.py:load", "test_share": 0.2}, "test_share is not used, since load() gives the test points"),
    ],
)
def test_a_name_that_is_no_data_set(value: Any, message: str) -> None:
    with pytest.raises(InvalidValue) as error:
        DataSource.of(value)
    assert str(error.value).startswith(message)


def test_a_mistake_in_load_has_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, model="def load():\n    return open('missing.csv')\n")

    with pytest.raises(UserCodeFailed, match=r"^model.py, line 2: FileNotFoundError: .* \(in load\(\)\)$"):
        _ = DataSource.of("model.py:load").spec
    assert isinstance(DataSource.of("model.py:load"), UserData)
