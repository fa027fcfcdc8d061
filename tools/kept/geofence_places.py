"""Mistakes that no test can notice in assent/geofence, where it tells places and reads policies and signatures."""

from __future__ import annotations

from tools.kept.reasons import TYPES

KEPT: dict[str, str] = {
    "assent/geofence/jurisdiction_rules.py: JurisdictionRules._opens_on_any_day: self.opens if not self.filings and self.order_received is None else frozenset() [never]": "the longer way gives the same answer",
    "assent/geofence/jurisdiction_rules.py: JurisdictionRules.closed_by: None if operation in self._opens_on_any_day else self._closed(operation, self.rule, now) [never]": "the longer way gives the same answer",
    "assent/geofence/jurisdiction_rules.py: JurisdictionRules._closed: if not self.filings: [never]": "where there are none, none is unmet",
    "assent/geofence/policy_document.py: _entry: {*FLOOR_FORBIDDEN, *named} [without item 0]": "the defaults name the floor, or the file is refused",
    "assent/geofence/decision.py: _weighed: item.kind is not EvidenceKind.SERVER_ADDRESS or item.is_invalid [without operand 1]": "what cannot be read counts whatever its weight",
    "assent/geofence/decision.py: _is_enough: if not item.is_invalid: [always]": "what cannot be read allows nothing: its weight is nought",
    "assent/geofence/decision.py: _is_enough: sum(best.values()) >= policy.location.allow_threshold - 1e-09 [turned]": "no sum of weights of two digits lies that near to the threshold",
    "assent/geofence/policy.py: Policy.entry_for: if jurisdiction == UNKNOWN: [never]": "no entry can have that name, so the look-up ends there too",
    "assent/geofence/policy.py: Policy.entry_for: name is not None and name in self.jurisdictions [without operand 0]": TYPES,
    "assent/geofence/policy.py: Policy.rules_for: own if own is not None else self.jurisdictions.get(self.entry_for(jurisdiction), self.unknown) [never]": "the longer look-up finds the same entry",
    "assent/geofence/jurisdiction_rules.py: Filing.is_met: self.is_filed and self.counts_from is not None and (now.date() >= self.counts_from) [without operand 1]": TYPES,
}
