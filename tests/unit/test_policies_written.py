"""A policy written back as a file: each entry says what a person would write, and what no file can say is not written at all."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from assent.geofence.jurisdiction_rules import FLOOR_FORBIDDEN
from assent.geofence.policy import Policy, PolicyError
from assent.geofence.policy_document import merged, policy_from
from assent.ids import Jurisdiction
from assent.policies.written_policy import written_policy
from tests.unit.policy_examples import EVERY_OPERATION, shipped

LAW = ["the law of it"]
DPIA = {"rule": "EU-10", "lead_days": 0, "reference": None, "filed_on": None}
ORDER = {"issued": "2026-05-20", "comply_days": 30, "report_days": None, "destroy_days": None, "met_on": None}
ENTRIES: dict[str, dict[str, Any]] = {
    "an entry that says nothing of its own": {"JP": {"law": LAW}},
    "an entry under the law of the defaults": {"JP": {"law": ["unknown"], "with_grant": ["collect"]}},
    "one key within a key": {"JP": {"law": LAW, "consent": {"age_min": 20}}},
    "a key that the defaults do not have": {"JP": {"law": LAW, "authority": "PPC"}},
    "a group, its member, and a part of that": {
        "DE-BE": {"law": LAW, "bystanders": "drop_image"},
        "DE": {"law": LAW, "filings": {"dpia": {"reference": "1", "filed_on": "2026-11-01"}}, "with_grant": EVERY_OPERATION},
        "EU": {"law": LAW, "members": ["DE", "FR"], "bystanders": "region_only", "filings": {"dpia": DPIA}},
        "CA": {"law": LAW, "bystanders": "region_only"},
    },
    "a group that names itself": {"FR": {"law": LAW, "members": ["FR", "GP"], "bystanders": "region_only"}, "GP": {"law": LAW}},
    "what the group asks for and a member does not": {
        "EU": {"law": LAW, "members": ["FR"], "authority": "EDPB", "order_received": ORDER},
        "FR": {"law": LAW, "authority": None, "order_received": None},
    },
}


def file_with(entries: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    """A file with the location and the defaults of the shipped one."""
    written = written_policy(shipped())
    return copy.deepcopy({**written, "defaults": merged(written["defaults"], defaults), "jurisdictions": entries})


@pytest.mark.parametrize("what", ENTRIES)
def test_an_entry_says_what_a_person_would_write_and_nothing_that_it_has_from_elsewhere(what: str) -> None:
    file = file_with(ENTRIES[what])
    assert written_policy(policy_from(file)) == file


def test_defaults_are_written_whole_and_without_what_they_leave_open() -> None:
    defaults = written_policy(shipped())["defaults"]
    assert None not in defaults.values()
    assert defaults == shipped().unknown.model_dump(mode="json", exclude_none=True)


def test_what_everybody_has_received_can_be_left_out_of_one_entry() -> None:
    file = file_with({"JP": {"law": LAW, "order_received": None}, "KR": {"law": LAW}}, order_received=ORDER)
    policy = policy_from(file)
    assert [policy.rules_for(Jurisdiction(place)).order_received is None for place in ("JP", "KR")] == [True, False]
    assert written_policy(policy) == file


def without_filings(document: dict[str, Any]) -> None:
    """Of a member whose group asks for one: read from a file it would have it again."""
    document["jurisdictions"]["FR"]["filings"] = {}


def without_floor(document: dict[str, Any]) -> None:
    """What is forbidden everywhere is in every entry that is read."""
    document["jurisdictions"]["JP"]["purposes"]["forbid"] = []


def in_another_order(document: dict[str, Any]) -> None:
    document["jurisdictions"]["JP"]["purposes"]["forbid"] = sorted(FLOOR_FORBIDDEN, reverse=True)


@pytest.mark.parametrize("change", [without_filings, without_floor, in_another_order])
def test_a_policy_that_no_file_says_is_not_written_as_one_that_says_something_else(change: Callable[[dict[str, Any]], None]) -> None:
    """It is a sound policy all the same, as one on the log that another program made."""
    entries = {"EU": {"law": LAW, "members": ["FR"], "filings": {"dpia": DPIA}}, "FR": {"law": LAW}, "JP": {"law": LAW}}
    document = policy_from(file_with(entries)).model_dump(mode="json", by_alias=True)
    assert written_policy(Policy.model_validate(document))["jurisdictions"] == entries
    change(document)
    policy = Policy.model_validate(document)
    with pytest.raises(PolicyError, match="cannot be written as a file; it was not made of one"):
        written_policy(policy)
