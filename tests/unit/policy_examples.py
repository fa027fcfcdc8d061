"""Policies to build tests from: the shipped one, and the same with some entries changed, so that a test names only what it changes."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Any

import yaml

from assent.events.evidence import EvidenceKind
from assent.geofence.evidence import Evidence, stated
from assent.geofence.policy import Policy
from assent.geofence.policy_document import merged, policy_from
from assent.ids import Jurisdiction
from services.registry.policy_file import read_policy

EVERY_OPERATION = ["collect", "embed", "store", "search", "disclose"]


def shipped_text() -> str:
    return files("services.registry").joinpath("policies", "shipped.yaml").read_text(encoding="utf-8")


@functools.cache
def shipped() -> Policy:
    return Policy.from_canonical_json(read_policy(None).document)


def policy_with(**entries: dict[str, Any]) -> Policy:
    """The shipped policy with keys of some entries changed; an underscore stands for the hyphen of a code."""
    changes = {name.replace("_", "-"): entry for name, entry in entries.items()}
    return policy_from(merged(yaml.safe_load(shipped_text()), {"jurisdictions": changes}))


def places(*codes: str) -> frozenset[Jurisdiction]:
    return frozenset(Jurisdiction(code) for code in codes)


def says(kind: EvidenceKind, *codes: str) -> Evidence:
    return stated(kind, places(*codes))
