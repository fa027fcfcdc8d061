"""Searching: who may ask what, what is looked at and when, and what an answer holds."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import numpy as np
import pytest
from PIL import Image

from assent.consent.decision import SELF
from assent.events.grants import BindingMode, FaceBinding, GrantSnapshot, GrantState, Operation, Purpose
from assent.identity.principal import Role
from assent.ids import FaceId, GrantId, Jurisdiction, SubjectId
from assent.telemetry import metrics as declared
from assent.testing.face_pack import embedded_pack, encoded, one_face, six_faces
from tests.flow.query_house import ORG, QueryHouse, query_house, stranger
from tests.unit.grant_examples import grant
from tests.unit.heif_examples import saved_heic

PHOTO = encoded(one_face())
PROBE = encoded(one_face()[20:400, 60:460], quality=80)
GALLERY = (Purpose.SELF_SEARCH, Purpose.VERIFY, Purpose.GALLERY_SEARCH)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[QueryHouse]:
    async with query_house(tmp_path) as found:
        await found.policy()
        yield found


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Counts what the decoder of pictures is asked to open; it still opens it."""
    seen: list[str] = []
    real = Image.open

    def counted(*arguments: Any, **options: Any) -> Any:
        seen.append("opened")
        return real(*arguments, **options)

    monkeypatch.setattr(Image, "open", counted)
    return seen


async def given(house: QueryHouse, grant_id: str = "g-1", **changes: Any) -> GrantSnapshot:
    found = grant(grant_id, **changes)
    await house.give(found)
    return found


async def test_a_subject_finds_her_own_face_with_what_is_needed_to_judge_it(house: QueryHouse) -> None:
    face_id = await house.embed(await given(house), one_face(), PHOTO)
    status, body = await house.ask("/v1/search", house.token(Role.SUBJECT), basis="self", image=PROBE)
    assert status == 200
    (candidate,) = body["candidates"]
    assert (candidate["face_id"], candidate["grant_id"], candidate["status"]) == (face_id, "g-1", "candidate")
    assert candidate["score"] >= body["threshold"] == 0.445
    assert candidate["picture"] == f"/v1/faces/{face_id}/picture"
    assert candidate["box"] == house.boxes[face_id].model_dump()
    assert 0 < candidate["box_in_picture"]["x"] < 0.5
    manifest = embedded_pack().manifest
    assert body["model"] == {"name": manifest.name, "digest": manifest.digest[:12]}
    assert (body["gallery_faces"], body["false_match_rate"], body["expected_false_candidates"]) == (1, 0.001, 0.001)
    assert body["human_review_required"] is True
    assert "vector" not in str(body)
    (record,) = await house.disclosures()
    assert (record["outcome"], record["basis"], record["faces"]) == ("answered", "self", [{"face_id": face_id, "grant_id": "g-1"}])
    assert house.metrics.value(declared.SEARCHES, basis="self", outcome="matched") == 1
    assert house.metrics.value(declared.SEARCH_DURATION, basis="self") == 1
    assert house.metrics.value(declared.DISCLOSURES, outcome="answered") == 1


async def test_a_photo_of_a_phone_is_a_probe_like_another_and_a_film_is_none(house: QueryHouse) -> None:
    face_id = await house.embed(await given(house), one_face(), PHOTO)
    probe = saved_heic(one_face()[20:400, 60:460])
    status, body = await house.ask("/v1/search", house.token(Role.SUBJECT), basis="self", image=probe)
    assert (status, [candidate["face_id"] for candidate in body["candidates"]]) == (200, [face_id])
    film = probe.replace(b"ftypheic", b"ftypmsf1", 1)
    status, body = await house.ask("/v1/search", house.token(Role.SUBJECT), basis="self", image=film)
    assert (status, body["code"]) == (422, "image_refused")
    assert "HEIC" in body["remedy"]


