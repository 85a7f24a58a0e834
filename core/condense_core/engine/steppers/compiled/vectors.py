"""Vectors as wide as a processor's registers, as numbers that code compiled by Numba calculates with.

Loops over such vectors need no proof that memory does not overlap and leave no scalar rest, so what is written is what
is run. Sums and products may be contracted to fused ones, and nothing else: order, NaN and infinity stay as written.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from llvmlite import binding, ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

# Numbers in 64 bytes, which is one register of AVX-512 and two or four of narrower ones.
LANES = {"float32": 16, "float64": 8}
# Numbers as large as these have no room for a fraction: adding one rounds to whole numbers, taking it away leaves them.
SHIFT_SINGLE, SHIFT_DOUBLE = 1.5 * 2.0**23, 1.5 * 2.0**52
_CONTRACT = ("contract",)


def has_wide_registers() -> bool:
    """Whether 64 bytes are one register of the processor that is compiled for."""
    told = config.CPU_FEATURES
    return "+avx512f" in (binding.get_host_cpu_features().flatten() if told is None else told)


class Vector(types.Type):
    """`LANES` numbers of one floating-point type."""

    def __init__(self, element: Any) -> None:
        self.element = element
        self.lanes = LANES[str(element)]
        self.suffix = f"v{self.lanes}f{element.bitwidth}"
        super().__init__(name=f"Vector({element})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        element = ir.FloatType() if vector.element == types.float32 else ir.DoubleType()
        super().__init__(manager, vector, ir.VectorType(element, vector.lanes))


def _entry(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """A pointer to `array[index]`; indices below 0 do not count from the end."""
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [index])


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    vector = context.get_value_type(Vector(array_type.dtype))
    return builder.bitcast(_entry(context, builder, array_type, array, index), vector.as_pointer())


def _splat(builder: Any, value: Any, vector: Any) -> Any:
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, undefined, zeros)


@intrinsic
def zeros(_: Any, array: Any) -> Any:
    """A vector of zeros, of the array's type."""
    vector = Vector(array.dtype)

    def emit(context: Any, *_: Any) -> Any:
        return ir.Constant(context.get_value_type(vector), [0.0] * vector.lanes)

    return vector(array), emit


@intrinsic
def load(_: Any, array: Any, index: Any) -> Any:
    """The vector that begins at `array[index]`; nothing checks that it lies in the array."""

    def emit(context: Any, builder: Any, __: Any, args: Any) -> Any:
        found = builder.load(_pointer(context, builder, array, *args))
        found.align = array.dtype.bitwidth // 8
        return found

    return Vector(array.dtype)(array, types.intp), emit


@intrinsic
def store(_: Any, array: Any, index: Any, vector: Any) -> Any:
    """Write the vector to `array[index]` and the places after it; nothing checks that they lie in the array."""

    def emit(context: Any, builder: Any, __: Any, args: Any) -> Any:
        done = builder.store(args[2], _pointer(context, builder, array, *args[:2]))
        done.align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), emit


@intrinsic
def spread(_: Any, array: Any, index: Any) -> Any:
    """A vector of the number `array[index]`; nothing checks that it lies in the array."""
    vector = Vector(array.dtype)

    def emit(context: Any, builder: Any, __: Any, args: Any) -> Any:
        number = builder.load(_entry(context, builder, array, *args))
        return _splat(builder, number, context.get_value_type(vector))

    return vector(array, types.intp), emit


@intrinsic
def fill(_: Any, number: Any) -> Any:
    """A vector of one number."""
    vector = Vector(number)

    def emit(context: Any, builder: Any, __: Any, args: Any) -> Any:
        return _splat(builder, args[0], context.get_value_type(vector))

    return vector(number), emit


@intrinsic
def const(_: Any, like: Any, number: Any) -> Any:
    """A vector of one number, given in double precision, of the type of another vector."""

    def emit(context: Any, builder: Any, __: Any, args: Any) -> Any:
        single = like.element == types.float32
        value = builder.fptrunc(args[1], ir.FloatType()) if single else args[1]
        return _splat(builder, value, context.get_value_type(like))

    return like(like, types.float64), emit


@intrinsic
def lanes_of(_: Any, array: Any) -> Any:
    """How many numbers of the array a vector has."""

    def emit(context: Any, *_: Any) -> Any:
        return context.get_constant(types.intp, LANES[str(array.dtype)])

    return types.intp(array), emit


def polynomial(single: Sequence[float], double: Sequence[float]) -> Any:
    """A function of vectors: the polynomial with these coefficients, that of x^0 first, by Horner's rule; which of the
    two is known by the vectors' precision."""

    @intrinsic
    def emitted(_: Any, x: Any) -> Any:
        coefficients = double if x.element == types.float64 else single

        def emit(__: Any, builder: Any, ___: Any, args: Any) -> Any:
            last, *others = (ir.Constant(args[0].type, [number] * x.lanes) for number in reversed(coefficients))
            value = last
            for number in others:
                product = builder.fmul(value, args[0], flags=_CONTRACT)
                value = builder.fadd(product, number, flags=_CONTRACT)
            return value

        return x(x), emit

    return emitted


