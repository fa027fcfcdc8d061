"""Mistakes that no test can notice, each with the reason why none should."""

# ruff: noqa: E501  one row per mistake
from __future__ import annotations

_DEFAULT_OF_CODE = "the code has the same default, the strict one; the line tells the reader"
_SAME_AS_DEFAULTS = "the entry repeats what the defaults say, so that it stays when they change"
KEPT: dict[str, str] = {
    "policy: defaults.with_grant is gone": _DEFAULT_OF_CODE,
    "policy: defaults.consent.explicit (True) is gone": _DEFAULT_OF_CODE,
    "policy: defaults.consent.alternative_offered (True) is gone": _DEFAULT_OF_CODE,
    "policy: defaults.consent.notice_sha256 (True) is gone": _DEFAULT_OF_CODE,
    "policy: defaults.transient_match (denied) is gone": _DEFAULT_OF_CODE,
    "policy: jurisdictions.US-IL.consent.form (written_release) is gone": _SAME_AS_DEFAULTS,
    "policy: jurisdictions.US-IL.purposes.allow is gone": _SAME_AS_DEFAULTS,
    "policy: jurisdictions.US-IL.purposes.forbid.0 (sale) is gone": "forbidden everywhere by the floor; the list is that of the law, whole",
    "assent/consent/decision.py: module: {Standing.UNKNOWN: RuleId('no_grant'), Standing.NOT_LIVE: RuleId('grant_not_live'), Standing.EXPIRED [without item 0]": "the look-up has the same word for what it lacks",
    "assent/consent/legal_form.py: module: 0 [one more]": "no band of ages begins and ends with the first year, so every band has a year above it",
    "assent/consent/legal_form.py: module: 2 [one more]": "only the order of the three strengths counts",
    "assent/consent/content_rights.py: set_aside: rule.overrides and rule_key(rule) in keys and _counts(rule, now) [without operand 0]": "a rule that sets nothing aside adds nothing; it is not looked at to save time, in each decision",
    "assent/consent/content_rights.py: set_aside: if not named: [never]": "without such a rule both sets come out empty; the way round saves time, in each decision",
}
