"""The three shapes of a trainability curve."""

import numpy as np
import pytest

from depthsearch.search.threshold.posterior import LINKS, LN2, WHERE, Values, weibull


@pytest.mark.parametrize("place", range(len(LINKS)))
def test_a_shape_falls_through_one_half_with_the_same_slope(place: int) -> None:
    shape = LINKS[place]
    t = np.linspace(-40, 40, 4001)
    shares = shape(t)
    assert np.all(np.diff(shares) <= 0)
    assert shape(np.array([0.0]))[0] == pytest.approx(0.5)
    assert shares[0] == pytest.approx(1, abs=1e-6)
    assert shares[-1] == pytest.approx(0, abs=1e-6)
    step = 1e-5
    before, after = shape(np.array([-step, step]))
    assert (after - before) / (2 * step) == pytest.approx(-0.25, rel=1e-6)


@pytest.mark.parametrize("place", range(len(LINKS)))
def test_where_a_shape_has_a_share_is_its_inverse(place: int) -> None:
    shares: Values = np.linspace(0.001, 0.999, 500)
    np.testing.assert_allclose(LINKS[place](WHERE[place](shares)), shares, rtol=1e-9)


def test_the_second_shape_holds_powers_of_a_constant() -> None:
    depths = np.array([1.0, 3.0, 10.0, 30.0])
    middle, beta = np.log(10.0), 2 * LN2
    np.testing.assert_allclose(weibull(beta * (np.log(depths) - middle)), 0.5 ** (depths / 10))
