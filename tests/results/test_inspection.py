"""Numbers of an inspection as JSON can hold them."""

import pytest

from depthsearch.errors import InvalidValue
from depthsearch.results.inspection import LayerWeights, Predictions


@pytest.mark.parametrize(
    ("value", "kept"),
    [(float("nan"), "nan"), (float("inf"), "inf"), (float("-inf"), "-inf"), (0.5, 0.5), (-0.0, 0.0), ("nan", "nan")],
)
def test_what_is_not_finite_is_kept_as_text(value: float | str, kept: float | str) -> None:
    weights = LayerWeights.model_validate({"name": "output", "before": [[value]], "after": None})
    assert weights.before == ((kept,),)
    again = LayerWeights.model_validate_json(weights.model_dump_json())
    assert again == weights
    assert again.after is None


def test_any_other_text_is_refused() -> None:
    with pytest.raises(InvalidValue):
        LayerWeights.model_validate({"name": "output", "before": [["many"]], "after": None})


def test_right_is_the_diagonal() -> None:
    found = Predictions(points=10, confusion=((3, 1), (2, 4)), undefined=0, right_probability=0.6, confidence=0.7)
    assert found.right == 7
