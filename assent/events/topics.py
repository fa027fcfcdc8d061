"""Every topic, once: its key, cleanup, retention and owner; a topic named anywhere else is a mistake."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

DAY_S = 86_400


class Topic(StrEnum):
    """The names on the log."""

    IMAGES_SCRAPED = "images.scraped"
    IMAGES_LOCATED = "images.located"
    IMAGES_CLEARED = "images.cleared"
    IMAGES_REFUSED = "images.refused"
    FACES_EMBEDDED = "faces.embedded"
    GRANTS = "grants"
    WITHDRAWALS = "withdrawals"
    POLICIES = "policies"
    SUPPRESSIONS = "suppressions"
    OPTOUTS = "optouts"
    ADDRESSES = "addresses"
    ERASURES_REQUESTED = "erasures.requested"
    ERASURES_PROGRESSED = "erasures.progressed"
    DISCLOSURES = "disclosures"

    @property
    def dead_letters(self) -> str:
        """Name of the topic that takes what could not be read from this one."""
        return f"{self.value}.dlq"


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """How one topic is kept.

    `retention_s` is None where records are kept until compaction or for ever.
    """

    key: str
    cleanup: Literal["delete", "compact"]
    retention_s: int | None
    partitions: int
    owners: tuple[str, ...]
    min_compaction_lag_s: int = 0


PARTITIONS = 6

OPEN_TO_STRANGERS = frozenset({Topic.IMAGES_SCRAPED.value})
"""Where outside producers write: what cannot be read there is theirs, and nobody's table may break over it."""

TOPICS: dict[Topic, TopicSettings] = {
    Topic.IMAGES_SCRAPED: TopicSettings("sighting_id", "delete", DAY_S, PARTITIONS, ("crawler", "registry")),
    Topic.IMAGES_LOCATED: TopicSettings("sighting_id", "delete", DAY_S, PARTITIONS, ("geofence",)),
    Topic.IMAGES_CLEARED: TopicSettings("sighting_id", "delete", DAY_S, PARTITIONS, ("consent",)),
    Topic.IMAGES_REFUSED: TopicSettings(
        "sighting_id", "delete", 400 * DAY_S, PARTITIONS, ("crawler", "geofence", "consent", "embedder", "indexer")
    ),
    Topic.FACES_EMBEDDED: TopicSettings("grant_id", "delete", DAY_S, PARTITIONS, ("embedder",)),
    Topic.GRANTS: TopicSettings("grant_id", "compact", None, PARTITIONS, ("registry",), min_compaction_lag_s=3_600),
    Topic.WITHDRAWALS: TopicSettings("grant_id", "compact", None, PARTITIONS, ("registry",), min_compaction_lag_s=3_600),
    # Kept whole: a decision can be made again only under the document of its version, and they are few and small.
    Topic.POLICIES: TopicSettings("policy", "delete", None, 1, ("registry",)),
    Topic.SUPPRESSIONS: TopicSettings("suppression_key", "compact", None, 1, ("registry",), min_compaction_lag_s=3_600),
    # Kept whole too: what a site said last, and where to ask again, can then be hidden by nothing that is put behind it.
    Topic.OPTOUTS: TopicSettings("place", "delete", None, 1, ("crawler",)),
    Topic.ADDRESSES: TopicSettings("place", "delete", None, 1, ("crawler",)),
    Topic.ERASURES_REQUESTED: TopicSettings("grant_id", "delete", 400 * DAY_S, PARTITIONS, ("registry",)),
    Topic.ERASURES_PROGRESSED: TopicSettings("erasure_id", "delete", 400 * DAY_S, PARTITIONS, ("indexer", "registry")),
    Topic.DISCLOSURES: TopicSettings("query_id", "delete", 400 * DAY_S, PARTITIONS, ("query",)),
}

HANDED_ON = (
    Topic.IMAGES_LOCATED,
    Topic.IMAGES_CLEARED,
    Topic.FACES_EMBEDDED,
    Topic.OPTOUTS,
    Topic.ADDRESSES,
    Topic.ERASURES_PROGRESSED,
)
"""Topics on whose word somebody relies: which image, whose grant, which places, what a site says now, where it is asked again, and what
was erased. Their owners sign each record.
"""

DEAD_LETTER_SETTINGS = TopicSettings("as the source", "delete", 30 * DAY_S, 1, ("whoever could not read it",))


def all_topics() -> dict[str, TopicSettings]:
    """Every topic name with its settings, dead letters included."""
    named = {topic.value: settings for topic, settings in TOPICS.items()}
    named.update({topic.dead_letters: DEAD_LETTER_SETTINGS for topic in Topic})
    return named
