"""Nobody says yes for somebody else, and no grant covers more than it names, however it is written or asked for."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from assent.consent.asset import Asset
from assent.consent.source_rules import SourceRuleError, checked_rule, matching_rule
from assent.events.grants import SourceKindRule, SourceRule
from assent.events.images import Sighting
from assent.events.topics import Topic
from assent.ids import GrantId
from demo import photos
from demo.settled import settled
from demo.subject import Subject
from tests.flow.attack_house import STRANGER, Field
from tests.flow.test_joint_grant import side_by_side

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


async def test_nobody_uploads_under_anothers_grant(field_of: Field) -> None:
    victim, thief = await field_of.victim(kind="upload"), await field_of.victim(kind="upload")
    path = f"/v1/grants/{victim.grant_id}/images"
    tries: list[dict[str, Any]] = [
        {},
        {"token": await thief.person.token()},
        {"token": field_of.house.token},
        {"headers": {"Assent-Grant-Secret": thief.secret}},
        {"headers": {"Assent-Grant-Secret": thief.secret}, "token": await thief.person.token()},
    ]
    assert [(await field_of.ask("POST", path, data=STRANGER, **attempt))[0] for attempt in tries] == [401, 403, 403, 403, 403]
    cookie = {"Cookie": f"assent_session={await thief.person.token()}", "Origin": field_of.url}
    assert (await field_of.ask("POST", f"/me/grants/{victim.grant_id}/images", headers=cookie, data=STRANGER))[0] == 403
    await settled(field_of.house.world.log)
    assert await field_of.held(victim.grant_id) == []


@pytest.mark.parametrize(
    "box",
    [
        {"x": 0, "y": 0, "width": 1, "height": 1},
        {"x": 0.9, "y": 0.9, "width": 0.05, "height": 0.05},
        {"x": 0.99, "y": 0.99, "width": 1, "height": 1},
        {"x": 0, "y": 0, "width": 1e-9, "height": 1e-9},
    ],
)
async def test_a_box_that_is_no_face_of_the_photo_makes_no_vector(field_of: Field, box: dict[str, float]) -> None:
    victim = await field_of.victim(kind="upload")
    headers = {"Assent-Grant-Secret": victim.secret, "Assent-Face-Box": json.dumps(box)}
    status, _ = await field_of.ask("POST", f"/v1/grants/{victim.grant_id}/images", headers=headers, data=photos.group())
    assert status in (202, 422)
    await settled(field_of.house.world.log)
    assert await field_of.held(victim.grant_id) == []


async def requested(field_of: Field, **binding: Any) -> tuple[Subject, dict[str, Any]]:
    """A grant that waits for its subject."""
    person = await field_of.house.person()
    request = field_of.house.request(
        person, [{"kind": "url_prefix", "value": f"{field_of.site.origin}/waits/", "only_me": True}], **binding
    )
    return person, await field_of.house.api.need("POST", f"{field_of.url}/v1/grants", token=field_of.house.token, json=request)


async def test_staff_says_yes_neither_over_the_interface_nor_on_the_page(field_of: Field) -> None:
    _, asked = await requested(field_of)
    yes = {"one_time_secret": asked["one_time_secret"], "notice_sha256": asked["notice_sha256"]}
    path = asked["grant_id"]
    for headers in (
        {"Authorization": f"Bearer {field_of.house.token}"},
        {"Cookie": f"assent_session={field_of.house.token}", "Origin": field_of.url},
    ):
        assert (await field_of.ask("POST", f"/v1/grants/{path}/confirm", json=yes, headers=headers))[0] == 403
        assert (await field_of.ask("POST", f"/confirm/{path}/yes", data=yes, headers=headers))[0] == 403
    shown = await field_of.house.ask("GET", f"/v1/grants/{path}", token=field_of.house.token)
    assert shown.body["state"] == "requested"


async def test_a_one_time_secret_says_yes_once_however_often_it_is_sent(field_of: Field) -> None:
    _, asked = await requested(field_of)
    yes = {"one_time_secret": asked["one_time_secret"], "notice_sha256": asked["notice_sha256"]}
    path = f"/v1/grants/{asked['grant_id']}/confirm"
    answers = await asyncio.gather(*(field_of.ask("POST", path, json=yes) for _ in range(8)))
    assert [status for status, _ in answers].count(200) == 1, answers
    assert {status for status, _ in answers} <= {200, 409}
    assert (await field_of.ask("POST", path, json=yes))[0] == 409
    assert (await field_of.ask("POST", f"/v1/grants/{asked['grant_id']}/refuse", json={"one_time_secret": asked["one_time_secret"]}))[
        0
    ] == 409
    assert (await field_of.ask("POST", f"/v1/grants/{asked['grant_id']}/session", json={"grant_secret": asked["one_time_secret"]}))[
        0
    ] == 403


async def test_an_operators_own_words_do_not_take_the_place_of_what_she_agrees_to(field_of: Field) -> None:
    """She is shown the folder, and that every face there is taken for hers; the digest of the operator's words alone is no yes."""
    person, words = await field_of.house.person(), "Nothing of you is kept."
    folder = f"{field_of.site.origin}/told/"
    request = field_of.house.request(person, [{"kind": "url_prefix", "value": folder, "only_me": True}]) | {"notice": {"text": words}}
    asked = await field_of.house.api.need("POST", f"{field_of.url}/v1/grants", token=field_of.house.token, json=request)
    status, page = await field_of.ask("GET", f"/confirm/{asked['grant_id']}?secret={asked['one_time_secret']}")
    assert status == 200
    assert page.index(folder) < page.index("every face found there is taken for yours") < page.index(words)
    yes = {"one_time_secret": asked["one_time_secret"], "notice_sha256": hashlib.sha256(words.encode()).hexdigest()}
    assert (await field_of.ask("POST", f"/v1/grants/{asked['grant_id']}/confirm", json=yes))[0] == 409
    yes["notice_sha256"] = asked["notice_sha256"]
    assert (await field_of.ask("POST", f"/v1/grants/{asked['grant_id']}/confirm", json=yes))[0] == 200


