"""Answers a question: caught up first, filtered inside the query, judged again, recorded, and only then told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from uuid_utils.compat import uuid7

from assent.consent.decision import SELF
from assent.deciding.gate import DISCLOSURE, Gate, NotReadyError
from assent.deciding.tables import DecisionTables
from assent.events.disclosures import DisclosedFace, SearchAnswered
from assent.events.envelope import Event, encode, event_id
from assent.events.grants import BindingMode, Operation, Purpose
from assent.faces.embed import Template
from assent.geofence.caller import client_gate
from assent.identity.errors import ApiError
from assent.identity.principal import Principal
from assent.ids import GrantId, QueryId, RuleId
from assent.stream.event_log import EventLog, LogUnavailableError
from assent.stream.table import TableBrokenError, TableStaleError
from assent.telemetry import metrics as declared
from assent.telemetry.meter import Metrics
from assent.vectors.store import Candidate, PointFacts, VectorStore, VectorStoreUnavailableError
from services.query.disclosure_audit import DisclosureAudit
from services.query.question import Basis, Question

COUNTED_GRANTS = 100
"""Galleries of more grants are counted as the whole store: an upper bound, and one call."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller may be told. An empty list looks the same whether nobody matched or a match was withheld."""

    query_id: QueryId
    candidates: tuple[Candidate, ...]
    gallery_faces: int


@dataclass(frozen=True, slots=True)
class DeskLimits:
    """`threshold` is a cosine, `limit` the most candidates of one answer."""

    threshold: float
    limit: int
    catch_up_timeout_s: float


