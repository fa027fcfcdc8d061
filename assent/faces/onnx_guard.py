"""Look into an ONNX file before anything runs it; never follows a reference out of the bytes it was given."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from assent.faces.pack_errors import PackMissingError, PackTamperedError, PackUnsafeError

# CVE-2022-25882, CVE-2024-27318, CVE-2025-51480, CVE-2026-34447: tensors kept in other files have read any file on the machine.
_ALLOWED_DOMAINS = frozenset({"", "ai.onnx"})
_OPSETS = range(7, 27)
MAX_MODEL_BYTES = 1 << 30


def read_verified(path: Path, *, sha256: str) -> bytes:
    """The bytes of a model file, read once and compared with its digest, so that what was checked is what runs."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise PackMissingError(f"The model file {path} is missing. Prepare the pack again.") from None
    if not path.is_file() or size > MAX_MODEL_BYTES:
        raise PackUnsafeError(f"{path} is no file of at most {MAX_MODEL_BYTES} bytes. Prepare the pack again.")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise PackTamperedError(
            f"The model file {path} ({len(content)} bytes) has SHA-256 {found}, expected {sha256}: it is truncated or another "
            "file. Remove the pack's folder and prepare it again."
        )
    return content


def checked_graph(content: bytes, *, name: str) -> Any:
    """The parsed ONNX graph; raises PackUnsafeError when it needs anything but standard operators and its own tensors."""
    try:
        model = onnx.load_model_from_string(content)
    except DecodeError:
        raise PackUnsafeError(f"{name} is not an ONNX model. Prepare the pack again.") from None
    domains = {item.domain for item in model.opset_import} | {node.domain for node in _nodes(model.graph)}
    if foreign := sorted(domains - _ALLOWED_DOMAINS) or [item.name for item in model.functions]:
        raise PackUnsafeError(f"{name} uses operators of its own ({foreign[0]}). Only standard ONNX operators are run.")
    if not any(item.version in _OPSETS for item in model.opset_import if item.domain in _ALLOWED_DOMAINS):
        raise PackUnsafeError(f"{name} has an operator set outside {_OPSETS.start} to {_OPSETS.stop - 1}. Export it again.")
    if any(_is_external(tensor) for tensor in _tensors(model.graph)):
        raise PackUnsafeError(f"{name} keeps tensors in another file. Save the model as one file.")
    return model.graph


def input_is_normalised(graph: Any) -> bool:
    """True when the network itself subtracts and scales its input, so that the caller must not do it a second time."""
    first = list(graph.node)[:8]
    return any(node.op_type == "Sub" for node in first) and any(node.op_type in ("Mul", "Div") for node in first)


def _is_external(tensor: Any) -> bool:
    return tensor.data_location == onnx.TensorProto.EXTERNAL or len(tensor.external_data) > 0


def _nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _nodes(inner)


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)
