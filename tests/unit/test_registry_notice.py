"""The notice tells every fact of the request, whatever the operator writes beside it, and its digest covers both."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.events.grants import AgeBand
from assent.ids import GrantId, Jurisdiction, SubjectId
from demo.requests import fixture_grant
from services.registry.grant_parts import Notice, RecordedResidence, Subject
from services.registry.grant_request import GrantRequest, first_revision
from services.registry.grant_rules import checked_sources

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FOLDER = "https://site.example/ada/"
LESS = "We collect nothing. Just say yes."
FACTS: dict[str, dict[str, str]] = {
    "en": {
        "purpose": "from a photo",
        "recipient": "gives them:\n- museum\n",
        "source": f"- {FOLDER}",
        "upload": "photos that you send yourself",
        "only her": f"{FOLDER} (you state that nobody else's face appears there",
        "each": "Else you are asked about each photo before anything of it is loaded",
        "end": "until 1 July 2026. Then everything is erased",
        "places": "British Columbia, Ontario",
        "everyone": "only if everyone whose face is in it has agreed",
    },
    "fr": {
        "purpose": "à partir d'une photo",
        "recipient": "leur donne :\n- museum\n",
        "source": f"- {FOLDER}",
        "upload": "les photos que vous envoyez vous-même",
        "only her": f"{FOLDER} (vous déclarez que le visage de personne d'autre n'y apparaît",
        "each": "Sinon la question vous est posée pour chaque photo",
        "end": "au 1er juillet 2026. Ensuite tout est effacé",
        "places": "Colombie-Britannique, Ontario",
        "everyone": "que si toutes les personnes qui y figurent ont accepté",
    },
}
NOTICES: dict[str, dict[str, str]] = {
    "nothing of the operator's": {},
    "words that say less": {"text": LESS},
    "words with their digest": {"text": LESS, "sha256": hashlib.sha256(LESS.encode()).hexdigest()},
    "a digest and an address": {"url": "https://operator.example/notice", "sha256": "5" * 64},
    "a digest alone": {"sha256": "5" * 64},
    "an address alone": {"url": "https://operator.example/notice"},
}


def noticed(notice: dict[str, str], **changes: Any) -> Notice:
    """The notice of a request for a folder and uploads, for gallery search by the museum, in two places."""
    sources: list[dict[str, Any]] = [{"kind": "url_prefix", "value": FOLDER, "only_me": True}, {"kind": "upload"}]
    asked = fixture_grant("s-1", sources, binding={"mode": "joint", "member_grants": ["g-1", "g-2"]}, now=NOW)
    scope = {"collect_in": ["CA-BC"], "store_in": ["CA-ON"], "disclose_in": ["CA-BC"]}
    wanted = {"recipients": [{"id": "museum"}], "purposes": [{"code": "gallery_search"}], "geographic_scope": scope, "notice": notice}
    request = GrantRequest.model_validate(asked | wanted | changes)
    grant_id, subject = GrantId("g-9"), Subject(subject_id=SubjectId("s-1"), age_band=AgeBand.ADULT)
    made = first_revision(
        request,
        grant_id=grant_id,
        subject=subject,
        residence=(RecordedResidence(jurisdiction=Jurisdiction("CA-BC")),),
        sources=checked_sources(request, grant_id),
        asked_by=None,
        now=NOW,
    )
    return made.notice


@pytest.mark.parametrize("language", FACTS)
@pytest.mark.parametrize("name", NOTICES)
def test_every_fact_is_told_whatever_the_operator_writes(name: str, language: str) -> None:
    notice = noticed(NOTICES[name] | {"language": language})
    assert notice.text is not None
    assert [fact for fact, words in FACTS[language].items() if words not in notice.text] == []
    assert notice.sha256 == hashlib.sha256(notice.text.encode()).hexdigest()
    told = {words for key, words in NOTICES[name].items() if key != "sha256" or "text" not in NOTICES[name]}
    assert [words for words in told if words not in notice.text] == []


@settings(deadline=None)  # a busy machine is no slow notice
@given(st.text(min_size=1, max_size=300))
def test_the_operators_words_stand_behind_the_facts_and_never_among_them(text: str) -> None:
    facts, both = noticed({}).text, noticed({"text": text}).text
    assert facts is not None
    assert both is not None
    assert both.startswith(facts)
    assert both.endswith(f"It changes nothing of the above.\n{text}\n")


def test_the_digest_changes_with_the_facts_and_with_the_words() -> None:
    digests = {
        noticed({}).sha256,
        noticed({"text": LESS}).sha256,
        noticed({"text": f"{LESS}!"}).sha256,
        noticed({"text": LESS}, recipients=[]).sha256,
        noticed({"text": LESS}, sources=[{"kind": "url_prefix", "value": FOLDER}]).sha256,
    }
    assert len(digests) == 5


def test_who_names_photographs_alone_is_told_nothing_of_folders() -> None:
    for sources in ([{"kind": "upload"}], [{"kind": "image_url", "value": "https://site.example/1.jpg"}]):
        text = noticed({}, sources=sources).text
        assert text is not None
        assert "From a folder" not in text


def test_a_name_cannot_write_lines_of_its_own() -> None:
    controller = {"id": "o", "name": "Org\nWho may be told of a match: nobody but you.", "contact": "c\r\nx\u2028y", "role": "controller"}
    text = noticed({}, controller=controller, recipients=[{"id": "museum\nCA"}]).text
    assert text is not None
    assert "Who asks: Org Who may be told of a match: nobody but you.. Contact: c x y." in text.splitlines()
    assert "- museum CA" in text.splitlines()
    assert noticed({}, recipients=[{"id": "nobody but you"}]).sha256 != noticed({}, recipients=[]).sha256


def test_as_many_sources_as_may_be_named_fit() -> None:
    sources = [{"kind": "url_prefix", "value": f"https://site.example/{number}/{'x' * 1_900}/"} for number in range(500)]
    text = noticed({"text": "y" * 20_000}, sources=sources).text
    assert text is not None
    assert sum(line.startswith("- https://site.example/") for line in text.splitlines()) == 500
