"""What the engines share in gathering a run's detail."""

import numpy as np
import pytest

from depthsearch.training.detail import log_probabilities


@pytest.mark.parametrize("logits", [[np.inf], [-np.inf], [np.nan], [np.inf, 0.0], [np.inf, np.inf], [-np.inf, -np.inf]])
def test_probabilities_of_logits_that_exploded_are_undefined_without_a_warning(logits: list[float]) -> None:
    found = log_probabilities(np.array([logits], np.float32))
    assert not np.isfinite(found).all()


def test_probabilities_add_up_to_one_class_by_class() -> None:
    logits = np.array([[0.0], [800.0], [-3.0]], np.float32)
    np.testing.assert_allclose(np.exp(log_probabilities(logits)).sum(axis=1), 1)
