import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits, make_moons

from depthsearch.data.base import Dataset, DataSource, DataSpec

PLANAR = ("moons", "circles", "xor", "spirals")

DATA_SETS = [
    name
    for name in DataSource.names()
    if not any(field.is_required() for field in DataSource.entry(name).model_fields.values())
    and not DataSource.entry(name).runs_user_code
]
"""Those that need neither a file nor a user's code."""

CLASSIFIED = [name for name in DATA_SETS if DataSource.of(name).spec.task == "classification"]


def source(name: str, **options: float | None) -> DataSource:
    return DataSource.of({"name": name} | options)


@pytest.mark.parametrize("name", DATA_SETS)
def test_what_a_network_has_to_know_needs_no_points(name: str) -> None:
    spec, data = source(name).spec, source(name).load()

    assert (spec.shape, spec.classes) == (data.x_train.shape[1:], data.classes)


def both_halves(data: Dataset) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """All points [N + M, features] and all labels [N + M]."""
    return np.vstack((data.x_train, data.x_test)).astype(np.float64), np.concatenate((data.y_train, data.y_test))


# The plane.


@pytest.mark.parametrize("name", PLANAR)
def test_a_thousand_points_are_split_in_half(name: str) -> None:
    data = source(name).load()

    assert (data.x_train.shape, data.y_train.shape) == ((500, 2), (500,))
    assert (data.x_test.shape, data.y_test.shape) == ((500, 2), (500,))
    assert source(name).spec == DataSpec(shape=(2,), classes=2)


@pytest.mark.parametrize("name", PLANAR)
def test_the_first_points_are_for_training_and_a_share_for_test(name: str) -> None:
    data = source(name, points=250, test_share=0.2).load()

    assert (len(data.x_train), len(data.x_test)) == (200, 50)
    assert set(data.y_train) == set(data.y_test) == {0, 1}


def test_moons_are_scikit_learns_in_its_order() -> None:
    data = source("moons", points=250, noise=0.05, seed=42, test_share=0.2).load()
    x, y = make_moons(250, noise=0.05, random_state=42)

    np.testing.assert_array_equal(data.x_train, x[:200].astype(np.float32))
    np.testing.assert_array_equal(data.y_test, y[200:])


def test_a_fifth_of_the_digits_for_test() -> None:
    data = source("digits", test_share=0.2).load()

    assert (len(data.x_train), len(data.x_test)) == (1437, 360)
    np.testing.assert_allclose(data.x_train.mean(axis=0), 0, atol=1e-6)


@pytest.mark.parametrize("name", CLASSIFIED)
def test_points_are_single_precision_and_labels_are_integers(name: str) -> None:
    data = source(name).load()

    assert (data.x_train.dtype.name, data.x_test.dtype.name) == ("float32", "float32")
    assert (data.y_train.dtype.name, data.y_test.dtype.name) == ("int64", "int64")


@pytest.mark.parametrize("name", PLANAR)
@pytest.mark.parametrize("seed", [0, 1, 7])
def test_the_classes_are_equally_frequent_over_both_halves(name: str, seed: int) -> None:
    _, y = both_halves(source(name, seed=seed).load())

    assert np.bincount(y).tolist() == [500, 500]


@pytest.mark.parametrize("name", PLANAR)
def test_both_halves_hold_both_classes(name: str) -> None:
    data = source(name).load()

    assert min(np.bincount(data.y_train).min(), np.bincount(data.y_test).min()) > 200


@pytest.mark.parametrize("name", DATA_SETS)
def test_the_same_options_give_the_same_points(name: str) -> None:
    first = source(name, seed=3).load()
    second = source(name, seed=3).draw()

    assert isinstance(second, Dataset)
    assert first is not second
    assert np.array_equal(first.x_train, second.x_train)
    assert np.array_equal(first.x_test, second.x_test)
    assert np.array_equal(first.y_train, second.y_train)
    assert np.array_equal(first.y_test, second.y_test)


@pytest.mark.parametrize("name", DATA_SETS)
def test_another_seed_gives_other_points(name: str) -> None:
    assert not np.array_equal(source(name, seed=1).load().x_train, source(name, seed=2).load().x_train)


@pytest.mark.parametrize("name", PLANAR)
def test_noise_moves_the_points(name: str) -> None:
    assert not np.array_equal(source(name, noise=0).load().x_train, source(name, noise=0.1).load().x_train)


@pytest.mark.parametrize("name", ["xor", "spirals"])
def test_noise_moves_each_coordinate_by_its_standard_deviation(name: str) -> None:
    exact, _ = both_halves(source(name, noise=0).load())
    moved, _ = both_halves(source(name, noise=0.5).load())

    # 2000 normal numbers: a standard deviation is known to about 0.008.
    assert (moved - exact).std() == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize(("noise", "seed"), [(0.0, 0), (0.2, 0), (0.2, 42)])
def test_moons_are_those_of_scikit_learn(noise: float, seed: int) -> None:
    x, y = make_moons(1000, noise=noise, random_state=seed)

    points, labels = both_halves(source("moons", noise=noise, seed=seed).load())

    assert np.array_equal(points, x.astype(np.float32))
    assert np.array_equal(labels, y)


