"""What a replay came to, counted and in words; ids, places on the log, rules and jurisdictions, and nothing of a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from assent.deciding.recorded import RecordedDecision
from assent.deciding.replay import NotReplayable, NotReplayableError, Replayed, replay
from assent.geofence.policy import Policy

_REASONS = {
    NotReplayable.NO_RECORD: "written by a release that did not record what it read",
    NotReplayable.NO_POLICY: "their policy document is not on the log",
    NotReplayable.NOT_WHOLE: "their record is not whole",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that came out otherwise. `place` is topic/partition/offset."""

    place: str
    recorded: RecordedDecision
    again: Replayed

    def line(self) -> str:
        """In one line."""
        was, now = self.recorded, self.again
        grant = f", grant {was.grant_id}" if was.grant_id else ""
        parts = [f"recorded {_verdict(was.rules)}, again {_verdict(now.rules)}"]
        if was.candidates != now.candidates:
            parts.append(f"places {' '.join(was.candidates) or 'none'}, again {' '.join(now.candidates) or 'none'}")
        if was.evidence != now.evidence:
            parts.append("the evidence is weighed otherwise")
        standing = _standing(was)
        if standing != now.standing:
            parts.append(f"the grant {standing}, again {now.standing}")
        return f"differs: {self.place} {was.stage.value}, policy {was.policy_version}{grant}: {'; '.join(parts)}"

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        was, now = self.recorded, self.again
        return {
            "place": self.place,
            "event_id": was.event_id,
            "stage": was.stage.value,
            "policy_version": was.policy_version,
            "grant_id": was.grant_id,
            "recorded": {"rules": was.rules, "candidates": was.candidates, "standing": _standing(was)},
            "again": {"rules": now.rules, "candidates": now.candidates, "standing": now.standing},
            "is_evidence_same": was.evidence == now.evidence,
        }


@dataclass(slots=True)
class ReplayReport:
    """The count. `unreadable` are records on these topics that are no events."""

    same: int = 0
    observed: int = 0
    unreadable: int = 0
    differences: list[Difference] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)
    not_replayable: Counter[NotReplayable] = field(default_factory=Counter)

    @property
    def replayed(self) -> int:
        """How many were made again."""
        return self.same + len(self.differences)

    def take(self, place: str, recorded: RecordedDecision, policy: Policy | None) -> Difference | None:
        """Make one decision again and count it; the difference, if there is one."""
        try:
            again = replay(recorded, policy)
        except NotReplayableError as error:
            self.not_replayable[error.reason] += 1
            return None
        self.versions[recorded.policy_version] += 1
        self.stages[recorded.stage.value] += 1
        if again.is_same(recorded):
            self.same += 1
            self.observed += again.is_observed
            return None
        difference = Difference(place, recorded, again)
        self.differences.append(difference)
        return difference

    def lines(self) -> Iterator[str]:
        """The summary: what was made again, what it rests on, what could not be."""
        if len(self.versions) == 1:
            under = f" under policy {next(iter(self.versions))}"
        else:
            told = ", ".join(f"{version} ({count})" for version, count in sorted(self.versions.items()))
            under = f" under policies {told}" if told else ""
        different = f", {len(self.differences)} different" if self.differences else ""
        yield f"{_decisions(self.replayed)} replayed: {self.same} same verdicts{different}{under}"
        if self.observed:
            yield f"{self.observed} of them rest on what was seen of a site, a picture or a key, which a replay cannot look at again"
        for reason, count in sorted(self.not_replayable.items()):
            yield f"{_decisions(count)} cannot be replayed: {_REASONS[reason]}"
        if self.unreadable:
            yield f"{self.unreadable} records on these topics are no events and were left out"

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "replayed": self.replayed,
            "same": self.same,
            "different": len(self.differences),
            "observed": self.observed,
            "not_replayable": {reason.value: self.not_replayable[reason] for reason in NotReplayable},
            "unreadable": self.unreadable,
            "policies": dict(sorted(self.versions.items())),
            "stages": dict(sorted(self.stages.items())),
            "differences": [difference.document() for difference in self.differences],
        }


def _verdict(rules: tuple[str, ...]) -> str:
    return " ".join(rules) or "yes"


def _standing(recorded: RecordedDecision) -> str | None:
    grant = recorded.record.grant if recorded.record is not None else None
    return None if grant is None else grant.standing


def _decisions(count: int) -> str:
    return f"{count} decision" if count == 1 else f"{count} decisions"
