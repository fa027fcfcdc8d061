"""The tables of a decider: grants, withdrawals, policy, suppressions and opt-outs, whole in memory and provably fresh."""

from __future__ import annotations

from collections.abc import Callable

from assent.consent.ledger import ConsentLedger
from assent.deciding.fold import DECISION_TOPICS, DecisionFold
from assent.events.record import StoredRecord
from assent.keys.signing_keys import PublicKeys
from assent.stream.clock import Clock
from assent.stream.event_log import EventLog
from assent.stream.table import Table


class DecisionTables:
    """Several services of one process may share one; each process has its own."""

    def __init__(
        self,
        log: EventLog,
        *,
        public: PublicKeys,
        clock: Clock,
        is_crawlers: Callable[[StoredRecord], bool] | None = None,
        accepts_fixtures: bool = False,
    ) -> None:
        self.fold = DecisionFold(
            policy_key=public.policy, grant_key=public.grant, is_crawlers=is_crawlers, accepts_fixtures=accepts_fixtures
        )
        self.table = Table(log, [topic.value for topic in DECISION_TOPICS], self.fold, clock=clock)

    @property
    def ledger(self) -> ConsentLedger:
        """Grants minus withdrawals as far as they were read."""
        return self.fold.ledger

    @property
    def is_ready(self) -> bool:
        """Everything up to the start is read and a policy is in force."""
        return self.table.is_ready and self.fold.policy is not None

    def policy_version(self) -> str | None:
        """Of the policy that decisions are made by, once everything up to the start was read."""
        policy = self.fold.policy
        return policy.version if policy is not None and self.table.is_ready else None

    async def start(self) -> None:
        """Begin to follow the log."""
        await self.table.start()

    async def stop(self) -> None:
        """Stop following."""
        await self.table.stop()

    async def catch_up(self, timeout_s: float) -> None:
        """Read to the present end of the log. Raises TableStaleError: the caller holds. Raises TableBrokenError: it ends."""
        await self.table.catch_up(timeout_s)

    def offsets(self) -> dict[str, int]:
        """What was read, as `topic/partition` to next offset, for a record of it."""
        return {f"{at.topic}/{at.partition}": offset for at, offset in sorted(self.table.offsets().items())}
