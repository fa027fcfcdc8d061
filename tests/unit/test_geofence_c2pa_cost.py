"""What the manifests of one file of twenty megabytes may cost a processor, whoever wrote them; what is over a budget is unreadable."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from assent.geofence.extract import image_evidence
from assent.optouts.reading_budget import MAX_FILE_BYTES
from tests.unit.c2pa_examples import CALGARY, LABEL, Camera, box, cbor, signed_heic, superbox
from tests.unit.c2pa_examples import signers as signers_of
from tests.unit.heif_examples import with_c2pa
from tests.unit.place_examples import LOCATION, UNREADABLE, areas, said

BROKEN = {"signed_gps": UNREADABLE}
MOST_S = 2.0
PLACE = json.dumps(CALGARY).encode()


def read(data: bytes) -> dict[str, frozenset[str]]:
    return said(image_evidence(data, areas=areas(), location=LOCATION, signers=signers_of()))


def store(*boxes: bytes) -> bytes:
    return with_c2pa(superbox("c2pa", superbox(LABEL, superbox("c2pa.assertions", *boxes))))


def assertion(kind: bytes, content: bytes) -> bytes:
    return superbox("stds.exif", box(kind, content))


def many_entries(claim: dict[str, Any]) -> None:
    claim["assertions"] = [{"url": "self#jumbf=c2pa.assertions/stds.exif"}] * 6_500


def with_long_label() -> bytes:
    """Each entry of the claim may name its manifest."""
    data = signed_heic(edit=many_entries)
    (start, end) = (data.index(b"urn:c2pa:"), data.index(b"urn:c2pa:") + len(LABEL))
    whole = superbox("c2pa", superbox("a" * 13_000_000, box(b"free", data[start:end])))
    return with_c2pa(whole)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "texts in many empty parts": lambda: store(assertion(b"cbor", b"\x7f" + b"\x60" * 19_990 + b"\xff") * 950),
    "lists of nothing": lambda: store(assertion(b"cbor", cbor([[]] * 19_990)) * 950),
    "objects of nothing in JSON": lambda: store(assertion(b"json", b"[" + b"{}," * 340_000 + b"{}]") * 19),
    "a key of separators": lambda: store(assertion(b"cbor", cbor({":/#" * 6_000_000: 1}))),
    "keys of separators": lambda: store(assertion(b"cbor", cbor({":" * 1_000_000 + str(number): 1 for number in range(2)}))),
    "a label of megabytes": with_long_label,
    "many assertions": lambda: store(superbox("x", box(b"json", b"[]")) * 380_000),
    "many manifests": lambda: with_c2pa(superbox("c2pa", superbox("m", superbox("c2pa.assertions", assertion(b"json", b"1"))) * 100_000)),
    "many stores of assertions": lambda: with_c2pa(superbox("c2pa", superbox("m", superbox("c2pa.assertions") * 400_000))),
    "many stores": lambda: with_c2pa(superbox("other") * 500_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_store_of_twenty_megabytes_costs_little_and_is_unreadable(name: str) -> None:
    data = HOSTILE[name]()
    before = time.process_time()
    found = read(data)
    assert time.process_time() - before < MOST_S
    assert found == BROKEN or name == "keys of separators"


def test_a_claim_of_thousands_of_entries_costs_little() -> None:
    data = signed_heic(edit=many_entries)
    before = time.process_time()
    assert read(data) == BROKEN
    assert time.process_time() - before < MOST_S


def test_certificates_of_megabytes_are_not_even_loaded() -> None:
    der = Camera().chain[0].public_bytes(Encoding.DER)
    data = signed_heic(camera=Camera(edit_first=lambda _: der[:4] + bytes(19_000_000)))
    before = time.process_time()
    assert read(data) == BROKEN
    assert time.process_time() - before < MOST_S


def test_assertions_that_are_not_decoded_may_be_long() -> None:
    """A thumbnail is one."""
    thumbnail = superbox("c2pa.thumbnail.claim", box(b"bidb", bytes(MAX_FILE_BYTES + 1)))
    manifest = superbox("m", superbox("c2pa.assertions", thumbnail, assertion(b"json", PLACE)))
    whole = with_c2pa(superbox("c2pa", manifest, superbox("newer")))
    assert read(whole) == {"exif_gps": {"CA-AB"}}
