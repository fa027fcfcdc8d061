"""The pages of the console: what they hold, what they escape, and that nothing in them is inline or from elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from assent.events.grants import Purpose
from assent.identity.auth import SESSION_COOKIE
from assent.identity.principal import Role
from assent.ids import FaceId, GrantId, Jurisdiction, RuleId
from assent.testing.face_pack import encoded, one_face, six_faces
from tests.flow.query_house import ORG, QueryHouse, form, query_house
from tests.unit.grant_examples import grant
from tests.unit.test_query_flow import refused

PHOTO = encoded(one_face())
PROBE = encoded(one_face()[20:400, 60:460], quality=80)
HERS = GrantId("g-1")
BANNER = "The grant shown here is a <fixture> & nobody's yes"
MAY = (Purpose.SELF_SEARCH, Purpose.GALLERY_SEARCH)


class Page(HTMLParser):
    """The elements of a page, its text, and what a strict browser would refuse."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.inline: list[str] = []
        self.addresses: list[str] = []
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._within = tag
        if tag == "style" or any(name == "style" or name.startswith("on") for name, _ in attrs):
            self.inline.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "script" and data.strip():
            self.inline.append(data)
        self.words += f" {data}"

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[QueryHouse]:
    async with query_house(tmp_path, banner=BANNER) as found:
        await found.policy("CA-BC")
        yield found


@pytest.fixture
async def face(house: QueryHouse) -> FaceId:
    hers = grant(purposes=MAY, recipients=(ORG,))
    await house.give(hers)
    return await house.embed(hers, one_face(), PHOTO)


def signed_in(house: QueryHouse, *roles: Role, origin: bool = True) -> dict[str, str]:
    """A browser's headers: the cookie, and where a form comes from."""
    own = {"Origin": f"http://127.0.0.1:{house.client.port}"} if origin else {}
    return {"Cookie": f"{SESSION_COOKIE}={house.mint(*roles)}", **own}


async def page(
    house: QueryHouse, path: str, headers: dict[str, str], *, status: int = 200, image: bytes | None = None, **fields: str
) -> Page:
    """A page as a browser gets it, with what must hold for every one of them."""
    asked = house.client.post(path, data=form(image, **fields), headers=headers) if fields else house.client.get(path, headers=headers)
    async with asked as response:
        assert response.status == status
        assert response.content_type == "text/html"
        rules = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in rules
        assert "unsafe" not in rules
        assert response.headers["Cache-Control"] == "no-store"
        found = Page(await response.text())
    assert found.inline == []
    assert all(not urlsplit(address).netloc and address.startswith("/") for address in found.addresses)
    assert all("viewport" in str(meta) or "charset" in meta for meta in found.all("meta"))
    assert BANNER in found.words
    return found


