"""A manifest is whole, honest and has one digest per way of making vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assent.faces.embedded_pack import embedded_manifest
from assent.faces.manifest import PackManifest, read_manifest
from assent.faces.pack_errors import PackMissingError, PackTamperedError

MANIFEST = embedded_manifest(detector_sha256="a" * 64, recogniser_sha256="b" * 64)


def changed(part: str, **values: Any) -> PackManifest:
    fields = json.loads(MANIFEST.encoded())
    if part:
        fields[part] |= values
    else:
        fields |= values
    return PackManifest.model_validate_json(json.dumps(fields))


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("", {"version": "2"}),
        ("detector", {"sha256": "c" * 64}),
        ("detector", {"input": {"sides_px": [640], "min_score": 0.5}}),
        ("recogniser", {"sha256": "c" * 64}),
        ("recogniser", {"mean": 127.5}),
        ("recogniser", {"input_px": 224}),
    ],
)
def test_what_changes_a_vector_changes_the_digest(part: str, values: dict[str, Any]) -> None:
    assert changed(part, **values).digest != MANIFEST.digest


def test_a_corrected_sentence_keeps_the_digest() -> None:
    assert changed("", licence="MIT and Apache-2.0").digest == MANIFEST.digest
    assert changed("training_data", description="Another description of the same data.").digest == MANIFEST.digest


def test_it_reads_back_what_it_wrote(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(MANIFEST.encoded())
    assert read_manifest(tmp_path) == MANIFEST


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("recogniser", {"file": "../x.onnx"}),
        ("recogniser", {"dimensions": 3}),
        ("recogniser", {"input_px": 96}),
        ("recogniser", {"std": 0}),
        ("recogniser", {"sha256": "short"}),
        ("detector", {"kind": "genderage"}),
        ("training_data", {"consent": "trust me"}),
        ("", {"thresholds": []}),
        ("", {"surprise": 1}),
        ("", {"reference": "xyz"}),
    ],
)
def test_what_cannot_be_true_is_refused_by_field(tmp_path: Path, part: str, values: dict[str, Any]) -> None:
    fields = json.loads(MANIFEST.encoded())
    (fields[part] if part else fields).update(values)
    (tmp_path / "manifest.json").write_text(json.dumps(fields))
    with pytest.raises(PackTamperedError, match=next(iter(values))):
        read_manifest(tmp_path)


def test_no_json_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(PackMissingError):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_bytes(b"{")
    with pytest.raises(PackTamperedError, match="the JSON"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(("rate", "cosine"), [(0.05, 0.353), (0.01, 0.353), (0.005, 0.445), (0.001, 0.445)])
def test_the_threshold_for_a_rate_is_never_laxer_than_measured(rate: float, cosine: float) -> None:
    found = MANIFEST.threshold_at(rate)
    assert found is not None
    assert found.cosine == cosine


def test_a_rate_nobody_measured_has_no_threshold() -> None:
    assert MANIFEST.threshold_at(1e-6) is None
