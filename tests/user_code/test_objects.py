"""Objects of the process are told apart by what they hold."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from depthsearch.errors import InvalidValue
from depthsearch.user_code.objects import fingerprint, hold, live_object


def scaled(factor: float) -> Callable[[float], float]:
    return lambda value: factor * value


def cell(text: str, **names: Any) -> Any:
    """A function `build` as a notebook defines it."""
    namespace: dict[str, Any] = {"__name__": "__main__", **names}
    exec(text, namespace)
    return namespace["build"]


def test_equal_functions_have_one_fingerprint() -> None:
    assert fingerprint(scaled(2.0)) == fingerprint(scaled(2.0))
    assert fingerprint(scaled(2.0)) != fingerprint(scaled(3.0))


def test_what_a_function_of_a_notebook_refers_to_belongs_to_it() -> None:
    text = "def width():\n    return {}\n\ndef build(depth):\n    return depth * width()\n"

    assert fingerprint(cell(text.format(5))) == fingerprint(cell(text.format(5)))
    assert fingerprint(cell(text.format(5))) != fingerprint(cell(text.format(6)))
    assert fingerprint(cell("def build(depth):\n    return K\n", K=1)) != fingerprint(
        cell("def build(depth):\n    return K\n", K=2)
    )


def test_classes_of_a_notebook_are_told_apart_by_their_methods() -> None:
    text = "class Net:\n    def forward(self, x):\n        return x + {}\n\ndef build(depth):\n    return Net()\n"

    assert fingerprint(cell(text.format(1))) == fingerprint(cell(text.format(1)))
    assert fingerprint(cell(text.format(1))) != fingerprint(cell(text.format(2)))


def test_data_are_told_apart_by_their_numbers() -> None:
    import torch

    first = (np.zeros((3, 2)), torch.zeros(3))
    assert fingerprint(first) == fingerprint((np.zeros((3, 2)), torch.zeros(3)))
    assert fingerprint(first) != fingerprint((np.zeros((2, 3)), torch.zeros(3)))
    assert fingerprint(first) != fingerprint((np.zeros((3, 2)), torch.ones(3)))


def test_objects_that_refer_to_each_other_have_a_fingerprint() -> None:
    first: list[Any] = [1]
    first.append(first)
    second: list[Any] = [1]
    second.append(second)

    assert fingerprint(first) == fingerprint(second)


def test_what_cannot_be_read_is_told_apart_by_its_place() -> None:
    first, second = iter([1]), iter([1])

    assert fingerprint(first) == fingerprint(first)
    assert fingerprint(first) != fingerprint(second)


def test_an_object_of_another_process_is_one_line() -> None:
    text = hold([1, 2])

    assert live_object(text, path="data.name").target == [1, 2]
    with pytest.raises(InvalidValue) as error:
        live_object(f"{text}0", path="data.name")
    assert str(error.value) == (
        "name was 'list' of a Python process that has ended, so it cannot be run again: write it into a file, and "
        "name it as FILE.py:name"
    )
