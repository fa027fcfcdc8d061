"""Explain by address: what lay at a crawled picture's URL tells its decisions; any other URL tells nothing, and leaves no trace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from demo import photos
from demo.site import Photo
from demo.subject import Subject
from tests.flow.files_below import files_below
from tests.flow.registry_house import GrantHouse, grant_house

pytestmark = pytest.mark.timeout(120)
HERS, STRANGERS = "/hers/ada.jpg", "/strangers/anybody.jpg"
CANARY = "canary-5f1c"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[GrantHouse]:
    async with grant_house(tmp_path, {HERS: photos.portrait(), STRANGERS: photos.portrait(photos.Look(light=1.2))}) as made:
        yield made


async def explained(house: GrantHouse, token: str, **fields: str) -> tuple[int, Any]:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields.items():
        form.add_field(name, value)
    answer = await house.ask("POST", "/v1/explain", token=token, data=form)
    return answer.status, answer.body


async def crawled(house: GrantHouse) -> Subject:
    """Her picture is found under her grant, and its page shows a stranger's beside it."""
    person = await house.person()
    await person.grant("folder", house.request(person, [{"kind": "image_url", "value": f"{house.site.origin}{HERS}"}]), house.token)
    await house.crawl()
    return person


async def test_a_crawled_address_tells_its_decisions_in_any_spelling(house: GrantHouse) -> None:
    person = await crawled(house)
    status, by_image = await explained_image(house, house.token, photos.portrait())
    assert (status, [item["outcome"] for item in by_image["decisions"]]) == (200, ["embedded"])
    assert by_image["decisions"][0]["standing_text"] == "the grant was live"
    origin = house.site.origin
    for url in (f"{origin}{HERS}", f"{origin.upper().replace('HTTP', 'http')}/hers/./%61da.jpg#top", f"https{origin[4:]}{HERS}"):
        status, body = await explained(house, house.token, url=url)
        assert status == 200
        assert body == {"image": None, "decisions": by_image["decisions"]}, url
    _, hers = await explained(house, await person.token(), url=f"{origin}{HERS}")
    assert [item["outcome"] for item in hers["decisions"]] == ["embedded"]
    somebody = await house.person()
    await somebody.grant("own", house.request(somebody, [{"kind": "upload"}]), house.token)
    _, theirs = await explained(house, await somebody.token(), url=f"{origin}{HERS}")
    assert theirs == {"image": None, "decisions": []}


async def explained_image(house: GrantHouse, token: str, image: bytes) -> tuple[int, Any]:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("image", image, filename="image")
    answer = await house.ask("POST", "/v1/explain", token=token, data=form)
    return answer.status, answer.body


async def test_a_refusal_before_the_fetch_is_found_by_its_address(house: GrantHouse) -> None:
    person = await house.person()
    gone = f"{house.site.origin}/hers/gone.jpg"
    await person.grant("gone", house.request(person, [{"kind": "image_url", "value": gone}]), house.token)
    await house.crawl()
    status, body = await explained(house, house.token, url=gone)
    assert (status, [item["rules"] for item in body["decisions"]]) == (200, [["fetch_failed"]])


