"""Mistakes that no test can notice in assent/policies."""

from __future__ import annotations

_BEFORE_ALL = "any other time before the first day on which something turns, and one time more that is asked about, say the same"
_TWICE = "one purpose named twice is one"
_ONLY_TIME = "what was asked already is asked again, and told once; leaving it out saves time"
_LIKE_ITS_COUNTRY = "what stands behind a part is governed by its country too, and where no part is known the country says the same"

KEPT: dict[str, str] = {
    "assent/policies/comparison.py: module: 'gallery' [other text]": "any ground but that of the person herself is one",
    "assent/policies/comparison.py: module: '-00' [other text]": "any text that no policy can hold behind a country does the same",
    "assent/policies/comparison.py: module: 1970 [one more]": _BEFORE_ALL,
    "assent/policies/comparison.py: module: 1 [one more]": _BEFORE_ALL,
    "assent/policies/comparison.py: module: 1 [one more] (2)": _BEFORE_ALL,
    "assent/policies/comparison.py: moments_of: 1 [one more]": _BEFORE_ALL,
    "assent/policies/comparison.py: moments_of: 1 [one more] (2)": _BEFORE_ALL,
    "assent/policies/comparison.py: _refused_by_one: dict.fromkeys((form for side in asking for form in fullest_forms(side))) if is_other_reach else () [always]": (
        "where the policies name the same parts, what lets more through is told for the part itself; leaving it out saves time"
    ),
    "assent/policies/grant_forms.py: forms_for_two: if purpose != strictest.purpose: [always]": _TWICE,
    "assent/policies/grant_forms.py: fullest_forms: for purpose in purposes if purpose != first [without filter 0]": _TWICE,
    "assent/policies/comparison.py: _differences: for country in known if '-' not in country [without filter 0]": _LIKE_ITS_COUNTRY,
    "assent/policies/comparison.py: _differences: '-' not in country [turned]": _LIKE_ITS_COUNTRY,
    "assent/policies/comparison.py: _differences: '-' [other text]": _LIKE_ITS_COUNTRY,
    "assent/policies/comparison.py: _differences: if differs or _part_rules(one, before) != _part_rules(one, after): [always]": (
        "where both policies hold the same, no decision differs; leaving it out saves time"
    ),
    "assent/policies/comparison.py: _grants: if closed in seen: [never]": _ONLY_TIME,
    "assent/policies/comparison.py: _grants: continue [left out]": _ONLY_TIME,
    "assent/policies/comparison.py: _grants: seen.add(closed) [left out]": _ONLY_TIME,
    "assent/policies/grant_forms.py: module: 'form' [other text]": "any name that the ledger is asked by",
    "assent/policies/grant_forms.py: module: 10 [one more]": "ten is the most that a policy can ask for",
    "assent/policies/grant_forms.py: GrantForm.: False [flipped]": "a guardian says nothing of an adult",
    "assent/policies/grant_forms.py: GrantForm.: 0 [one more]": "no policy asks to hear of her within less than a day",
    "assent/policies/grant_forms.py: GrantForm.grant: '0' [other text]": "that there is a digest is asked, and not which",
    "assent/policies/grant_forms.py: GrantForm.grant: 64 [one more]": "that there is a digest is asked, and not which",
    "assent/policies/grant_forms.py: GrantForm.grant: 1 [one more]": "a ledger of one grant takes it in any revision",
    "assent/policies/grant_forms.py: GrantForm.grant: 'nobody' [other text]": "it is nobody's, under any name",
    "assent/policies/grant_forms.py: weaker_forms: if band is not AgeBand.ADULT: [always]": (
        "an adult is decided alike with and without a guardian; leaving her out saves time"
    ),
    "assent/policies/ordered_keys.py: _moved: new > old [turned]": "two values that are the same were passed over before",
    "assent/policies/stopping.py: stopped: 12 [one more]": "how much of the digest a version holds is ours to choose; the rest of the version makes room for it",
}
