"""Records that no stage of ours wrote, and vectors laid under another's name: none becomes a vector, none moves one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assent.events.envelope import Event, decode, encode
from assent.events.faces import FaceEmbedded
from assent.events.grants import PolicyPublished
from assent.events.images import Clearance, GrantFinding, ImageCleared, ImageLocated, ImageScraped, Sighting, SourceKind
from assent.events.topics import Topic
from assent.ids import GrantId, ImageId, Jurisdiction, ProducerId, SightingId, SubjectId
from assent.intake.stage_signatures import STAGE_HEADER, StageSignatures
from assent.keys.signing_keys import SigningKeys
from demo.producer import NAME
from demo.settled import settled
from tests.flow.attack_house import CA_BC, MONTREAL, NOBODYS_GRANT, STRANGER, Field, Victim
from tests.integration.stream_workbench import until

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


async def sighting(field_of: Field, image: bytes, *, producer: str, **changes: Any) -> Sighting:
    """A sighting of these bytes, which lie where that producer's lie; the rest is what the forger claims."""
    digest, quarantine = hashlib.sha256(image).hexdigest(), field_of.house.world.system.shared.quarantine
    sighting_id = SightingId(os.urandom(16).hex())
    if producer in ("crawler", "upload"):
        blob = await quarantine.put(sighting_id, image)
    else:
        blob = await (await field_of.producer()).hand_in(image)
    claims: dict[str, Any] = {
        "sighting_id": sighting_id,
        "image_id": field_of.house.world.identifiers.image_id(image),
        "producer": ProducerId(producer),
        "source_kind": SourceKind.WEB_PAGE,
        "blob": blob,
        "sha256": digest,
        "size_bytes": len(image),
        "media_type": "image/jpeg",
        "fetched_at": datetime.now(UTC),
    }
    return Sighting(**claims | changes)


@dataclass(frozen=True, slots=True)
class Forgery:
    """What a forged record says: whose bytes, of which producer, and what it claims of the victim."""

    image: bytes = STRANGER
    producer: str = NAME
    revision: int = 2
    grant: str | None = None
    claims: Callable[[Field, Victim], dict[str, Any]] = lambda where, victim: {"final_url": f"{where.site.origin}{victim.folder}x.jpg"}


def as_upload(where: Field, victim: Victim) -> dict[str, Any]:
    return {"source_kind": SourceKind.UPLOAD, "upload_grant_id": victim.grant_id}


FORGERIES = {
    "her folder, by a producer's word": Forgery(),
    "an upload of hers": Forgery(claims=as_upload),
    "a grant that was never made": Forgery(grant=NOBODYS_GRANT),
    "a revision of the future": Forgery(revision=99),
    "the crawler's original under another's folder": Forgery(producer="crawler"),
    "an upload of another's": Forgery(producer="upload", claims=as_upload),
    "the closed place left out": Forgery(producer="crawler", image=MONTREAL),
}


@pytest.mark.parametrize("kind", ["located", "cleared"])
@pytest.mark.parametrize("name", FORGERIES)
async def test_a_record_that_no_stage_of_ours_wrote_becomes_no_vector(field_of: Field, name: str, kind: str) -> None:
    forgery = FORGERIES[name]
    victim = await field_of.victim(**({"kind": "upload"} if forgery.claims is as_upload else {}))
    seen = await sighting(field_of, forgery.image, producer=forgery.producer, **forgery.claims(field_of, victim))
    found: Any = {
        "grant_id": GrantId(forgery.grant or victim.grant_id),
        "revision": forgery.revision,
        "candidates": (CA_BC,),
        "evidence": (),
    }
    told: Any = {"sighting": seen, "policy_version": "1", "datasets": ()}
    before = await field_of.house.world.store.count()
    if kind == "located":
        await field_of.append(ImageLocated(findings=(GrantFinding(**found),), **told))
    else:
        await field_of.append(ImageCleared(clearances=(Clearance(**found),), **told))
    assert await field_of.held(victim.grant_id) == []
    assert await field_of.house.world.store.count() == before
    assert set(await field_of.dead(Topic(f"images.{kind}"))) == {"bad_signature"}


