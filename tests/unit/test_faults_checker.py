"""The checker of the fault runs sees each kind of broken promise, and says nothing where all is well."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from faults.checker import judge, should_exist
from faults.evidence import DEAD, GROUPS, READ, Evidence, Json
from faults.truth import Truth
from faults.uptime import Uptime

BEFORE, AFTER = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"


def grant(name: str, *, revision: int = 2, state: str = "given", members: tuple[str, ...] = ()) -> Json:
    return {"grant_id": name, "revision": revision, "state": state, "binding": {"member_grants": list(members)}}


def sighting(digest: str, **changes: Any) -> Json:
    seen = {"sighting_id": f"s-{digest}", "sha256": digest, "image_id": f"i-{digest}", "source_kind": "upload", "fetched_at": BEFORE}
    return {"sighting": {**seen, "upload_grant_id": None, **changes}}


def cleared(digest: str, *under: str, **changes: Any) -> Json:
    return {**sighting(digest, **changes), "clearances": [{"grant_id": name} for name in under]}


def embedded(digest: str, under: str, *, at: str) -> Json:
    return {"sighting_id": f"s-{digest}", "grant_id": under, "face_id": f"f-{digest}", "embedded_at": at}


def progressed(grant_id: str, *, store: str = "vectors", level: str = "logical") -> Json:
    return {"grant_id": grant_id, "store": store, "level": level}


@pytest.fixture
def told() -> tuple[Truth, Evidence]:
    """One picture under a live grant, one under an ended one, one that must be refused; all as it should be."""
    truth = Truth()
    for name in ("live", "over", "pair"):
        truth.given(name, "subject", ("live", "over") if name == "pair" else ())
    truth.pictured("one", "live", faces=1)
    truth.pictured("two", "over", faces=1)
    truth.pictured("three", "live", faces=0)
    truth.pictured("both", "pair", faces=2)
    truth.withdrawn("over", uptime_s=0.0)
    found = Evidence(topics={topic: [] for topic in (*READ, *DEAD)}, undone=dict.fromkeys(GROUPS, 0))
    found.topics["grants"] = [grant("live"), grant("over"), grant("pair", members=("live", "over"))]
    found.topics["withdrawals"] = [{"grant_id": "over"}, {"grant_id": "pair"}]
    found.topics["images.scraped"] = [sighting(name) for name in ("one", "two", "three", "both")]
    found.topics["images.located"] = [sighting(name) for name in ("one", "two", "both")]
    found.topics["images.cleared"] = [cleared("one", "live", "over"), cleared("two", "over")]
    found.topics["faces.embedded"] = [embedded("one", "live", at=AFTER), embedded("two", "over", at=BEFORE)]
    found.topics["erasures.progressed"] = [progressed("over", level=level) for level in ("resolved", "logical", "physical")]
    found.topics["images.refused"] = [{"sighting_id": f"s-{name}", "grant_id": None} for name in ("three", "both")]
    found.points = [{"id": "p", "image_id": "i-one", "grant_id": "live"}]
    return truth, found


def test_where_all_is_well_nothing_is_said(told: tuple[Truth, Evidence]) -> None:
    truth, found = told
    assert should_exist(truth.plain(), found) == {("i-one", "live"): 1}
    assert judge(truth.plain(), found) == []


def test_the_end_of_a_member_ends_what_is_joint(told: tuple[Truth, Evidence]) -> None:
    truth, _ = told
    assert truth.ended_before(time.monotonic()) == {"over", "pair"}


@pytest.mark.parametrize(("also", "is_well"), [("over", True), ("live", False)], ids=["over", "still live"])
def test_of_a_grant_that_was_over_the_end_of_another_that_covers_the_picture_is_enough(
    told: tuple[Truth, Evidence], also: str, is_well: bool
) -> None:
    truth, found = told
    for name in ("other", also):
        truth.pictured("four", name, faces=0)
    truth.given("other", "another", ())
    found.topics["grants"].append(grant("other"))
    found.topics["images.scraped"].append(sighting("four", source_kind="web_page"))
    found.topics["images.refused"].append({"sighting_id": "s-four", "grant_id": "other"})
    assert judge(truth.plain(), found) == ([] if is_well else ["no end: sighting s-four under live"])


def comes_back(found: Evidence) -> None:
    found.points.append({"id": "q", "image_id": "i-two", "grant_id": "over"})


BREACHES: dict[str, Callable[[Evidence], object]] = {
    "reported erased and there: 1 of over": comes_back,
    "cleared after the end: sighting s-two under over": lambda found: found.topics["images.cleared"].append(
        cleared("two", "live", "over", fetched_at=AFTER)
    ),
    "cleared after the end: sighting s-both under pair": lambda found: found.topics["images.cleared"].append(
        cleared("both", "pair", fetched_at=AFTER)
    ),
    "embedded after the end: face f-two of over": lambda found: found.topics["faces.embedded"].append(embedded("two", "over", at=AFTER)),
    "missing: 1 of": lambda found: found.points.clear(),
    "extra: 1 of ('i-two', 'over')": comes_back,
    "extra: 1 of ('i-one', 'live')": lambda found: found.points.append({"id": "q", "image_id": "i-one", "grant_id": "live"}),
    "extra: 2 of ('i-both', 'pair')": lambda found: found.points.extend(
        [{"id": name, "image_id": "i-both", "grant_id": "pair"} for name in "qr"]
    ),
    "a yes that was acknowledged is not on the log: live": lambda found: found.topics["grants"].pop(0),
    "an end that was acknowledged is not on the log: over": lambda found: found.topics["withdrawals"].pop(0),
    "no end: sighting s-three": lambda found: found.topics["images.refused"].pop(0),
    "no end: sighting s-two": lambda found: found.topics["faces.embedded"].pop(1),
    "dead letter": lambda found: found.topics["images.cleared.dlq"].append({"cause": "undecodable"}),
    "stuck: embedder has 3": lambda found: found.undone.update(embedder=3),
}


@pytest.mark.parametrize("said", BREACHES)
def test_each_breach_is_seen(told: tuple[Truth, Evidence], said: str) -> None:
    truth, found = told
    BREACHES[said](found)
    assert any(line.startswith(said) for line in judge(truth.plain(), found))


def test_ids_that_are_only_known_and_pictures_that_are_erased_claim_nothing_of_vectors(told: tuple[Truth, Evidence]) -> None:
    truth, found = told
    found.topics["erasures.progressed"] = [progressed("live", level="resolved"), progressed("live", store="derivatives")]
    assert judge(truth.plain(), found) == []


def test_what_was_fetched_or_embedded_before_the_end_may_be_written_and_written_again_later(told: tuple[Truth, Evidence]) -> None:
    truth, found = told
    found.topics["images.cleared"] += [cleared("two", "over")] * 2
    found.topics["faces.embedded"] += [embedded("two", "over", at=BEFORE)] * 2
    assert judge(truth.plain(), found) == []


def test_a_vector_is_judged_by_the_highest_revision(told: tuple[Truth, Evidence]) -> None:
    truth, found = told
    found.topics["grants"] += [grant("live", revision=3, state="expired"), grant("live")]
    assert should_exist(truth.plain(), found) == {}


def test_a_producers_sighting_is_followed_under_its_new_name(told: tuple[Truth, Evidence]) -> None:
    truth, found = told
    truth.pictured("four", "live", faces=1)
    sent = sighting("four", sighting_id="theirs", source_kind="producer")
    found.topics["images.scraped"].append({"specversion": "1.0", "data": sent})
    assert "no end: 1 pictures of the producer, 0 refused" in judge(truth.plain(), found)
    found.topics["images.located"].append(sighting("four", source_kind="producer"))
    assert "no end: sighting theirs under live" in judge(truth.plain(), found)
    found.topics["faces.embedded"].append(embedded("four", "live", at=AFTER))
    found.points.append({"id": "q", "image_id": "i-four", "grant_id": "live"})
    assert judge(truth.plain(), found) == []


def test_time_in_trouble_does_not_count() -> None:
    uptime = Uptime(frozenset({"indexer", "broker"}))
    with uptime.without("indexer"), uptime.without("broker"), uptime.without("query"):
        stood = uptime.seconds
        time.sleep(0.02)
        assert uptime.seconds == stood
    with uptime.without("query"):
        stood = uptime.seconds
        time.sleep(0.02)
        assert uptime.seconds > stood
