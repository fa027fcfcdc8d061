"""Folding gives the same numbers as the definition of DequantizeLinear, and touches nothing that is no weight."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from assent.faces.folding import fold_quantised
from assent.faces.pack_errors import PackUnsafeError

BLOCK = 4


def quantised_model(*, constant: bool = True) -> tuple[bytes, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """x[batch, 10] times a weight of 10 x 6 kept as int8 in blocks of four along the first axis; and that weight in float32."""
    random = np.random.default_rng(3)
    integers = random.integers(-128, 128, (10, 6)).astype(np.int8)
    scale = random.uniform(0.01, 0.1, (3, 6)).astype(np.float32)
    zero = random.integers(-9, 9, (3, 6)).astype(np.int8)
    weight = np.empty((10, 6), dtype=np.float32)
    for row in range(10):
        for column in range(6):
            block = row // BLOCK
            difference = np.float32(int(integers[row, column]) - int(zero[block, column]))
            weight[row, column] = difference * scale[block, column]
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["flat"], axis=0, block_size=BLOCK),
        helper.make_node("Reshape", ["flat", "shape"], ["weight"]),
        helper.make_node("MatMul", ["x", "weight"], ["y"]),
    ]
    arrays: dict[str, Any] = {"s": scale, "z": zero, "shape": np.array([10, 6], np.int64), "left_over": zero}
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 10])]
    inputs.append(helper.make_tensor_value_info("weight", TensorProto.FLOAT, [10, 6]))
    if constant:
        arrays["q"] = integers
    else:
        inputs.append(helper.make_tensor_value_info("q", TensorProto.INT8, [10, 6]))
    graph = helper.make_graph(
        nodes,
        "quantised",
        inputs,
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 6])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=6)
    return model.SerializeToString(), weight


def test_the_folded_weight_is_the_defined_one() -> None:
    source, weight = quantised_model()
    graph = onnx.load_model_from_string(fold_quantised(source, free_axes=())).graph
    assert [node.op_type for node in graph.node] == ["MatMul"]
    assert [item.name for item in graph.input] == ["x"]
    assert [item.name for item in graph.initializer] == ["weight"]
    assert np.array_equal(numpy_helper.to_array(graph.initializer[0]), weight)


def test_the_folded_graph_runs_with_a_free_batch() -> None:
    source, weight = quantised_model()
    session = onnxruntime.InferenceSession(fold_quantised(source, free_axes=(0,)), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(4).normal(size=(7, 10)).astype(np.float32)
    assert np.allclose(session.run(None, {"x": x})[0], x @ weight, atol=1e-4)


def test_folding_is_deterministic() -> None:
    source, _ = quantised_model()
    assert fold_quantised(source, free_axes=(0,)) == fold_quantised(source, free_axes=(0,))


def test_an_activation_is_not_folded() -> None:
    source, _ = quantised_model(constant=False)
    with pytest.raises(PackUnsafeError, match="only weights"):
        fold_quantised(source, free_axes=())
