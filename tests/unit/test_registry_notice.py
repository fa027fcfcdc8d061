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
from services.registry.grant_parts import Guardian, Notice, Party, RecordedResidence, Subject
from services.registry.grant_record import Grant
from services.registry.grant_request import GrantRequest, first_revision
from services.registry.grant_rules import checked_sources
from services.registry.notice_text import renewal_text

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FOLDER = "https://site.example/ada/"
LESS = "We collect nothing. Just say yes."
SUBJECT = Subject(subject_id=SubjectId("s-1"), age_band=AgeBand.ADULT)
MOTHER = Guardian(party=Party(id="m", name="Ana\nMor", contact="x", role="guardian"), evidence_sha256="7" * 64)
CHILD = Subject(subject_id=SubjectId("s-1"), age_band=AgeBand.MINOR_UNDER_14, birth_year=2015, guardian=MOTHER)
REGION = {"asset_sha256": "a" * 64, "box": {"x": 0.1, "y": 0.205, "width": 0.25, "height": 0.3}}
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
        "lives": "that you live here: British Columbia.",
        "age": "that you are of age.\nIf that is wrong, say no.",
        "members": "one of each person in the photo:\n- g-1\n- g-2\n",
        "kept": "longer than 730 days, and nothing once what it is for has ended",
        "all": "SHA-256 of everything that is asked for",
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
        "lives": "que vous vivez ici : Colombie-Britannique.",
        "age": "que vous êtes majeure.\nSi c'est faux, dites non.",
        "members": "une de chaque personne sur la photo :\n- g-1\n- g-2\n",
        "kept": "plus de 730 jours, et rien une fois que ce à quoi cela sert a pris fin",
        "all": "SHA-256 de tout ce qui est demandé",
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
    return record_of(notice, **changes).notice


def record_of(notice: dict[str, str], *, of: Subject = SUBJECT, living: str = "CA-BC", **changes: Any) -> Grant:
    """The first revision of a request for a folder and uploads, for gallery search by the museum, in two places."""
    sources: list[dict[str, Any]] = [{"kind": "url_prefix", "value": FOLDER, "only_me": True}, {"kind": "upload"}]
    asked = fixture_grant("s-1", sources, binding={"mode": "joint", "member_grants": ["g-1", "g-2"]}, now=NOW)
    scope = {"collect_in": ["CA-BC"], "store_in": ["CA-ON"], "disclose_in": ["CA-BC"]}
    wanted = {"recipients": [{"id": "museum"}], "purposes": [{"code": "gallery_search"}], "geographic_scope": scope, "notice": notice}
    request = GrantRequest.model_validate(asked | wanted | changes)
    grant_id = GrantId("g-9")
    made = first_revision(
        request,
        grant_id=grant_id,
        subject=of,
        residence=(RecordedResidence(jurisdiction=Jurisdiction(living)),),
        sources=checked_sources(request, grant_id),
        asked_by=None,
        now=NOW,
    )
    return made


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


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "that you are under 14 years old (born in 2015), and that Ana Mor says yes for you."),
        ("fr", "que vous avez moins de 14 ans (née en 2015) et que Ana Mor dit oui pour vous."),
    ],
)
def test_a_child_and_who_speaks_for_her_are_told(language: str, told: str) -> None:
    text = noticed({"language": language}, of=CHILD).text
    assert text is not None
    assert told in text


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", f"photo with the SHA-256 {'a' * 64}, 10.0 % from the left, 20.5 % from the top, 25.0 % wide, 30.0 % high."),
        ("fr", f"photo dont le SHA-256 est {'a' * 64}, à 10.0 % de la gauche, à 20.5 % du haut, large de 25.0 %, haut de 30.0 %."),
    ],
)
def test_a_face_that_somebody_else_marked_is_told(language: str, told: str) -> None:
    text = noticed({"language": language}, face_binding={"mode": "region", "regions": [REGION]}).text
    assert text is not None
    assert told in text


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "730 days, nor longer than 30 days after what it is for"), ("fr", "730 jours, ni plus de 30 jours après la fin")],
)
def test_how_long_something_is_kept_after_its_purpose_is_told(language: str, told: str) -> None:
    text = noticed({"language": language}, retention={"after_purpose_days": 30}).text
    assert text is not None
    assert told in text


