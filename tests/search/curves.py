"""A curve that is wide, as a search under way has it: all trained to depth 17, few at 32."""

from depthsearch.search.curve import Crossing, Curve, CurvePoint

POINTS = tuple(CurvePoint(depth=depth, trained=8, of=8, p=1.0) for depth in (2, 5, 9, 17))
WIDE = Curve(
    points=(*POINTS, CurvePoint(depth=32, trained=2, of=8, p=0.25)),
    max_depth=17,
    fails_at=32,
    interval=(15, 30),
    level=0.95,
    thresholds=(Crossing(reliability=0.9, depth=20, interval=(15, 30)),),
)