async def test_without_a_token_nothing_is_decoded_and_not_even_waited_for(house: QueryHouse, decoded: list[str]) -> None:
    assert (await house.ask("/v1/search", basis="self", image=b"this is no picture"))[0] == 401
    assert (await house.ask("/v1/search", basis="self", image=PROBE))[0] == 401
    assert decoded == []
    status, body = await house.ask("/v1/search", house.token(Role.SUBJECT), basis="self", image=b"this is no picture")
    assert (status, body["code"]) == (422, "image_refused")
    assert (await house.ask("/v1/search", house.token(Role.SUBJECT), basis="self", image=PROBE))[0] == 200
    assert decoded == ["opened"]


@pytest.mark.parametrize(("role", "basis", "status"), [(None, "self", 401), (Role.OPERATOR, "self", 403), (Role.SEARCHER, "gallery", 451)])
async def test_the_answer_comes_when_hardly_any_of_the_picture_was_sent(
    house: QueryHouse, role: Role | None, basis: str, status: int
) -> None:
    token = f"Authorization: Bearer {house.mint(role)}\r\n" if role is not None else ""
    head = (
        f"POST /v1/search HTTP/1.1\r\nHost: localhost\r\n{token}Content-Type: multipart/form-data; boundary=b\r\n"
        f'Content-Length: 1000000\r\n\r\n--b\r\nContent-Disposition: form-data; name="basis"\r\n\r\n{basis}\r\n'
        '--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", house.client.port)
    writer.write(head.encode() + bytes(2_000))
    try:
        line = await asyncio.wait_for(reader.readline(), 10)
    finally:
        writer.close()
        await writer.wait_closed()
    assert line.split()[1] == str(status).encode()


async def test_a_caller_in_a_closed_place_is_turned_away_by_the_rule_and_it_is_recorded(house: QueryHouse, decoded: list[str]) -> None:
    status, body = await house.ask("/v1/search", house.token(Role.SEARCHER), basis="gallery", image=PHOTO)
    assert (status, body["code"], body["rule"]) == (451, "closed_place", "BC-1")
    assert decoded == []
    (record,) = await house.disclosures()
    assert (record["outcome"], record["rules"], record["faces"]) == ("refused", ["BC-1"], [])
    assert house.metrics.value(declared.SEARCHES, basis="unknown", outcome="refused_451") == 1
    assert house.metrics.value(declared.SEARCH_DURATION, basis="unknown") is None


async def test_a_subject_is_never_turned_away_by_her_place_when_she_looks_for_herself(house: QueryHouse) -> None:
    await house.embed(await given(house), one_face(), PHOTO)
    headers = house.token(Role.SUBJECT, jurisdictions=(Jurisdiction("CA-AB"),))
    status, body = await house.ask("/v1/search", headers, basis="self", image=PROBE)
    assert (status, len(body["candidates"])) == (200, 1)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"basis": "curiosity"}, 400, "unknown_basis"),
        ({}, 400, "unknown_basis"),
        ({"basis": "verify", "grant_id": "g-1"}, 400, "unknown_basis"),
        ({"basis": "self", "purpose": "gallery_search"}, 400, "purpose_not_allowed"),
        ({"basis": "self", "purpose": "advertising"}, 400, "purpose_not_allowed"),
        ({"basis": "self", **{f"f{number}": "" for number in range(20)}}, 413, "too_large"),
        ({"basis": "x" * 2_000}, 413, "too_large"),
    ],
)
async def test_what_may_not_be_asked_is_refused_undecoded(
    house: QueryHouse, decoded: list[str], fields: dict[str, str], status: int, code: str
) -> None:
    found = await house.ask("/v1/search", house.token(Role.SUBJECT), image=PROBE, **fields)
    assert (found[0], found[1]["code"]) == (status, code)
    assert decoded == []


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"--b--", 400),
        ("multipart/form-data; boundary=b", b"not a form at all", 400),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", 400),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="basis"\r\n\r\nself', 400),
    ],
)
async def test_a_form_that_cannot_be_read_is_the_callers_fault(house: QueryHouse, kind: str, body: bytes, status: int) -> None:
    headers = {**house.token(Role.SUBJECT), "Content-Type": kind}
    async with house.client.post("/v1/search", data=body, headers=headers) as response:
        assert response.status == status