def test_who_works_for_the_controller_is_told() -> None:
    text = noticed({}, processors=[{"id": "p", "name": "Fast\nFaces", "contact": "x", "role": "processor"}]).text
    assert text is not None
    assert "this is done by:\n- Fast Faces\n" in text


OTHERWISE: dict[str, dict[str, Any]] = {
    "where she lives": {"living": "CA-AB"},
    "how old she is": {"of": CHILD},
    "who speaks for her": {"of": CHILD.model_copy(update={"guardian": MOTHER.model_copy(update={"evidence_sha256": "8" * 64})})},
    "when she was born": {"of": SUBJECT.model_copy(update={"birth_year": 1980})},
    "who she is": {"of": SUBJECT.model_copy(update={"subject_id": SubjectId("s-2")})},
    "a marked face": {"face_binding": {"mode": "region", "regions": [REGION]}},
    "a face marked a hair's breadth aside": {
        "face_binding": {"mode": "region", "regions": [REGION | {"box": {"x": 0.10001, "y": 0.205, "width": 0.25, "height": 0.3}}]}
    },
    "other people in the photo": {"face_binding": {"mode": "joint", "member_grants": ["g-1", "g-3"]}},
    "one more in the photo": {"face_binding": {"mode": "joint", "member_grants": ["g-1", "g-2", "g-3"]}},
    "what may be done": {"operations": ["collect", "store"]},
    "how long it is kept": {"retention": {"max_days": 90}},
    "how long after": {"retention": {"after_purpose_days": 30}},
    "who works at it": {"processors": [{"id": "p", "name": "x", "contact": "x", "role": "processor"}]},
    "who oversees it": {"authority": {"id": "a", "name": "x", "contact": "x", "role": "authority"}},
    "the form for a place": {"legal": [{"jurisdiction": "CA-BC", "form": "written_release", "signature": "wet"}]},
    "where it may be stored": {"geographic_scope": {"collect_in": ["CA-BC"], "store_in": ["CA-BC"], "disclose_in": ["CA-ON"]}},
    "who controls the site": {"controls_source": True},
    "how she is asked": {"collection_method": "in_person"},
    "that it is necessary": {"purposes": [{"code": "gallery_search", "necessary": True}]},
    "what shows it": {"evidence": [{"kind": "pdf", "sha256": "9" * 64, "captured_at": NOW.isoformat(), "captured_by": "x"}]},
    "the hour of its end": {"validity": {"not_before": NOW.isoformat(), "expires_at": "2026-07-01T00:00:01+00:00"}},
}


def test_her_yes_is_one_to_everything_that_decides() -> None:
    """Her digest, and with it what her device signs, is another one wherever a decision could be."""
    digests = {name: noticed({}, **change).sha256 for name, change in OTHERWISE.items()}
    assert len({noticed({}).sha256, *digests.values()}) == len(OTHERWISE) + 1
    assert noticed({}).sha256 == noticed({}).sha256


def test_a_renewal_tells_the_same_and_keeps_the_operators_words() -> None:
    for language, again in (("en", "You said yes to this on 1 June 2026."), ("fr", "Vous avez dit oui à ceci le 1er juin 2026.")):
        for own in ({}, {"text": LESS}, {"url": "https://operator.example/notice", "sha256": "5" * 64}, {"sha256": "5" * 64}):
            first = record_of({"language": language, **own})
            text = renewal_text(first.model_dump(mode="json"), agreed_at=NOW)
            assert text.startswith(again)
            assert text.split("\n", 2)[2] == first.notice.text
            twice = first.model_copy(update={"notice": first.notice.model_copy(update={"text": text})})
            assert renewal_text(twice.model_dump(mode="json"), agreed_at=NOW) == text


def test_a_renewal_of_a_notice_in_words_that_are_not_known_tells_the_facts_alone() -> None:
    first = record_of({})
    old = first.model_copy(update={"notice": first.notice.model_copy(update={"text": "Words of long ago.\n"})})
    none = first.model_copy(update={"notice": first.notice.model_copy(update={"text": None})})
    for record in (old, none):
        assert renewal_text(record.model_dump(mode="json"), agreed_at=NOW).split("\n", 2)[2] == first.notice.text
