"""One module on its way through its budget: it is built, trained step by step, and recorded."""

import copy
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from depthsearch.data.base import Dataset, TorchData
from depthsearch.errors import InvalidValue
from depthsearch.generators import undisturbed
from depthsearch.interrupts import raise_if_interrupted
from depthsearch.problem.problem import Problem
from depthsearch.training.detail import DetailRecorder
from depthsearch.training.engine import Job, Watch
from depthsearch.training.modules.batches import (
    Batches,
    batches_of,
    loader_states,
    restore_loaders,
    seeded_loaders,
)
from depthsearch.training.modules.checkpoint import Checkpoint, restore_generators
from depthsearch.training.modules.device import autocast
from depthsearch.training.modules.facts import points_per_entry, training_facts
from depthsearch.training.modules.figures import GradientFigures, InitialWeights, WeightFigures, matrix_of
from depthsearch.training.modules.measures import Sums, predictions_of, variance_of
from depthsearch.training.modules.objective import Objective, Outcome, choose_objective, takes_targets
from depthsearch.training.modules.optimizer import clip_gradients, set_learning_rate
from depthsearch.training.modules.start import build, optimizer_of
from depthsearch.training.modules.tape import Tape, layers_of
from depthsearch.training.recorder import Recorder, RunFacts
from depthsearch.training.trace import Trace, evenly_spaced, snapshot_epochs

REFERENCE_BATCHES = 20
"""Whose median loss before training is the reference of a score that is made of losses."""


SCORE_NAMES = {"right": "accuracy", "error": "explained variance", "loss": "score"}
"""Of what an objective measures."""