async def test_a_picture_with_several_faces_is_answered_with_their_boxes(house: QueryHouse) -> None:
    status, body = await house.ask("/v1/search", house.token(Role.SUBJECT), basis="self", image=encoded(six_faces()))
    assert (status, body["code"], len(body["boxes"])) == (422, "several_faces", 6)
    assert all(0 <= box["x"] < 1 and 0 < box["width"] < 1 for box in body["boxes"])


async def test_somebody_elses_face_is_not_found_with_ones_own_token(house: QueryHouse) -> None:
    await house.embed(await given(house, "g-2", subject_id=SubjectId("s-2")), one_face(), PHOTO)
    status, body = await house.ask("/v1/search", house.token(Role.SUBJECT), basis="self", image=PROBE)
    assert (status, body["candidates"]) == (200, [])


async def test_verify_compares_with_one_grant_of_ones_own(house: QueryHouse) -> None:
    await house.policy("CA-BC")
    await house.embed(await given(house), one_face(), PHOTO)
    await given(house, "g-2", subject_id=SubjectId("s-2"))
    headers = house.token(Role.SUBJECT)
    status, body = await house.ask("/v1/verify", headers, grant_id="g-1", image=PROBE)
    assert (status, body["basis"], len(body["candidates"])) == (200, "verify", 1)
    for other in ("g-2", "g-3"):
        assert (await house.ask("/v1/verify", headers, grant_id=other, image=PROBE))[1]["candidates"] == []
    status, body = await house.ask("/v1/verify", headers, image=PROBE)
    assert (status, body["code"]) == (400, "no_grant_named")
    assert (await house.ask("/v1/verify", house.token(Role.SEARCHER), grant_id="g-1", image=PROBE))[0] == 403


async def gallery(house: QueryHouse, **changes: Any) -> tuple[FaceId, FaceId]:
    """One person in two photos under a grant that allows gallery search to the museum."""
    await house.policy("CA-BC")
    open_grant = await given(house, **({"purposes": GALLERY, "recipients": (ORG,)} | changes))
    first = await house.embed(open_grant, one_face(), PHOTO)
    second = await house.embed(open_grant, one_face()[20:400, 60:460], PROBE)
    return first, second


async def test_a_gallery_is_searched_from_a_face_that_is_itself_under_a_live_grant(house: QueryHouse) -> None:
    first, second = await gallery(house)
    named: list[dict[str, Any]] = [
        {"face_id": first},
        {"image": PHOTO},
        {"image_id": house.shared.identifiers.image_id(PHOTO)},
    ]
    for naming in named:
        status, body = await house.ask("/v1/search", house.token(Role.SEARCHER), basis="gallery", **naming)
        assert status == 200
        assert {item["face_id"] for item in body["candidates"]} == {first, second}


@pytest.mark.parametrize("changes", [{"recipients": ("Other",)}, {"purposes": (Purpose.SELF_SEARCH,)}])
async def test_a_face_that_may_not_be_searched_for_looks_like_one_that_is_not_there(house: QueryHouse, changes: dict[str, Any]) -> None:
    first, _ = await gallery(house, **changes)
    answers = [
        await house.ask("/v1/search", house.token(Role.SEARCHER), basis="gallery", face_id=face_id)
        for face_id in (first, "01890000-0000-7000-8000-000000000000", "../etc/passwd", "")
    ]
    unknown = await house.ask("/v1/search", house.token(Role.SEARCHER), basis="gallery", image=stranger())
    for status, body in [*answers, unknown]:
        assert (status, body["code"]) == (403, "probe_not_covered")
        assert {**body, "request_id": ""} == {**answers[1][1], "request_id": ""}


