"""One run as an event file that TensorBoard shows, written by torch's SummaryWriter."""

import importlib.util
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from depthsearch.errors import InvalidValue
from depthsearch.results.inspection import Inspection
from depthsearch.training.trace import Histograms

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


EVENT_FILES = "events.out.tfevents.*"

UNFINISHED = ".unfinished-"
"""How a file's name begins while it is written; TensorBoard reads only files with "tfevents" in their name."""


def check_events_folder(folder: str) -> None:
    """Make the folder, and refuse one that could not be written to after the training.

    Raises:
        InvalidValue: The folder cannot be written, or the package tensorboard is missing.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise InvalidValue(
            f"tensorboard {folder!r} needs the package 'tensorboard': pip install 'depthsearch[tensorboard]'"
        )
    if not folder:
        raise InvalidValue(f"{folder!r} names no folder: give one, as in runs", path="tensorboard", value=folder)
    try:
        folder.encode()  # TensorBoard reads no other names
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        probe = place / ".depthsearch"
        probe.touch()
        probe.unlink()
    except (OSError, ValueError) as error:
        raise _unwritable(folder, error) from None


def write_events(inspection: Inspection, folder: str) -> Path:
    """Write a run into a subfolder, which TensorBoard lists as a run, and return that subfolder.

    Loss and score are written for every epoch, the figures of layers at the epochs of the trace's snapshots. A run
    that was written before is replaced, once this one is whole: until then its file stays as it is.

    Args:
        inspection: The run.
        folder: Where runs are kept, for `tensorboard --logdir`.

    Raises:
        InvalidValue: The folder cannot be written.
    """
    place = Path(folder) / run_name(inspection)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for left in place.glob(f"{UNFINISHED}*"):  # by a process that was killed
            left.unlink(missing_ok=True)
        before = list(place.glob(EVENT_FILES))
        finished = place / f"events.out.tfevents.{int(time.time()):010}.{socket.gethostname()}.{os.getpid()}"
        _write_whole(inspection, finished)
        for old in before:
            if old != finished:
                old.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from None
    return place


def run_name(inspection: Inspection) -> str:
    """Such as "ffnet-tanh-moons-ec5fa854-depth-30-seed-1", with the beginning of the problem's question."""
    problem = inspection.problem
    kind = "-".join([*problem.network.label.split(), problem.data.name, problem.question()[:8]])
    return f"{kind}-depth-{inspection.depth}-seed-{inspection.seed}"


def _write_whole(inspection: Inspection, finished: Path) -> None:
    """Write the event file under another name, and rename it once all of it is on the disk."""
    unfinished = finished.with_name(f"{UNFINISHED}{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            writer = _summary_writer(file)
            _write_curves(writer, inspection)
            _write_layers(writer, inspection)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(finished)
    finally:
        unfinished.unlink(missing_ok=True)


def _summary_writer(file: BinaryIO) -> "SummaryWriter":
    """torch's SummaryWriter, with its records written straight to a file.

    SummaryWriter's thread prints the traceback of a full disk, and loses the error where it is of the last record.
    """
    from tensorboard.compat.proto.event_pb2 import Event  # noqa: PLC0415 - an extra
    from tensorboard.summary.writer.record_writer import RecordWriter  # noqa: PLC0415
    from torch.utils.tensorboard import FileWriter, SummaryWriter  # noqa: PLC0415

    records = RecordWriter(file)

    class DirectFileWriter(FileWriter):
        def __init__(self) -> None:
            """Without the base class's, which starts the thread."""

        def add_event(self, event: Event, step: int | None = None, walltime: float | None = None) -> None:
            event.wall_time = time.time() if walltime is None else walltime
            if step is not None:
                event.step = step
            records.write(event.SerializeToString())

    class DirectSummaryWriter(SummaryWriter):
        def _get_file_writer(self) -> FileWriter:
            return direct

    direct = DirectFileWriter()
    direct.add_event(Event(file_version="brain.Event:2"))
    return DirectSummaryWriter(file.name)


def _unwritable(folder: str, error: Exception) -> InvalidValue:
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    if isinstance(error, UnicodeEncodeError):
        reason = "its name is not UTF-8"
    return InvalidValue(
        f"{folder!r} cannot be written: {reason}; give a folder that can be", path="tensorboard", value=folder
    )


def _write_curves(writer: "SummaryWriter", inspection: Inspection) -> None:
    # A train figure is a mean over an epoch, the first of which is 1; a test figure is of a moment, the first at 0.
    curves = {
        f"{inspection.score_name}/train": (1, inspection.train_score),
        f"{inspection.score_name}/test": (0, inspection.test_score),
        "loss/train": (1, inspection.train_loss),
        "loss/test": (0, inspection.test_loss),
    }
    for tag, (first, values) in curves.items():
        for epoch, value in enumerate(values.tolist(), start=first):
            writer.add_scalar(tag, value, epoch)


def _write_layers(writer: "SummaryWriter", inspection: Inspection) -> None:
    detail, snapshots = inspection.detail, inspection.trace.snapshots
    figures: Mapping[str, NDArray[np.float32]] = {
        "gradient mean abs": snapshots.mean_abs_gradient,
        "gradient norm": snapshots.weight_gradient_norm,
        "activation gradient norm": snapshots.activation_gradient_norm,
        "weight change": snapshots.weight_change,
    }
    layers = list(_numbered(inspection.trace.layers))
    for row, epoch in enumerate(snapshots.epochs.tolist()):
        for layer, name in enumerate(layers):
            for tag, values in figures.items():
                writer.add_scalar(f"{tag}/{name}", float(values[row, layer]), epoch)
            _write_histogram(writer, f"weights/{name}", detail.weights, epoch, layer)
            _write_histogram(writer, f"gradients/{name}", detail.gradients, epoch, layer)


def _numbered(names: Sequence[str]) -> Iterator[str]:
    """ "01 hidden 1", "02 hidden 2", ...: first to last as text is sorted, too."""
    digits = max(2, len(str(len(names))))
    return (f"{number:0{digits}} {name}" for number, name in enumerate(names, start=1))


def _write_histogram(writer: "SummaryWriter", tag: str, histograms: Histograms, epoch: int, layer: int) -> None:
    counts = histograms.counts[epoch, layer]
    if not counts.any():
        return  # nothing finite to show
    writer.add_histogram_raw(
        tag,
        min=float(histograms.low[epoch, layer]),
        max=float(histograms.high[epoch, layer]),
        num=int(counts.sum()),
        sum=float(histograms.total[epoch, layer]),
        sum_squares=float(histograms.squares[epoch, layer]),
        bucket_limits=histograms.edges(epoch, layer)[1:].tolist(),
        bucket_counts=counts.tolist(),
        global_step=epoch,
    )
