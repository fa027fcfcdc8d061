"""The policy that the registry publishes and by which it judges how long a grant may last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assent.geofence.jurisdiction_rules import RetentionRules
from assent.ids import Jurisdiction


@dataclass(frozen=True, slots=True)
class PublishedPolicy:
    """`document` is the canonical JSON text that is signed; `expires_max_days` the longest grant that a place allows,
    `age_min` the age from which a person says yes there by herself, `retention` how long a place lets anything be kept.
    """

    version: str
    document: str
    expires_max_days: Callable[[Jurisdiction], int]
    age_min: Callable[[Jurisdiction], int]
    retention: Callable[[Jurisdiction], RetentionRules]
