"""How much a C2PA manifest's word is worth: signed by somebody trusted for this file, unproven, or broken; never a guess in favour."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from assent.geofence.c2pa_boxes import BOX_HASHES, hashed_boxes
from assent.geofence.c2pa_manifest import ASSERTIONS, CLAIMED, SIGNATURE, Manifest, ManifestUnreadableError, decoded
from assent.geofence.cose_signature import SignatureBrokenError, verified_chain
from assent.geofence.signers import Signers
from assent.heif.boxes import HeifError
from assent.heif.file import HeifMovingError, is_heif
from assent.optouts.bounded_cbor import CborUnreadableError, parse_cbor
from assent.optouts.reading_budget import ReadingBudget

MAX_EXCLUSIONS = 64
_HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
_LINK = "self#jumbf="
_BINDING = "c2pa.hash."
_DATA_HASH = "c2pa.hash.data"
_INSTANCE = re.compile(r"__\d+$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Seal:
    """`trusted`: labels of the assertions that somebody trusted signed for this file. Broken: what is signed is not what is here.

    Neither: nothing is wrong, and nobody who is trusted stands under it.
    """

    trusted: frozenset[str] = frozenset()
    is_broken: bool = False


class _BrokenError(ValueError):
    """Raised when the manifest and its parts contradict each other."""


def seal_of(manifest: Manifest, *, data: bytes, spans: Sequence[tuple[int, int]], signers: Signers) -> Seal:
    """The worth of the active manifest of the file `data`. `spans` are where in the file its stores lie."""
    try:
        claim, chain = _signed_claim(manifest)
        attributed = _attributed(manifest, claim)
        is_bound = _is_bound(manifest, claim, data, spans)
    except (_BrokenError, SignatureBrokenError, ManifestUnreadableError, HeifError, HeifMovingError):
        return Seal(is_broken=True)
    return Seal(trusted=attributed) if is_bound and manifest.may_bind and signers.trusts(chain) else Seal()


def _signed_claim(manifest: Manifest) -> tuple[dict[Any, Any], tuple[x509.Certificate, ...]]:
    if len(manifest.claims) != 1 or len(manifest.signatures) != 1:
        raise _BrokenError("a manifest without one claim and one signature")
    (payload,) = manifest.claims
    try:
        claim = parse_cbor(payload)
    except CborUnreadableError as error:
        raise _BrokenError("the claim is no CBOR") from error
    if not isinstance(claim, dict) or claim.get("signature") not in _links(manifest, SIGNATURE):
        raise _BrokenError("the claim does not name its own signature")
    return claim, verified_chain(manifest.signatures[0], payload)


def _attributed(manifest: Manifest, claim: dict[Any, Any]) -> frozenset[str]:
    """The labels that the signer answers for. Raises _BrokenError unless the store holds what the claim lists, each once."""
    *answered_for, gathered = (_entries(claim, name) for name in CLAIMED)
    own = [entry for entries in answered_for for entry in entries]
    listed = [*own, *gathered]
    boxes = {box.label: box for box in manifest.assertions}
    if not len(boxes) == len(manifest.assertions) == len(listed):
        raise _BrokenError("the claim lists more or fewer assertions than there are, or one is there twice")
    prefixes = _links(manifest, f"{ASSERTIONS}/")
    labels = [_label(prefixes, entry) for entry in listed]
    if set(labels) != boxes.keys():
        raise _BrokenError("the claim lists other assertions than there are")
    for entry, label in zip(listed, labels, strict=True):
        _compare(_digest(entry, claim, [boxes[label].payload]), entry)
    return frozenset(labels[: len(own)])


def _entries(claim: dict[Any, Any], name: str) -> list[dict[Any, Any]]:
    entries = claim.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _BrokenError("the claim lists something else than assertions")
    return entries


def _label(prefixes: tuple[str, str], entry: dict[Any, Any]) -> str:
    url = entry.get("url")
    for prefix in prefixes:
        if isinstance(url, str) and url.startswith(prefix) and "/" not in url[len(prefix) :]:
            return url[len(prefix) :]
    raise _BrokenError("the claim lists an assertion that lies elsewhere")


def _links(manifest: Manifest, path: str) -> tuple[str, str]:
    return f"{_LINK}{path}", f"{_LINK}/c2pa/{manifest.label}/{path}"


def _is_bound(manifest: Manifest, claim: dict[Any, Any], data: bytes, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether the bytes of the file are those that were signed. False where the binding is of a kind that is not read, or there is none."""
    bindings = [box for box in manifest.assertions if box.label.startswith(_BINDING)]
    if len(bindings) > 1:
        raise _BrokenError("two bindings, and readers differ on which one counts")
    if not bindings:
        return False
    kind = _INSTANCE.sub("", bindings[0].label)
    if kind != _DATA_HASH and kind not in BOX_HASHES:
        return False
    binding = decoded(bindings[0], ReadingBudget())
    if not isinstance(binding, dict):
        raise _BrokenError("the binding holds nothing")
    parts = _hashed_parts(binding, data, spans) if kind == _DATA_HASH else hashed_boxes(binding, _exclusions(binding), data)
    if parts is None:
        return False
    _compare(_digest(binding, claim, parts), binding)
    # In a file of boxes the list of items, though it is hashed, may point at bytes that are left out.
    return kind != _DATA_HASH or not is_heif(data)


def _exclusions(binding: dict[Any, Any]) -> list[Any]:
    exclusions = binding.get("exclusions", [])
    if not isinstance(exclusions, list) or len(exclusions) > MAX_EXCLUSIONS:
        raise _BrokenError("the exclusions are no short list")
    return exclusions


def _hashed_parts(binding: dict[Any, Any], data: bytes, spans: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    """The file without its exclusions, which may hold the store and nothing else: a picture could be changed inside them."""
    position = 0
    for exclusion in _exclusions(binding):
        start, length = (exclusion.get("start"), exclusion.get("length")) if isinstance(exclusion, dict) else (None, None)
        if (
            type(start) is not int
            or type(length) is not int
            or start < position
            or length < 0
            or not _is_within(start, start + length, spans)
        ):
            raise _BrokenError("an exclusion holds more than the store")
        yield data[position:start]
        position = start + length
    yield data[position:]


def _is_within(start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether the spans cover all of it without a gap; they come in the order of the file."""
    for span_start, span_end in spans:
        if span_start <= start < span_end:
            start = span_end
    return start >= end


def _digest(entry: dict[Any, Any], claim: dict[Any, Any], parts: Iterable[bytes]) -> bytes:
    name = entry.get("alg", claim.get("alg", "sha256"))
    if not isinstance(name, str) or name not in _HASHES:
        raise _BrokenError("a hash of a kind that C2PA does not allow")
    digest = _HASHES[name]()
    for part in parts:
        digest.update(part)
    return digest.digest()


def _compare(digest: bytes, entry: dict[Any, Any]) -> None:
    stated = entry.get("hash")
    if not isinstance(stated, bytes) or not hmac.compare_digest(digest, stated):
        raise _BrokenError("a hash is not that of what is here")
