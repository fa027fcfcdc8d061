"""Answers a question: caught up first, filtered inside the query, judged again, recorded, and only then told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assent.vectors.store import Candidate, VectorStore, VectorStoreUnavailableError
from uuid_utils.compat import uuid7

from assent.deciding.gate import DISCLOSURE, Gate, NotReadyError
from assent.deciding.tables import DecisionTables
from assent.events.disclosures import DisclosedFace, SearchAnswered
from assent.events.envelope import Event, encode, event_id
from assent.events.grants import Operation
from assent.faces.embed import Template
from assent.identity.errors import ApiError
from assent.ids import GrantId, QueryId
from assent.stream.event_log import EventLog, LogUnavailableError
from assent.stream.table import TableStaleError
from services.query.question import Basis, Question


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller may be told. An empty list looks the same whether nobody matched or a match was withheld."""

    query_id: QueryId
    candidates: tuple[Candidate, ...]
    gallery_size: int
    threshold: float


class SearchDesk:
    """Holds rather than answers when it cannot prove that it has read every withdrawal."""

    def __init__(
        self,
        *,
        gate: Gate,
        tables: DecisionTables,
        store: VectorStore,
        log: EventLog,
        threshold: float,
        limit: int,
        catch_up_timeout_s: float,
    ) -> None:
        self._gate = gate
        self._tables = tables
        self._store = store
        self._log = log
        self._threshold = threshold
        self._limit = limit
        self._catch_up_timeout_s = catch_up_timeout_s

    async def caught_up(self) -> None:
        """Read every grant and withdrawal acknowledged so far. Raises ApiError 503 when that cannot be proved in time."""
        try:
            await self._tables.catch_up(self._catch_up_timeout_s)
            _ = self._gate.policy
        except (TableStaleError, LogUnavailableError, NotReadyError) as error:
            raise _not_now() from error

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

    async def answer(self, question: Question, probe: Template) -> Answer:
        """Search, catch up again, judge each candidate on what is live now, record, and return what may be told."""
        gallery = self.gallery(question)
        try:
            found = await self._store.search(
                probe, grant_ids=gallery, purpose=question.purpose.value, limit=self._limit, threshold=self._threshold
            )
        except VectorStoreUnavailableError as error:
            raise _not_now() from error
        await self.caught_up()
        told = tuple(candidate for candidate in found if self._may_be_told(question, candidate))
        query_id = QueryId(str(uuid7()))
        await self.record(question, query_id, told, outcome="answered")
        return Answer(query_id, told, len(gallery), self._threshold)

    async def record(self, question: Question, query_id: QueryId, told: Sequence[Candidate], *, outcome: str) -> None:
        """Append the disclosure record. Raises ApiError 503 when it is not acknowledged: then nothing is told."""
        data = SearchAnswered(
            query_id=query_id,
            basis=question.basis.value,
            purpose=question.purpose.value,
            caller=question.principal.name,
            caller_jurisdictions=question.principal.jurisdictions,
            outcome=outcome,
            faces=tuple(DisclosedFace(face_id=item.facts.face_id, grant_id=item.facts.grant_id) for item in told),
            policy_version=self._gate.policy.version,
            ledger_offsets=self._tables.offsets(),
            answered_at=self._gate.now,
        )
        event = Event(id=event_id(query_id, outcome), source="/assent/query", time=self._gate.now, data=data)
        try:
            await self._log.append([encode(event)])
        except LogUnavailableError as error:
            raise _not_now() from error

    def _may_be_told(self, question: Question, candidate: Candidate) -> bool:
        """Invariant 4: the grant is live now and opens searching and disclosing this to this recipient."""
        if question.basis is not Basis.GALLERY and candidate.facts.subject_id != question.subject_id:
            return False
        verdict = self._gate.verdict(
            candidate.facts.grant_id,
            DISCLOSURE,
            candidates=candidate.facts.jurisdictions,
            purpose=question.purpose,
            recipient=question.recipient,
        )
        return verdict.is_allowed


def _not_now() -> ApiError:
    return ApiError(503, "not_ready", "The records of who said yes could not be read to their end.", "Try again in a moment.")
