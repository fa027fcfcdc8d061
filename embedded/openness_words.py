"""What is open in a place, as lines for people: one per verb of the orders, with the rule that closes it and its words."""

from __future__ import annotations

from collections.abc import Iterable

from assent.deciding.rule_texts import rule_text
from assent.policies.openness import Openness, OperationState, by_verb

UNKNOWN_WORDS = "a place that nobody can tell is never opened, whatever a grant says"
_OPENNESS = {
    Openness.OPEN: "open: the service is offered to callers there",
    Openness.WITH_GRANT: "with a grant that fits",
}


def openness_lines(states: Iterable[OperationState]) -> list[str]:
    """A line per verb, or per operation where those of a verb differ; one line where all are closed by the same rules."""
    verbs = by_verb(states)
    if len({_words(state) for group in verbs.values() for state in group}) == 1:
        return [f"everything  {_words(next(iter(verbs.values()))[0])}"]
    lines = []
    for verb, group in verbs.items():
        if len({_words(state) for state in group}) == 1:
            named = f" ({', '.join(state.operation for state in group)})" if len(group) > 1 else ""
            lines.append(f"{verb:10}{_words(group[0])}{named}")
        else:
            lines += [f"{verb:10}{state.operation}: {_words(state)}" for state in group]
    return lines


def rule_lines(states: Iterable[OperationState]) -> list[str]:
    """Each rule among them in words, once."""
    rules = sorted({rule for state in states for rule in state.rules})
    return [f"{rule}: {' '.join((rule_text(rule).sentence + '.', rule_text(rule).remedy)).strip()}" for rule in rules]


def _words(state: OperationState) -> str:
    return f"closed by {', '.join(state.rules)}" if state.rules else _OPENNESS[state.openness]