async def test_what_was_imported_in_bulk_is_not_even_asked_for(field_of: Field) -> None:
    person = await field_of.house.person()
    field_of.site.page("/bulk/", '<img src="1.jpg">')
    field_of.site.picture("/bulk/1.jpg")
    request = field_of.house.request(person, [{"kind": "url_prefix", "value": f"{field_of.site.origin}/bulk/", "only_me": True}])
    status, body = await field_of.ask(
        "POST", "/v1/grants/bulk", token=field_of.house.token, json={"grants": [request, request | {"state": "given"}]}
    )
    assert status in (200, 422)
    if status == 422:
        _, body = await field_of.ask("POST", "/v1/grants/bulk", token=field_of.house.token, json={"grants": [request]})
    assert [item["requested"]["state"] for item in body["results"]] == ["requested"]
    await field_of.house.crawl()
    assert not [path for path in field_of.site.requests if "/bulk/" in path]


async def test_a_joint_grant_over_a_folder_takes_no_strangers(field_of: Field) -> None:
    """Two people share an album; a photo of one stranger in it has fewer faces than the grant has members."""
    source = {"kind": "url_prefix", "value": f"{field_of.site.origin}/shared/"}
    members = [await field_of.victim(**source, only_me=False) for _ in range(2)]
    field_of.site.page("/shared/", '<img src="1.jpg">')
    field_of.site.picture("/shared/1.jpg", STRANGER)
    person, binding = members[0].person, {"mode": "joint", "member_grants": [member.grant_id for member in members]}
    await person.grant("joint", field_of.house.request(person, [source], **binding), field_of.house.token)
    await field_of.house.crawl()
    assert await field_of.held(GrantId(person.grant_ids[-1])) == []
    assert "bystander_possible" in await field_of.rules(GrantId(person.grant_ids[-1]))


async def test_a_joint_grant_with_a_member_that_ended_opens_nothing(field_of: Field) -> None:
    source = {"kind": "image_url", "value": f"{field_of.site.origin}/two/1.jpg"}
    members = [await field_of.victim(**source, only_me=False), await field_of.victim(**source, only_me=False)]
    field_of.site.picture("/two/1.jpg", STRANGER)
    person, binding = members[0].person, {"mode": "joint", "member_grants": [member.grant_id for member in members]}
    request = field_of.house.request(person, [source], **binding)
    await person.grant("joint", request, field_of.house.token)
    waiting = await field_of.house.api.need("POST", f"{field_of.url}/v1/grants", token=field_of.house.token, json=request)
    await members[1].person.withdraw(members[1].person.held()[0])
    yes = {"one_time_secret": waiting["one_time_secret"], "notice_sha256": waiting["notice_sha256"]}
    path = f"/v1/grants/{waiting['grant_id']}/confirm"
    assert (await field_of.ask("POST", path, json=yes, headers=person.shown()))[0] == 422
    await field_of.house.crawl()
    joint = person.grant_ids[-1]
    assert await field_of.held(GrantId(joint)) == []
    # The one who is left names the picture for herself too, so it is fetched; nothing of it is handed on under what was both's.
    handed_on = await field_of.records(Topic.IMAGES_LOCATED.value, Topic.IMAGES_CLEARED.value, Topic.FACES_EMBEDDED.value)
    assert members[0].grant_id.encode() in b"".join(record.value or b"" for record in handed_on)
    assert joint.encode() not in b"".join(record.value or b"" for record in handed_on)


