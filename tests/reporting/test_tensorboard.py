"""A run's event file, read back by TensorBoard's reader."""

import errno
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from depthsearch.errors import InvalidValue
from depthsearch.problem.problem import Problem
from depthsearch.reporting.tensorboard import check_events_folder, run_name, write_events
from depthsearch.results.inspection import Inspection
from depthsearch.workflows import inspect

PROBLEM = Problem.model_validate({"activation": "relu", "recipe": {"epochs": 12}})
EXPLODING = Problem.model_validate({"activation": "identity", "recipe": {"learning_rate": 1e6, "epochs": 3}})


def read(place: Path) -> EventAccumulator:
    events = EventAccumulator(str(place), size_guidance={"scalars": 0, "histograms": 0})
    return events.Reload()


def series(events: EventAccumulator, tag: str) -> tuple[list[int], list[float]]:
    scalars = events.Scalars(tag)
    return [scalar.step for scalar in scalars], [scalar.value for scalar in scalars]


@pytest.fixture(scope="module")
def shown() -> Inspection:
    return inspect(PROBLEM, depth=10, seed=3)


@pytest.fixture(scope="module")
def events(shown: Inspection, tmp_path_factory: pytest.TempPathFactory) -> EventAccumulator:
    return read(write_events(shown, str(tmp_path_factory.mktemp("runs"))))


def test_the_curves_are_the_traces_bit_for_bit(shown: Inspection, events: EventAccumulator) -> None:
    assert series(events, "accuracy/train") == (list(range(1, 13)), shown.train_score.tolist())
    assert series(events, "loss/train") == (list(range(1, 13)), shown.train_loss.tolist())
    assert series(events, "accuracy/test") == (list(range(13)), shown.test_score.tolist())
    assert series(events, "loss/test") == (list(range(13)), shown.test_loss.tolist())


def test_a_layers_figures_are_those_of_the_snapshots(shown: Inspection, events: EventAccumulator) -> None:
    epochs = shown.trace.snapshots.epochs.tolist()
    for tag, values in (
        ("gradient mean abs", shown.trace.snapshots.mean_abs_gradient),
        ("gradient norm", shown.trace.snapshots.weight_gradient_norm),
        ("activation gradient norm", shown.trace.snapshots.activation_gradient_norm),
        ("weight change", shown.trace.snapshots.weight_change),
    ):
        for layer, name in ((0, "01 hidden 1"), (9, "10 hidden 10"), (10, "11 output")):
            assert series(events, f"{tag}/{name}") == (epochs, values[:, layer].tolist())


def test_layers_sort_as_they_follow_each_other(shown: Inspection, events: EventAccumulator) -> None:
    for kind in ("gradient norm", "weights"):
        names = sorted(tag for tags in ("scalars", "histograms") for tag in events.Tags()[tags] if f"{kind}/" in tag)
        found = [tag.split("/")[1][3:] for tag in names if tag.startswith(f"{kind}/")]
        assert found == list(shown.trace.layers)


def test_histograms_are_those_of_the_detail(shown: Inspection, events: EventAccumulator) -> None:
    for tag, histograms in (("weights", shown.detail.weights), ("gradients", shown.detail.gradients)):
        for layer, name in ((0, "01 hidden 1"), (10, "11 output")):
            found = events.Histograms(f"{tag}/{name}")
            assert [event.step for event in found] == shown.trace.snapshots.epochs.tolist()
            for event in found:
                place = event.step, layer
                value = event.histogram_value
                assert (value.min, value.max) == (histograms.low[place], histograms.high[place])
                assert (value.sum, value.sum_squares) == (histograms.total[place], histograms.squares[place])
                assert list(value.bucket) == histograms.counts[place].tolist()
                assert value.num == histograms.counts[place].sum()
                np.testing.assert_array_equal(value.bucket_limit, histograms.edges(event.step, layer)[1:])


def test_a_run_that_exploded_keeps_its_nans(tmp_path: Path) -> None:
    shown = inspect(EXPLODING, depth=3)
    events = read(write_events(shown, str(tmp_path)))
    _, loss = series(events, "loss/train")
    np.testing.assert_array_equal(loss, shown.train_loss)
    assert not np.isfinite(loss).all()


def test_a_run_written_again_replaces_itself_and_no_other(shown: Inspection, tmp_path: Path) -> None:
    other = write_events(inspect(PROBLEM, depth=3), str(tmp_path))
    for _ in range(2):
        place = write_events(shown, str(tmp_path))
        assert series(read(place), "accuracy/train")[0] == list(range(1, 13))
    assert place.name == run_name(shown) != other.name
    assert len(list(tmp_path.glob("*/*"))) == 2


class Stopped(BaseException):
    """As Ctrl-C or a signal in the middle of the writing."""


@pytest.mark.parametrize("stop", [Stopped(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_run_that_cannot_be_written_whole_leaves_the_earlier_one_as_it_was(
    stop: BaseException,
    shown: Inspection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = write_events(shown, str(tmp_path))
    before = {path: path.read_bytes() for path in place.iterdir()}

    def stopped(*_: object) -> None:
        raise stop

    monkeypatch.setattr("depthsearch.reporting.tensorboard._write_layers", stopped)
    with pytest.raises(Stopped if isinstance(stop, Stopped) else InvalidValue):
        write_events(shown, str(tmp_path))
    assert {path: path.read_bytes() for path in place.iterdir()} == before
    assert capsys.readouterr().err == ""


def test_what_a_killed_process_left_is_no_run_and_goes_with_the_next_writing(shown: Inspection, tmp_path: Path) -> None:
    script = (
        "import os, sys; import depthsearch.reporting.tensorboard as tensorboard; from tests.reporting import "
        "test_tensorboard as tests; tensorboard._write_layers = lambda *_: os.kill(os.getpid(), 9); "
        "tensorboard.write_events(tests.inspect(tests.PROBLEM, depth=10, seed=3), sys.argv[1])"
    )
    place = write_events(shown, str(tmp_path))
    (before,) = place.iterdir()
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False).returncode == -signal.SIGKILL
    left = set(place.iterdir()) - {before}
    assert len(left) == 1
    assert not any("tfevents" in path.name for path in left)
    assert series(read(place), "loss/train")[0] == list(range(1, 13))
    write_events(shown, str(tmp_path))
    assert len(list(place.iterdir())) == 1


def test_a_folder_is_made_where_it_is_missing_and_is_left_empty(tmp_path: Path) -> None:
    check_events_folder(str(tmp_path / "a" / "b"))
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize("name", ["file", "file/under", "a\0b", "b\udcff", "x" * 300])
def test_a_folder_that_cannot_be_written_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidValue, match=r"tensorboard '.*' cannot be written: .*; give a folder that can be"):
        check_events_folder(str(tmp_path / name))


def test_a_folder_without_a_name_is_refused() -> None:
    with pytest.raises(InvalidValue, match="tensorboard '' names no folder: give one, as in runs"):
        check_events_folder("")


def test_without_the_package_the_message_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(InvalidValue, match=r"needs the package .*: pip install 'depthsearch\[tensorboard\]'"):
        check_events_folder(str(tmp_path))
