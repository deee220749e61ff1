"""The criterion `no_worse`, whose bar a search sets."""

import pytest

from depthsearch.errors import InvalidValue
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem


def test_it_has_a_margin_and_no_other_kind_has_one() -> None:
    criterion = Criterion.model_validate("no_worse")
    assert (criterion.margin, criterion.last_epochs, criterion.min_gain, criterion.target) == (0.02, 3, None, None)
    assert Criterion(margin=0.05) == Criterion(kind="no_worse", margin=0.05)
    for kind in ("chance", "target"):
        assert Criterion(kind=kind).margin is None
        with pytest.raises(InvalidValue, match=r"margin belongs to the criterion 'no_worse', but got 0\.05 with"):
            Criterion.model_validate({"kind": kind, "margin": 0.05})


@pytest.mark.parametrize("margin", [0.0, 1.0, -0.1])
def test_a_margin_that_cannot_be_used_is_quoted(margin: float) -> None:
    with pytest.raises(InvalidValue, match=f"margin must be .* but got {margin}"):
        Criterion(kind="no_worse", margin=margin)


def test_the_questions_of_the_other_criteria_say_nothing_of_a_margin() -> None:
    fields = Problem.model_validate({}).model_dump(mode="json", exclude_none=True)
    assert fields["criterion"] == {"kind": "chance", "min_gain": 0.2, "last_epochs": 3}
    wide = Problem.model_validate({"criterion": {"kind": "no_worse", "margin": 0.05}})
    assert wide.question() != Problem.model_validate({"criterion": "no_worse"}).question()


def test_runs_are_judged_by_chance_until_the_bar_is_known() -> None:
    criterion = Criterion(kind="no_worse", last_epochs=5)
    assert criterion.judging(None) == Criterion(kind="chance", last_epochs=5)
    assert criterion.judging(0.9) == Criterion(kind="target", target=0.9, last_epochs=5)
    assert Criterion().judging(None) == Criterion()


def test_a_search_of_it_asks_for_half_of_the_runs_whatever_the_family_asks_for() -> None:
    resnet = {"family": "resnet", "activation": "relu"}
    assert Problem.model_validate(resnet).reliability == Problem.model_validate(resnet).network.reliability
    assert Problem.model_validate(resnet | {"criterion": "no_worse"}).reliability == 0.5
