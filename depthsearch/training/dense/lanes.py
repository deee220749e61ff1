"""A row of LANES points as one value in compiled code: LLVM's vectors, which become the machine's widest.

Loops over a constant number of points would be left to LLVM's judgement: it unrolls the small ones first and then
finds no vectors in them, and two rows that might overlap keep it from trying. A value of this type is a vector
whatever surrounds it. Arithmetic with a float32 spreads the number over all points. NaN and infinities are kept.

The rows are those of C-contiguous float32 arrays of two dimensions, [rows, LANES]; no index is checked.
"""

import operator
from collections.abc import Callable
from typing import Any, ClassVar

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from depthsearch.training.dense.program import LANES

_VECTOR = ir.VectorType(ir.FloatType(), LANES)


_WIDE_VECTOR = ir.VectorType(ir.DoubleType(), LANES)


_INTEGERS = ir.VectorType(ir.IntType(32), LANES)


class Lanes(types.Type):
    """The type of a row of LANES float32."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes{LANES}")


LANES_TYPE = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, _VECTOR)


def _spread(builder, value):
    """A vector that holds the number everywhere; a vector stays as it is."""
    if isinstance(value.type, ir.VectorType):
        return value
    first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(_INTEGERS, [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(_VECTOR, ir.Undefined), zeros)


def _define(function: Callable[..., Any], instruction: str) -> None:
    """An operator between vectors, or between a vector and a float32."""
    pairs = [(LANES_TYPE, LANES_TYPE), (LANES_TYPE, types.float32), (types.float32, LANES_TYPE)]

    @infer_global(function)
    class _Template(ConcreteTemplate):
        cases: ClassVar = [signature(LANES_TYPE, *pair) for pair in pairs]

    def lower(context, builder, sig, args):
        return getattr(builder, instruction)(*(_spread(builder, value) for value in args))

    for pair in pairs:
        lower_builtin(function, *pair)(lower)


_define(operator.add, "fadd")


_define(operator.sub, "fsub")


_define(operator.mul, "fmul")


_define(operator.truediv, "fdiv")


def _place(context, builder, sig, args, stride):
    """The address of a number: `stride` times the index (the second argument) into an array (the first)."""
    data = cgutils.create_struct_proxy(sig.args[0])(context, builder, value=args[0]).data
    index = context.cast(builder, args[1], sig.args[1], types.intp)
    return builder.gep(data, [builder.mul(index, ir.Constant(index.type, stride))])


def _row(context, builder, sig, args):
    """Where a row begins, as a pointer to a vector."""
    return builder.bitcast(_place(context, builder, sig, args, LANES), _VECTOR.as_pointer())


def _number(context, builder, sig, args):
    """Where a number of an array of one dimension is."""
    return _place(context, builder, sig, args, 1)


@intrinsic
def load(typing, rows, index):
    """The row at that index."""

    def lower(context, builder, sig, args):
        return builder.load(_row(context, builder, sig, args), align=4)

    return LANES_TYPE(rows, index), lower


@intrinsic
def store(typing, rows, index, value):
    """Write the row at that index."""

    def lower(context, builder, sig, args):
        builder.store(args[2], _row(context, builder, sig, args), align=4)
        return context.get_dummy_value()

    return types.void(rows, index, LANES_TYPE), lower


@intrinsic
def spread(typing, value):
    """The number at every point."""

    def lower(context, builder, sig, args):
        return _spread(builder, args[0])

    return LANES_TYPE(types.float32), lower


@intrinsic
def pick(typing, numbers, index):
    """The number at that index of a row of numbers of one dimension."""

    def lower(context, builder, sig, args):
        return builder.load(_number(context, builder, sig, args))

    return numbers.dtype(numbers, index), lower


@intrinsic
def add(typing, numbers, index, value):
    """Add to the number at that index of a row of numbers of one dimension."""

    def lower(context, builder, sig, args):
        place = _number(context, builder, sig, args)
        builder.store(builder.fadd(builder.load(place), args[2]), place)
        return context.get_dummy_value()

    return types.void(numbers, index, numbers.dtype), lower


def _intrinsic_call(builder, name, result, arguments):
    function_type = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, function_type, name), arguments)


@intrinsic
def total(typing, value):
    """The sum over the points."""

    def lower(context, builder, sig, args):
        zero = ir.Constant(ir.FloatType(), -0.0)
        return _intrinsic_call(builder, f"llvm.vector.reduce.fadd.v{LANES}f32", ir.FloatType(), [zero, args[0]])

    return types.float32(LANES_TYPE), lower


@intrinsic
def total_of_squares(typing, value):
    """The sum of squares, in float64: in float32 it would overflow, or vanish before the gradient does."""

    def lower(context, builder, sig, args):
        wide = builder.fpext(args[0], _WIDE_VECTOR)
        zero = ir.Constant(ir.DoubleType(), -0.0)
        squares = builder.fmul(wide, wide)
        return _intrinsic_call(builder, f"llvm.vector.reduce.fadd.v{LANES}f64", ir.DoubleType(), [zero, squares])

    return types.float64(LANES_TYPE), lower


def _where(comparison, value, bound, yes, no):
    def lower(context, builder, sig, args):
        left, right, first, second = (_spread(builder, argument) for argument in args)
        return builder.select(builder.fcmp_ordered(comparison, left, right), first, second)

    return LANES_TYPE(value, bound, yes, no), lower


@intrinsic
def where_above(typing, value, bound, yes, no):
    """`yes` where value > bound, `no` elsewhere and where one of them is NaN; each a row or a float32."""
    return _where(">", value, bound, yes, no)


@intrinsic
def where_equal(typing, value, bound, yes, no):
    """`yes` where value == bound, `no` elsewhere and where one of them is NaN; each a row or a float32."""
    return _where("==", value, bound, yes, no)


@intrinsic
def product(typing, value):
    """The product over the points, in float64."""

    def lower(context, builder, sig, args):
        wide, one = builder.fpext(args[0], _WIDE_VECTOR), ir.Constant(ir.DoubleType(), 1.0)
        return _intrinsic_call(builder, f"llvm.vector.reduce.fmul.v{LANES}f64", ir.DoubleType(), [one, wide])

    return types.float64(LANES_TYPE), lower


def _each(function):
    """An LLVM function applied to each point."""

    def lower(context, builder, sig, args):
        return _intrinsic_call(builder, f"llvm.{function}.v{LANES}f32", _VECTOR, [args[0]])

    return LANES_TYPE(LANES_TYPE), lower


@intrinsic
def magnitude(typing, value):
    """|value|."""
    return _each("fabs")


@intrinsic
def whole_part(typing, value):
    """The largest whole number not above."""
    return _each("floor")


@intrinsic
def square_root(typing, value):
    """The square root; NaN below zero."""
    return _each("sqrt")


@intrinsic
def power_of_two(typing, value):
    """2**n for whole numbers n from -126 to 127, by writing the exponent; 1 for NaN."""

    def lower(context, builder, sig, args):
        whole = _intrinsic_call(builder, f"llvm.fptosi.sat.v{LANES}i32.v{LANES}f32", _INTEGERS, [args[0]])
        exponent = builder.add(whole, ir.Constant(_INTEGERS, [127] * LANES))
        return builder.bitcast(builder.shl(exponent, ir.Constant(_INTEGERS, [23] * LANES)), _VECTOR)

    return LANES_TYPE(LANES_TYPE), lower