@pytest.mark.parametrize("hers", ["upload", "image_url"], ids=["photos that she sends", "another picture"])
async def test_one_person_says_no_yes_to_a_picture_for_the_other_and_is_told_nothing_of_her(field_of: Field, hers: str) -> None:
    """The other's only yes is for something else and for nobody but her; the operator asks the one alone for a joint grant."""
    origin, path = field_of.site.origin, f"/party/{hers}.jpg"
    field_of.site.picture(path, side_by_side(photos.portrait(place=photos.VANCOUVER), STRANGER))
    one = await field_of.victim(kind="upload", value="", only_me=False)
    other = await field_of.victim(kind=hers, value="" if hers == "upload" else f"{origin}/hers/only.jpg", only_me=False)
    binding = {"mode": "joint", "member_grants": [one.grant_id, other.grant_id]}
    request = field_of.house.request(one.person, [{"kind": "image_url", "value": f"{origin}{path}"}], **binding)
    await one.person.grant("joint", request, field_of.house.token)
    await field_of.house.crawl()
    joint = GrantId(one.person.grant_ids[-1])
    assert (await field_of.held(joint), await field_of.rules(joint)) == ([], {"source_not_covered"})
    assert path not in str(field_of.site.requests)
    found = await field_of.house.api.search(STRANGER, token=await one.person.token())
    assert (found.status, found.body["candidates"]) == (200, [])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("url_prefix", "https://host.example/"),
        ("url_prefix", "https://host.example"),
        ("url_prefix", "https://host.example/*"),
        ("url_prefix", "https://*.example/ada/"),
        ("url_prefix", "https://host.example/ada/.."),
        ("url_prefix", "https://host.example/ada/%2e%2e/"),
        ("url_prefix", "https://host.example//"),
        ("url_prefix", "https://host.example/ada/?all"),
        ("url_prefix", "https://user@host.example/ada/"),
        ("url_prefix", "file:///home/"),
        ("url_prefix", "https://host.example/%2f/"),
        ("url_prefix", "https://0x7f.1/ada/"),
        ("image_url", "https://host.example/%252e%252e/x.jpg"),
        ("image_url", "javascript:alert(1)"),
        ("account", "*@host.example"),
        ("account", "@host.example"),
        ("asset_sha256", "*"),
        ("asset_sha256", "0" * 63),
    ],
)
async def test_a_source_that_means_more_than_one_place_is_refused(kind: str, value: str) -> None:
    with pytest.raises(SourceRuleError):
        checked_rule(SourceRule(kind=SourceKindRule(kind), value=value))


@pytest.mark.parametrize(
    "url",
    [
        "https://h.example/ada/../bob/x.jpg",
        "https://h.example/ada/%2e%2e/bob/x.jpg",
        "https://h.example/ada/..%2fbob/x.jpg",
        "https://h.example/ada%2f../bob/x.jpg",
        "https://h.example/ada/%252e%252e/bob/x.jpg",
        "https://h.example/ada/..\\bob/x.jpg",
        "https://h.example/ada/.%2e/bob/x.jpg",
        "https://h.example/ada/..;/bob/x.jpg",
        "https://h.example/ada",
        "https://h.example/adamant/x.jpg",
        "https://h.example/Ada/x.jpg",
        "https://h.example:8443/ada/x.jpg",
        "https://h.example@evil.example/ada/x.jpg",
        "https://evil.example/h.example/ada/x.jpg",
        "https://evil.example/?https://h.example/ada/x.jpg",
        "https://evil.example/#h.example/ada/x.jpg",
        "https://sub.h.example/ada/x.jpg",
        "//h.example/ada/x.jpg",
    ],
)
async def test_no_spelling_of_a_place_outside_a_folder_falls_inside(url: str) -> None:
    rule = checked_rule(SourceRule(kind=SourceKindRule.URL_PREFIX, value="https://h.example/ada/"))
    seen: dict[str, Any] = {"sighting_id": "s", "image_id": "i", "producer": "crawler", "source_kind": "web_page", "blob": "b"}
    rest: dict[str, Any] = {"sha256": "0" * 64, "size_bytes": 1, "media_type": "image/jpeg", "fetched_at": datetime.now(UTC)}
    assert matching_rule([rule], Asset.of(Sighting(**seen, **rest, final_url=url))) is None
