"""The client gate: it governs every ground but `self`, every place a caller names must be open, and no place is unknown."""

from __future__ import annotations

import pytest

from assent.geofence.caller import client_gate
from assent.geofence.policy import Policy
from assent.ids import Jurisdiction, RuleId
from tests.unit.grant_examples import NOW
from tests.unit.policy_examples import EVERY_OPERATION, policy_with, shipped

OPEN_BC = policy_with(CA_BC={"with_grant": [*EVERY_OPERATION, "serve_clients"]})


def gate(*stated: str, basis: str = "gallery", policy: Policy | None = None) -> RuleId | None:
    return client_gate([Jurisdiction(place) for place in stated], basis=basis, policy=policy or shipped(), now=NOW)


@pytest.mark.parametrize(
    ("stated", "rule"),
    [
        (["CA-BC"], "BC-1"),
        (["CA-AB"], "AB-1"),
        (["CA-QC"], "QC-1"),
        (["CA-ON"], "CA-1"),
        (["US-IL"], "IL-5"),
        (["US-TX"], "TX-1"),
        (["FR"], "EU-10"),
        (["NO"], "EU-10"),
        (["GB"], "UK-1"),
        (["AU"], "AU-1"),
        (["NZ"], "X-1"),
        (["UNKNOWN"], "X-1"),
        ([], "X-1"),
    ],
)
@pytest.mark.parametrize("basis", ["verify", "gallery", "anything"])
def test_the_shipped_policy_offers_the_service_nowhere(stated: list[str], rule: str, basis: str) -> None:
    assert gate(*stated, basis=basis) == rule


@pytest.mark.parametrize("stated", [[], ["CA-BC"], ["CA-QC", "UNKNOWN"]])
def test_a_subject_who_looks_for_herself_is_never_asked_where_she_is(stated: list[str]) -> None:
    assert gate(*stated, basis="self") is None


def test_a_place_is_opened_to_callers_by_the_file_alone() -> None:
    assert gate("CA-BC", policy=OPEN_BC) is None
    assert gate("CA-BC", basis="verify", policy=OPEN_BC) is None


def test_opening_the_other_operations_does_not_offer_the_service() -> None:
    assert shipped().rules_for(Jurisdiction("CA-BC")).with_grant == tuple(EVERY_OPERATION)
    assert gate("CA-BC") == "BC-1"


@pytest.mark.parametrize(
    ("stated", "rule"), [(["CA-BC", "CA-AB"], "AB-1"), (["CA-BC", "US"], "IL-5"), (["CA-BC", "UNKNOWN"], "X-1"), (["CA-BC", "CA-BC"], None)]
)
def test_one_closed_place_among_several_refuses(stated: list[str], rule: str | None) -> None:
    assert gate(*stated, policy=OPEN_BC) == rule
    assert gate(*reversed(stated), policy=OPEN_BC) == rule


def test_conflict_15_a_claim_in_alberta_from_an_american_address_is_refused() -> None:
    assert gate("CA-AB", "US", policy=policy_with(US={"law": ["none"], "with_grant": ["serve_clients"]})) == "AB-1"


def test_a_country_alone_is_refused_while_one_of_its_parts_is_closed() -> None:
    """She may be in any of them; otherwise leaving out the province would be the way in."""
    country = {"with_grant": ["serve_clients"]}
    assert gate("CA", policy=policy_with(CA=country)) == "AB-1"
    assert gate("CA-ON", policy=policy_with(CA=country)) is None


def test_an_unmet_filing_and_a_stayed_entry_close_the_service_too() -> None:
    served = {"with_grant": ["serve_clients"]}
    assert gate("CA-QC", policy=policy_with(CA_QC=served)) == "QC-3"
    assert gate("CA-BC", policy=policy_with(CA_BC=served | {"status": "stayed", "as_of": "2026-05-01"})) == "BC-1"
