"""What a module is trained for: its loss and its score on one batch, by task."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from depthsearch.data.base import NO_TARGET, TARGET_KEYS, DataSpec, target_key
from depthsearch.errors import InvalidValue, one_line
from depthsearch.networks.base import CustomTraining
from depthsearch.training.modules.structure import first_tensor, points_in


@dataclass(frozen=True)
class Outcome:
    """What one batch shows.

    Attributes:
        loss: [] mean loss, with its graph.
        value: [] mean over what counts: 1 for a right prediction; the squared error over the target's variance; or the
            loss again, where only that is known. None where it is the loss.
        count: How many points, or positions, it is a mean over.
        points: Points in the batch.
        logits: The module's output, where the batch was classified; None elsewhere.
        labels: [points, ...] of these logits.
    """

    loss: Tensor
    value: Tensor | None
    count: Tensor | int
    points: int
    logits: Tensor | None = None
    labels: Tensor | None = None


class Objective(Protocol):
    """The loss and the score of a module on a batch."""

    @property
    def measure(self) -> str:
        """What the values are: "right", "error" or "loss"."""

    def __call__(self, module: nn.Module, batch: Any) -> Outcome:
        """Run the module on a batch, and measure it."""


@dataclass(frozen=True)
class Classification:
    """One class for each input, or for each position of it: cross-entropy, and the share of right predictions.

    Logits are [batch, classes] or, for two classes, [batch] or [batch, 1]; of a sequence, [batch, positions, classes].

    Attributes:
        spec: Of the data.
        loss: A user's loss of (outputs, targets); by default cross-entropy.
        smoothing: Label smoothing, 0 for none.
        whole_batch: Whether the module takes the labels too, and may compute the loss.
    """

    spec: DataSpec
    loss: Callable[..., Any] | None = None
    smoothing: float = 0.0
    whole_batch: bool = False
    measure: str = "right"

    def __call__(self, module: nn.Module, batch: Any) -> Outcome:
        """Run the module on (inputs, ..., labels), and measure it."""
        inputs, labels = split_batch(batch)
        output = call(module, batch if self.whole_batch else inputs)
        logits = _checked_logits(output, labels, self.spec)
        # What the loss takes: classes in the second dimension.
        flat, target = logits.flatten(0, -2) if logits.dim() > 2 else logits, labels.flatten()  # noqa: PLR2004
        computed = loss_of(output) if self.whole_batch else None
        if self.loss is not None:
            loss = self.loss(output, labels)
        elif computed is not None:
            loss = computed
        elif flat.shape[1] == 1:
            smooth = target.to(flat.dtype) * (1 - self.smoothing) + self.smoothing / 2
            loss = functional.binary_cross_entropy_with_logits(flat[:, 0], smooth)
        else:
            loss = functional.cross_entropy(flat, target, ignore_index=NO_TARGET, label_smoothing=self.smoothing)
        with torch.no_grad():
            counted = target != NO_TARGET
            predicted = (flat[:, 0] > 0).long() if flat.shape[1] == 1 else flat.argmax(dim=1)
            count = counted.sum()
            right = ((predicted == target) & counted).sum() / count.clamp(min=1)
        return Outcome(loss, right, count, points_in(batch), logits.detach(), labels)


@dataclass(frozen=True)
class Regression:
    """Numbers for each input: the mean squared error, and the explained variance.

    Attributes:
        variance: [targets] of the training targets; the error of the best constant prediction.
        loss: A user's loss of (outputs, targets); by default the mean squared error.
    """

    variance: Tensor
    loss: Callable[..., Any] | None = None
    measure: str = "error"

    def __call__(self, module: nn.Module, batch: Any) -> Outcome:
        """Run the module on (inputs, ..., targets), and measure it."""
        inputs, targets = split_batch(batch)
        output = call(module, inputs)
        predicted = first_tensor(output)
        if predicted is None:
            raise _no_tensor(output)
        if predicted.numel() != targets.numel():
            shape = tuple(predicted.shape)
            raise InvalidValue(f"the network gives outputs of shape {shape} for targets of {tuple(targets.shape)}")
        predicted = predicted.reshape(targets.shape)
        loss = functional.mse_loss(predicted, targets) if self.loss is None else self.loss(output, targets)
        with torch.no_grad():
            squares = (predicted.float() - targets).square().reshape(len(targets), -1).mean(dim=0)
            error = (squares / self.variance.to(squares.device)).mean()
        return Outcome(loss, error, len(targets), points_in(batch))


@dataclass(frozen=True)
class CustomLoss:
    """Only a loss: that of `loss(outputs, targets)`, of an output with a `loss`, or of the mean of the output.

    Attributes:
        loss: A user's loss of (outputs, targets).
    """

    loss: Callable[..., Any] | None = None
    measure: str = "loss"

    def __call__(self, module: nn.Module, batch: Any) -> Outcome:
        """Run the module on the batch, and measure it."""
        if self.loss is not None:
            inputs, targets = split_batch(batch)
            return Outcome(self.loss(call(module, inputs), targets), None, points_in(batch), points_in(batch))
        output = call(module, batch)
        loss = loss_of(output)
        if loss is None:
            raise InvalidValue(
                f"the network's output has no loss, but got {type(output).__name__}: give loss(outputs, targets) or "
                "step(model, batch) in its file, or an output with a .loss"
            )
        return Outcome(loss, None, points_in(batch), points_in(batch))


@dataclass(frozen=True)
class CustomStep:
    """A user's step(model, batch) -> loss or (loss, correct).

    Attributes:
        step: The user's.
        counts: Whether it gives `correct`, as its first batch shows.
    """

    step: Callable[..., Any]
    counts: bool

    @property
    def measure(self) -> str:
        """Right predictions where they are counted, else the loss."""
        return "right" if self.counts else "loss"

    def __call__(self, module: nn.Module, batch: Any) -> Outcome:
        """Let the step run the module on the batch."""
        result, points = self.step(module, batch), points_in(batch)
        loss, correct = result if isinstance(result, tuple) else (result, None)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            raise InvalidValue(f"step(model, batch) must return a loss of one number, but got {result!r:.100}")
        if correct is None:
            return Outcome(loss.reshape(()), None, points, points)
        right = torch.as_tensor(correct, device=loss.device)
        if right.numel() > 1 or right.dtype == torch.bool:
            return Outcome(loss.reshape(()), right.float().mean(), right.numel(), points)
        return Outcome(loss.reshape(()), right.float().reshape(()) / points, points, points)


def choose_objective(
    spec: DataSpec,
    custom: CustomTraining,
    *,
    variance: Tensor | None,
    smoothing: float,
    takes_targets: bool,
    example: Callable[[], Any],
) -> Objective:
    """The objective of a task.

    A module that takes the labels of a sequence computes its loss itself, and may shift them, as causal models of
    transformers do: its score is made of losses.

    Args:
        spec: Of the data.
        custom: What a user's code does in place of the engine.
        variance: [targets] of the training targets, for regression.
        smoothing: Label smoothing.
        takes_targets: Whether a batch is a dict whose target the module takes too.
        example: Gives what the user's step returns for a batch; called once, where there is a step.
    """
    if custom.step is not None:
        return CustomStep(custom.step, counts=isinstance(example(), tuple))
    if spec.task == "classification" or (spec.task == "sequence" and not (takes_targets and custom.loss is None)):
        return Classification(spec, custom.loss, smoothing, whole_batch=takes_targets and custom.loss is None)
    if spec.task == "regression":
        assert variance is not None
        return Regression(variance, custom.loss)
    return CustomLoss(custom.loss)


def split_batch(batch: Any) -> tuple[Any, Any]:
    """The inputs and the target of a batch; the target of a batch of inputs only is these inputs."""
    if isinstance(batch, Mapping):
        key = target_key(batch)
        if key is None:
            raise InvalidValue(
                f"a batch with the entries {', '.join(map(str, batch))} has no target: name one of them one of "
                f"{', '.join(TARGET_KEYS)}, or give step(model, batch)"
            )
        return {name: value for name, value in batch.items() if name != key}, batch[key]
    if isinstance(batch, list | tuple) and len(batch) > 1:
        return tuple(batch[:-1]), batch[-1]
    return batch, batch[0] if isinstance(batch, list | tuple) else batch


def call(module: nn.Module, inputs: Any) -> Any:
    """Run the module: entries of a dict are passed by name, those that it takes; parts of a tuple by place.

    Raises:
        InvalidValue: The module takes other arguments.
    """
    places: tuple[Any, ...] = ()
    names: dict[str, Any] = {}
    if isinstance(inputs, Mapping):
        names = {name: value for name, value in inputs.items() if accepts(module, name)}
    else:
        places = tuple(inputs) if isinstance(inputs, list | tuple) else (inputs,)
    try:
        return module(*places, **names)
    except TypeError as error:
        try:
            inspect.signature(module.forward).bind(*places, **names)
        except TypeError as mismatch:
            raise _refused_arguments(module, inputs, mismatch) from error
        raise


def _refused_arguments(module: nn.Module, inputs: Any, mismatch: TypeError) -> InvalidValue:
    """What the module's forward takes, and what a batch passes to it."""
    takes = ", ".join(inspect.signature(module.forward).parameters) or "nothing"
    passed = f"{len(inputs) if isinstance(inputs, list | tuple) else 1} by place"
    if isinstance(inputs, Mapping):
        passed = f"its entries by name, {', '.join(map(str, inputs))}"
    return InvalidValue(
        f"forward of {type(module).__name__} takes {takes}, but a batch passes {passed} ({mismatch}): write "
        "step(model, batch) in the file of the network to call it in another way"
    )


