"""What an engine raises for one job, from what the network's code raised: in one line, with the whole traceback."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from depthsearch.errors import (
    BuildFailed,
    DepthsearchError,
    OutOfMemory,
    RunFailed,
    UserCodeFailed,
    error_words,
    is_out_of_memory,
)
from depthsearch.problem.problem import Problem

LONGEST_TRACEBACK = 20_000
"""Characters."""


def out_of_memory(
    problem: Problem, depth: int, error: BaseException | None = None, *, seed: int | None = None
) -> OutOfMemory:
    """A lack of memory in one line that says what asked for it, and what would ask for less."""
    units = problem.network.depth_words(depth)
    return OutOfMemory(
        f"out of memory while training {units} of {problem.label}: give a smaller network, or a smaller depth (in a "
        "search, a lower cap)",
        depth=depth,
        seed=seed,
        reason="" if error is None else error_words(error),
        traceback=traceback_of(error),
    )


def build_failed(problem: Problem, depth: int, error: BaseException, *, seed: int | None = None) -> BuildFailed:
    """What the family's code raised as it made a network, in one line."""
    reason = error_words(error)
    return BuildFailed(
        f"{problem.network.depth_words(depth)} of {problem.label} cannot be built: {reason}",
        depth=depth,
        seed=seed,
        reason=reason,
        traceback=traceback_of(error),
    )


def run_failed(problem: Problem, depth: int, error: BaseException, *, seed: int | None = None) -> RunFailed:
    """What ended a run, in one line."""
    reason, with_seed = error_words(error), "" if seed is None else f" with seed {seed}"
    return RunFailed(
        f"training {problem.network.depth_words(depth)} of {problem.label}{with_seed} failed: {reason}",
        depth=depth,
        seed=seed,
        reason=reason,
        traceback=traceback_of(error),
    )


@contextmanager
def translate_out_of_memory(problem: Problem, depth: int, *, seed: int | None = None) -> Iterator[None]:
    """A block that trains: a lack of memory becomes OutOfMemory, all other exceptions stay as they are."""
    try:
        yield
    except Exception as error:
        if isinstance(error, DepthsearchError) or not is_out_of_memory(error):
            raise
        raise out_of_memory(problem, depth, error, seed=seed) from error


@contextmanager
def translate_run_errors(problem: Problem, depth: int, *, seed: int) -> Iterator[None]:
    """A block that trains one run: what it raises becomes RunFailed, or OutOfMemory; what is refused stays as it is."""
    try:
        yield
    except UserCodeFailed as error:
        if error.trace:  # an exception, and no value that is refused
            raise run_failed(problem, depth, error, seed=seed) from error
        raise
    except (DepthsearchError, KeyboardInterrupt):
        raise
    except BaseException as error:
        if is_out_of_memory(error):
            raise out_of_memory(problem, depth, error, seed=seed) from error
        raise run_failed(problem, depth, error, seed=seed) from error


@contextmanager
def translate_build_errors(problem: Problem, depth: int, *, seed: int | None = None) -> Iterator[None]:
    """A block that makes a network: what its code raises becomes BuildFailed, or OutOfMemory."""
    try:
        yield
    except (BuildFailed, OutOfMemory, KeyboardInterrupt):
        raise
    except BaseException as error:
        if is_out_of_memory(error):
            raise out_of_memory(problem, depth, seed=seed, error=error) from error
        raise build_failed(problem, depth, error, seed=seed) from error


def traceback_of(error: BaseException | None) -> str:
    """The traceback as Python prints it; the beginning is cut off where it is very long."""
    if error is None:
        return ""
    text = "".join(traceback.format_exception(error))
    return text if len(text) <= LONGEST_TRACEBACK else f"...\n{text[-LONGEST_TRACEBACK:]}"
