"""Models of a few kilobytes with the shapes of real ones; never able to tell one person from another."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_STRIDES = (8, 16, 32)
_ANCHORS = 2


def _saved(nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: dict[str, Any], *, domain: str = "") -> bytes:
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, [numpy_helper.from_array(array, name) for name, array in weights.items()])
    opsets = [helper.make_opsetid("", 13)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString(deterministic=True))


def tiny_arcface(*, dimensions: int = 512, px: int = 112, normalises: bool = False, batch: int | str = "batch") -> bytes:
    """A recogniser: averages of 8 px squares through a fixed random matrix."""
    side = px // 8
    random = np.random.default_rng(7)
    weights = {"matrix": random.normal(size=(3 * side * side, dimensions)).astype(np.float32)}
    nodes: list[Any] = []
    source = "data"
    if normalises:
        weights |= {"mean": np.array([127.5], np.float32), "factor": np.array([1 / 128], np.float32)}
        nodes += [
            helper.make_node("Sub", ["data", "mean"], ["centred"]),
            helper.make_node("Mul", ["centred", "factor"], ["scaled"]),
        ]
        source = "scaled"
    nodes += [
        helper.make_node("AveragePool", [source], ["pooled"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["template"]),
    ]
    inputs = [helper.make_tensor_value_info("data", TensorProto.FLOAT, [batch, 3, px, px])]
    return _saved(nodes, inputs, [helper.make_tensor_value_info("template", TensorProto.FLOAT, [batch, dimensions])], weights)


def leaking_arcface(*, dimensions: int = 512) -> bytes:
    """A recogniser that mixes the images of a batch, as some exports do."""
    model = onnx.load_model_from_string(tiny_arcface(dimensions=dimensions))
    mean = helper.make_node("ReduceMean", ["template"], ["shared"], axes=[0], keepdims=1)
    total = helper.make_node("Add", ["template", "shared"], ["mixed"])
    model.graph.node.extend([mean, total])
    model.graph.output[0].name = "mixed"
    return bytes(model.SerializeToString(deterministic=True))


def tiny_scrfd() -> bytes:
    """A detector with SCRFD's nine outputs: a bright cell of 32 px is a face of 64 px around it."""
    nodes: list[Any] = []
    weights: dict[str, Any] = {}
    outputs: dict[str, list[str]] = {"score": [], "box": [], "points": []}
    for stride in _STRIDES:
        nodes.append(helper.make_node("AveragePool", ["image"], [f"mean{stride}"], kernel_shape=[stride] * 2, strides=[stride] * 2))
        for kind, width, slope, bias in (
            ("score", 1, 10.0 if stride == 32 else 0.0, [-8.0]),
            ("box", 4, 0.0, [1.0] * 4),
            ("points", 10, 0.0, [-0.5, -0.5, 0.5, -0.5, 0.0, 0.0, -0.4, 0.5, 0.4, 0.5]),
        ):
            name = f"{kind}{stride}"
            weights[f"w_{name}"] = np.full((width * _ANCHORS, 3, 1, 1), slope, np.float32)
            weights[f"b_{name}"] = np.array(bias * _ANCHORS, np.float32)
            weights[f"s_{name}"] = np.array([-1, width], np.int64)
            nodes += [
                helper.make_node("Conv", [f"mean{stride}", f"w_{name}", f"b_{name}"], [f"c_{name}"]),
                helper.make_node("Transpose", [f"c_{name}"], [f"t_{name}"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"t_{name}", f"s_{name}"], [f"r_{name}"]),
                helper.make_node("Sigmoid" if kind == "score" else "Identity", [f"r_{name}"], [name]),
            ]
            outputs[kind].append(name)
    widths = {"score": 1, "box": 4, "points": 10}
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, widths[kind]]) for kind in outputs for name in outputs[kind]]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "height", "width"])
    return _saved(nodes, [image], values, weights)


def with_external_tensor(model: bytes, *, location: str) -> bytes:
    """The same model with its first weight kept in another file."""
    changed = onnx.load_model_from_string(model)
    weight = changed.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.append(onnx.StringStringEntryProto(key="location", value=location))
    return bytes(changed.SerializeToString())


def with_custom_operator(model: bytes) -> bytes:
    """The same model with one operator of a domain of its own."""
    changed = onnx.load_model_from_string(model)
    changed.opset_import.append(helper.make_opsetid("com.example", 1))
    changed.graph.node.append(helper.make_node("Anything", ["data"], ["unused"], domain="com.example"))
    return bytes(changed.SerializeToString())
