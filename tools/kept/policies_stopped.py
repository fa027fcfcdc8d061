"""Mistakes that no test can notice in what is stopped, written, and told key by key."""

from __future__ import annotations

KEPT: dict[str, str] = {
    "assent/policies/ordered_keys.py: _moved: new > old [turned]": "two values that are the same were passed over before",
    "assent/policies/stopping.py: stopped: 12 [one more]": "how much of the digest a version holds is ours to choose; the rest of the version makes room for it",
}
