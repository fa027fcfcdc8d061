"""Mistakes that no test can notice in the policy file and the table of evidence."""

from __future__ import annotations

from tools.kept.reasons import DEFAULT_OF_CODE, SAME_AS_DEFAULTS

KEPT: dict[str, str] = {
    "policy: defaults.with_grant is gone": DEFAULT_OF_CODE,
    "policy: defaults.consent.explicit (True) is gone": DEFAULT_OF_CODE,
    "policy: defaults.consent.alternative_offered (True) is gone": DEFAULT_OF_CODE,
    "policy: defaults.consent.notice_sha256 (True) is gone": DEFAULT_OF_CODE,
    "policy: defaults.transient_match (denied) is gone": DEFAULT_OF_CODE,
    "policy: jurisdictions.US-IL.consent.form (written_release) is gone": SAME_AS_DEFAULTS,
    "policy: jurisdictions.US-IL.purposes.allow is gone": SAME_AS_DEFAULTS,
    "policy: jurisdictions.US-IL.purposes.forbid.0 (sale) is gone": "forbidden everywhere by the floor; the list is that of the law, whole",
}