class ModuleRun:
    """One run. It is made, and trained, inside a block whose generators are seeded.

    Args:
        problem: What is trained.
        data: Its data.
        job: Depth and seed.
        device: Where.
        full: Whether Trace.detail is recorded too.
    """

    def __init__(
        self, problem: Problem, data: Dataset | TorchData, job: Job, device: torch.device, *, full: bool
    ) -> None:
        self._problem, self._data, self._job, self._full, self._device = problem, data, job, full, device
        self.module = build(problem, job).to(device)
        self._layers = layers_of(self.module)
        self._batches: Batches = batches_of(
            data,
            batch_size=problem.recipe.batch_size,
            seed=job.seed,
            device=device,
            augmentation=problem.data.augmentation,
        )
        self._recipe, self._custom = problem.recipe, problem.network.custom_training()
        self._optimizer = optimizer_of(self._custom, self._recipe, self.module, device)
        self._initial = InitialWeights.of(
            [[weight.detach().clone() for weight in layer.weights] for layer in self._layers]
        )
        self._objective: Objective = choose_objective(
            problem.data.spec,
            self._custom,
            variance=variance_of(data),
            smoothing=self._recipe.label_smoothing or 0.0,
            takes_targets=self._takes_targets(),
            example=self._example,
        )
        self._reference = self._median_loss() if self._objective.measure == "loss" else 1.0
        steps = self._batches.steps_per_epoch
        self._ends = problem.recipe.entry_ends(steps * problem.recipe.batch_size)
        self._detail = DetailRecorder(data if isinstance(data, Dataset) else None) if full else None
        self._recorder: Recorder | None = None
        self._order: list[int] = []
        self._rectifiers = True

    def train(self, watch: Watch | None, checkpoint: Checkpoint | None = None) -> Trace:
        """Train the budget, or until the watcher names an entry.

        Args:
            watch: Asked before the first step and after every entry; None for the whole budget.
            checkpoint: Where a long run keeps its state, and from where it goes on; None for nowhere.
        """
        kept = checkpoint.read() if checkpoint is not None else None
        done = self._resume(kept) if kept is not None else 0
        step = self._ends[done - 1] if done else 0
        stream = self._stream(step)
        for entry, end in enumerate(self._ends[done:], start=done + 1):
            sums = Sums()
            recorded_at = self._recorded_step(step, end) if self._snapshot_at(entry) else None
            gradients: GradientFigures | None = None
            self.module.train()
            for now in range(step, end):
                raise_if_interrupted()
                batch = next(stream)
                if now in (0, recorded_at):
                    outcome, figures = self._recorded_step_on(batch, first=now == 0)
                    if now == 0 and self._begin(outcome, figures, watch):
                        return self._finished()
                    gradients = figures if now == recorded_at else None
                else:
                    outcome = self._forward_backward(batch)
                self._update(now)
                sums.add(outcome)
            step = end
            loss, value = sums.means()
            self.recorder.add_epoch(loss, self._score(loss, value))
            if gradients is not None:
                self._snapshot(gradients)
            if watch is not None and watch(self.recorder.trace()) is not None:
                break
            if checkpoint is not None and checkpoint.due() and self._batches.can_continue_at(step):
                checkpoint.write(self._state(entry))
        return self._finished()

    def _state(self, entry: int) -> dict[str, Any]:
        """What a run needs to go on after an entry, as tensors and plain values."""
        facts = self.recorder.facts.training
        return {
            "entry": entry,
            "module": self.module.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "initial": self._initial.tensors,
            "order": self._order,
            "reference": self._reference,
            "points": facts.snapshot_points,
            "unseen": list(facts.unseen),
            "record": self.recorder.state(),
            "loaders": loader_states(self._data),
        }

    def _resume(self, state: dict[str, Any]) -> int:
        """Go on from a state: the entries that are done."""
        self.module.load_state_dict(state["module"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._order, self._reference = state["order"], state["reference"]
        self._initial = InitialWeights.of([[weight.to(self._device) for weight in layer] for layer in state["initial"]])
        self._recorder = Recorder(self._facts(state["points"], tuple(state["unseen"])), self._detail)
        self._recorder.restore(state["record"])
        restore_generators(state["generators"])
        restore_loaders(self._data, state["loaders"])
        done: int = state["entry"]
        return done

    @property
    def recorder(self) -> Recorder:
        """The run's record, which exists from the first step on: only that shows which layers run."""
        assert self._recorder is not None
        return self._recorder

    def _stream(self, step: int) -> Iterator[Any]:
        """The batches from a step on."""
        first, batch = divmod(step, self._batches.steps_per_epoch)
        yield from self._batches.epoch(first, batch)
        for epoch in itertools.count(first + 1):
            yield from self._batches.epoch(epoch)

    def _snapshot_at(self, entry: int) -> bool:
        return self._full or entry in self._snapshots()

    def _snapshots(self) -> tuple[int, ...]:
        entries = len(self._ends)
        return snapshot_epochs(entries) if self._recipe.steps is None else evenly_spaced(entries)

    def _recorded_step(self, first: int, end: int) -> int:
        """The last step of an entry whose batch is as large as any; the last one, where none is."""
        per_epoch, full = self._batches.steps_per_epoch, self._batches.full_steps
        return next((step for step in reversed(range(first, end)) if step % per_epoch < full), end - 1)

    def _begin(self, outcome: Outcome, gradients: GradientFigures, watch: Watch | None) -> bool:
        """The record before the first step; whether the watcher wants no more."""
        self._recorder = Recorder(self._facts(outcome.points, gradients.unseen), self._detail)
        self._snapshot(gradients)
        return watch is not None and watch(self.recorder.trace()) is not None

    def _facts(self, snapshot_points: int, unseen: tuple[int, ...]) -> RunFacts:
        layers = [self._layers[index] for index in self._order]
        right = self._objective.measure == "right"
        training = training_facts(
            self._problem,
            self.module,
            layers,
            unseen=unseen,
            snapshot_points=snapshot_points,
            steps_per_epoch=self._batches.steps_per_epoch,
            points_per_entry=points_per_entry(self._recipe, self._data, self._batches) if right else None,
        )
        return RunFacts(
            training=replace(training, score_name=SCORE_NAMES[self._objective.measure]),
            layers=tuple(layer.name for layer in layers),
            depth=self._job.depth,
            seed=self._job.seed,
            baseline=self._data.baseline if right else 0.0,
            points=self._data.points,
            steps_per_epoch=self._batches.steps_per_epoch,
            ends=self._ends,
            snapshots=self._snapshots(),
            tested=False,
        )

    def _forward_backward(self, batch: Any) -> Outcome:
        self._optimizer.zero_grad()
        with autocast(self._recipe, self._device):
            outcome = self._objective(self.module, batch)
        outcome.loss.backward()  # type: ignore[no-untyped-call]
        return outcome

    def _recorded_step_on(self, batch: Any, *, first: bool) -> tuple[Outcome, GradientFigures]:
        """Forward and backward pass with the hooks on; nothing else differs.

        A network whose first recorded step runs no activation with a flat part is taken to have none.
        """
        tape = Tape(self.module, self._layers, self._rectifiers)
        check = self._problem.network.watch_first_pass(self.module) if first else None
        self._optimizer.zero_grad()
        with tape.recording():
            with tape.forward(), autocast(self._recipe, self._device):
                outcome = self._objective(self.module, batch)
            if check is not None:
                check()
            outcome.loss.backward()  # type: ignore[no-untyped-call]
        self._order, self._rectifiers = self._order or tape.order(), tape.rectified
        return outcome, GradientFigures.of(tape, self._order, keep=self._full)

    def _update(self, step: int) -> None:
        if not self._recipe.constant_rate and not self._custom.optimizer:
            set_learning_rate(self._optimizer, self._recipe.learning_rate_at(step, self._ends[-1]))
        clip_gradients(self.module.parameters(), self._recipe)
        self._optimizer.step()

    def _snapshot(self, gradients: GradientFigures) -> None:
        weights = WeightFigures.of(self._layers, self._order, self._initial)
        accuracy = float("nan")
        if self._detail is not None:
            matrices = [matrix_of(self._layers[index].weights) for index in self._order]
            self._detail.add_layers(matrices, gradients.matrices)
            accuracy = self._test(self._detail)
        self.recorder.add_snapshot(gradients.values() | weights.values() | {"test_accuracy": accuracy})

    def _finished(self) -> Trace:
        return self.recorder.trace(self._test(None))

    def _score(self, loss: float, value: float | None) -> float:
        """The score of an entry, or of the test set, from its means."""
        if value is None:
            return (self._reference - loss) / abs(self._reference)
        return value if self._objective.measure == "right" else 1 - value

    @torch.no_grad()
    def _test(self, detail: DetailRecorder | None) -> float:
        """The test score; a detail also takes the test loss, the predictions and the plane."""
        sums, logits, labels = Sums(), [], []
        self.module.eval()
        with undisturbed():
            for batch in self._batches.test():
                outcome = self._objective(self.module, batch)
                sums.add(outcome)
                if detail is not None and outcome.logits is not None and outcome.labels is not None:
                    logits.append(outcome.logits.flatten(0, -2).float().cpu())
                    labels.append(outcome.labels.flatten().cpu())
            loss, value = sums.means()
            if detail is not None:
                detail.add_test(loss, predictions_of(logits, labels))
                wanted = self._recorder is None or self.recorder.epoch in snapshot_epochs(len(self._ends))
                detail.add_regions(self._logits, epoch=self.recorder.epoch, wanted=wanted)
        self.module.train()
        return self._score(loss, value)

    def _logits(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """[n, outputs] of inputs [n, features], for the plane."""
        logits = self.module(torch.tensor(points, device=self._device))
        return np.asarray(logits.reshape(len(points), -1).float().cpu())

    def _takes_targets(self) -> bool:
        """Whether the module takes the targets of its batches too; arrays come as tuples and need no look."""
        if isinstance(self._data, Dataset):
            return False
        with self._unmoved():
            return takes_targets(self.module, next(self._batches.epoch(0)))

    def _example(self) -> Any:
        """What the user's step returns for the first batch; the run is as before."""
        assert self._custom.step is not None
        with self._unmoved():
            return self._custom.step(self.module, next(self._batches.epoch(0)))

    def _median_loss(self) -> float:
        """The median loss of the first batches before training; the run is as before."""
        with self._unmoved():
            batches = itertools.islice(self._batches.epoch(0), REFERENCE_BATCHES)
            losses = [self._objective(self.module, batch).loss.item() for batch in batches]
        median = float(np.median(losses))
        if not np.isfinite(median) or median == 0:
            raise InvalidValue(f"the median loss before training must be a number other than 0, but got {median}")
        return median

    @contextmanager
    def _unmoved(self) -> Iterator[None]:
        """A block whose forward passes leave the module's buffers, the generators and the loaders as they were."""
        before = copy.deepcopy(self.module.state_dict())
        with undisturbed(), seeded_loaders(self._data, self._job.seed):
            yield
        self.module.load_state_dict(before)
