"""ONNX operators on two operands: constants, functions of one value, residual adds and gates."""

import numpy as np
import onnx
from numpy.typing import NDArray

from .graph import Gate, Pointwise, Residual
from .onnx_functions import clamp
from .onnx_products import per_channel, scaled
from .onnx_walk import Value, Walk, refused

__all__ = ["add", "divide", "extreme", "multiply", "power", "subtract"]


def _constant_place(walk: Walk, node: onnx.NodeProto) -> int | None:
    return next((place for place in (0, 1) if node.input[place] in walk.model.constants), None)


def _together(walk: Walk, node: onnx.NodeProto, combine: np.ufunc) -> bool:
    """Two functions of the same value as one, if they are."""
    one, other = walk.value(node, 0), walk.value(node, 1)
    (root, f), (base, g) = walk.rooted(one), walk.rooted(other)
    if root != base or not one.is_whole or not one.places.agrees(other.places):
        return False
    walk.add(node, Pointwise, one.places, Value(step=root, places=one.places, shared=False),
             function=lambda x: combine(f(x), g(x)))
    return True


def _with_constant(walk: Walk, node: onnx.NodeProto, constant: int, combine: np.ufunc) -> None:
    """A function of one value with a constant for each channel."""
    value = walk.whole(node, 1 - constant)
    numbers = per_channel(node, value, walk.constant(node, constant, "operand"))
    numbers = numbers[:1] if len(set(numbers)) == 1 else numbers
    root, f = walk.rooted(value)

    def outer(x: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(all="ignore"):
            return combine(numbers, f(x)) if constant == 0 else combine(f(x), numbers)

    walk.add(node, Pointwise, value.places, Value(step=root, places=value.places, shared=False), function=outer)


def _two(walk: Walk, node: onnx.NodeProto) -> tuple[Value, Value]:
    """Two activations of one shape that lie the same way."""
    one, other = walk.value(node, 0).places.index.shape, walk.value(node, 1).places.index.shape
    if one != other:
        raise refused(node, f"must join two activations of one shape, not {one} and {other}")
    first = walk.whole(node, 0)
    return first, walk.arranged(node, 1, first.places)


def add(walk: Walk, node: onnx.NodeProto) -> None:
    """A bias, a sum of two functions of one value, or a residual add."""
    constant = _constant_place(walk, node)
    if constant is not None:
        scaled(walk, node, 1 - constant, np.ones(1), walk.constant(node, constant, "bias"))
        return
    functions = any(isinstance(walk.steps.get(walk.value(node, place).step), Pointwise) for place in (0, 1))
    if not (functions and _together(walk, node, np.add)):
        one, other = _two(walk, node)
        walk.add(node, Residual, one.places, one, other)


def subtract(walk: Walk, node: onnx.NodeProto) -> None:
    """A constant taken off, or an activation taken off a constant."""
    constant = _constant_place(walk, node)
    if constant is None:
        if not _together(walk, node, np.subtract):
            raise refused(node, "must have a constant, the difference of two activations is not supported")
        return
    operand = walk.constant(node, constant, "operand")
    scaled(walk, node, 1 - constant, -np.ones(1) if constant == 0 else np.ones(1),
           operand if constant == 0 else -operand)


def multiply(walk: Walk, node: onnx.NodeProto) -> None:
    """A factor for each channel, a product of two functions of one value, or a gate."""
    constant = _constant_place(walk, node)
    if constant is not None:
        scaled(walk, node, 1 - constant, walk.constant(node, constant, "factor"), np.zeros(1))
        return
    if _together(walk, node, np.multiply):
        return
    shapes = [walk.value(node, place).places.index.shape for place in (0, 1)]
    if shapes[0] == shapes[1]:
        one, other = _two(walk, node)
    else:
        large = int(np.prod(shapes[1]) > np.prod(shapes[0]))
        if shapes[1 - large] != (shapes[large][0], *(1,) * (len(shapes[large]) - 1)):
            raise refused(node, f"must multiply activations of one shape or by one pixel, "
                                f"not {shapes[0]} and {shapes[1]}")
        one, other = walk.image(node, large), walk.image(node, 1 - large)
    walk.add(node, Gate, one.places, one, other)


def divide(walk: Walk, node: onnx.NodeProto) -> None:
    """A division by a constant, a constant divided, or a quotient of two functions of one value."""
    constant = _constant_place(walk, node)
    if constant == 1:
        scaled(walk, node, 0, 1 / walk.constant(node, 1, "divisor"), np.zeros(1))
    elif constant == 0:
        _with_constant(walk, node, 0, np.divide)
    elif not _together(walk, node, np.divide):
        raise refused(node, "must have a constant, the quotient of two activations is not supported")


def power(walk: Walk, node: onnx.NodeProto) -> None:
    """A constant power."""
    walk.constant(node, 1, "exponent")
    _with_constant(walk, node, 1, np.power)


def extreme(walk: Walk, node: onnx.NodeProto) -> None:
    """The larger or smaller of a value and a constant, or of two functions of one value."""
    combine = np.maximum if node.op_type == "Max" else np.minimum
    if len(node.input) != 2:
        raise refused(node, f"has {len(node.input)} inputs, only 2 are supported")
    constant = _constant_place(walk, node)
    if constant is not None:
        limit = walk.constant(node, constant, "limit").ravel()
        if len(set(limit)) == 1:
            low, high = (limit[0], np.inf) if combine is np.maximum else (-np.inf, limit[0])
            clamp(walk, node, walk.whole(node, 1 - constant), float(low), float(high))
        else:
            _with_constant(walk, node, constant, combine)
    elif not _together(walk, node, combine):
        raise refused(node, "must have a constant, the extreme of two activations is not supported")