async def test_an_unknown_address_answers_as_one_that_was_never_seen_and_leaves_no_trace(
    house: GrantHouse, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await crawled(house)
    answers = [
        await explained(house, house.token, url=url)
        for url in (f"{house.site.origin}{STRANGERS}", f"https://never.example/{CANARY}/1.jpg", f"{house.site.origin}{HERS}?{CANARY}")
    ]
    assert answers == [(200, {"image": None, "decisions": []})] * 3
    status, body = await explained(house, house.token, url=f"https://user:{CANARY}@never.example/1.jpg")
    assert (status, body["code"]) == (422, "bad_url")
    in_query = await house.ask("POST", f"/v1/explain?url=https://never.example/{CANARY}", token=house.token, data=aiohttp.FormData())
    assert (in_query.status, in_query.body["code"]) == (400, "url_in_query")
    assert CANARY not in f"{answers} {body} {in_query}"
    assert files_with_the_canary(tmp_path) == []
    (tmp_path / "planted").write_text(f"a line with {CANARY} in it")
    assert files_with_the_canary(tmp_path) == ["planted"], "what is left there is found"
    told = capfd.readouterr()
    assert CANARY not in told.out + told.err


def files_with_the_canary(folder: Path) -> list[str]:
    files = files_below(folder)
    assert len(files) > 5
    return [path.name for path, contents in files.items() if CANARY.encode() in contents]


async def test_one_question_at_a_time(house: GrantHouse) -> None:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("url", f"{house.site.origin}{HERS}")
    form.add_field("image", photos.portrait(), filename="image")
    answer = await house.ask("POST", "/v1/explain", token=house.token, data=form)
    assert (answer.status, answer.body["code"]) == (422, "two_questions")
    assert (await explained(house, house.token, url=f"{house.site.origin}/{'a' * 3_000}"))[0] == 413


async def test_a_refusal_is_told_in_plain_words_of_both_languages(house: GrantHouse) -> None:
    person = await house.person()
    where = f"{house.site.origin}{HERS}"
    house.site.photos[HERS] = Photo(HERS, photos.portrait(place=photos.MONTREAL), {})
    await person.grant("montreal", house.request(person, [{"kind": "image_url", "value": where}]), house.token)
    await house.crawl()
    told: dict[str, Any] = {}
    for lang, headers in (("en", {"Accept-Language": "de, en;q=0.5"}), ("fr", {"Accept-Language": "fr-CA, en;q=0.8"})):
        form = aiohttp.FormData(default_to_multipart=True)
        form.add_field("url", where)
        answer = await house.ask("POST", "/v1/explain", token=house.token, data=form, headers=headers)
        (told[lang],) = answer.body["decisions"]
    english, french = told["en"], told["fr"]
    assert english["rules"] == french["rules"] == ["QC-3"]
    assert (english["stage_text"], french["stage_text"]) == ("The gate of places", "La porte des lieux")
    assert (english["places"], french["places"]) == (["British Columbia", "Quebec"], ["Colombie-Britannique", "Québec"])
    assert "the GPS position in the picture: Quebec" in english["evidence_words"]
    assert "la position GPS dans l'image : Québec" in french["evidence_words"]
    assert "the residence stated in the grant: British Columbia" in english["evidence_words"]
    assert [law["id"] for law in french["laws"]] == ["QC-3"]
    assert "art. 45" in french["laws"][0]["text"]
    assert "no face in it was measured" in english["meaning"]
    assert "banque de mesures biométriques" in french["words"][0]
    assert "Commission d'accès à l'information" in french["remedies"][0]
    assert english["at"] == french["at"]
    for name in (
        "at_text",
        "stage_text",
        "decided_text",
        "outcome_text",
        "words",
        "remedies",
        "meaning",
        "evidence_words",
        "standing_text",
    ):
        assert english[name] != french[name], name


async def test_an_opt_out_is_told_by_its_kind_and_never_by_its_words(house: GrantHouse) -> None:
    person = await house.person()
    where = f"{house.site.origin}{HERS}"
    house.site.photos[HERS] = Photo(HERS, photos.portrait(place=photos.VANCOUVER), {"Content-Usage": f"train-{CANARY}=n"})
    await person.grant("reserved", house.request(person, [{"kind": "image_url", "value": where}]), house.token)
    await house.crawl()
    _, body = await explained(house, house.token, url=where)
    (decision,) = body["decisions"]
    assert decision["rules"] == ["optout_signal"]
    assert decision["optout_words"] == ["a preference on use by machines (Content-Usage), beside the answer of the server: says no"]
    assert decision["optouts"] == [{"kind": "content_usage", "verdict": "deny", "source": "header"}]
    assert CANARY not in str(body)