def _operation(operation: Any, instruction: str) -> None:
    @type_callable(operation)
    def _(_: Any) -> Any:
        return lambda x, y: x if isinstance(x, Vector) and x == y else None

    @lower_builtin(operation, Vector, Vector)
    def _(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args, flags=_CONTRACT)


_operation(operator.add, "fadd")
_operation(operator.sub, "fsub")
_operation(operator.mul, "fmul")
_operation(operator.truediv, "fdiv")


def _function(name: str) -> Any:
    @intrinsic
    def emitted(_: Any, x: Any) -> Any:
        def emit(__: Any, builder: Any, ___: Any, args: Any) -> Any:
            kind = ir.FunctionType(args[0].type, [args[0].type])
            called = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.{x.suffix}")
            return builder.call(called, args)

        return x(x), emit

    return emitted


square_root = _function("sqrt")
absolute = _function("fabs")


@intrinsic
def where_less(_: Any, x: Any, y: Any, yes: Any, no: Any) -> Any:
    """`yes` where x < y, else `no`; where either of x and y is NaN, `no`."""

    def emit(__: Any, builder: Any, ___: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", args[0], args[1]), args[2], args[3])

    return x(x, x, x, x), emit


@intrinsic
def power_of_two(_: Any, moved: Any) -> Any:
    """2^k for a whole number k to which `SHIFT` was added, where that is a normal number; anything for NaN."""
    bits, shift, bias = (64, 52, 1023) if moved.element == types.float64 else (32, 23, 127)

    def emit(context: Any, builder: Any, __: Any, args: Any) -> Any:
        whole = ir.VectorType(ir.IntType(bits), moved.lanes)
        # the last bits of so large a number are those of k
        raised = builder.shl(builder.bitcast(args[0], whole), ir.Constant(whole, [shift] * moved.lanes))
        biased = builder.add(raised, ir.Constant(whole, [bias << shift] * moved.lanes))
        return builder.bitcast(biased, context.get_value_type(moved))

    return moved(moved), emit


@intrinsic
def add_total(_: Any, array: Any, index: Any, x: Any) -> Any:
    """Add the sum of a vector's numbers, in halves, to `array[index]`; nothing checks that it lies in the array."""

    def emit(context: Any, builder: Any, __: Any, args: Any) -> Any:
        element = context.get_value_type(x.element)
        kind = ir.FunctionType(element, [element, args[2].type])
        called = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.fadd.{x.suffix}")
        sum_ = builder.call(called, [ir.Constant(element, -0.0), args[2]], fastmath=("reassoc",))
        place = _entry(context, builder, array, *args[:2])
        builder.store(builder.fadd(builder.load(place), sum_), place)
        return context.get_dummy_value()

    return types.void(array, types.intp, x), emit


def _sums(builder: Any, vectors: Sequence[Any]) -> Any:
    """A vector of the sums of so many vectors' numbers, each in halves as `add_total` has it: halves of two vectors are
    added at once."""
    parts, width = list(vectors), vectors[0].type.count
    while width > 1:
        pairs = list(zip(parts[::2], parts[1::2], strict=True)) if len(parts) > 1 else [(parts[0], parts[0])]
        count = pairs[0][0].type.count * min(len(parts), 2)
        starts = [start + lane for start in range(0, count, width) for lane in range(width // 2)]
        low, high = (
            ir.Constant(ir.VectorType(ir.IntType(32), len(starts)), [start + by for start in starts])
            for by in (0, width // 2)
        )
        parts = [
            builder.fadd(builder.shuffle_vector(*pair, low), builder.shuffle_vector(*pair, high)) for pair in pairs
        ]
        width //= 2
    return parts[0]


def _adding_totals(run: int) -> Any:
    """A function that adds the sums of eight vectors to an array, `run` of them to places that follow each other."""

    @intrinsic
    def emitted(
        _: Any, array: Any, index: Any, across: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any
    ) -> Any:
        def emit(context: Any, builder: Any, __: Any, args: Any) -> Any:
            sums, place = _sums(builder, args[3:]), args[1]
            for first in range(0, 8, run):
                lanes = ir.Constant(ir.VectorType(ir.IntType(32), run), list(range(first, first + run)))
                part = builder.shuffle_vector(sums, sums, lanes)
                to = builder.bitcast(_entry(context, builder, array, args[0], place), part.type.as_pointer())
                before = builder.load(to)
                before.align = array.dtype.bitwidth // 8
                builder.store(builder.fadd(before, part), to).align = array.dtype.bitwidth // 8
                place = builder.add(place, args[2])
            return context.get_dummy_value()

        return types.void(array, types.intp, types.intp, a, b, c, d, e, f, g, h), emit

    return emitted


add_pairs = _adding_totals(2)
"""Add the sums of eight vectors to `array[index]` and the place after it, and so on every `across` places."""
add_run = _adding_totals(8)
"""Add the sums of eight vectors to `array[index]` and the places after it."""
