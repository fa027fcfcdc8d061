"""A search from its form to its answer, for the interface and the console alike; what is refused is refused before the picture is read."""

from __future__ import annotations

import time
from dataclasses import dataclass

from aiohttp import web

from assent.blobs.derivatives import Derivatives
from assent.blobs.store import BlobNotFoundError
from assent.deciding.gate import Gate
from assent.faces.embed import Template
from assent.identity.auth import authenticated
from assent.identity.errors import ApiError
from assent.identity.principal import Principal, Role
from assent.ids import FaceId, GrantId, RuleId
from assent.keys.grant_keys import KeyDestroyedError, KeyNotFoundError
from assent.keys.identifiers import ImageIds
from assent.stream.clock import Clock
from assent.telemetry import metrics as declared
from assent.telemetry.meter import Metrics
from assent.vectors.store import PointFacts, VectorStore, VectorStoreError, VectorStoreUnavailableError
from services.query.probe import ProbeReader
from services.query.question import PURPOSES, Basis, Question, checked_question
from services.query.search_desk import Answer, SearchDesk
from services.query.search_form import read_question

ASKERS = (Role.SUBJECT, Role.SEARCHER)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what came of it."""

    question: Question
    answer: Answer


class Searches:
    """Authentication, question, place of the caller; then the picture; then the answer."""

    def __init__(
        self,
        *,
        desk: SearchDesk,
        probes: ProbeReader,
        gate: Gate,
        clock: Clock,
        store: VectorStore,
        derivatives: Derivatives,
        identifiers: ImageIds,
        metrics: Metrics,
        max_bytes: int,
    ) -> None:
        self._desk = desk
        self._probes = probes
        self._gate = gate
        self._clock = clock
        self._store = store
        self._derivatives = derivatives
        self._identifiers = identifiers
        self._metrics = metrics
        self._max_bytes = max_bytes

    async def ask(self, request: web.Request, *, basis: Basis | None = None) -> Asked:
        """Read, check, search, record. `basis` is set where the route says it. Raises ApiError."""
        principal = authenticated(request, *ASKERS)
        await self._desk.caught_up()
        started, asked_for = time.monotonic(), basis.value if basis is not None else "unknown"
        try:
            asked = await self._ask(request, principal, basis)
        except ApiError as error:
            known = asked_for if asked_for in set(Basis) else "unknown"
            self._metrics.increase(declared.SEARCHES, basis=known, outcome=f"refused_{error.status}")
            raise
        name = asked.question.basis.value
        self._metrics.increase(declared.SEARCHES, basis=name, outcome="matched" if asked.answer.candidates else "empty")
        self._metrics.observe(declared.SEARCH_DURATION, time.monotonic() - started, basis=name)
        return asked

    async def _ask(self, request: web.Request, principal: Principal, basis: Basis | None) -> Asked:
        checked: list[Question] = []

        def check(fields: dict[str, str]) -> None:
            checked.append(self._question(principal, fields, basis))

        try:
            fields, picture = await read_question(request, check, max_bytes=self._max_bytes)
        except ApiError as error:
            await self._record_closed(error, principal, basis)
            raise
        question = checked[0]
        probe = await self._probe(question, fields, picture)
        return Asked(question, await self._desk.answer(question, probe))

    def _question(self, principal: Principal, fields: dict[str, str], basis: Basis | None) -> Question:
        grant = fields.get("grant_id") or None
        if basis is Basis.VERIFY and grant is None:
            raise ApiError(400, "no_grant_named", "Which grant the photo is checked against is not said.", "Send grant_id.")
        return checked_question(
            principal,
            basis.value if basis is not None else fields.get("basis", ""),
            fields.get("purpose") or None,
            policy=self._gate.policy,
            clock=self._clock,
            grant_id=None if grant is None else GrantId(grant),
        )

    async def _record_closed(self, error: ApiError, principal: Principal, basis: Basis | None) -> None:
        if error.status == 451:
            ground = basis or Basis.GALLERY
            await self._desk.record_refusal(principal, ground.value, PURPOSES[ground], RuleId(str(error.details["rule"])))

    async def _probe(self, question: Question, fields: dict[str, str], picture: bytes) -> Template:
        """For oneself, the picture that was sent; for a gallery, one that is itself under a live grant for this (X-4)."""
        if question.basis is not Basis.GALLERY:
            if not picture:
                raise ApiError(422, "no_picture", "No picture came with the question.", "Send it last, as image.")
            return await self._probes.template(picture)
        facts = await self._covered(question, fields.get("face_id"), picture)
        try:
            return await self._probes.template(await self._derivatives.get(facts.grant_id, facts.face_id))
        except (BlobNotFoundError, KeyDestroyedError, KeyNotFoundError) as error:
            raise _not_covered() from error

    async def _covered(self, question: Question, face_id: str | None, picture: bytes) -> PointFacts:
        """The face that is named by its id or by identical bytes. The picture is not decoded to find out."""
        try:
            if face_id:
                found = await self._store.retrieve([FaceId(face_id)])
            else:
                found = await self._store.find_image(self._identifiers.image_id(picture)) if picture else []
        except VectorStoreUnavailableError as error:
            raise ApiError(503, "not_ready", "The vector store does not answer.", "Try again in a moment.") from error
        except VectorStoreError:
            found = []
        covered = [facts for facts in found if self._desk.may_be_told(question, facts)]
        if len(covered) != 1:
            raise _not_covered()
        return covered[0]


def _not_covered() -> ApiError:
    """One answer for a face that is not there, not covered, or one of several."""
    return ApiError(
        403,
        "probe_not_covered",
        "This face is not one that may be searched for.",
        "Name one face whose grant allows this purpose to you: by face_id, or by the identical file.",
    )