def in_the_name_of_self(house: QueryHouse) -> str:
    """A searcher's token that the signer would not mint, under the registry's own key."""
    claims = jwt.decode(house.mint(Role.SEARCHER), options={"verify_signature": False})
    claims["principal"]["org"] = SELF
    return jwt.encode(claims, house.signing.token, algorithm="EdDSA")


@pytest.mark.parametrize("recipients", [(ORG,), (SELF, ORG)])
async def test_a_gallery_question_in_the_name_of_self_is_told_nothing(house: QueryHouse, recipients: tuple[str, ...]) -> None:
    """No such token can be minted over the interface; one that was made otherwise must not stand for the person herself."""
    first, _ = await gallery(house, recipients=recipients)
    headers = {"Authorization": f"Bearer {in_the_name_of_self(house)}"}
    named: list[dict[str, Any]] = [{"face_id": first}, {"image": PHOTO}, {"face_id": "01890000-0000-7000-8000-000000000000"}]
    for naming in named:
        status, body = await house.ask("/v1/search", headers, basis="gallery", **naming)
        assert (status, body["code"]) == (403, "probe_not_covered")
    assert [record for record in await house.disclosures() if record["faces"]] == []
    status, body = await house.ask("/v1/search", house.token(Role.SEARCHER), basis="gallery", face_id=first)
    assert (status, len(body["candidates"])) == (200, 2)


async def test_a_place_that_keeps_probes_to_the_person_herself_is_obeyed(house: QueryHouse) -> None:
    first, _ = await gallery(house)
    await house.policy("CA-BC", CA_BC={"probe": "self_only"})
    status, body = await house.ask("/v1/search", house.token(Role.SEARCHER), basis="gallery", face_id=first)
    assert (status, body["code"]) == (403, "probe_not_covered")


async def test_a_searcher_without_the_purpose_cannot_ask(house: QueryHouse) -> None:
    first, _ = await gallery(house)
    headers = house.token(Role.SEARCHER, purposes=(Purpose.VERIFY,))
    status, body = await house.ask("/v1/search", headers, basis="gallery", face_id=first)
    assert (status, body["code"]) == (403, "purpose_not_allowed")


@dataclass(slots=True)
class Together:
    """She (s-1) and somebody else in one picture under a joint grant that is hers; each face once."""

    house: QueryHouse
    hers: FaceId
    others: FaceId

    async def found(self, image: bytes, path: str = "/v1/search", **fields: str) -> list[str]:
        """Whom she is told of. What says nothing of anybody is the same in every answer."""
        asked = fields or {"basis": "self"}
        status, body = await self.house.ask(path, self.house.token(Role.SUBJECT), image=image, **asked)
        assert (status, body["gallery_faces"] > 0, body["threshold"]) == (200, True, 0.445)
        assert [face["face_id"] for face in (await self.house.disclosure_of(body["query_id"]))["faces"]] == [
            candidate["face_id"] for candidate in body["candidates"]
        ]
        return [candidate["face_id"] for candidate in body["candidates"]]

    async def shown(self, face_id: FaceId, **caller: Any) -> int:
        headers = self.house.token(*caller.pop("roles", (Role.SUBJECT,)), **caller)
        async with self.house.client.get(f"/v1/faces/{face_id}/picture", headers=headers) as response:
            return response.status


async def together(house: QueryHouse, **changes: Any) -> Together:
    await given(house, "g-2", subject_id=SubjectId("s-2"), **changes)
    await given(house, "g-3", **changes)
    binding = FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"), GrantId("g-3")))
    joint = await given(house, "g-joint", binding=binding, **changes)
    hers = await house.embed(joint, one_face(), PHOTO)
    other = stranger()
    with Image.open(io.BytesIO(other)) as image:
        return Together(house, hers, await house.embed(joint, np.asarray(image.convert("RGB")), other))


