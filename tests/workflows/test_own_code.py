"""Searches of a user's functions: from Python, and in another process later."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from depthsearch import Problem, SearchSettings, find, inspect
from depthsearch.errors import InvalidValue, StudyConflict, UserCodeFailed
from depthsearch.results.events import Event, Preparing
from depthsearch.store import open_store
from depthsearch.workflows import answer_of
from depthsearch.workflows.asked import asked
from depthsearch.workflows.prepare import announce
from tests.user_code.written import MODEL, PARTS, TRAIN, write

FEW = SearchSettings(sampler="grid", depths=(2, 20), runs_per_trial=2)
PART = (torch.linspace(-1, 1, 80).reshape(40, 2), torch.arange(40) % 2)


def build(depth: int) -> nn.Module:
    return nn.Sequential(*(nn.Linear(2, 2) for _ in range(depth)))


def load() -> object:
    return PART, PART


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEPTHSEARCH_STORAGE", raising=False)
    return write(tmp_path, mine=TRAIN, model=MODEL, parts=PARTS)


def test_scores_are_searched_and_the_same_call_resumes(folder: Path) -> None:
    answer = find(Problem(train="mine.py:train"), FEW)
    again = find(Problem(train="mine.py:train"), FEW)

    assert answer.max_depth == 2
    assert answer.study.startswith("mine-train-")
    assert again.study == answer.study
    assert again.cost == answer.cost
    assert answer.layers is not None
    assert answer.layers.parameters is None


def test_other_code_is_another_study_and_another_place_is_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = f"sqlite:///{folder}/studies.db"
    first = find(Problem(train="mine.py:train"), FEW, storage=storage)
    (folder / "inner").mkdir()
    write(folder / "inner", moved=TRAIN)
    moved = find(Problem(train="inner/moved.py:train"), FEW, storage=storage)
    write(folder / "inner", moved=TRAIN + "\n# changed\n")
    changed = find(Problem(train="inner/moved.py:train"), FEW, storage=storage)

    assert (moved.study, moved.cost.trials) == (first.study, first.cost.trials)
    assert changed.study != first.study
    assert changed.question == first.question
    with pytest.raises(StudyConflict, match="its code has changed"):
        find(Problem(train="inner/moved.py:train"), FEW, storage=storage, study=first.study)


def test_a_study_is_read_when_its_file_is_gone(folder: Path) -> None:
    study = find(Problem(train="mine.py:train"), FEW).study
    (folder / "mine.py").unlink()
    with open_store(None, create=False) as store:
        answer = answer_of(store.read_study(study))

    assert answer.max_depth == 2
    assert len(answer.code) == 64
    with pytest.raises(InvalidValue, match="train names no file"):
        find(Problem(train="mine.py:train"), FEW)


def test_what_is_trained_elsewhere_is_not_inspected(folder: Path) -> None:
    with pytest.raises(InvalidValue, match=r"mine.py:train is trained by a function that gives only scores"):
        inspect(Problem(train="mine.py:train"), depth=2)


def test_a_function_of_a_file_and_one_that_loads_are_known_by_their_file() -> None:
    problem = asked(build, load, {"recipe": {"epochs": 5}})

    assert problem.network.source.endswith("tests/workflows/test_own_code.py:build")  # type: ignore[attr-defined]
    assert problem.label == "test_own_code.py:build on test_own_code.py:load"
    assert problem.recipe.epochs == 5
    module = problem.network.build(problem.data.spec, 3)
    assert len(list(module.children())) == 3


def test_a_lambda_and_data_in_memory_are_known_by_their_contents() -> None:
    first, again = (asked(lambda depth: build(depth + 1), (PART, PART), {}) for _ in range(2))
    other = asked(lambda depth: build(depth + 2), (PART, PART), {})

    assert (first.question(), first.code()) == (again.question(), again.code())
    assert other.code() != first.code()
    assert first.label == "lambda on tuple"
    assert first.data.contents().points == 40


def test_a_loss_goes_with_the_function() -> None:
    plain = asked(build, (PART, PART), {})
    own = asked(build, (PART, PART), {"loss": nn.functional.cross_entropy})

    assert own.network.custom_training().loss is not None
    assert plain.network.custom_training().loss is None
    assert own.code() != plain.code()
    with pytest.raises(InvalidValue, match="loss must be a function, but got 3"):
        asked(build, (PART, PART), {"loss": 3})


def test_misuse_is_one_line() -> None:
    with pytest.raises(InvalidValue, match="data is missing: give"):
        find(build)
    with pytest.raises(InvalidValue, match="data is part of the problem: give it there"):
        find(Problem(), data="moons")
    with pytest.raises(InvalidValue, match=r"problem must be a depthsearch\.Problem, but got 3"):
        find(3)  # type: ignore[arg-type]
    with pytest.raises(UserCodeFailed, match="must return"):
        _ = asked(build, lambda: 3, {}).data.spec


def test_the_stack_is_named_and_equal_layers_are_warned_of(folder: Path) -> None:
    layer = "nn.TransformerEncoderLayer(2, 1, 4, batch_first=True)"
    copied = f"from torch import nn\n\n\ndef build(depth):\n    layer = {layer}\n"
    write(folder, copied=f"{copied}    return nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)\n")
    events: list[Event] = []
    for text in ("model.py:model", "model.py:build", "copied.py:build"):
        announce(Problem(model=text, data="model.py:load"), events.append)

    stack, warning = (event.reason for event in events if isinstance(event, Preparing))
    assert stack.startswith("depth is the length of blocks[0:4], 4 blocks of Block in model(), which is called again")
    assert warning.startswith("warning: layers.0.self_attn and layers.1.self_attn start with equal weights")


ELSEWHERE = """
import sys
from depthsearch import find, SearchSettings, inspect_stored
from depthsearch.user_code.objects import hold
problem = __import__("depthsearch").Problem(train=hold(lambda depth, seed: [float(depth < 9)] * 4))
settings = SearchSettings(sampler="grid", depths=(2, 20), runs_per_trial=2)
print(find(problem, settings).study)
"""


def test_a_study_of_another_process_is_read_and_not_searched_on(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, check=True)
    with open_store(None, create=False) as store:
        stored = store.read_study(done.stdout.strip())

    assert answer_of(stored).max_depth == 2
    with pytest.raises(InvalidValue, match="train was 'lambda' of a Python process that has ended"):
        find(stored.problem, FEW.model_copy(update={"depths": (2, 3)}), study=stored.name)


def test_a_script_that_searches_its_function_at_its_top_is_refused_where_it_is_loaded(folder: Path) -> None:
    write(folder, script=f"{TRAIN}\nfrom depthsearch import Problem, find\nfind(Problem(train='script.py:train'))\n")

    with pytest.raises(InvalidValue, match=r"a search is called while script.py is loaded: put the call under"):
        find(Problem(train="script.py:train"))
