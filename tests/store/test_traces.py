"""A trace goes into the store and comes back as it was."""

import numpy as np

from depthsearch.problem.problem import Problem
from depthsearch.store.tables import decode_trace, encode_trace
from tests.sameness import assert_same
from tests.store.values import trace


def test_a_trace_comes_back_to_the_last_bit() -> None:
    written = trace(Problem())
    read = decode_trace(encode_trace(written), Problem())
    assert_same(written, read)
    plain = [name for name in vars(written) if name not in ("train_loss", "train_accuracy", "snapshots")]
    assert {name: getattr(read, name) for name in plain} == {name: getattr(written, name) for name in plain}


def test_a_trace_that_is_not_finite_comes_back() -> None:
    written = trace(Problem())
    written.train_loss[-1] = np.nan
    assert np.isnan(decode_trace(encode_trace(written), Problem()).train_loss[-1])


def test_a_trace_of_twenty_layers_takes_a_few_kilobytes() -> None:
    assert len(encode_trace(trace(Problem(), depth=20, epochs=200))) < 8_000
