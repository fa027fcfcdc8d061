"""Whether the faces of a picture are those of its subject, told from which of them agree with whose reference; no face is seen here.

It only ever takes away: a face that no grant covers is not asked about, and agreeing opens nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assent.events.grants import BindingMode, GrantSnapshot
from assent.ids import FaceId, GrantId, RuleId

NOT_THE_SUBJECT = RuleId("not_the_subject")
REFERENCE_MISSING = RuleId("reference_missing")


@dataclass(frozen=True, slots=True)
class Reference:
    """A face that somebody confirmed as her own, among those held under her grant."""

    grant_id: GrantId
    face_id: FaceId


def references_of(grant: GrantSnapshot, members: Sequence[GrantSnapshot]) -> tuple[Reference | None, ...]:
    """Of each person under the grant, None where she has confirmed none; of a joint grant each has hers under her own."""
    people = members if grant.binding.mode is BindingMode.JOINT else (grant,)
    return tuple(None if person.reference is None else Reference(person.grant_id, person.reference) for person in people)


def has_stranger(agrees: Sequence[Sequence[bool]]) -> bool:
    """Whether some face of a joint picture is nobody's: `agrees[face][person]`, and no two faces of one picture are one person's.

    Kuhn's way to a bipartite matching: each face takes a person, and whoever had her looks for another.
    """
    face_of: dict[int, int] = {}

    def placed(face: int, asked: set[int]) -> bool:
        for person, fits in enumerate(agrees[face]):
            if fits and person not in asked:
                asked.add(person)
                if person not in face_of or placed(face_of[person], asked):
                    face_of[person] = face
                    return True
        return False

    return not all(placed(face, set()) for face in range(len(agrees)))
