"""Which nodes a machine runs, and why it does not run others."""

from collections.abc import Sequence

from .network import Channels, Concat, Flatten, Function, LayerNorm, MatMul, Node, Product, RowSoftmax, Shape, placement
from .params import Array
from .tiling import PIXEL
from .values import image_of
from .windows import product_former

__all__ = ["groups_that_fit", "refusal"]

ROW_WORDS = 1 << 8  # words of a row's channels, as far as the field ``parts_x`` goes


def groups_that_fit(node: Product, channels: int, array: Array) -> list[int]:
    """Numbers of groups that may go into one operation: whole words of inputs and outputs, no padded sub-vectors."""
    each = channels // node.groups, node.table.shape[2]
    alone = node.coding.blank is None or node.reduction % node.coding.length != 0 or node.coding.runs
    return [count for count in range(1, node.groups + 1)
            if (count == node.groups or not any(size * count % array.word for size in each))
            and (count == 1 or not alone)]


def _product(node: Product, channels: int, array: Array) -> str | None:
    if not array.cell.runs(node.coding.engine):
        return f"layer {node.name} needs the engine {node.coding.engine}, the array's is {array.engine}"
    layer = node.layer()
    if node.function is not None and not array.functions:
        return f"layer {node.name} has a function, so the array must have function slots"
    if refused := node.coding.refusal(node, array):
        return refused
    if layer.length > array.length:
        return f"layer {node.name} needs sub-vector length {layer.length}, the array holds at most {array.length}"
    if not groups_that_fit(node, channels, array):
        return (f"groups of layer {node.name} must have multiples of {array.word} channels and columns, "
                f"not {channels // node.groups} and {node.table.shape[2]}")
    try:
        product_former(layer, channels // node.groups, (node.window or PIXEL).kernel, array)
    except ValueError as error:
        return str(error)
    return None


def _tables(node: Function | RowSoftmax | LayerNorm, channels: int, array: Array) -> str | None:
    if len(node.functions) > array.functions:
        return f"node {node.name} needs function slots {len(node.functions)}, the array has {array.functions}"
    if not isinstance(node, Function) and -(-channels // array.word) > ROW_WORDS:
        return f"rows of {node.name} must have at most {ROW_WORDS * array.word} channels, not {channels}"
    return None


def refusal(node: Node, shapes: Sequence[Shape], array: Array) -> str | None:
    """Why a machine does not run a node on inputs of these shapes, or None."""
    if placement(node) == "host":
        return (f"node {node.name} must be a product, an add, a pool, a clamp, a flatten, a concat, a function, a row "
                f"softmax or a layer norm to run on the machine, not a {type(node).__name__.lower()}")
    match node:
        case MatMul():
            return f"node {node.name} multiplies two activations, which a machine runs head by head only"
        case Product():
            return _product(node, shapes[0][-1], array)
        case Function() | RowSoftmax() | LayerNorm():
            return _tables(node, shapes[0][-1], array)
        case Flatten() if shapes[0][-1] % array.word and image_of(shapes[0])[:2] != (1, 1):
            return (f"the image that {node.name} flattens must have a multiple of {array.word} channels, "
                    f"not {shapes[0][-1]}")
        case Channels() if node.first % array.word or (node.count % array.word
                                                       and node.first + node.count < shapes[0][-1]):
            return f"{node.name} must begin and end with a word of {array.word} channels"
        case Concat() if any(shape[-1] % array.word for shape in shapes[:-1]):
            return f"all inputs of {node.name} but the last must have a multiple of {array.word} channels"
    return None
