"""images.located as its stage wrote it, and images.cleared put together from parts of it, byte for byte as the models write it.

The consent filter hands on what the geofence told of an image and of where it may be. Writing that anew from models cost more than
the decision. It looks for names with their quotation marks, which no text inside a JSON document can hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from assent.events.images import GrantFinding, ImageLocated
from assent.events.json_text import listed, quoted

_SIGHTING, _FINDINGS = '{"sighting":', ',"findings":[{'
_END_OF_SIGHTING = "]}"
"""Its last field is an array. Another one behind it would be cut out with it, and stand in two places."""
_EVIDENCE, _DECISION = ',"evidence":[', '],"decision":'
_END_OF_PLACES = '],"'
"""Stands once in every row of evidence."""


class LocatedJson(NamedTuple):
    """The JSON of a sighting, and of the evidence of each finding, in their order."""

    sighting: str
    evidence: tuple[str, ...]

    @classmethod
    def of(cls, value: bytes, located: ImageLocated) -> LocatedJson:
        """Cut out of the value in which `located` was read; written anew where that is not in the form in which `encode` writes."""
        return cls.cut(value.decode(), located) or cls(
            located.sighting.to_json().decode(),
            tuple([f"[{','.join([row.to_json().decode() for row in finding.evidence])}]" for finding in located.findings]),
        )

    @classmethod
    def cut(cls, text: str, located: ImageLocated) -> LocatedJson | None:
        """Cut out of its text, or None where that is in another form."""
        sighting, *findings = text.split(_FINDINGS)
        if len(findings) != 1 or not sighting.startswith(_SIGHTING) or not sighting.endswith(_END_OF_SIGHTING):
            return None
        _, *told = findings[0].split(_EVIDENCE)
        rows = [part.partition(_DECISION)[0] for part in told if _DECISION in part]
        if [part.count(_END_OF_PLACES) for part in rows] != [len(finding.evidence) for finding in located.findings]:
            return None
        return cls(sighting[len(_SIGHTING) :], tuple([f"[{part}]" for part in rows]))


def clearance_json(finding: GrantFinding, evidence: str, *, revision: int, decision: str) -> str:
    """The JSON of a Clearance at the places of `finding`. `evidence` and `decision` are JSON."""
    return (
        f'{{"grant_id":{quoted(finding.grant_id)},"revision":{revision},"candidates":{listed(finding.candidates)},'
        f'"evidence":{evidence},"decision":{decision}}}'
    )


def cleared_json(sighting: str, clearances: Sequence[str], *, policy_version: str, datasets: Sequence[str]) -> bytes:
    """The JSON of an ImageCleared. `sighting` and `clearances` are JSON."""
    return (
        f'{{"sighting":{sighting},"clearances":[{",".join(clearances)}],'
        f'"policy_version":{quoted(policy_version)},"datasets":{listed(datasets)}}}'
    ).encode()