async def test_without_a_session_one_is_sent_to_sign_in(house: QueryHouse) -> None:
    for path in ("/", "/search"):
        async with house.client.get(path, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (303, "/login")


async def test_the_flow_shows_gates_in_order_her_picture_and_refusals_in_words(house: QueryHouse, face: FaceId) -> None:
    await house.append(refused(2))
    found = await page(house, "/", signed_in(house, Role.SUBJECT))
    gates = [item["data-gate"] for item in found.all("span") if "data-gate" in item]
    assert gates == ["scraped", "located", "cleared", "embedded", "refused", "withdrawn"]
    tiles = [item["class"] for item in found.all("li") if "data-number" in item]
    assert tiles == ["tile no", "tile yes"]
    assert [item["src"] for item in found.all("img")] == [f"/v1/faces/{face}/picture"]
    assert all(item["alt"] for item in found.all("img"))
    assert ("not shown" in found.words, "not kept" in found.words) == (False, True)
    for words in ("place unknown", "X-1", "where this was taken or lives is not known", "embedded", "12:00 UTC", "State the residence"):
        assert words in found.words
    assert [item["src"] for item in found.all("script")] == ["/console/flow.js"]
    assert {"/", "/search", "/me", "/logout"} <= set(found.addresses)


async def test_what_a_refusal_rests_on_is_told_to_who_may_ask_and_to_nobody_else(house: QueryHouse, face: FaceId) -> None:
    await house.append(refused(2))
    for role, is_told in ((Role.SUBJECT, True), (Role.OPERATOR, True), (Role.PRIVACY_OFFICER, True), (Role.AUDITOR, False)):
        found = await page(house, "/?lang=en", signed_in(house, role))
        assert len(found.all("details")) == is_told
        for words in ("Told by: a place named beside the picture: British Columbia", "Where it may be: British Columbia", "(X-1)"):
            assert (words in found.words) is is_told, (role, words)
        async with house.client.get("/v1/flow", headers=signed_in(house, role)) as response:
            decisions = (await response.json())["decisions"]
        assert [bool(item["details"]) for item in decisions] == [is_told, False], role
    french = await page(house, "/?lang=fr", signed_in(house, Role.OPERATOR))
    assert "D'après : un lieu nommé à côté de l'image : Colombie-Britannique" in french.words


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.PRIVACY_OFFICER, Role.AUDITOR, Role.SUBJECT], ids=str)
async def test_staff_sees_refusals_by_place_and_reason_and_a_subject_does_not(house: QueryHouse, face: FaceId, role: Role) -> None:
    quebec = {"grant_id": None, "rules": (RuleId("QC-3"),), "candidates": (Jurisdiction("CA-QC"),)}
    unplaced = {"rules": (RuleId("suppressed"),), "candidates": ()}
    for number, changes in ((2, {}), (3, quebec), (4, quebec), (5, unplaced)):
        await house.append(refused(number).model_copy(update=changes))
    async with house.client.get("/v1/flow", headers=signed_in(house, role)) as response:
        body = await response.json()
    counts = [(item["place"], item["rule"], item["count"]) for item in body.get("reasons", [])]
    is_staff = role is not Role.SUBJECT
    assert counts == ([("CA-QC", "QC-3", 2), ("CA-BC", "X-1", 1), ("none", "suppressed", 1)] if is_staff else [])
    english, french = [await page(house, f"/?lang={lang}", signed_in(house, role)) for lang in ("en", "fr")]
    for found, words in ((english, ("Refusals by place and reason", "Quebec", "no place was looked at")), (french, ("Refus par lieu",))):
        assert [word in found.words for word in words] == [is_staff] * len(words)


async def test_the_flow_in_french(house: QueryHouse, face: FaceId) -> None:
    await house.append(refused(2))
    for path, headers in (("/?lang=fr", {}), ("/", {"Accept-Language": "fr-CA,fr;q=0.9"})):
        found = await page(house, path, {**signed_in(house, Role.SUBJECT), **headers})
        assert found.all("html") == [{"lang": "fr"}]
        for words in ("Parcours", "lieu inconnu", "l'inconnu est fermé", "Visages encodés", "12 h 00 UTC", "Indiquez la résidence"):
            assert words in found.words


