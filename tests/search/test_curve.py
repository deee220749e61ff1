import pytest

from depthsearch.errors import InvalidValue
from depthsearch.search.curve import Conclusion, Curve, CurvePoint


def test_a_curve_is_unconfirmed_until_fresh_seeds_say_otherwise() -> None:
    assert not Curve(points=(), max_depth=16, fails_at=24, concluded=Conclusion.ADJACENT).confirmed


@pytest.mark.parametrize(("trained", "of"), [(-1, 3), (0, -1)])
def test_counts_that_cannot_be_are_refused(trained: int, of: int) -> None:
    with pytest.raises(InvalidValue):
        CurvePoint(depth=3, trained=trained, of=of, p=0.5)
