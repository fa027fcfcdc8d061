"""The candidate set: a union and never a vote, UNKNOWN unless residence or capture tells the place, hints that know their bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.events.evidence import EvidenceKind
from assent.events.grants import GrantSnapshot, Operation, Residence
from assent.geofence.decision import HINTS_OF_PEOPLE, candidate_set, closed_for
from assent.geofence.evidence import Evidence, stated, unreadable
from assent.geofence.policy import Policy
from assent.geofence.residence import residence_evidence
from assent.ids import UNKNOWN, Jurisdiction
from tests.unit.grant_examples import NOW, grant
from tests.unit.policy_examples import EVERY_OPERATION, places, policy_with, says, shipped

K = EvidenceKind
CANADA = places("CA", "CA-BC", "CA-AB", "CA-QC")


def living_in(*codes: str) -> GrantSnapshot:
    return grant(residences=tuple(Residence(jurisdiction=Jurisdiction(code)) for code in codes))


def found(*evidence: Evidence, by: GrantSnapshot | None = None, policy: Policy | None = None) -> frozenset[Jurisdiction]:
    residence = residence_evidence(by) if by is not None else ()
    return candidate_set((*residence, *evidence), grant=by, policy=policy or shipped()).jurisdictions


def rules(candidates: frozenset[Jurisdiction], policy: Policy | None = None) -> set[str]:
    return set(closed_for(candidates, Operation.COLLECT, policy or shipped(), NOW))


def test_conflict_01_no_evidence_is_unknown() -> None:
    assert found() == {UNKNOWN}
    assert rules(found()) == {"X-1"}


def test_conflict_02_gps_in_calgary_is_alberta() -> None:
    assert found(says(K.EXIF_GPS, "CA-AB")) == places("CA-AB", UNKNOWN)


def test_conflict_03_gps_in_toronto_and_canadian_french_stand_for_all_of_canada_without_residence() -> None:
    candidates = found(says(K.EXIF_GPS, "CA-ON"), says(K.LANGUAGE, "CA"))
    assert candidates == CANADA | places("CA-ON", UNKNOWN)
    assert {"QC-3", "CA-1"} <= rules(candidates)


def test_conflict_03_amended_a_language_adds_nothing_to_a_confirmed_residence() -> None:
    candidates = found(says(K.EXIF_GPS, "CA-ON"), says(K.LANGUAGE, "CA"), by=living_in("CA-ON"))
    assert candidates == places("CA-ON")


def test_conflict_04_gps_in_toronto_alone_is_not_enough() -> None:
    assert found(says(K.EXIF_GPS, "CA-ON")) == places("CA-ON", UNKNOWN)


def test_conflict_05_gps_in_toronto_and_residence_in_ontario_pass_where_the_policy_opens_it() -> None:
    candidates = found(says(K.EXIF_GPS, "CA-ON"), by=living_in("CA-ON"))
    assert candidates == places("CA-ON")
    assert rules(candidates) == {"CA-1"}
    assert rules(candidates, policy_with(CA={"with_grant": EVERY_OPERATION})) == set()


def test_conflict_06_gps_in_gatineau_is_quebec() -> None:
    assert "QC-3" in rules(found(says(K.EXIF_GPS, "CA-ON", "CA-QC"), by=living_in("CA-BC")))


def test_conflict_07_gps_in_ottawa_belongs_to_both_sides() -> None:
    candidates = found(says(K.EXIF_GPS, "CA-ON", "CA-QC"), by=living_in("CA-ON"))
    assert candidates == places("CA-ON", "CA-QC")
    assert rules(candidates) == {"CA-1", "QC-3"}


def test_conflict_08_gps_in_paris_under_a_domain_of_british_columbia_is_both() -> None:
    candidates = found(says(K.EXIF_GPS, "FR"), says(K.PROVINCE_DOMAIN, "CA-BC"))
    assert candidates == places("FR", "CA-BC")
    assert rules(candidates) == {"EU-10"}


def test_conflict_09_a_position_that_cannot_be_read_is_unknown_and_stays_so() -> None:
    assert found(unreadable(K.EXIF_GPS)) == {UNKNOWN}
    everything_else = (says(K.SIGNED_GPS, "CA-BC"), says(K.GEO_META, "CA-BC"))
    assert found(unreadable(K.EXIF_GPS), *everything_else, by=living_in("CA-BC")) == places("CA-BC", UNKNOWN)


def test_conflict_10_two_positions_that_disagree_both_count() -> None:
    candidates = found(says(K.EXIF_GPS, "US-TX"), says(K.SIGNED_GPS, "US-IL"))
    assert candidates == places("US-TX", "US-IL")
    assert rules(candidates) == {"TX-1"}


def test_conflict_11_a_server_in_australia_closes_whatever_else_says_new_zealand() -> None:
    told = (says(K.SERVER_ADDRESS, "AU"), says(K.COUNTRY_DOMAIN, "NZ"), says(K.EXIF_GPS, "NZ"))
    assert "AU-1" in rules(found(*told, by=living_in("NZ")))
    assert "AU-1" in rules(found(*told))


def test_conflict_11_amended_an_australian_server_is_no_hint_that_a_capture_there_silences() -> None:
    weights = [
        item.deny_weight
        for place in ("AU", "NZ")
        for item in candidate_set([says(K.SERVER_ADDRESS, place)], grant=None, policy=shipped()).used
    ]
    assert weights == [1.0, 0.4]
    told = (says(K.SERVER_ADDRESS, "AU"), says(K.EXIF_GPS, "AU-NSW"))
    assert found(*told, by=living_in("CA-BC")) == places("CA-BC", "AU-NSW", "AU")


def test_conflict_12_a_position_of_twenty_kilometres_is_both_states() -> None:
    assert places("US-IN", "US-IL") <= found(says(K.EXIF_GPS, "US-IN", "US-IL"), by=living_in("US-IL"))


def test_conflict_13_lloydminster_is_both_provinces() -> None:
    candidates = found(says(K.EXIF_GPS, "CA-AB", "CA-SK"), by=living_in("CA-AB"))
    assert candidates == places("CA-AB", "CA-SK")
    assert rules(candidates) == {"CA-1"}


def test_conflict_14_residence_in_british_columbia_governs_a_photo_from_spain_too() -> None:
    candidates = found(says(K.EXIF_GPS, "ES"), by=living_in("CA-BC"))
    assert candidates == places("CA-BC", "ES")
    assert rules(candidates) == {"EU-10"}


def test_conflict_16_a_page_that_contradicts_itself_is_in_both_places() -> None:
    told = (says(K.GEO_META, "CA-BC"), says(K.GEO_META, "CA-AB"))
    assert places("CA-BC", "CA-AB") <= found(*told)
    assert found(*told, by=living_in("CA-BC")) == places("CA-BC", "CA-AB")


@pytest.mark.parametrize("kind", sorted(HINTS_OF_PEOPLE))
def test_a_hint_of_people_adds_nothing_to_a_confirmed_residence_and_is_recorded(kind: EvidenceKind) -> None:
    by = living_in("CA-BC")
    hint = says(kind, "CA-QC")
    answer = candidate_set((*residence_evidence(by), hint), grant=by, policy=shipped())
    assert answer.jurisdictions == places("CA-BC")
    assert answer.used == (residence_evidence(by)[0].coarse(), hint.coarse())


@pytest.mark.parametrize("kind", [K.COUNTRY_DOMAIN, K.SERVER_ADDRESS])
def test_a_hint_of_a_country_adds_only_where_she_has_no_place_in_it(kind: EvidenceKind) -> None:
    by = living_in("CA-BC")
    assert found(says(kind, "CA"), by=by) == places("CA-BC")
    assert found(says(kind, "FR"), by=by) == places("CA-BC", "FR")
    assert found(says(kind, "FR"), says(K.EXIF_GPS, "FR"), by=by) == places("CA-BC", "FR")
    assert found(says(kind, "CA")) >= CANADA


def test_a_hint_does_not_silence_another_hint() -> None:
    """A time zone is tied to the capture, but it adds no place of its own, so it must not take one away."""
    told = (says(K.COUNTRY_DOMAIN, "FR"), says(K.TIME_ZONE, "FR"))
    assert found(*told, by=living_in("CA-BC")) == places("CA-BC", "FR")


@pytest.mark.parametrize("kind", sorted(set(EvidenceKind) - {K.GRANT_RESIDENCE}))
def test_evidence_that_cannot_be_read_adds_unknown_whatever_its_kind(kind: EvidenceKind) -> None:
    assert found(unreadable(kind), by=living_in("CA-BC")) == places("CA-BC", UNKNOWN)


def test_a_country_as_direct_evidence_stands_for_its_listed_parts() -> None:
    assert found(says(K.XMP_LOCATION_CREATED, "CA"), by=living_in("CA-BC")) == CANADA
    assert found(by=living_in("CA")) == CANADA


def test_weights_of_one_connector_are_not_added_up() -> None:
    assert UNKNOWN in found(says(K.EXIF_GPS, "CA-BC"), says(K.XMP_LOCATION_CREATED, "CA-BC"), says(K.IPTC_PLACE, "CA-BC"))
    assert UNKNOWN not in found(says(K.EXIF_GPS, "CA-BC"), says(K.GEO_META, "CA-BC"))


def test_without_residence_or_capture_no_weight_is_enough() -> None:
    told = (says(K.CALLER, "CA-BC"), says(K.XMP_LOCATION_SHOWN, "CA-BC"), says(K.PROVINCE_DOMAIN, "CA-BC"))
    assert UNKNOWN in found(*told)


def test_residence_is_evidence_of_a_confirmed_grant_alone() -> None:
    assert residence_evidence(grant(confirmed_at=None)) == ()
    assert residence_evidence(living_in("CA-BC", "FR")) == (stated(K.GRANT_RESIDENCE, places("CA-BC", "FR")),)
    assert residence_evidence(living_in("CA-BC", UNKNOWN)) == (unreadable(K.GRANT_RESIDENCE),)
    assert found(by=grant(confirmed_at=None)) == {UNKNOWN}


def test_a_residence_that_she_has_not_confirmed_silences_no_hint() -> None:
    told = [says(K.GRANT_RESIDENCE, "CA-BC"), says(K.LANGUAGE, "FR")]
    assert places("CA-BC", "FR") <= candidate_set(told, grant=grant(confirmed_at=None), policy=shipped()).jurisdictions


def test_a_server_that_may_stand_in_several_places_weighs_as_in_the_strictest() -> None:
    server = says(EvidenceKind.SERVER_ADDRESS, "AU", "NZ")
    (used,) = candidate_set([server], grant=grant(), policy=shipped()).used
    assert (server.deny_weight, used.deny_weight) == (0.4, 1.0)


def test_a_weight_counts_from_the_threshold_on() -> None:
    for weight, counts in ((0.25, True), (0.249, False)):
        light = replace(says(EvidenceKind.GEO_META, "AU"), deny_weight=weight)
        assert ("AU" in found(light, by=living_in("CA-BC"))) is counts


def test_a_statement_with_two_meanings_makes_a_place_known_only_if_it_does_in_both() -> None:
    others = (says(EvidenceKind.XMP_LOCATION_SHOWN, "AU"), says(EvidenceKind.SCHEMA_RESIDENCE, "AU"))
    assert found(*others, says(EvidenceKind.IPTC_PLACE, "AU")) == places("AU", UNKNOWN)
    assert found(*others, says(EvidenceKind.SCHEMA_PLACE, "AU")) == places("AU")


def test_weights_that_come_to_the_threshold_are_enough() -> None:
    assert found(says(EvidenceKind.EXIF_GPS, "AU"), says(EvidenceKind.COUNTRY_DOMAIN, "AU")) == places("AU")
    assert found(says(EvidenceKind.EXIF_GPS, "AU"), says(EvidenceKind.SERVER_ADDRESS, "AU")) == places("AU", UNKNOWN)


def test_only_what_adds_its_own_place_silences_a_hint_of_another() -> None:
    domain = says(EvidenceKind.COUNTRY_DOMAIN, "AU")
    light = replace(says(EvidenceKind.EXIF_GPS, "AU"), deny_weight=0.1)
    assert "AU" in found(domain, light, by=living_in("CA-BC"))
    strict = shipped().location.model_copy(update={"deny_threshold": 0.1})
    policy = shipped().model_copy(update={"location": strict})
    assert "AU" in found(domain, says(EvidenceKind.TIME_ZONE, "AU"), by=living_in("CA-BC"), policy=policy)
    assert found(says(EvidenceKind.TIME_ZONE, "AU"), by=living_in("CA-BC"), policy=policy) == places("CA-BC")


@pytest.mark.parametrize("told", [[], [unreadable(EvidenceKind.GRANT_RESIDENCE)]])
def test_a_confirmed_grant_of_whose_residence_nothing_is_known_silences_no_hint(told: list[Evidence]) -> None:
    """Whether she lives in no place that is known decides, not whether she has confirmed something."""
    found = candidate_set([*told, says(EvidenceKind.LANGUAGE, "CA-QC")], grant=grant(), policy=shipped())
    assert found.jurisdictions == places("CA-QC", UNKNOWN)


def test_what_is_known_and_closes_nothing_leaves_the_place_unknown() -> None:
    """The set is never empty: an empty one would be no place to ask the rules of."""
    weightless = replace(says(EvidenceKind.GRANT_RESIDENCE, "CA-BC"), deny_weight=0.0)
    assert candidate_set([weightless], grant=grant(), policy=shipped()).jurisdictions == places(UNKNOWN)


@pytest.mark.parametrize("kind", list(EvidenceKind))
def test_nothing_that_a_decision_reads_is_lost_in_the_coarse_form(kind: EvidenceKind) -> None:
    for whole in (says(kind, "CA-BC", "FR"), unreadable(kind)):
        assert Evidence.of(whole.coarse()) == whole


def test_closed_for_names_the_rule_of_every_closed_place() -> None:
    assert rules(places("CA-BC", "CA-AB")) == set()
    assert rules(places("CA-BC", "CA-QC", "FR", UNKNOWN)) == {"QC-3", "EU-10", "X-1"}


CODES = ["CA", "CA-BC", "CA-AB", "CA-QC", "CA-ON", "US", "US-IL", "US-TX", "FR", "EU", "AU", "NZ", UNKNOWN]
OTHER_KINDS = sorted(set(EvidenceKind) - {K.GRANT_RESIDENCE})
READ = st.builds(
    lambda kind, codes: says(kind, *codes), st.sampled_from(OTHER_KINDS), st.sets(st.sampled_from(CODES), min_size=1, max_size=3)
)
PIECES = READ | st.sampled_from(OTHER_KINDS).map(unreadable)
GRANTS = st.none() | st.sampled_from(["CA-BC", "CA", "FR", "US-IL"]).map(living_in)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=5), PIECES, GRANTS)
def test_more_evidence_takes_away_no_country_and_opens_unknown_only_by_residence_or_capture(
    told: list[Evidence], more: Evidence, by: GrantSnapshot | None
) -> None:
    before, after = found(*told, by=by), found(*told, more, by=by)
    gone = before - after
    assert after
    assert {place.partition("-")[0] for place in gone - {UNKNOWN}} <= {place.partition("-")[0] for place in after}
    if by is None or more.kind in HINTS_OF_PEOPLE or more.is_invalid:
        assert gone <= {UNKNOWN}
    if UNKNOWN in gone:
        assert more.allow_weight > 0


@settings(deadline=None)
@given(st.lists(PIECES, max_size=5), GRANTS, st.data())
def test_order_and_repetition_change_nothing(told: list[Evidence], by: GrantSnapshot | None, data: st.DataObject) -> None:
    again = data.draw(st.permutations([*told, *told[:2]]))
    assert found(*again, by=by) == found(*told, by=by)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=5), GRANTS)
def test_what_cannot_be_read_and_where_she_lives_are_always_among_the_candidates(told: list[Evidence], by: GrantSnapshot | None) -> None:
    candidates = found(*told, by=by)
    if any(item.is_invalid for item in told):
        assert UNKNOWN in candidates
    assert by is None or {residence.jurisdiction for residence in by.residences} <= candidates
