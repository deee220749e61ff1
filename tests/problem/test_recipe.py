"""The learning rate from step to step, against torch's schedulers; and what a recipe leaves out where it is stored."""

from dataclasses import asdict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, SequentialLR

from depthsearch.problem.optimizers import AdaptiveNumbers
from depthsearch.problem.recipe import Recipe
from tests.problem.problems import recipes

STEPS = 40

RECIPES = {
    "constant": Recipe(steps=STEPS),
    "warm-up": Recipe(steps=STEPS, warmup_steps=7),
    "cosine": Recipe(steps=STEPS, schedule="cosine"),
    "cosine-to": Recipe(steps=STEPS, schedule="cosine", learning_rate=0.001, final_learning_rate=2e-5),
    "both": Recipe(steps=STEPS, schedule="cosine", final_learning_rate=0.002, warmup_steps=9),
    "one-step-of-warm-up": Recipe(steps=STEPS, schedule="cosine", warmup_steps=1),
}


def rates_of_torch(recipe: Recipe) -> list[float]:
    """The learning rates of torch's schedulers, which are stepped after every step of the optimizer."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=recipe.learning_rate)
    warmup, parts = recipe.warmup_steps or 0, list[LRScheduler]()
    if warmup:
        parts.append(LinearLR(optimizer, start_factor=1 / warmup, total_iters=max(warmup - 1, 1)))
    if recipe.schedule is None:
        parts.append(LinearLR(optimizer, start_factor=1.0))
    else:
        parts.append(CosineAnnealingLR(optimizer, STEPS - warmup, eta_min=recipe.final_learning_rate or 0.0))
    scheduler = parts[0] if len(parts) == 1 else SequentialLR(optimizer, parts, milestones=[warmup])
    rates = []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step")
def test_the_learning_rate_of_every_step_is_torchs(recipe: Recipe) -> None:
    rates = [recipe.learning_rate_at(step, STEPS) for step in range(STEPS)]

    assert rates == pytest.approx(rates_of_torch(recipe), rel=1e-9)


def test_the_cosine_falls_from_the_rate_to_the_final_one() -> None:
    recipe = Recipe(steps=1000, schedule="cosine", learning_rate=0.1, final_learning_rate=0.02)

    assert recipe.learning_rate_at(0, 1000) == pytest.approx(0.1)
    assert recipe.learning_rate_at(500, 1000) == pytest.approx(0.06)
    assert recipe.learning_rate_at(1000, 1000) == pytest.approx(0.02)


def test_a_warm_up_reaches_the_rate_with_its_last_step() -> None:
    recipe = Recipe(steps=10, warmup_steps=4, learning_rate=0.8)

    assert [recipe.learning_rate_at(step, 10) for step in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8, 0.8])


@given(recipes(), st.integers(1, 300))
@settings(deadline=None)
def test_the_mean_rate_is_the_mean_of_the_rates(recipe: Recipe, total: int) -> None:
    """Also where the warm-up is longer than the budget."""
    rates = [recipe.learning_rate_at(step, total) for step in range(total)]

    assert recipe.mean_learning_rate(total) == pytest.approx(sum(rates) / total, rel=1e-9)


def test_the_mean_of_a_constant_rate_is_the_rate_itself() -> None:
    assert Recipe(learning_rate=0.1).mean_learning_rate(3) == 0.1


def test_fields_that_were_added_are_left_out_where_they_are_null() -> None:
    assert not set(Recipe().model_dump()) & set(Recipe.added)
    assert Recipe(clip_norm=1).model_dump().keys() - Recipe().model_dump().keys() == {"clip_norm"}


@pytest.mark.parametrize(
    ("optimizer", "numbers"),
    [
        ("sgd", AdaptiveNumbers(None, None, None)),
        ("adam", AdaptiveNumbers(1e-8, 0.9, 0.999)),
        ("adamw", AdaptiveNumbers(1e-8, 0.9, 0.999)),
        ("rmsprop", AdaptiveNumbers(1e-8, None, 0.99)),
        ("adagrad", AdaptiveNumbers(1e-10, None, None)),
    ],
)
def test_numbers_that_are_left_out_are_torchs_and_giving_these_is_the_same_recipe(
    optimizer: str, numbers: AdaptiveNumbers
) -> None:
    plain = Recipe.model_validate({"optimizer": optimizer})
    given = Recipe.model_validate({"optimizer": optimizer, **asdict(numbers)})
    assert plain.adaptive == numbers
    assert given == plain
    assert (given.epsilon, given.first_decay, given.second_decay) == (None, None, None)
    assert not {"epsilon", "first_decay", "second_decay"} & set(given.model_dump())


def test_numbers_that_are_given_stay_and_can_be_zero() -> None:
    recipe = Recipe.model_validate({"optimizer": "adam", "first_decay": 0.0, "epsilon": 1e-10})
    assert recipe.adaptive == AdaptiveNumbers(1e-10, 0.0, 0.999)
    assert recipe.fewest_fields() == {"optimizer": "adam", "first_decay": 0.0, "epsilon": 1e-10}
