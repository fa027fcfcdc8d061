"""A search from its form to its answer, for the interface and the console alike; what is refused is refused before the picture is read."""

from __future__ import annotations

import time
from dataclasses import dataclass

from aiohttp import web

from assent.blobs.derivatives import Derivatives
from assent.blobs.store import BlobNotFoundError, BlobStoreUnavailableError
from assent.deciding.gate import Gate
from assent.identity.auth import authenticated
from assent.identity.errors import ApiError
from assent.identity.principal import Principal, Role
from assent.ids import FaceId, GrantId, ImageId, RuleId
from assent.keys.cipher import UnsealError
from assent.keys.grant_keys import KeyDestroyedError, KeyNotFoundError
from assent.keys.identifiers import ImageIds
from assent.telemetry import metrics as declared
from assent.telemetry.meter import Metrics
from assent.vectors.store import PointFacts, VectorStore, VectorStoreError, VectorStoreUnavailableError
from services.query.caller_places import CallerPlaces
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
        store: VectorStore,
        derivatives: Derivatives,
        identifiers: ImageIds,
        callers: CallerPlaces,
        metrics: Metrics,
        max_bytes: int,
    ) -> None:
        self._desk = desk
        self._probes = probes
        self._gate = gate
        self._store = store
        self._derivatives = derivatives
        self._identifiers = identifiers
        self._callers = callers
        self._metrics = metrics
        self._max_bytes = max_bytes

    async def ask(self, request: web.Request, *, basis: Basis | None = None) -> Asked:
        """Read, check, search, record. `basis` is set where the route says it. Raises ApiError."""
        started, asked = time.monotonic(), _Asking(basis)
        outcome = "failed"
        try:
            found = await self._ask(request, asked)
            outcome = "matched" if found.answer.candidates else "empty"
            # Of answers only: refusals are quick, and would make every percentile look good.
            self._metrics.observe(declared.SEARCH_DURATION, time.monotonic() - started, basis=asked.name)
            return found
        except ApiError as error:
            # Trouble of ours is no refusal (invariant 9), and the two are counted apart.
            outcome = "held" if error.status >= 500 else f"refused_{error.status}"
            raise
        finally:
            self._metrics.increase(declared.SEARCHES, basis=asked.name, outcome=outcome)

    async def _ask(self, request: web.Request, asking: _Asking) -> Asked:
        principal = authenticated(request, *ASKERS)
        await self._desk.caught_up()

        def check(fields: dict[str, str]) -> None:
            asking.question = self._question(request, principal, fields, asking.basis)

        try:
            fields, picture = await read_question(request, check, max_bytes=self._max_bytes)
        except ApiError as error:
            await self._record_closed(error, request, principal, asking.basis)
            raise
        question = asking.question
        if question is None:
            raise ApiError(400, "unknown_basis", "Nothing was asked.", "Send basis and image.")
        if question.basis is not Basis.GALLERY:
            if not picture:
                raise ApiError(422, "no_picture", "No picture came with the question.", "Send it last, as image.")
            return Asked(question, await self._desk.answer(question, await self._probes.template(picture)))
        source = await self._covered(question, fields, picture)
        probe = await self._probes.template(await self._stored(source))
        return Asked(question, await self._desk.answer(question, probe, source=source))

    def _question(self, request: web.Request, principal: Principal, fields: dict[str, str], basis: Basis | None) -> Question:
        name = basis.value if basis is not None else fields.get("basis", "")
        if basis is None and name == Basis.VERIFY.value:
            raise ApiError(400, "unknown_basis", "A search has the ground self or gallery.", "Post to /v1/verify with grant_id.")
        grant = fields.get("grant_id") or None
        return checked_question(
            # Whoever looks for herself is not asked where she is.
            principal if name == Basis.SELF.value else self._callers.placed(request, principal),
            name,
            fields.get("purpose") or None,
            policy=self._gate.policy,
            now=self._gate.now,
            grant_id=None if grant is None else GrantId(grant),
        )

    async def _record_closed(self, error: ApiError, request: web.Request, principal: Principal, basis: Basis | None) -> None:
        if error.status == 451:
            # Without a ground of the route it was the gallery's: a subject who looks for herself is never turned away by her place.
            ground = basis or Basis.GALLERY
            caller = self._callers.placed(request, principal)
            await self._desk.record_refusal(caller, ground.value, PURPOSES[ground], RuleId(str(error.details["rule"])))

    async def _covered(self, question: Question, fields: dict[str, str], picture: bytes) -> PointFacts:
        """The stored face that is asked about, itself under a live grant for this (X-4): named by its id, its image's id, or by
        identical bytes. The picture is not decoded to find out."""
        face_id, image_id = fields.get("face_id"), fields.get("image_id")
        try:
            if face_id:
                found = await self._store.retrieve([FaceId(face_id)])
            elif image_id or picture:
                found = await self._store.find_image(ImageId(image_id) if image_id else self._identifiers.image_id(picture))
            else:
                found = []
        except VectorStoreUnavailableError as error:
            raise ApiError(503, "not_ready", "The vector store does not answer.", "Try again in a moment.") from error
        except VectorStoreError:
            # Something that is no id names nothing.
            found = []
        covered = [facts for facts in found if self._desk.may_be_probe(question, facts)]
        if len(covered) != 1:
            raise _not_covered()
        return covered[0]

    async def _stored(self, source: PointFacts) -> bytes:
        try:
            return await self._derivatives.get(source.grant_id, source.face_id)
        except (BlobNotFoundError, KeyDestroyedError, KeyNotFoundError, UnsealError) as error:
            raise _not_covered() from error
        except BlobStoreUnavailableError as error:
            raise ApiError(503, "not_ready", "The pictures cannot be read now.", "Try again in a moment.") from error


@dataclass(slots=True)
class _Asking:
    """How far a question has come: `basis` where the route says it, `question` once it may be asked."""

    basis: Basis | None
    question: Question | None = None

    @property
    def name(self) -> str:
        if self.question is not None:
            return self.question.basis.value
        return self.basis.value if self.basis is not None else "unknown"


def _not_covered() -> ApiError:
    """One answer for a face that is not there, not covered, or one of several."""
    return ApiError(
        403,
        "probe_not_covered",
        "This face is not one that may be searched for.",
        "Name one face whose grant allows this purpose to you: by face_id, by image_id, or by the identical file.",
    )