class SearchDesk:
    """Holds rather than answers when it cannot prove that it has read every withdrawal."""

    def __init__(
        self,
        *,
        gate: Gate,
        tables: DecisionTables,
        store: VectorStore,
        log: EventLog,
        audit: DisclosureAudit,
        metrics: Metrics,
        limits: DeskLimits,
    ) -> None:
        self._gate = gate
        self._tables = tables
        self._store = store
        self._log = log
        self._audit = audit
        self._metrics = metrics
        self._limits = limits

    async def caught_up(self) -> None:
        """Read every grant and withdrawal acknowledged so far. Raises ApiError 503 when that cannot be proved in time."""
        started = time.monotonic()
        try:
            await self._tables.catch_up(self._limits.catch_up_timeout_s)
            _ = self._gate.policy
        except (TableStaleError, TableBrokenError, LogUnavailableError, NotReadyError) as error:
            self._metrics.increase(declared.CATCH_UP_TIMEOUTS)
            raise _not_now() from error
        self._metrics.observe(declared.CATCH_UP_DURATION, time.monotonic() - started)

    def gallery(self, question: Question) -> frozenset[GrantId]:
        """The grants this question may look among: her own, or those that allow this purpose to this recipient."""
        ledger = self._tables.ledger
        if question.subject_id is not None:
            grants = ledger.grants_of(question.subject_id)
        else:
            grants = [grant for grant in ledger if question.recipient in grant.recipients]
        return frozenset(
            grant.grant_id
            for grant in grants
            if self._gate.live(grant.grant_id) is not None
            and question.purpose in grant.purposes
            and {Operation.SEARCH, Operation.DISCLOSE} <= set(grant.operations)
            and question.grant_id in (None, grant.grant_id)
        )

    async def answer(self, question: Question, probe: Template, *, source: PointFacts | None = None) -> Answer:
        """Search, catch up again, judge each candidate on what is live now, record, and return what may be told.

        `source` is the stored face that the probe was made of; it must be open to this question at the end as at the beginning.
        """
        gallery = self.gallery(question)
        try:
            found = await self._found(question, probe, gallery)
            faces = await self._faces(gallery)
        except VectorStoreUnavailableError as error:
            raise _not_now() from error
        is_mixed = question.subject_id is not None and any(map(self.is_joint, gallery))
        alone = await self.of_her_alone(question, probe) if is_mixed else ()
        await self.caught_up()
        is_open = source is None or self.may_be_probe(question, source)
        told = tuple(candidate for candidate in found if is_open and self.may_be_told(question, candidate.facts))
        if is_mixed and not self.shows_her(question, alone):
            told = tuple(candidate for candidate in told if not self.is_joint(candidate.facts.grant_id))
        query_id = QueryId(str(uuid7()))
        await self.record(question, [candidate.facts for candidate in told], query_id=query_id)
        return Answer(query_id, told, faces)

    async def of_her_alone(self, question: Question, probe: Template) -> tuple[Candidate, ...]:
        """What agrees with the probe and is held under grants that are the asker's alone, for the purpose that she asks for.

        Under a joint grant lie faces of several people, and which is whose is known of none.
        """
        hers = self.gallery(replace(question, grant_id=None))
        try:
            return tuple(await self._found(question, probe, frozenset(grant_id for grant_id in hers if not self.is_joint(grant_id))))
        except VectorStoreUnavailableError as error:
            raise _not_now() from error

    def shows_her(self, question: Question, alone: Sequence[Candidate]) -> bool:
        """One of them may be told now: so the face that was asked about is hers, and hers to find in pictures of several people."""
        return any(self.may_be_told(question, candidate.facts) for candidate in alone)

    def is_joint(self, grant_id: GrantId) -> bool:
        """Several people stand behind the grant."""
        grant = self._tables.ledger.grant(grant_id)
        return grant is not None and grant.binding.mode is BindingMode.JOINT

    def may_be_told(self, question: Question, facts: PointFacts) -> bool:
        """Invariant 4: the caller's place is open and the grant, live now, opens searching and disclosing this to this recipient (X-5)."""
        if question.basis is not Basis.GALLERY and facts.subject_id != question.subject_id:
            return False
        if question.basis is Basis.GALLERY and question.recipient == SELF:
            # `self` needs no listing as a recipient: only she herself may ask in that name.
            return False
        if self.closed_to(question) is not None:
            return False
        if not self._gate.keeps(facts.grant_id, source=facts.source, fetched=facts.fetched, image_id=facts.image_id):
            return False
        verdict = self._gate.verdict(
            facts.grant_id,
            DISCLOSURE,
            candidates=facts.jurisdictions,
            purpose=question.purpose,
            recipient=question.recipient,
        )
        return verdict.is_allowed

    def may_be_probe(self, question: Question, facts: PointFacts) -> bool:
        """X-4: the face is open to this question, and no place it may be in keeps probes to the person herself."""
        policy = self._gate.policy
        is_free = all(policy.rules_for(place).probe == "self_or_grant" for place in facts.jurisdictions)
        return is_free and self.may_be_told(question, facts)

    def closed_to(self, question: Question) -> RuleId | None:
        """The rule that closes the service to this caller now, if one does."""
        places = question.principal.jurisdictions
        return client_gate(places, basis=question.basis.value, policy=self._gate.policy, now=self._gate.now)

    async def record(self, question: Question, told: Sequence[PointFacts], *, query_id: QueryId) -> None:
        """Append the disclosure record. Raises ApiError 503 when it is not acknowledged: then nothing is told."""
        offsets = self._tables.offsets()
        await self._append(
            SearchAnswered(
                query_id=query_id,
                basis=question.basis.value,
                purpose=question.purpose.value,
                caller=question.principal.name,
                caller_jurisdictions=question.principal.jurisdictions,
                outcome="answered",
                faces=tuple(DisclosedFace(face_id=facts.face_id, grant_id=facts.grant_id) for facts in told),
                policy_version=self._gate.policy.version,
                ledger_offsets=offsets,
                answered_at=self._gate.now,
            )
        )
        self._audit.told([facts.grant_id for facts in told], offsets)

    async def record_refusal(self, principal: Principal, basis: str, purpose: Purpose, rule: RuleId) -> None:
        """A caller in a closed place asked: recorded, because a regulator will ask how often."""
        await self._append(
            SearchAnswered(
                query_id=QueryId(str(uuid7())),
                basis=basis,
                purpose=purpose.value,
                caller=principal.name,
                caller_jurisdictions=principal.jurisdictions,
                outcome="refused",
                rules=(rule,),
                policy_version=self._gate.policy.version,
                ledger_offsets=self._tables.offsets(),
                answered_at=self._gate.now,
            )
        )

    async def _found(self, question: Question, probe: Template, gallery: frozenset[GrantId]) -> list[Candidate]:
        limits, purpose = self._limits, question.purpose.value
        return await self._store.search(probe, grant_ids=gallery, purpose=purpose, limit=limits.limit, threshold=limits.threshold)

    async def _append(self, data: SearchAnswered) -> None:
        event = Event(id=event_id(data.query_id, data.outcome), source="/assent/query", time=self._gate.now, data=data)
        try:
            await self._log.append([encode(event)])
        except LogUnavailableError as error:
            # Whether the record landed is not known: what is not told may be on record as told, never the other way round.
            self._metrics.increase(declared.DISCLOSURE_RECORD_FAILURES, error=type(error).__name__)
            raise _not_now() from error
        self._metrics.increase(declared.DISCLOSURES, outcome=data.outcome)

    async def _faces(self, gallery: frozenset[GrantId]) -> int:
        if len(gallery) > COUNTED_GRANTS:
            return await self._store.count()
        return sum([len(await self._store.ids_of_grant(grant_id)) for grant_id in gallery])


def _not_now() -> ApiError:
    return ApiError(503, "not_ready", "The records of who said yes could not be read to their end.", "Try again in a moment.")
