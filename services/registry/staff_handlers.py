"""HTTP for staff and producers: tokens, sign-in codes, producers, intake and its outcomes; none of it reaches into a grant."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from assent.deciding.outcome_remedies import remedy_of
from assent.events.envelope import MAX_OUTSIDE_BYTES
from assent.identity.auth import authenticated
from assent.identity.errors import ApiError
from assent.identity.principal import Principal, Role
from assent.identity.tokens import UnmintableTokenError
from assent.ids import ProducerId
from assent.intake.producers import ProducerDirectory, ProducerNameError
from assent.stream.clock import Clock
from assent.wording.language import language_of
from services.registry.api_models import (
    AnnouncedOut,
    BlobOut,
    LoginCodeOut,
    OutcomeOut,
    OutcomesOut,
    ProducerIn,
    ProducerOut,
    TokenIn,
    TokenOut,
)
from services.registry.desk_table import insert_producer
from services.registry.event_request import EVENT_CONTENT, EVENT_HEADERS, record_of
from services.registry.intake import Intake, chunks_of, read_capped
from services.registry.outcome_table import OutcomeRow, outcomes_after
from services.registry.request_body import parsed
from services.registry.route import Parameter, Route, answer
from services.registry.sessions import Sessions
from services.registry.store import RegistryStore

MAX_OUTCOMES = 500
MAX_SEQUENCE_DIGITS = 18
"""What SQLite can hold."""


class StaffHandlers:
    """Tokens are minted for staff, searchers, producers and auditors; never for a subject."""

    def __init__(self, *, sessions: Sessions, intake: Intake, producers: ProducerDirectory, store: RegistryStore, clock: Clock) -> None:
        self._sessions = sessions
        self._intake = intake
        self._producers = producers
        self._store = store
        self._clock = clock

    def routes(self) -> list[Route]:
        """The routes of this area."""
        operator, producer = (Role.OPERATOR,), (Role.PRODUCER,)
        return [
            Route("POST", "/v1/tokens", self.token, "Mint a token.", operator, TokenIn, TokenOut, status=201),
            Route("POST", "/v1/login-codes", self.code, "A sign-in code for the pages.", operator, TokenIn, LoginCodeOut, status=201),
            Route("POST", "/v1/producers", self.producer, "Register a producer's key.", operator, ProducerIn, ProducerOut, status=201),
            Route("PUT", "/v1/intake/{sha256}", self.put, "Hand in bytes.", producer, None, BlobOut, takes_bytes=("image/*",), status=201),
            Route(
                "POST",
                "/v1/events",
                self.event,
                "Announce bytes that were handed in, as a signed CloudEvent.",
                producer,
                None,
                AnnouncedOut,
                takes_bytes=EVENT_CONTENT,
                status=202,
                parameters=EVENT_HEADERS,
            ),
            Route(
                "GET",
                "/v1/outcomes",
                self.outcomes,
                "What became of a producer's images.",
                producer,
                None,
                OutcomesOut,
                parameters=(
                    Parameter("after", "`next` of the page before; 0 begins with the oldest.", "integer"),
                    Parameter("producer", "The caller's own name; another one is refused."),
                    Parameter("lang", "Language of the remedies, en or fr; else that of Accept-Language."),
                ),
            ),
        ]

    async def token(self, request: web.Request) -> web.Response:
        authenticated(request, Role.OPERATOR)
        body = await parsed(request, TokenIn)
        try:
            token = await self._sessions.mint(_principal(body), lifetime_s=body.lifetime_s)
        except UnmintableTokenError as error:
            raise ApiError(422, "unmintable", str(error), "Add what is missing.") from error
        ends = self._clock.now() + timedelta(seconds=body.lifetime_s)
        return answer(TokenOut(token=token, expires_at=ends), status=201)

    async def code(self, request: web.Request) -> web.Response:
        authenticated(request, Role.OPERATOR)
        code, ends = await self._sessions.login_code(_principal(await parsed(request, TokenIn)))
        return answer(LoginCodeOut(code=code, expires_at=ends), status=201)

    async def producer(self, request: web.Request) -> web.Response:
        authenticated(request, Role.OPERATOR)
        body = await parsed(request, ProducerIn)
        key = bytes.fromhex(body.public_key)
        try:
            await self._producers.register(body.producer_id, key)
        except (ProducerNameError, ValueError) as error:
            raise ApiError(422, "bad_producer", str(error), "Choose another name, or send a raw Ed25519 public key.") from error
        now = self._clock.now()
        await self._store.write(lambda database: insert_producer(database, body.producer_id, key, now=now))
        return answer(ProducerOut(producer_id=body.producer_id), status=201)

    async def put(self, request: web.Request) -> web.Response:
        producer = _producer(request)
        sha256 = request.match_info["sha256"]
        handed_in = await self._intake.put(producer, sha256, chunks_of(request), length=request.content_length)
        return answer(BlobOut(blob=handed_in.blob, size_bytes=handed_in.size_bytes, image_id=handed_in.image_id), status=201)

    async def event(self, request: web.Request) -> web.Response:
        producer = _producer(request)
        body = await read_capped(chunks_of(request), max_bytes=MAX_OUTSIDE_BYTES, length=request.content_length)
        announced = await self._intake.announce(producer, record_of(request.headers, body))
        told = AnnouncedOut(offsets=announced.offsets, sighting_id=announced.sighting_id, image_id=announced.image_id)
        return answer(told, status=202)

    async def outcomes(self, request: web.Request) -> web.Response:
        producer = _producer(request)
        if request.query.get("producer", producer) != producer:
            raise ApiError(403, "foreign_producer", "These are another producer's outcomes.", "Ask for your own.")
        after = _after(request)
        rows = await self._store.read(
            lambda database: outcomes_after(database, producer=producer, grant_id=None, after=after, limit=MAX_OUTCOMES)
        )
        lang = language_of(request.query.get("lang"), request.headers.get("Accept-Language", ""))
        return answer(OutcomesOut(outcomes=tuple(_told(row, lang) for row in rows), next=rows[-1].sequence if rows else after))


def _after(request: web.Request) -> int:
    text = request.query.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_SEQUENCE_DIGITS):
        raise ApiError(422, "invalid", "after is not a number.", "Send what `next` said.")
    return int(text)


def _told(row: OutcomeRow, lang: str) -> OutcomeOut:
    return OutcomeOut(
        sequence=row.sequence,
        sighting_id=row.sighting_id,
        image_id=row.image_id,
        stage=row.stage,
        outcome=row.outcome,
        remedy=remedy_of(row.outcome, lang),
        at=row.at,
        place=row.place,
    )


def _producer(request: web.Request) -> ProducerId:
    principal = authenticated(request, Role.PRODUCER)
    if principal.producer_id is None:
        raise ApiError(403, "no_producer", "The token names no producer.", "Ask for a token with a producer_id.")
    return principal.producer_id


def _principal(body: TokenIn) -> Principal:
    if Role.SUBJECT in body.roles:
        raise ApiError(403, "subject_token", "A subject's token is made from her own secret.", "POST /v1/grants/ID/session.")
    if Role.PRODUCER in body.roles and body.producer_id is None:
        raise ApiError(422, "unmintable", "A producer's token names its producer.", "Send producer_id.")
    return Principal(
        name=body.name,
        roles=body.roles,
        org=body.org,
        jurisdictions=body.jurisdictions,
        purposes=body.purposes,
        producer_id=body.producer_id,
    )
