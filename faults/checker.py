"""Which vectors should exist, from inputs, grants and the truth, held against those that do; it shares no code with the services."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime

from faults.evidence import Evidence, Json

Key = tuple[str, str]
PRODUCER = "demo-agency"
ERASED = {("vectors", "logical"), ("vectors", "physical")}


def judge(truth: Json, found: Evidence) -> list[str]:
    """Every disagreement in words, and nothing where there is none."""
    return [
        *_ends(truth, found),
        *_vectors(truth, found),
        *_reported(found),
        *_after_the_end(truth, found),
        *_unended(truth, found),
        *_stuck(found),
    ]


def should_exist(truth: Json, found: Evidence) -> Counter[Key]:
    """(image, grant) and how many faces, for each picture under a grant that was given and has not ended; faces.embedded is not read."""
    images = {item["sighting"]["sha256"]: item["sighting"]["image_id"] for item in found.topics["images.located"]}
    live, wanted = _live(truth, found), Counter[Key]()
    for picture in truth["pictures"]:
        if picture["faces"] and picture["grant_id"] in live:
            # A picture that no stage ever saw is missing as well, under its digest.
            wanted[images.get(picture["sha256"], f"sha256 {picture['sha256']}"), picture["grant_id"]] = picture["faces"]
    return wanted


def _live(truth: Json, found: Evidence) -> set[str]:
    newest: dict[str, Json] = {}
    for grant in found.topics["grants"]:
        if grant["revision"] >= newest.get(grant["grant_id"], grant)["revision"]:
            newest[grant["grant_id"]] = grant
    ended = _withdrawn(found) | {grant["grant_id"] for grant in truth["grants"] if grant["withdrawn_at"] is not None}
    alone = {name for name, grant in newest.items() if name not in ended and grant["state"] in ("given", "renewed")}
    return {name for name in alone if alone >= set(newest[name]["binding"]["member_grants"])}


def _withdrawn(found: Evidence) -> set[str]:
    return {item["grant_id"] for item in found.topics["withdrawals"]}


def _vectors(truth: Json, found: Evidence) -> list[str]:
    wanted, held = should_exist(truth, found), Counter[Key]((point["image_id"], point["grant_id"]) for point in found.points)
    missing = [f"missing: {count} of {key}" for key, count in (wanted - held).items()]
    return missing + [f"extra: {count} of {key}" for key, count in (held - wanted).items()]


def _ends(truth: Json, found: Evidence) -> list[str]:
    """An acknowledged end must be on the log, and an acknowledged yes too."""
    given, gone = {grant["grant_id"] for grant in found.topics["grants"]}, _withdrawn(found)
    unheard = [
        f"a yes that was acknowledged is not on the log: {one['grant_id']}" for one in truth["grants"] if one["grant_id"] not in given
    ]
    ended = [one["grant_id"] for one in truth["grants"] if one["withdrawn_at"] is not None]
    return unheard + [f"an end that was acknowledged is not on the log: {name}" for name in ended if name not in gone]


def _reported(found: Evidence) -> list[str]:
    """What was reported as erased from the store must not be there, now or later."""
    told = {item["grant_id"] for item in found.topics["erasures.progressed"] if (item["store"], item["level"]) in ERASED}
    held = Counter[str](point["grant_id"] for point in found.points)
    return [f"reported erased and there: {count} of {name}" for name, count in held.items() if name in told]


def _after_the_end(truth: Json, found: Evidence) -> list[str]:
    """Nothing that was fetched after an acknowledged end is cleared under that grant, and no face is embedded under it.

    Both stages read the ledger to its end after the moment that the record names, so no grace is due, however long they were
    paused; and a record that is written again still names that moment.
    """
    ends = {grant["grant_id"]: grant["ended_at"] for grant in truth["grants"] if grant["ended_at"] is not None}

    def is_late(grant_id: str, moment: str) -> bool:
        return grant_id in ends and datetime.fromisoformat(moment) > ends[grant_id]

    late = set[str]()
    for item in found.topics["images.cleared"]:
        sighting = item["sighting"]
        under = {clearance["grant_id"] for clearance in item["clearances"] if is_late(clearance["grant_id"], sighting["fetched_at"])}
        late |= {f"cleared after the end: sighting {sighting['sighting_id']} under {name}" for name in under}
    for item in found.topics["faces.embedded"]:
        if is_late(item["grant_id"], item["embedded_at"]):
            late.add(f"embedded after the end: face {item['face_id']} of {item['grant_id']}")
    return sorted(late)


def _unended(truth: Json, found: Evidence) -> list[str]:
    """Each (sighting, grant) ends in at least one of embedded, refused, dead; a refusal without a grant ends the sighting whole. Of a grant
    that was over by then no stage says anything where another one covers the picture as well: there the end of that one is enough.
    """
    over = {grant["grant_id"] for grant in truth["grants"] if grant["ended_at"] is not None}
    ended = {(item["sighting_id"], item["grant_id"]) for topic in ("faces.embedded", "images.refused") for item in found.topics[topic]}
    offered, names = defaultdict[str, set[str | None]](set), defaultdict[str, set[str]](set)
    for picture in truth["pictures"]:
        offered[picture["sha256"]].add(picture["grant_id"])
    for item in found.topics["images.located"]:
        names[item["sighting"]["sha256"]].add(item["sighting"]["sighting_id"])
    # A dead letter names a place on the log, not a sighting; nothing that is offered here is to die.
    problems, unnamed = {f"dead letter: {letter}" for letter in found.dead}, set[str]()
    for item in found.topics["images.scraped"]:
        # An outside producer's event may lie there as one JSON document with its envelope, and is named anew by the first stage.
        sighting = item.get("data", item)["sighting"]
        digest, own, is_produced = sighting["sha256"], sighting.get("upload_grant_id"), sighting["source_kind"] == "producer"
        called = names[digest] if is_produced else {sighting["sighting_id"]}
        if is_produced and not called:
            unnamed.add(digest)
        for grant in {own} if own else offered[digest]:
            others = offered[digest] if grant in over and not own else set()
            if called and not {(name, which) for name in called for which in (grant, None, *others)} & ended:
                problems.add(f"no end: sighting {sighting['sighting_id']} under {grant}")
    return sorted(problems) + _unnamed(unnamed, found)


def _unnamed(digests: set[str], found: Evidence) -> list[str]:
    """Pictures of a producer that went no further than the first stage: that many must have been refused there."""
    refused = {
        item["image_id"] for item in found.topics["images.refused"] if item.get("stage") == "geofence" and item["producer"] == PRODUCER
    }
    return [f"no end: {len(digests)} pictures of the producer, {len(refused)} refused"] if len(digests) > len(refused) else []


def _stuck(found: Evidence) -> list[str]:
    return [f"stuck: {group} has {count} records undone" for group, count in found.undone.items() if count]
