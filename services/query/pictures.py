"""One picture to one asker, checked at the time of asking: never cached, never behind a link that works without a token."""

from __future__ import annotations

from aiohttp import web
from uuid_utils.compat import uuid7

from assent.blobs.derivatives import Derivatives
from assent.blobs.store import BlobNotFoundError, BlobStoreUnavailableError
from assent.deciding.gate import Gate
from assent.events.grants import Purpose
from assent.identity.auth import authenticated
from assent.identity.errors import ApiError
from assent.identity.principal import Principal, Role
from assent.ids import FaceId, QueryId
from assent.keys.cipher import UnsealError
from assent.keys.grant_keys import GrantKeyring, KeyDestroyedError, KeyNotFoundError
from assent.vectors.store import Candidate, PointFacts, VectorStore, VectorStoreError, VectorStoreUnavailableError
from services.query.caller_places import CallerPlaces
from services.query.probe import ProbeReader
from services.query.question import Basis, Question
from services.query.search_desk import SearchDesk

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}


class Pictures:
    """Her own to the subject, and those that a searcher was or could be told of; to everybody else there is none.

    Under a joint grant those are hers whose face agrees with one that is held under a grant of hers alone.
    """

    def __init__(
        self,
        *,
        desk: SearchDesk,
        probes: ProbeReader,
        gate: Gate,
        store: VectorStore,
        derivatives: Derivatives,
        grant_keys: GrantKeyring,
        callers: CallerPlaces,
    ) -> None:
        self._desk = desk
        self._probes = probes
        self._callers = callers
        self._gate = gate
        self._store = store
        self._derivatives = derivatives
        self._grant_keys = grant_keys

    async def serve(self, request: web.Request) -> web.Response:
        """GET /v1/faces/{face_id}/picture."""
        principal = authenticated(request, Role.SUBJECT, Role.SEARCHER)
        await self._desk.caught_up()
        facts = await self._facts(FaceId(request.match_info["face_id"]))
        asked = self._question(request, principal, facts)
        picture = await self._picture(facts)
        is_of_several = asked.basis is Basis.SELF and self._desk.is_joint(facts.grant_id)
        alone = await self._of_her_alone(asked, picture) if is_of_several else ()
        # Withdrawn while the picture was read: it is not shown, and the judgement that counts is this one.
        await self._desk.caught_up()
        question = self._question(request, principal, facts, is_hers=not is_of_several or self._desk.shows_her(asked, alone))
        if question.basis is Basis.GALLERY:
            # What she sees of herself is not written down: it discloses her to nobody, and would be a new record about her for
            # every look at her own page.
            await self._desk.record(question, [facts], query_id=QueryId(str(uuid7())))
        return web.Response(body=picture, content_type="image/jpeg", headers=HEADERS)

    async def _of_her_alone(self, asked: Question, picture: bytes) -> tuple[Candidate, ...]:
        """What is held of her alone and agrees with the face in it; nothing where it shows no one clear face."""
        try:
            return await self._desk.of_her_alone(asked, await self._probes.template(picture))
        except ApiError as error:
            if error.status >= 500:
                raise
            return ()

    def _question(self, request: web.Request, principal: Principal, facts: PointFacts, *, is_hers: bool = True) -> Question:
        """On what ground this asker may see it now. Raises ApiError 404 where there is none."""
        if self._gate.live(facts.grant_id) is None:
            self._grant_keys.drop(facts.grant_id)
            raise _none()
        if not self._gate.keeps(facts.grant_id, source=facts.source, fetched=facts.fetched, image_id=facts.image_id):
            # Also to herself: what must not come back, what she took out and what was opted out is told to nobody until the sweep has
            # taken it.
            raise _none()
        if is_hers and Role.SUBJECT in principal.roles and principal.subject_id == facts.subject_id:
            # Access to what is held about herself, which no place closes and no purpose of the grant limits.
            return Question(principal, Basis.SELF, Purpose.SELF_SEARCH, "self", principal.subject_id)
        caller = self._callers.placed(request, principal)
        asked = Question(caller, Basis.GALLERY, Purpose.GALLERY_SEARCH, principal.org)
        may_ask = Role.SEARCHER in principal.roles and asked.purpose in principal.purposes
        if not may_ask or not self._desk.may_be_told(asked, facts):
            raise _none()
        return asked

    async def _facts(self, face_id: FaceId) -> PointFacts:
        try:
            found = await self._store.retrieve([face_id])
        except VectorStoreUnavailableError as error:
            raise ApiError(503, "not_ready", "The vector store does not answer.", "Try again in a moment.") from error
        except VectorStoreError as error:
            raise _none() from error
        if not found:
            raise _none()
        return found[0]

    async def _picture(self, facts: PointFacts) -> bytes:
        try:
            return await self._derivatives.get(facts.grant_id, facts.face_id)
        except (BlobNotFoundError, KeyDestroyedError, KeyNotFoundError, UnsealError) as error:
            raise _none() from error
        except BlobStoreUnavailableError as error:
            raise ApiError(503, "not_ready", "The pictures cannot be read now.", "Try again in a moment.") from error


def _none() -> ApiError:
    """One answer for a picture that is not there and for one that is not for this asker."""
    return ApiError(404, "not_found", "There is no picture here for you.", "")
