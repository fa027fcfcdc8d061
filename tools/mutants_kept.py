"""Mistakes that no test can notice, each with the reason why none should."""

from __future__ import annotations

_DEFAULT_OF_CODE = "the code has the same default, the strict one; the line tells the reader"
_SAME_AS_DEFAULTS = "the entry repeats what the defaults say, so that it stays when they change"
KEPT: dict[str, str] = {
    "policy: defaults.with_grant is gone": _DEFAULT_OF_CODE,
    "policy: defaults.consent.explicit (True) is gone": _DEFAULT_OF_CODE,
    "policy: defaults.consent.alternative_offered (True) is gone": _DEFAULT_OF_CODE,
    "policy: defaults.consent.notice_sha256 (True) is gone": _DEFAULT_OF_CODE,
    "policy: defaults.transient_match (denied) is gone": _DEFAULT_OF_CODE,
}