def test_without_noise_the_circles_have_radius_one_and_a_half() -> None:
    x, y = both_halves(source("circles", noise=0).load())

    assert np.hypot(*x.T) == pytest.approx(np.where(y == 0, 1, 0.5), abs=1e-6)


def test_without_noise_xor_labels_say_whether_the_signs_differ() -> None:
    x, y = both_halves(source("xor", noise=0).load())

    assert np.array_equal(y, (np.sign(x[:, 0]) != np.sign(x[:, 1])).astype(np.int64))


def test_without_noise_xor_fills_all_four_quarters_of_the_square() -> None:
    x, _ = both_halves(source("xor", noise=0).load())

    assert np.abs(x).max() <= 1
    assert np.bincount((x[:, 0] > 0) * 2 + (x[:, 1] > 0)).min() > 200


def test_without_noise_the_spirals_end_at_radius_two() -> None:
    x, _ = both_halves(source("spirals", noise=0).load())

    assert 1.99 < np.hypot(*x.T).max() <= 2 + 1e-6


def test_without_noise_a_spirals_angle_follows_from_its_radius() -> None:
    x, y = both_halves(source("spirals", noise=0).load())

    radius = np.hypot(*x.T)
    angle = 3 * np.pi * radius / 2 + np.pi * y

    assert x == pytest.approx(radius[:, None] * np.column_stack((np.cos(angle), np.sin(angle))), abs=1e-5)


# Digits.


def test_digits_are_1797_images_of_64_pixels_in_ten_classes() -> None:
    data = source("digits").load()

    assert (len(data.x_train), len(data.x_test)) == (898, 899)
    assert source("digits").spec == DataSpec(shape=(64,), classes=10, image=(1, 8, 8))


def test_digits_have_the_labels_that_scikit_learn_ships() -> None:
    _, y = both_halves(source("digits").load())

    assert np.bincount(y).tolist() == np.bincount(load_digits().target).tolist()


def test_digits_are_the_images_that_scikit_learn_ships_but_for_scale() -> None:
    data = source("digits").load()
    x, _ = both_halves(data)
    varies = data.x_train.std(axis=0) > 0

    # Standardising keeps the order of a pixel's values: sorted, they are the real ones, scaled and shifted.
    pairs = zip(np.sort(x, axis=0).T[varies], np.sort(load_digits().data, axis=0).T[varies], strict=True)
    assert min(np.corrcoef(ours, real)[0, 1] for ours, real in pairs) > 1 - 1e-6


@pytest.mark.parametrize("seed", [0, 5])
def test_a_pixel_of_the_training_half_has_mean_zero_and_deviation_one_or_is_always_zero(seed: int) -> None:
    x = source("digits", seed=seed).load().x_train.astype(np.float64)

    deviation = x.std(axis=0)
    assert x.mean(axis=0) == pytest.approx(np.zeros(64), abs=1e-5)
    assert np.isclose(deviation, 1, atol=1e-5).sum() > 55
    assert np.all(np.isclose(deviation, 1, atol=1e-5) | (x == 0).all(axis=0))


def test_a_pixel_that_is_constant_in_training_is_zero_in_test_too() -> None:
    data = source("digits").load()

    assert not data.x_test[:, data.x_train.std(axis=0) == 0].any()


def test_the_test_half_is_scaled_by_the_training_half_alone() -> None:
    deviation = source("digits").load().x_test.std(axis=0)

    assert np.abs(deviation[deviation > 0] - 1).max() > 0.01


# Friedman's function.


def test_friedmans_numbers_have_mean_zero_and_deviation_one_in_training() -> None:
    data = source("friedman").load()

    assert (data.x_train.shape, data.y_train.shape, data.y_train.dtype.name) == ((500, 10), (500, 1), "float32")
    assert data.y_train.mean() == pytest.approx(0, abs=1e-5)
    assert data.y_train.std() == pytest.approx(1, abs=1e-5)
    assert np.abs(data.x_train).max() <= 1
    assert (data.classes, data.baseline) == (None, 0.0)


def test_without_noise_friedmans_function_gives_the_numbers() -> None:
    data = source("friedman", noise=0).load()
    x = (np.vstack((data.x_train, data.x_test)).astype(np.float64).T + 1) / 2
    y = np.vstack((data.y_train, data.y_test))[:, 0]

    exact = 10 * np.sin(np.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4]
    assert np.corrcoef(exact, y)[0, 1] > 1 - 1e-6


# What a data set says of itself.


def test_the_baseline_is_the_share_of_the_commonest_class_in_training() -> None:
    x = np.zeros((4, 2), dtype=np.float32)
    data = Dataset(x, np.array([0, 1, 1, 1]), x, np.array([0, 0, 0, 0]), classes=2)

    assert data.baseline == 0.75


@pytest.mark.parametrize("name", CLASSIFIED)
def test_no_constant_guess_beats_the_baseline(name: str) -> None:
    data = source(name).load()

    assert data.baseline == max(float((data.y_train == label).mean()) for label in range(10))