def accepts(module: nn.Module, name: str) -> bool:
    """Whether the module's forward takes an argument of that name."""
    parameters = inspect.signature(module.forward).parameters
    return name in parameters or any(one.kind is one.VAR_KEYWORD for one in parameters.values())


def takes_targets(module: nn.Module, batch: Any) -> bool:
    """Whether a batch is a dict whose target the module takes too."""
    if not isinstance(batch, Mapping):
        return False
    key = target_key(batch)
    return key is not None and accepts(module, key)


def logits_of(output: Any) -> Tensor | None:
    """The entry `logits` of an output that has one, else its first floating tensor."""
    found = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
    return found if isinstance(found, Tensor) else first_tensor(output)


def loss_of(output: Any) -> Tensor | None:
    """The entry `loss` of an output; None where it has none."""
    found = output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", None)
    return found if isinstance(found, Tensor) else None


def _checked_logits(output: Any, labels: Tensor, spec: DataSpec) -> Tensor:
    """Logits with the classes in their last dimension.

    Raises:
        InvalidValue: There are none, or they have another shape than the labels ask for.
    """
    logits, wanted = logits_of(output), (*labels.shape, spec.classes)
    if logits is None:
        raise _no_tensor(output)
    if logits.shape == labels.shape and spec.classes == 2:  # noqa: PLR2004 - one logit
        logits = logits[..., None]
    if logits.shape[:-1] == labels.shape and logits.shape[-1] >= min(spec.outputs, spec.classes or 1):
        return logits
    shape = tuple(logits.shape)
    raise InvalidValue(f"the network gives outputs of shape {shape}, but the labels ask for {wanted}")


def _no_tensor(output: Any) -> InvalidValue:
    return InvalidValue(f"the network must give a tensor of floating-point numbers, but gave {one_line(repr(output))}")
