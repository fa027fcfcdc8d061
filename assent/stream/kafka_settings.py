"""How to reach Apache Kafka and how long to wait for it; it never holds a default that waits for ever."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from assent.events.topics import TopicSettings

SEGMENT_S = 3_600
"""Retention and compaction only touch closed segments, so a segment must be much shorter than 24 h."""
MAX_MESSAGE_BYTES = 1_048_588
"""Kafka's default, said out loud: a batch of ours with its headers fits, and a broker's own lower default does not count."""
NULL_KEPT_S = 86_400
"""Kafka's default for `delete.retention.ms`: who reads a table from its beginning has a day for it."""


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """Transport and login. Files are PEM; the password never shows in a representation."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def options(self) -> dict[str, Any]:
        """Keyword arguments of any aiokafka client."""
        found: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol.endswith("SSL"):
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.certificate_file is not None:
                context.load_cert_chain(self.certificate_file, self.key_file)
            found["ssl_context"] = context
        if self.protocol.startswith("SASL"):
            found["sasl_mechanism"] = self.sasl_mechanism
            found["sasl_plain_username"] = self.username
            found["sasl_plain_password"] = self.password
        return found


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Times in seconds. `rebalance_timeout_s` must leave a batch in hand the time to drain.

    `has_static_members`: the member name is kept over restarts, so that one does not move partitions. `replicas` None means
    three, or as many as there are brokers. `fetch_wait_s`: how long a broker holds back a fetch that it has nothing for. The client has
    one fetch on its way to each broker, and asks in it for partitions of which it holds nothing: while one of them is read to its end
    and waited for, another with records left waits too.
    """

    request_timeout_s: float = 10.0
    append_timeout_s: float = 15.0
    close_timeout_s: float = 5.0
    session_timeout_s: float = 10.0
    heartbeat_s: float = 1.0
    rebalance_timeout_s: float = 30.0
    max_poll_interval_s: float = 300.0
    fetch_wait_s: float = 0.1
    linger_s: float = 0.0
    max_batch_bytes: int = 262_144
    compression: Literal["gzip", "snappy", "lz4", "zstd"] | None = None
    max_record_bytes: int = 1_000_000
    has_static_members: bool = False
    replicas: int | None = None


TANSU = KafkaSettings(max_batch_bytes=1)
"""Tansu tells the end of a partition as one past the FIRST record of the last batch, so that several records in one batch are
acknowledged and yet beyond the end: freshness could not be proved. Each record goes in a batch of its own."""


def topic_configuration(settings: TopicSettings, *, replicas: int) -> dict[str, str]:
    """The broker's own words for how a topic is kept."""
    found = {
        "cleanup.policy": settings.cleanup,
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(max(1, replicas - 1)),
        "segment.ms": str(min(SEGMENT_S, settings.retention_s or SEGMENT_S) * 1000),
        "unclean.leader.election.enable": "false",
    }
    if settings.cleanup == "compact":
        found["min.compaction.lag.ms"] = str(settings.min_compaction_lag_s * 1000)
        found["delete.retention.ms"] = str(NULL_KEPT_S * 1000)
        found["max.compaction.lag.ms"] = str((settings.min_compaction_lag_s + 86_400) * 1000)
    else:
        found["retention.bytes"] = "-1"
        found["retention.ms"] = str(-1 if settings.retention_s is None else settings.retention_s * 1000)
    return found
