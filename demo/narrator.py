"""One line per image for the terminal: outcome, image, rule, why; never a URL of anybody's outside the demonstration's own site."""

from __future__ import annotations

from assent.deciding.rule_texts import rule_text
from assent.ids import RuleId
from demo.course import EMBEDDED, End

_WHY_EMBEDDED = "her grant covers it here; only her face became a vector"


def end_line(label: str, end: End) -> str:
    """The line of one end."""
    if end.outcome == EMBEDDED:
        return f"  {'embedded':<16} {label:<38} {_WHY_EMBEDDED}"
    decisive = _decisive(end.rules)
    return f"  {end.outcome:<16} {label:<38} {end.stage}, {decisive}: {rule_text(RuleId(decisive)).sentence}"


def _decisive(rules: tuple[str, ...]) -> str:
    """The rule to show where several refuse: the one that says most about the case, then the first by name."""
    ranked = sorted(rules, key=lambda rule: (rule in ("X-1", "scope_not_granted", "legal_form_missing"), rule))
    return ranked[0]
