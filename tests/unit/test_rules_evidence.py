"""The table of evidence, written by hand: what each kind is tied to, how much it closes and how much it opens, and what follows."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.events.evidence import Connector, EvidenceKind
from assent.events.grants import GrantSnapshot, Residence
from assent.geofence.decision import candidate_set
from assent.geofence.evidence import WEIGHTS, Evidence, stated, unreadable
from assent.geofence.residence import residence_evidence
from assent.ids import UNKNOWN, Jurisdiction
from tests.unit.grant_examples import grant
from tests.unit.policy_examples import places, says, shipped

RESIDENCE, CAPTURE, SHOWN, PUBLICATION, SERVER, CLIENT = Connector


@dataclass(frozen=True)
class Row:
    """One line. `is_hint`: adds nothing once she has said where she lives; `is_country_hint`: then only in another country."""

    kind: str
    connector: Connector
    deny: float
    allow: float
    is_hint: bool = False
    is_country_hint: bool = False
    is_ambiguous: bool = False


TABLE: dict[str, Row] = {
    "01": Row("grant_residence", RESIDENCE, 1.0, 0.90),
    "02": Row("signed_gps", CAPTURE, 1.0, 0.80),
    "03": Row("exif_gps", CAPTURE, 1.0, 0.60),
    "04": Row("xmp_location_created", CAPTURE, 0.9, 0.50),
    "05": Row("xmp_location_shown", SHOWN, 0.8, 0.30),
    "06": Row("iptc_place", SHOWN, 0.8, 0.30, is_ambiguous=True),
    "07": Row("schema_residence", RESIDENCE, 0.9, 0.30),
    "08": Row("schema_place", CAPTURE, 0.7, 0.30),
    "09": Row("geo_meta", PUBLICATION, 0.7, 0.20),
    "10": Row("province_domain", PUBLICATION, 0.9, 0.20),
    "11": Row("country_domain", PUBLICATION, 0.6, 0.10, is_country_hint=True),
    "12": Row("server_address", SERVER, 0.4, 0.05, is_country_hint=True),
    "13": Row("language", PUBLICATION, 0.3, 0.0, is_hint=True),
    "14": Row("url_words", PUBLICATION, 0.3, 0.0, is_hint=True),
    "15": Row("caption", SHOWN, 0.4, 0.0, is_hint=True),
    "16": Row("time_zone", CAPTURE, 0.2, 0.0, is_hint=True),
    "17": Row("caller", CLIENT, 1.0, 0.90),
}
THRESHOLD_TO_CLOSE, THRESHOLD_TO_OPEN = 0.25, 0.7


def living_in(*codes: str) -> GrantSnapshot:
    return grant(residences=tuple(Residence(jurisdiction=Jurisdiction(code)) for code in codes))


def found(*evidence: Evidence, by: GrantSnapshot | None = None) -> frozenset[Jurisdiction]:
    residence = residence_evidence(by) if by is not None else ()
    return candidate_set((*residence, *evidence), grant=by, policy=shipped()).jurisdictions


def told(number: str, *codes: str) -> Evidence:
    return says(EvidenceKind(TABLE[number].kind), *codes)


def test_the_table_has_a_row_for_every_kind_and_the_thresholds_are_those_of_the_policy() -> None:
    assert [row.kind for row in TABLE.values()] == [kind.value for kind in EvidenceKind]
    location = shipped().location
    assert (location.deny_threshold, location.allow_threshold) == (THRESHOLD_TO_CLOSE, THRESHOLD_TO_OPEN)
    assert location.gps_floor_m == 100
    assert location.buffer_m == {"ne10m": 5000, "dcw": 1000}


@pytest.mark.parametrize("number", TABLE)
def test_evidence_row_has_its_connector_and_weights(number: str) -> None:
    row = TABLE[number]
    weights = WEIGHTS[EvidenceKind(row.kind)]
    assert (weights.connector, weights.deny, weights.allow) == (row.connector, row.deny, row.allow)
    assert stated(EvidenceKind(row.kind), places("CA-QC")) == Evidence(
        EvidenceKind(row.kind), row.connector, places("CA-QC"), row.deny, row.allow
    )
    assert unreadable(EvidenceKind(row.kind)).allow_weight == 0


@pytest.mark.parametrize("number", TABLE)
def test_evidence_row_closes_by_itself_unless_it_is_too_light(number: str) -> None:
    """Nobody has said where she lives: what is heavy enough adds its place; of single rows a signed position or her own word opens."""
    row = TABLE[number]
    closing = {"CA-QC"} if row.deny >= THRESHOLD_TO_CLOSE else set()
    is_known = row.kind in ("grant_residence", "signed_gps")
    assert found(told(number, "CA-QC")) == closing | (set() if is_known else {UNKNOWN})


@pytest.mark.parametrize("number", TABLE)
def test_evidence_row_beside_her_own_word(number: str) -> None:
    """A resident of British Columbia: hints of people are silent, hints of a country speak of other countries only."""
    row, by = TABLE[number], living_in("CA-BC")
    quebec = {"CA-BC"} if row.is_hint or row.is_country_hint else {"CA-BC", "CA-QC"}
    assert found(told(number, "CA-QC"), by=by) == quebec
    assert found(told(number, "FR"), by=by) == ({"CA-BC"} if row.is_hint else {"CA-BC", "FR"})


@pytest.mark.parametrize("number", TABLE)
def test_evidence_row_that_names_a_country_stands_for_its_parts(number: str) -> None:
    row = TABLE[number]
    parts = {"CA", "CA-AB", "CA-BC", "CA-QC"} if row.deny >= THRESHOLD_TO_CLOSE else set()
    assert found(told(number, "CA")) >= parts
    assert found(told(number, "CA"), by=living_in("US-IL")) == {"US-IL"} | (set() if row.is_hint else parts)


@pytest.mark.parametrize("number", TABLE)
def test_evidence_row_there_and_unreadable_is_unknown(number: str) -> None:
    assert UNKNOWN in found(unreadable(EvidenceKind(TABLE[number].kind)), by=living_in("CA-BC"))


def is_known(*numbers: str) -> bool:
    return UNKNOWN not in found(*(told(number, "CA-BC") for number in numbers))


KNOWN: list[tuple[tuple[str, ...], bool]] = [
    # One connector counts once, with its best.
    (("03", "04"), False),
    (("02", "03"), True),
    (("03", "09"), True),
    (("03", "11"), True),
    (("03", "12"), False),
    (("03", "05"), True),
    (("04", "09"), True),
    (("04", "11"), False),
    (("04", "05"), True),
    (("07", "08"), False),
    (("07", "08", "11"), True),
    (("07", "05", "11"), True),
    (("09", "10", "11"), False),
    (("08", "05", "09"), True),
    (("08", "05", "12"), False),
    # Neither residence nor capture: nothing is enough.
    (("05", "10", "17"), False),
    (("06", "10", "17"), False),
    (("05", "06", "17"), False),
    # The older IPTC form is capture or what is shown, whichever makes less of it.
    (("03", "06"), False),
    (("04", "06"), False),
    (("04", "06", "09"), True),
    (("08", "06", "09"), False),
    (("08", "05", "06"), False),
    (("07", "06", "11"), True),
    (("02", "06"), True),
    # Weight 0 opens nothing, whatever it is tied to.
    (("16", "10", "17"), False),
    (("03", "13"), False),
    (("03", "14"), False),
    (("03", "15"), False),
    (("03", "17"), True),
]


@pytest.mark.parametrize(("numbers", "wanted"), KNOWN)
def test_a_place_is_known_by_residence_or_capture_and_seven_tenths(numbers: tuple[str, ...], wanted: bool) -> None:
    assert is_known(*numbers) is wanted
    assert is_known(*reversed(numbers)) is wanted


def test_the_older_iptc_form_is_no_place_of_capture_that_would_silence_a_hint() -> None:
    """She lives in Illinois, the file says Ontario in fields that may mean anything, the site is Canadian: all of Canada counts."""
    by = living_in("US-IL")
    assert found(told("06", "CA-ON"), told("11", "CA"), by=by) == places("US-IL", "CA", "CA-AB", "CA-BC", "CA-ON", "CA-QC")
    assert found(told("04", "CA-ON"), told("11", "CA"), by=by) == places("US-IL", "CA-ON")


@settings(max_examples=2000, deadline=None)
@given(st.lists(st.sampled_from(sorted(TABLE)), max_size=6), st.sampled_from(sorted(TABLE)))
def test_an_ambiguous_statement_opens_no_more_than_the_same_statement_of_either_kind(numbers: list[str], more: str) -> None:
    """Thousands of mixtures: written once as capture and once as what is shown, both must be known without it being ambiguous."""
    mixture = [*numbers, more]
    if not is_known(*mixture):
        return
    for meant in ("08", "05"):
        assert is_known(*(meant if TABLE[number].is_ambiguous else number for number in mixture))