async def test_a_vector_of_hers_is_not_given_to_another_by_a_changed_record(field_of: Field) -> None:
    """The sealed vector is genuine, so its seal holds; what stands beside it was changed."""
    (victim, face_id), thief = await field_of.pictured(), await field_of.victim()
    (genuine,) = [record for record in await field_of.records(Topic.FACES_EMBEDDED.value) if record.key == victim.grant_id.encode()]
    face = decode(genuine).data
    assert isinstance(face, FaceEmbedded)
    changes: list[dict[str, Any]] = [
        {"subject_id": SubjectId(thief.person.subject_id)},
        {"grant_id": thief.grant_id},
        {"revision": 99},
        {"candidates": (Jurisdiction("CA-ON"),)},
        {"image_id": ImageId("0" * 64)},
    ]
    await field_of.append(*[face.model_copy(update=change) for change in changes])
    record = encode(Event("another-id", "/forger", datetime.now(UTC), face.model_copy(update=changes[0])))
    await field_of.house.world.log.append([replace(record, headers=(*record.headers, (STAGE_HEADER, genuine.header(STAGE_HEADER) or b"")))])
    await settled(field_of.house.world.log)
    (facts,) = await field_of.house.world.store.retrieve([decode(genuine).data.face_id])  # type: ignore[attr-defined]
    assert (facts.subject_id, facts.grant_id, facts.image_id) == (victim.person.subject_id, victim.grant_id, face.image_id)
    assert await field_of.held(thief.grant_id) == []
    status, _ = await field_of.ask("GET", f"/v1/faces/{face_id}/picture", token=await thief.person.token())
    assert status == 404
    assert set(await field_of.dead(Topic.FACES_EMBEDDED)) == {"bad_signature"}


async def test_whose_vector_it_is_stands_in_the_grant_also_where_the_embedder_itself_says_otherwise(field_of: Field) -> None:
    """The record is signed as the embedder signs: what it says of the person is still not what counts."""
    (victim, face_id), thief = await field_of.pictured(), await field_of.victim()
    (genuine,) = [record for record in await field_of.records(Topic.FACES_EMBEDDED.value) if record.key == victim.grant_id.encode()]
    face = decode(genuine).data
    assert isinstance(face, FaceEmbedded)
    said = encode(
        Event("said-otherwise", "/assent/embedder", datetime.now(UTC), face.model_copy(update={"subject_id": thief.person.subject_id}))
    )
    dead = len(await field_of.dead(Topic.FACES_EMBEDDED))
    await field_of.house.world.store.delete([face.face_id])
    await field_of.put(StageSignatures(field_of.shared.keys).signed(said, "embedder"))
    assert len(await field_of.dead(Topic.FACES_EMBEDDED)) == dead
    (facts,) = await field_of.house.world.store.retrieve([face.face_id])
    assert (facts.face_id, facts.subject_id, facts.grant_id) == (face_id, victim.person.subject_id, victim.grant_id)


@pytest.mark.parametrize("whose", ["another producer's", "the crawler's", "a path"])
async def test_a_producer_that_names_foreign_bytes_is_a_dead_letter(field_of: Field, whose: str) -> None:
    producer, digest = await field_of.producer(), hashlib.sha256(STRANGER).hexdigest()
    blobs = {
        "another producer's": f"intake/rival/{digest}",
        "the crawler's": "quarantine/s-1",
        "a path": f"intake/{NAME}/../rival/{digest}",
    }
    seen = await sighting(field_of, STRANGER, producer=NAME, blob=blobs[whose])
    record = encode(Event("e-1", f"/{NAME}", datetime.now(UTC), ImageScraped(sighting=seen)))
    signature = producer.signed("e-1", seen.sighting_id, record.value or b"")
    before = (await field_of.dead(Topic.IMAGES_SCRAPED)).count("foreign_blob")
    await field_of.house.world.log.append([replace(record, headers=(*record.headers, ("assent-signature", signature)))])
    await settled(field_of.house.world.log)
    assert (await field_of.dead(Topic.IMAGES_SCRAPED)).count("foreign_blob") == before + 1


@pytest.mark.parametrize("is_dated", [True, False])
async def test_an_older_policy_of_ours_that_is_put_on_the_log_again_is_not_in_force(field_of: Field, is_dated: bool) -> None:
    """Genuine, and perhaps looser than what came after it; after compaction it would be all that is left."""
    signing, in_force = SigningKeys.load(field_of.data / "keys"), field_of.shared.gate.policy
    document = in_force.model_copy(update={"version": "an older one"}).canonical_json()
    older = PolicyPublished(
        version="an older one",
        document=document,
        sha256=hashlib.sha256(document.encode()).hexdigest(),
        signature=b"",
        key_id="k",
        published_at=datetime.now(UTC) - timedelta(days=30),
    )
    signed = older.signed_bytes() if is_dated else older.sha256.encode()
    before = field_of.unreadable(Topic.POLICIES)
    await field_of.append(older.model_copy(update={"signature": signing.policy.sign(signed)}))
    assert field_of.shared.gate.policy.version == in_force.version

    async def is_newest_last() -> bool:
        last = decode((await field_of.records(Topic.POLICIES.value))[-1]).data
        return isinstance(last, PolicyPublished) and last.version == in_force.version

    await until(is_newest_last)
    await field_of.shared.tables.catch_up(10)
    await until(lambda: field_of.unreadable(Topic.POLICIES) == before + 1)
    assert field_of.shared.gate.policy.version == in_force.version
