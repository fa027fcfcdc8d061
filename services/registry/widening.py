"""Whether a policy allows more than the newest published one, and if so, whether two people signed that; it publishes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from assent.deployment.start_errors import StartError
from assent.geofence.policy import Policy
from assent.policies.approval import AHEAD, Approval, ApprovalError, Approvals, Proposed, approved
from assent.policies.comparison import compare
from assent.policies.signers import Signers
from services.registry.desk_table import PolicyRow


class PolicyNotApprovedError(StartError):
    """Raised when a policy allows what the newest published one does not, and two people have not signed that."""


class PolicyBaseUnknownError(StartError):
    """Raised when what was published last is known by its digest alone, so that nobody can say whether a change is wider."""


@dataclass(frozen=True, slots=True)
class WideningRule:
    """Who is named to sign, what was signed for this policy file, and how long a signature counts.

    `shipped` is the canonical text of the shipped policy: the first one of a new installation is compared with it.
    """

    signers: Signers
    approvals: Approvals | None
    deployment: str
    max_age: timedelta
    shipped: str

    def check(
        self,
        document: str,
        *,
        version: str,
        sha256: str,
        newest: PolicyRow | None,
        signers: Mapping[str, str],
        used: frozenset[str],
        since: datetime | None,
        now: datetime,
    ) -> tuple[Approval, ...]:
        """The approvals of `signers` that let `document` through, none where it is not wider. Raises PolicyNotApprovedError.

        `since`: when this very document was published last.
        """
        before = self.shipped if newest is None else _text_of(newest)
        base_sha256 = hashlib.sha256(before.encode()).hexdigest()
        found = compare(Policy.from_canonical_json(before), Policy.from_canonical_json(document), places=(), now=now)
        if not found.is_wider:
            return ()
        where = ", ".join(dict.fromkeys(place.after for place in found.places if any(change.is_wider for change in place.changes)))
        if newest is not None and now < newest.published_at - AHEAD:
            raise PolicyNotApprovedError(
                f"the clock says {now:%Y-%m-%d %H:%M}, and the newest policy was published at {newest.published_at:%Y-%m-%d %H:%M}: "
                "set the clock before a wider one is published"
            )
        proposed = Proposed(version, sha256, base_sha256, self.deployment)
        try:
            return approved(proposed, self.approvals, signers=signers, used=used, since=since, now=now, max_age=self.max_age)
        except ApprovalError as error:
            raise PolicyNotApprovedError(
                f"policy {version} allows what the newest published one does not ({where or 'how places are told'}): {error}"
            ) from error


def _text_of(newest: PolicyRow) -> str:
    if newest.document is None:
        raise PolicyBaseUnknownError(
            f"policy {newest.version} was published by a release that did not keep its text, so no change can be compared with it; "
            "start this release once with that policy, then change it"
        )
    return newest.document
