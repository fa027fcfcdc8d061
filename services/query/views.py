"""Answers, decisions and the flow as plain JSON values; no vector, no URL, no raw evidence is among them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from assent.deciding.refusal_counts import NO_PLACE, OTHER
from assent.deciding.rule_texts import rule_text
from assent.deciding.standing_texts import standing_text
from assent.faces.box import RegionBox
from assent.faces.derivative import box_inside
from assent.faces.manifest import PackManifest, Threshold
from assent.identity.principal import Principal, Role
from assent.ids import GrantId, Jurisdiction, RuleId
from assent.vectors.store import Candidate
from assent.wording.evidence_text import evidence_text
from assent.wording.law_text import laws_of
from assent.wording.moment_text import moment_text
from assent.wording.optout_text import optout_text
from assent.wording.place_text import place_text
from assent.wording.stage_text import decided_text, meaning_text, stage_text
from services.query.console_texts import TEXTS, outcome_text
from services.query.flow import EMBEDDED, Decision, Flow
from services.query.searches import Asked

SHOWN_ID_CHARS = 12
STAFF = frozenset({Role.OPERATOR, Role.PRIVACY_OFFICER, Role.AUDITOR})
CANDIDATE_NOTE = "A match is a candidate, not an identification. A person decides."


class Views:
    """`threshold` is the one that searches are made with."""

    def __init__(self, *, flow: Flow, manifest: PackManifest, threshold: Threshold) -> None:
        self._flow = flow
        self._manifest = manifest
        self._threshold = threshold

    def answer(self, asked: Asked) -> dict[str, Any]:
        """What a searcher is told, with what she must know to judge it (CA-7, EU-9)."""
        rate = self._threshold.false_match_rate
        faces = asked.answer.gallery_faces
        return {
            "query_id": asked.answer.query_id,
            "basis": asked.question.basis.value,
            "purpose": asked.question.purpose.value,
            "candidates": [self._candidate(item) for item in asked.answer.candidates],
            "threshold": self._threshold.cosine,
            "model": {"name": self._manifest.name, "digest": self._manifest.digest[:SHOWN_ID_CHARS]},
            "gallery_faces": faces,
            "false_match_rate": rate,
            "expected_false_candidates": None if rate is None else round(rate * faces, 4),
            "measured_on": self._threshold.measured_on,
            "human_review_required": True,
            "note": CANDIDATE_NOTE,
        }

    def explained(self, decision: Decision, *, lang: str = "en") -> dict[str, Any]:
        """One decision with all that it was made from: enough to understand it, and to replay it from its event."""
        return {
            **self.item(decision, lang=lang),
            "image": None if decision.image_id is None else decision.image_id[:SHOWN_ID_CHARS],
            "grant_id": decision.grant_id,
            "candidates": list(decision.candidates),
            "places": [place_text(place, lang) for place in decision.candidates],
            "evidence": [item.model_dump(mode="json") for item in decision.evidence],
            "evidence_words": [evidence_text(item, lang) for item in decision.evidence],
            "optouts": [item.model_dump(mode="json") for item in decision.optouts],
            "optout_words": [optout_text(item, lang, is_aside=decision.outcome == EMBEDDED) for item in decision.optouts],
            "meaning": meaning_text(decision.stage, decision.outcome, is_yes=decision.outcome == EMBEDDED, lang=lang),
            "laws": [asdict(law) for law in dict.fromkeys(law for rule in decision.rules for law in laws_of(rule, lang))],
            "policy_version": decision.policy_version,
            "standing": decision.standing,
            "standing_text": None if decision.standing is None else standing_text(decision.standing, lang),
        }

    def item(
        self, decision: Decision, *, lang: str = "en", own: frozenset[GrantId] = frozenset(), has_details: bool = False
    ) -> dict[str, Any]:
        """One decision in codes and in words; the face is named under the asker's `own` live grants alone.

        `has_details`: with what a refusal rests on, for who may ask to have it explained.
        """
        words = [rule_text(rule, lang) for rule in decision.rules]
        return {
            "number": decision.number,
            "sighting": decision.sighting_id[:SHOWN_ID_CHARS],
            "stage": decision.stage,
            "stage_text": stage_text(decision.stage, lang),
            "decided_text": decided_text(is_yes=decision.outcome == EMBEDDED, lang=lang),
            "outcome": decision.outcome,
            "outcome_text": outcome_text(decision.outcome, lang),
            "rules": list(decision.rules),
            "words": [text.sentence for text in words],
            "remedies": list(dict.fromkeys(text.remedy for text in words if text.remedy)),
            "at": decision.at.isoformat(),
            "at_text": moment_text(decision.at, lang),
            "face_id": decision.face_id if decision.grant_id in own else None,
            "details": self._details(decision, lang) if has_details and decision.outcome != EMBEDDED else [],
        }

    def _details(self, decision: Decision, lang: str) -> list[tuple[str, str]]:
        """What a refusal rests on, line by line: what kind of line it is, and the line."""
        told, labels = self.explained(decision, lang=lang), TEXTS[lang]
        lines = (
            ("seen", told["optout_words"]),
            ("where", [", ".join(told["places"])] if told["places"] else []),
            ("told_by", told["evidence_words"]),
            ("at_that_time", [told["standing_text"]] if told["standing_text"] else []),
            ("stands_on", [f"{law['text']} ({law['id']})" for law in told["laws"]]),
            ("for_her", [told["meaning"]] if told["meaning"] else []),
        )
        return [(labels[label], line) for label, each in lines for line in each]

    def reasons(self, lang: str) -> list[dict[str, Any]]:
        """Refusals by stage, rule and place since the log keeps them, in codes and in words, the most frequent first. For staff."""
        counts = sorted(self._flow.reasons.items(), key=lambda item: (-item[1], item[0]))
        unplaced = {name: TEXTS[lang][f"place_{name}"] for name in (NO_PLACE, OTHER)}
        return [
            {
                "stage": stage,
                "stage_text": stage_text(stage, lang),
                "rule": rule,
                "words": "" if rule == OTHER else rule_text(RuleId(rule), lang).sentence,
                "place": place,
                "place_text": unplaced.get(place) or place_text(Jurisdiction(place), lang),
                "count": count,
            }
            for (stage, rule, place), count in counts
        ]

    def flow(self, items: list[dict[str, Any]]) -> dict[str, Any]:
        """Counts per gate, refusals per stage and outcome, and the decisions that the asker may see."""
        gates = {name: self._flow.gates[name] for name in ("scraped", "located", "cleared", "refused", EMBEDDED, "withdrawn")}
        refused = [{"stage": stage, "outcome": outcome, "count": count} for (stage, outcome), count in sorted(self._flow.refused.items())]
        return {"gates": gates, "refused": refused, "decisions": items}

    def box_in_picture(self, candidate: Candidate) -> RegionBox | None:
        """Where the face is in its picture, while the flow remembers it."""
        box = self._flow.box(candidate.facts.face_id)
        return None if box is None else box_inside(RegionBox(box.x, box.y, box.width, box.height))

    def _candidate(self, candidate: Candidate) -> dict[str, Any]:
        box, framed = self._flow.box(candidate.facts.face_id), self.box_in_picture(candidate)
        return {
            "face_id": candidate.facts.face_id,
            "grant_id": candidate.facts.grant_id,
            "score": round(candidate.score, 4),
            "status": "candidate",
            "picture": f"/v1/faces/{candidate.facts.face_id}/picture",
            "box": None if box is None else box.model_dump(),
            "box_in_picture": None if framed is None else asdict(framed),
        }


def sees_all(principal: Principal) -> bool:
    """Staff sees every decision, in its coarse form; a subject those about her own grants."""
    return bool(principal.roles & STAFF)
