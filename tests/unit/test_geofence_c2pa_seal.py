"""What a seal holds together: the claim, the assertions that it lists, and the bytes of the file outside the store, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from assent.geofence.c2pa_manifest import manifests_of
from assent.geofence.c2pa_seal import Seal, seal_of
from assent.geofence.extract import image_evidence
from assent.geofence.signers import Signers
from assent.optouts.image_metadata import read_image_metadata
from assent.optouts.reading_budget import ReadingBudget
from tests.unit.c2pa_examples import CALGARY, LABEL, Camera, Picture, box, cbor, key, payload, signed, signers, superbox, type_of
from tests.unit.place_examples import JPEG, LOCATION, UNREADABLE, areas, png_with, said

SIGNED = {"signed_gps": {"CA-AB"}}
STATED = {"exif_gps": {"CA-AB"}}
BROKEN = {"signed_gps": UNREADABLE}
WHOLE = Seal(trusted=frozenset({"stds.exif", "c2pa.hash.data"}))


def read(data: bytes) -> dict[str, frozenset[str]]:
    return said(image_evidence(data, areas=areas(), location=LOCATION, signers=signers()))


def seal(data: bytes, *, spans: list[tuple[int, int]] | None = None, trusted: Signers | None = None) -> Seal:
    """The worth of the last manifest in a file, whose store may lie where the test says."""
    found = read_image_metadata(data)
    (*_, manifest) = manifests_of(tuple(found.c2pa), may_be_others=False, budget=ReadingBudget())
    return seal_of(manifest, data=data, spans=found.c2pa_spans if spans is None else spans, signers=trusted or signers())


def assertion(**values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda claim: claim["assertions"][0].update(values)


PLACE = payload("stds.exif", box(b"json", json.dumps(CALGARY).encode()))
HOLDS: dict[str, dict[str, Any]] = {
    "as a camera does it": {},
    "an assertion hashed with SHA-384": {"edit": assertion(alg="sha384", hash=hashlib.sha384(PLACE).digest())},
    "an assertion hashed with SHA-512": {"edit": assertion(alg="sha512", hash=hashlib.sha512(PLACE).digest())},
    "no kind of hash named": {"edit": lambda claim: claim.pop("alg")},
    "no kind of hash named with the binding": {"edit_binding": lambda binding: binding.pop("alg")},
    "the whole address of an assertion": {"edit": assertion(url=f"self#jumbf=/c2pa/{LABEL}/c2pa.assertions/stds.exif")},
    "the short address of the signature": {"edit": lambda claim: claim.update(signature="self#jumbf=c2pa.signature")},
    "a store that is left out in two parts": {
        "exclusions": lambda length: [{"start": 2, "length": 10}, {"start": 12, "length": length - 10}]
    },
    "a store that is left out in 64 parts": {
        "exclusions": lambda length: [*({"start": 2 + part, "length": 1} for part in range(63)), {"start": 65, "length": length - 63}]
    },
    "nothing left out at the start of the store": {
        "exclusions": lambda length: [{"start": 2, "length": 0}, {"start": 2, "length": length}]
    },
}


@pytest.mark.parametrize("name", HOLDS)
def test_a_seal_holds_in_every_way_to_write_it(name: str) -> None:
    assert seal(signed(**HOLDS[name])) == WHOLE
    assert seal(signed(**HOLDS[name]), trusted=Signers()) == Seal()


def test_a_binding_with_a_number_binds_as_well() -> None:
    assert read(signed(binding="c2pa.hash.data__1")) == SIGNED
    assert read(signed(binding="c2pa.hash.data__x")) == STATED


def test_what_the_signer_only_gathered_is_not_answered_for() -> None:
    data = signed(is_v2=True, gathered=("stds.exif",), places={"stds.exif": CALGARY, "c2pa.metadata": {}})
    assert seal(data) == Seal(trusted=frozenset({"c2pa.metadata", "c2pa.hash.data"}))


def bound(**values: Any) -> dict[str, Any]:
    return {"edit_binding": lambda binding: binding.update(values)}


def left_out(*parts: Any) -> dict[str, Any]:
    """The binding leaves out these parts, and has the hash of the file without its store."""
    return bound(exclusions=list(parts))


BREAKS: dict[str, dict[str, Any]] = {
    "an assertion in another box": {"edit": assertion(url="self#jumbf=c2pa.somethings/stds.exif")},
    "an assertion at a number": {"edit": assertion(url=5)},
    "an assertion whose name is a path": {"places": {"stds.exif": CALGARY, "x/y": {}}},
    "assertions that are a number": {"edit": lambda claim: claim.update(gathered_assertions=5)},
    "assertions that are none": {"edit": lambda claim: claim["assertions"].append("stds.exif")},
    "as many assertions, one of them a text": {"edit": lambda claim: claim["assertions"].insert(0, "x") or claim["assertions"].pop()},
    "a hash that is a text": {"edit": assertion(hash="x" * 32)},
    "a kind of hash that is a list": {"edit": assertion(alg=["sha256"])},
    "a claim hashed weakly": {"edit": lambda claim: claim.update(alg="sha1")},
    "a binding hashed weakly": bound(alg="md5"),
    "a binding without a hash": bound(hash=None),
    "a binding of other bytes": bound(hash=bytes(32)),
    "exclusions that are a number": bound(exclusions=5),
    "an exclusion that is a number": left_out(5),
    "an exclusion without a start": left_out({"length": 5}),
    "an exclusion without a length": left_out({"start": 2}),
    "an exclusion that starts at a fraction": left_out({"start": 2.0, "length": 5}),
    "an exclusion as long as a fraction": left_out({"start": 2, "length": 5.0}),
    "exclusions in another order": {"exclusions": lambda length: [{"start": 12, "length": length - 10}, {"start": 2, "length": 10}]},
    "exclusions that overlap": {"exclusions": lambda length: [{"start": 2, "length": 20}, {"start": 10, "length": length - 8}]},
    "an exclusion of less than nothing": {
        "exclusions": lambda length: [{"start": 2, "length": length}, {"start": length + 2, "length": -5}]
    },
    "less than nothing before the store, which leaves out the file's first bytes": {
        "exclusions": lambda length: [{"start": 0, "length": -5}, {"start": 2, "length": length}]
    },
    "an exclusion before the store": {"exclusions": lambda length: [{"start": 1, "length": length + 1}]},
    "an exclusion one byte beyond the store": {"exclusions": lambda length: [{"start": 2, "length": length + 1}]},
    "an exclusion of the picture alone": {
        "exclusions": lambda length: [{"start": 2, "length": length}, {"start": length + 20, "length": 5}]
    },
    "65 exclusions": {
        "exclusions": lambda length: [*({"start": 2 + part, "length": 1} for part in range(64)), {"start": 66, "length": length - 64}]
    },
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_seal_that_holds_something_else_together_is_broken(name: str) -> None:
    assert seal(signed(**BREAKS[name])) == Seal(is_broken=True)
    assert read(signed(**BREAKS[name])) == BROKEN


@pytest.mark.parametrize(
    ("cuts", "is_whole"),
    [
        ([(0, None)], True),
        ([(0, 50), (50, None)], True),
        ([(0, 50), (50, 51), (51, None)], True),
        ([(0, 50), (51, None)], False),
        ([(0, -1)], False),
        ([(1, None)], False),
        ([], False),
    ],
)
def test_an_exclusion_may_reach_over_parts_of_the_store_that_touch(cuts: list[tuple[int, int | None]], is_whole: bool) -> None:
    data = signed()
    ((start, end),) = read_image_metadata(data).c2pa_spans
    spans = [(start + first, start + last if last is not None and last > 0 else end + (last or 0)) for first, last in cuts]
    assert seal(data, spans=spans) == (WHOLE if is_whole else Seal(is_broken=True))


def store(*parts: bytes) -> bytes:
    """A PNG whose store has the parts given after its assertions: claims and signatures, which nobody need have made."""
    assertions = superbox("c2pa.assertions", superbox("stds.exif", box(b"json", json.dumps(CALGARY).encode())))
    return png_with((b"caBX", superbox("c2pa", superbox(LABEL, assertions, *parts))))


def claimed(claim: bytes) -> bytes:
    return superbox("c2pa.claim", box(b"cbor", claim))


def signature(claim: bytes) -> bytes:
    return superbox("c2pa.signature", box(b"cbor", Camera().sign(claim)))


def own(assertions: Any) -> bytes:
    return cbor({"alg": "sha256", "signature": "self#jumbf=c2pa.signature", "assertions": assertions})


CLAIM = own([{"url": "self#jumbf=c2pa.assertions/stds.exif", "hash": hashlib.sha256(PLACE).digest()}])
PARTS: dict[str, tuple[list[bytes], Seal]] = {
    "one claim and one signature": ([claimed(CLAIM), signature(CLAIM)], Seal()),
    "a box beside them that says nothing here": (
        [claimed(CLAIM), signature(CLAIM), superbox("c2pa.databoxes", box(b"cbor", cbor({})))],
        Seal(),
    ),
    "a claim alone": ([claimed(CLAIM)], Seal(is_broken=True)),
    "a signature alone": ([signature(CLAIM)], Seal(is_broken=True)),
    "two claims": ([claimed(CLAIM), claimed(CLAIM), signature(CLAIM)], Seal(is_broken=True)),
    "two claims of two editions": (
        [claimed(CLAIM), superbox("c2pa.claim.v2", box(b"cbor", CLAIM)), signature(CLAIM)],
        Seal(is_broken=True),
    ),
    "two signatures": ([claimed(CLAIM), signature(CLAIM), signature(CLAIM)], Seal(is_broken=True)),
    "a claim that is no CBOR": ([claimed(b"\xff"), signature(b"\xff")], Seal(is_broken=True)),
    "a claim that is a list": ([claimed(cbor([])), signature(cbor([]))], Seal(is_broken=True)),
    "a claim of nothing": ([claimed(own([])), signature(own([]))], Seal(is_broken=True)),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_manifest_has_one_claim_and_one_signature_over_it(name: str) -> None:
    parts, expected = PARTS[name]
    assert seal(store(*parts)) == expected
    assert read(store(*parts)) == (BROKEN if expected.is_broken else STATED)


@pytest.mark.parametrize("content", [box(b"json", b"[]"), box(b"cbor", b"\xff"), box(b"bidb", b"x")], ids=["list", "nothing", "bytes"])
def test_a_binding_that_cannot_be_read_is_broken(content: bytes) -> None:
    binding = payload("c2pa.hash.data", content)
    digests = {"stds.exif": hashlib.sha256(PLACE).digest(), "c2pa.hash.data": hashlib.sha256(binding).digest()}
    claim = own([{"url": f"self#jumbf=c2pa.assertions/{label}", "hash": digest} for label, digest in digests.items()])
    assertions = superbox("c2pa.assertions", box(b"jumb", PLACE), box(b"jumb", binding))
    data = png_with((b"caBX", superbox("c2pa", superbox(LABEL, assertions, claimed(claim), signature(claim)))))
    assert seal(data) == Seal(is_broken=True)


def test_only_the_last_manifest_is_sealed_and_a_broken_one_before_it_says_what_it_says() -> None:
    older = Picture(edit=lambda claim: claim.pop("signature")).manifest()
    assert read(signed(before=(older,))) == SIGNED | STATED


PARTS_OF_C2PA = ["c2pa", LABEL, "c2pa.assertions", "c2pa.claim", "c2pa.claim.v2", "c2pa.signature"]


def retyped(data: bytes, label: str, letters: bytes) -> bytes:
    """The file with another type of the part that has this label; no signature covers it."""
    old = type_of(label) + b"\x03" + label.encode() + b"\0"
    assert data.count(old) == 1
    return data.replace(old, letters + old[4:])


def relabelled(data: bytes, label: str, other: str) -> bytes:
    """The same with another label, as long as its own."""
    old = type_of(label) + b"\x03" + label.encode() + b"\0"
    assert data.count(old) == 1
    return data.replace(old, old[:17] + other.encode() + b"\0")


@pytest.mark.parametrize("label", PARTS_OF_C2PA)
def test_a_part_of_a_type_that_nobody_knows_is_read_and_trusted_by_nobody(label: str) -> None:
    data = signed(is_v2=label == "c2pa.claim.v2")
    assert read(data) == SIGNED
    changed = retyped(data, label, b"c2x?")
    assert seal(changed) == Seal()
    assert read(changed) == STATED
    assert read(changed[:-10] + b"x" + changed[-9:]) == BROKEN


def test_a_manifest_that_updates_another_is_bound_to_no_picture() -> None:
    """It is of a type of its own, and C2PA gives it no hash of the file."""
    assert read(retyped(signed(), LABEL, b"c2um")) == STATED
    assert read(retyped(signed(binding=None), LABEL, b"c2um")) == STATED
    assert read(retyped(signed(camera=Camera(key=key(4))), LABEL, b"c2um")) == BROKEN


@pytest.mark.parametrize(
    ("label", "other"),
    [
        ("c2pa", "c2pb"),
        ("c2pa", ""),
        ("c2pa.assertions", "c2pa.assertionz"),
        ("c2pa.assertions", "c2pa.claim"),
        ("c2pa.claim", "c2pa.clain"),
        ("c2pa.claim", "c2pa"),
        ("c2pa.signature", "c2pa.Signature"),
        ("c2pa.signature", "c2pa.claim"),
    ],
)
def test_a_part_whose_label_is_not_that_of_its_type_is_unreadable_and_never_silence(label: str, other: str) -> None:
    padded = other.encode() + b"\0" * (len(label) - len(other))
    assert read(relabelled(signed(), label, padded.decode())) == BROKEN


def test_a_claim_may_be_of_either_edition_by_its_label() -> None:
    assert read(relabelled(signed(is_v2=True), "c2pa.claim.v2", "c2pa.claim\0\0\0")) == SIGNED


def test_a_claim_without_a_store_of_assertions_is_unreadable_wherever_it_stands() -> None:
    bare = superbox(LABEL, claimed(CLAIM), signature(CLAIM))
    assert read(png_with((b"caBX", superbox("c2pa", bare)))) == BROKEN
    assert read(signed(before=(bare,))) == BROKEN
    data = signed()
    label = type_of("c2pa.assertions") + b"\x03c2pa.assertions\0"
    assert read(data.replace(label, bytes(17) + b"c2pa.assertionz\0")) == BROKEN
    nothing = superbox(LABEL, signature(CLAIM))
    assert read(png_with((b"caBX", superbox("c2pa", nothing)))) == {}


@pytest.mark.parametrize("parts", [{}, {"is_v2": True}, {"is_v2": True, "gathered": ("stds.exif",)}], ids=["first", "second", "gathered"])
def test_an_assertion_that_is_claimed_and_under_another_label_is_unreadable_and_never_silence(parts: dict[str, Any]) -> None:
    data = signed(**parts)
    assert data.count(b"\x03stds.exif\0") == 1
    assert read(data.replace(b"\x03stds.exif\0", b"\x03stds.exig\0")) == BROKEN
    places = {"stds.exif": {"exif:Make": "A camera"}}
    assert read(signed(places=places)) == read(signed(places=places, camera=Camera(key=key(4)))) == {}
    assert read(signed(places=places).replace(b"\x03stds.exif\0", b"\x03stds.exig\0")) == BROKEN


def test_assertions_that_swallow_what_they_hold_are_unreadable() -> None:
    """The description of their store is longer than it was signed."""
    hidden = superbox("c2pa.assertions")[:-1] + b"\0" + superbox("stds.exif", box(b"json", json.dumps(CALGARY).encode()))
    swallowed = box(b"jumb", box(b"jumd", hidden[16:]))
    assert read(png_with((b"caBX", superbox("c2pa", superbox(LABEL, swallowed, claimed(CLAIM), signature(CLAIM)))))) == BROKEN


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (own([{"url": "self#jumbf=c2pa.assertions/c2pa.actions"}]), {}),
        (own([{"url": 5}, {}, 5, "stds.exif"]), {}),
        (own({"url": "stds.exif"}), {}),
        (cbor([]), {}),
        (own([{"url": "stds.exif"}]), BROKEN),
        (b"\xff", BROKEN),
    ],
    ids=["another assertion", "no addresses", "no list", "no claim", "a place", "not to be read"],
)
def test_what_a_claim_lists_counts_where_it_may_be_a_place(claim: bytes, expected: dict[str, Any]) -> None:
    nothing = superbox("c2pa.assertions")
    newest = superbox(LABEL, nothing, claimed(claim), signature(claim))
    assert read(png_with((b"caBX", superbox("c2pa", newest)))) == expected
    # What an older manifest lacks may have been taken out, which C2PA allows.
    assert read(png_with((b"caBX", superbox("c2pa", newest, superbox("urn:newer", nothing))))) == {}


def test_the_boxes_of_another_standard_say_nothing_in_a_jpeg_whatever_lies_in_them() -> None:
    data = signed()
    other = data.replace(type_of("c2pa") + b"\x03c2pa\0", bytes(16) + b"\x03else\0")
    assert other != data
    assert read(other) == read(JPEG) == {}