async def test_a_joint_grant_stands_only_while_every_member_does(house: QueryHouse) -> None:
    both = await together(house)
    await house.embed(await given(house, "g-own"), one_face(), PHOTO)
    assert both.hers in await both.found(PROBE)
    await house.withdraw(GrantId("g-2"))
    assert both.hers not in await both.found(PROBE)


async def test_in_a_picture_of_several_people_she_finds_nobody_but_herself(house: QueryHouse) -> None:
    """Her photo must agree with a face that is held of her alone; nobody else's does, and so it is before one is held."""
    await house.policy("CA-BC")
    both = await together(house)
    assert [await both.found(image) for image in (PROBE, stranger())] == [[], []]
    assert [await both.found(image, "/v1/verify", grant_id="g-joint") for image in (PROBE, stranger())] == [[], []]
    own = await house.embed(await given(house, "g-own"), one_face(), PHOTO)
    assert set(await both.found(PROBE)) == {own, both.hers}
    assert await both.found(stranger()) == []
    assert await both.found(PROBE, "/v1/verify", grant_id="g-joint") == [both.hers]
    assert await both.found(stranger(), "/v1/verify", grant_id="g-joint") == []
    assert await both.found(PROBE, "/v1/verify", grant_id="g-own") == [own]


@pytest.mark.parametrize(
    "change",
    [
        {"state": GrantState.REVOKED},
        {"purposes": (Purpose.VERIFY,)},
        {"operations": (Operation.STORE, Operation.SEARCH)},
        {"binding": FaceBinding(mode=BindingMode.JOINT, member_grants=(GrantId("g-2"), GrantId("g-3")))},
    ],
    ids=["ended", "for another purpose", "not to be told", "of several people too"],
)
async def test_what_is_held_of_her_alone_counts_while_it_may_be_told(house: QueryHouse, change: dict[str, Any]) -> None:
    both, own = await together(house), await given(house, "g-own")
    await house.embed(own, one_face(), PHOTO)
    assert both.hers in await both.found(PROBE)
    await house.give(own.model_copy(update={"revision": 2} | change))
    assert await both.found(PROBE) == []
    assert await both.shown(both.hers) == 404


async def test_her_own_grant_that_ends_while_she_is_answered_shows_her_nobody_in_pictures_of_several(house: QueryHouse) -> None:
    both = await together(house)
    await house.embed(await given(house, "g-own"), one_face(), PHOTO)

    async def ends() -> None:
        house.store.meanwhile = None
        await house.withdraw(GrantId("g-own"))

    house.store.meanwhile = ends
    assert await both.found(PROBE) == []
    assert await both.shown(both.hers) == 404


async def test_of_the_pictures_of_several_people_she_sees_those_that_show_her(house: QueryHouse) -> None:
    both = await together(house)
    assert [await both.shown(face_id) for face_id in (both.hers, both.others)] == [404, 404]
    own = await house.embed(await given(house, "g-own"), one_face(), PHOTO)
    assert [await both.shown(face_id) for face_id in (own, both.hers, both.others)] == [200, 200, 404]
    for caller in ({"subject_id": SubjectId("s-2")}, {"roles": (Role.SEARCHER,)}):
        assert [await both.shown(face_id, **caller) for face_id in (both.hers, both.others)] == [404, 404]


async def test_who_may_search_the_gallery_sees_both_where_both_said_so(house: QueryHouse) -> None:
    await house.policy("CA-BC")
    both = await together(house, purposes=GALLERY, recipients=(ORG,))
    for roles in ((Role.SEARCHER,), (Role.SEARCHER, Role.SUBJECT)):
        assert [await both.shown(face_id, roles=roles) for face_id in (both.hers, both.others)] == [200, 200]
    await house.give(grant("g-2", subject_id=SubjectId("s-2"), revision=2, purposes=GALLERY))
    for roles in ((Role.SEARCHER,), (Role.SEARCHER, Role.SUBJECT)):
        assert [await both.shown(face_id, roles=roles) for face_id in (both.hers, both.others)] == [404, 404]
