"""What the generator did and what was acknowledged to it: the truth against which the system is judged; it never asks the system."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(slots=True)
class GrantTruth:
    """A grant that was given. When the answer to a withdrawal came: `withdrawn_at` on the monotonic clock, `ended_at` by the wall."""

    grant_id: str
    subject_id: str
    members: tuple[str, ...] = ()
    withdrawn_at: float | None = None
    ended_at: datetime | None = None
    uptime_at_end: float | None = None


@dataclass(frozen=True, slots=True)
class PictureTruth:
    """A picture offered under a grant, or under none. `faces` of it are to become vectors; 0 where it must be refused."""

    sha256: str
    grant_id: str | None
    faces: int


@dataclass(slots=True)
class Truth:
    """Grows while the generator works; nothing is ever taken back."""

    grants: dict[str, GrantTruth] = field(default_factory=dict)
    pictures: list[PictureTruth] = field(default_factory=list)

    def given(self, grant_id: str, subject_id: str, members: tuple[str, ...] = ()) -> None:
        """The subject's yes was acknowledged."""
        self.grants[grant_id] = GrantTruth(grant_id, subject_id, members)

    def pictured(self, sha256: str, grant_id: str | None, *, faces: int) -> None:
        """A picture was handed in, or lies where the grant says."""
        self.pictures.append(PictureTruth(sha256, grant_id, faces))

    def withdrawn(self, grant_id: str, *, uptime_s: float) -> None:
        """The withdrawal was acknowledged now; joint grants end with the first of their members."""
        now, ended_at = time.monotonic(), datetime.now(UTC)
        for grant in self.grants.values():
            if (grant.grant_id == grant_id or grant_id in grant.members) and grant.withdrawn_at is None:
                grant.withdrawn_at = now
                grant.ended_at = ended_at
                grant.uptime_at_end = uptime_s

    def ended_before(self, moment: float) -> set[str]:
        """Grants whose end was acknowledged before this moment."""
        return {grant.grant_id for grant in self.grants.values() if grant.withdrawn_at is not None and grant.withdrawn_at < moment}

    def plain(self) -> dict[str, Any]:
        """As plain values, for the checker."""
        return {"grants": [asdict(grant) for grant in self.grants.values()], "pictures": [asdict(one) for one in self.pictures]}
