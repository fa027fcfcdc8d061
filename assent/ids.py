"""Identifiers as their own types, so that a grant is never passed where a subject is meant; never carries a person's name."""

from __future__ import annotations

from typing import NewType

GrantId = NewType("GrantId", str)
"""UUIDv7 text of one grant."""

SubjectId = NewType("SubjectId", str)
"""Pseudonym of one person; the registry alone can say more about it."""

SightingId = NewType("SightingId", str)
"""Hex HMAC of one image at one place: final URL, bytes or none, producer."""

ImageId = NewType("ImageId", str)
"""Hex HMAC-SHA256 of the image bytes under the deployment's key."""

FaceId = NewType("FaceId", str)
"""UUIDv5 text of (image_id, grant_id, region index or 0, model digest); the id of the vector."""

ProducerId = NewType("ProducerId", str)
"""Name of a registered producer: `crawler`, `upload`, or an outside one."""

ErasureId = NewType("ErasureId", str)
"""UUIDv7 text of one erasure."""

QueryId = NewType("QueryId", str)
"""UUIDv7 text of one search."""

Jurisdiction = NewType("Jurisdiction", str)
"""ISO 3166-1 or 3166-2 code, `EU`, or the pseudo-jurisdiction `UNKNOWN`."""

UNKNOWN = Jurisdiction("UNKNOWN")

RuleId = NewType("RuleId", str)
"""Id of the rule that decided, e.g. `QC-3`: reason code, metric label and test name alike."""