async def test_staff_sees_tiles_without_faces_and_a_searcher_none_at_all(house: QueryHouse, face: FaceId) -> None:
    found = await page(house, "/", signed_in(house, Role.OPERATOR))
    assert found.all("img") == []
    assert [item["class"] for item in found.all("li") if "data-number" in item] == ["tile yes"]
    assert ("not shown" in found.words, "not kept" in found.words) == (True, False), "it is kept, and not for him"
    async with house.client.get("/", headers=signed_in(house, Role.SEARCHER), allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/search")
    await page(house, "/", signed_in(house, Role.PRODUCER), status=403)


async def test_what_stands_in_the_log_is_escaped(house: QueryHouse) -> None:
    hostile = refused(1).model_copy(update={"outcome": "<img src=x onerror=alert(1)>", "rules": (RuleId("<script>alert(1)</script>"),)})
    await house.append(hostile)
    found = await page(house, "/", signed_in(house, Role.OPERATOR))
    assert found.all("img") == []
    assert "<script>alert(1)</script>" in found.words


async def test_an_empty_flow_says_so(house: QueryHouse) -> None:
    assert "Nothing has come yet." in (await page(house, "/", signed_in(house, Role.OPERATOR))).words


async def test_the_form_offers_what_the_role_may_ask(house: QueryHouse) -> None:
    hers = await page(house, "/search", signed_in(house, Role.SUBJECT))
    assert [item["value"] for item in hers.all("option")] == ["self"]
    (file,) = [item for item in hers.all("input") if item.get("type") == "file"]
    assert "required" in file
    assert {item["for"] for item in hers.all("label")} <= {item["id"] for tag in ("input", "select") for item in hers.all(tag)}
    searcher = await page(house, "/search", signed_in(house, Role.SEARCHER))
    assert [item["value"] for item in searcher.all("option")] == ["gallery"]
    assert "face_id" in [item["name"] for item in searcher.all("input")]
    await page(house, "/search", signed_in(house, Role.OPERATOR), status=403)


async def test_a_search_shows_the_picture_the_frame_and_that_it_is_a_candidate(house: QueryHouse, face: FaceId) -> None:
    found = await page(house, "/search", signed_in(house, Role.SUBJECT), basis="self", image=PROBE)
    assert [item["src"] for item in found.all("img")] == [f"/v1/faces/{face}/picture"]
    (frame,) = found.all("rect")
    assert 0 < float(frame["x"] or 0) < 0.5
    for words in ("A match is a candidate, not an identification.", "Similarity", "shown from 0.445", "faces looked at: 1"):
        assert words in " ".join(found.words.split())
    french = await page(house, "/search?lang=fr", signed_in(house, Role.SUBJECT), basis="self", image=PROBE)
    assert "Une correspondance est un candidat, pas une identification." in french.words
    gallery = await page(house, "/search", signed_in(house, Role.SEARCHER), basis="gallery", face_id=face)
    assert len(gallery.all("img")) == 1


async def test_nothing_found_is_said_in_words(house: QueryHouse) -> None:
    found = await page(house, "/search", signed_in(house, Role.SUBJECT), basis="self", image=PROBE)
    assert "It looks the same whether nobody matched or a match may not be told." in found.words
    assert found.all("img") == []


async def test_several_faces_are_answered_with_their_places(house: QueryHouse) -> None:
    headers = signed_in(house, Role.SUBJECT)
    found = await page(house, "/search", headers, status=422, basis="self", image=encoded(six_faces()))
    assert len([words for words in found.words.split(" ") if words == "Face:"]) == 6
    assert "% wide" in found.words
    french = await page(house, "/search?lang=fr", headers, status=422, basis="self", image=encoded(six_faces()))
    assert "Plusieurs visages ont été trouvés, et aucun n'a été examiné." in french.words
    assert french.words.count("Visage:") == 6


@pytest.mark.parametrize(
    ("roles", "origin", "basis", "status", "words"),
    [
        ((), True, "self", 401, "This needs a token."),
        ((Role.OPERATOR,), True, "self", 403, "may not do this"),
        ((Role.SUBJECT,), False, "self", 403, "did not come from a page of this site"),
        ((Role.SUBJECT,), True, "whim", 400, "No picture is looked at on that ground."),
    ],
)
async def test_a_refusal_is_a_page_in_words(
    house: QueryHouse, roles: tuple[Role, ...], origin: bool, basis: str, status: int, words: str
) -> None:
    headers = signed_in(house, *roles, origin=origin) if roles else {}
    found = await page(house, "/search", headers, status=status, basis=basis, image=PROBE)
    assert words in found.words
    assert found.all("h1")


async def test_a_closed_place_is_named_with_its_rule_in_both_languages(house: QueryHouse, face: FaceId) -> None:
    await house.policy()
    headers = signed_in(house, Role.SEARCHER)
    found = await page(house, "/search", headers, status=451, basis="gallery", face_id=face)
    assert "BC-1" in found.words
    assert "the service is not offered to callers in British Columbia. She can still look for herself" in found.words
    assert "Order P21-08" in found.words
    french = await page(house, "/search?lang=fr", headers, status=451, basis="gallery", face_id=face)
    assert "le service n'est pas offert à qui se trouve en Colombie-Britannique. Une personne peut toujours s'y chercher" in french.words
    assert "ordonnance P21-08" in french.words
    assert "where you are" not in french.words


async def test_the_two_files_beside_the_pages_and_no_others(house: QueryHouse) -> None:
    for name, kind in (("console.css", "text/css"), ("flow.js", "text/javascript")):
        async with house.client.get(f"/console/{name}") as response:
            assert (response.status, response.content_type) == (200, kind)
            assert "://" not in await response.text()
    for name in ("flow.html", "..%2fapp.py", "console.css.map"):
        async with house.client.get(f"/console/{name}") as response:
            assert response.status == 404
