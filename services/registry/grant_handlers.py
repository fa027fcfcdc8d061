"""HTTP for subjects and grants: staff ask, the subject alone answers; no route makes a yes without her secret."""

from __future__ import annotations

from enum import Enum, auto

from aiohttp import web

from assent.events.erasures import ErasureCause
from assent.events.grants import FaceRegion, GrantState
from assent.identity.auth import authenticated, principal_of
from assent.identity.errors import ApiError
from assent.identity.principal import Principal, Role
from assent.identity.privacy_signal import asks_for_privacy
from assent.ids import GrantId, SubjectId
from services.registry.access import Asker, GrantAccess
from services.registry.api_models import (
    BulkIn,
    BulkItem,
    BulkOut,
    ConfirmedOut,
    ConfirmIn,
    GrantOut,
    NarrowIn,
    Opening,
    RefusedOut,
    RefuseIn,
    RegionIn,
    RequestedOut,
    RevisedOut,
    SecretIn,
    SubjectIn,
    SubjectOut,
    WithdrawnOut,
)
from services.registry.endings import Ended, Endings
from services.registry.erasure_table import erasure_of
from services.registry.grant_request import GrantRequest
from services.registry.grant_table import GrantRow
from services.registry.grants import Grants, Narrowing, Requested
from services.registry.refused import not_found, wrong_secret
from services.registry.request_body import parsed
from services.registry.route import Parameter, Route, answer
from services.registry.secret_table import SecretKind
from services.registry.store import RegistryStore

SECRET_HEADER = "Assent-Grant-Secret"  # noqa: S105  the name of a header
STAFF = (Role.OPERATOR, Role.PRODUCER)


class Sight(Enum):
    """What of a grant a caller is shown: its state, the record without what only she has, or all of it."""

    STATE = auto()
    OFFICERS = auto()
    HERS = auto()


class GrantHandlers:
    """Thin: reads the request, calls a command, writes the answer."""

    def __init__(self, *, grants: Grants, endings: Endings, access: GrantAccess, store: RegistryStore) -> None:
        self._grants = grants
        self._endings = endings
        self._access = access
        self._store = store

    def routes(self) -> list[Route]:
        """The routes of this area."""
        grant = "/v1/grants/{grant_id}"
        officer = (Role.PRIVACY_OFFICER,)
        return [
            Route("POST", "/v1/subjects", self.subject, "A new pseudonym.", STAFF, SubjectIn, SubjectOut, status=201),
            Route("POST", "/v1/grants", self.request, "Ask a subject for a grant.", STAFF, GrantRequest, RequestedOut, status=201),
            Route("POST", "/v1/grants/bulk", self.bulk, "Ask for many grants; each stays requested.", STAFF, BulkIn, BulkOut),
            Route(
                "GET",
                grant,
                self.show,
                "A grant, for its subject (secret or session) or staff.",
                (),
                None,
                GrantOut,
                parameters=(Parameter(SECRET_HEADER, "Her secret of this grant, where no token shows who she is.", place="header"),),
            ),
            Route(
                "POST",
                f"{grant}/confirm",
                self.confirm,
                "The subject says yes; to every grant after her first with a session of hers or the secret of an earlier grant.",
                (),
                ConfirmIn,
                ConfirmedOut,
                parameters=(
                    Parameter(
                        SECRET_HEADER,
                        "Her secret of any earlier grant, where she said yes before and no token shows who she is.",
                        place="header",
                    ),
                ),
            ),
            Route("POST", f"{grant}/refuse", self.refuse, "The subject says no.", (), RefuseIn, RefusedOut),
            Route("POST", f"{grant}/narrow", self.narrow, "The subject takes something away.", (), NarrowIn, RevisedOut),
            Route("POST", f"{grant}/regions", self.region, "The subject marks her face in one image.", (), RegionIn, RevisedOut),
            Route("POST", f"{grant}/withdraw", self.withdraw, "The subject ends the grant.", (), SecretIn, WithdrawnOut),
            Route("POST", f"{grant}/revoke", self.revoke, "An order ends the grant.", officer, None, WithdrawnOut),
        ]

    async def subject(self, request: web.Request) -> web.Response:
        authenticated(request, *STAFF)
        body = await parsed(request, SubjectIn)
        return answer(SubjectOut(subject_id=await self._grants.create_subject(body.age_band, body.residences)), status=201)

    async def request(self, request: web.Request) -> web.Response:
        asked_by = _organisation(authenticated(request, *STAFF))
        body = await parsed(request, GrantRequest)
        _refuse_sharing(request, body)
        requested = await self._grants.request(body, asked_by=asked_by)
        return answer(_requested(requested), status=201)

    async def bulk(self, request: web.Request) -> web.Response:
        asked_by = _organisation(authenticated(request, *STAFF))
        results: list[BulkItem] = []
        for item in (await parsed(request, BulkIn)).grants:
            try:
                _refuse_sharing(request, item)
                results.append(BulkItem(requested=_requested(await self._grants.request(item, asked_by=asked_by))))
            except ApiError as error:
                results.append(BulkItem(code=error.code, message=error.message))
        return answer(BulkOut(results=tuple(results)))

    async def show(self, request: web.Request) -> web.Response:
        grant_id = grant_of(request)
        row = await self._grants.row(grant_id)
        sight = await self._sight(request, row)
        if row is None:
            raise not_found("grant")
        erasure = await self._store.read(lambda database: erasure_of(database, grant_id))
        return answer(
            GrantOut(
                grant_id=grant_id,
                state=row.state,
                revision=row.revision,
                expires_at=row.expires_at,
                history=tuple(await self._grants.history(grant_id)),
                erasure_id=erasure.erasure_id if erasure is not None else None,
                record=None if sight is Sight.STATE else await self._record(grant_id, is_hers=sight is Sight.HERS),
            )
        )

    async def confirm(self, request: web.Request) -> web.Response:
        _refuse_staff(request)
        body = await parsed(request, ConfirmIn)
        confirmed = await self._grants.confirm(
            grant_of(request),
            one_time_secret=body.one_time_secret,
            notice_sha256=body.notice_sha256,
            device=body.device,
            asks_for_privacy=asks_for_privacy(request),
            asker=Asker(subject_of(principal_of(request)), request.headers.get(SECRET_HEADER)),
        )
        return answer(
            ConfirmedOut(
                grant_id=confirmed.grant_id,
                revision=confirmed.revision,
                grant_secret=confirmed.grant_secret,
                offsets=confirmed.offsets,
                recipients_left_out=confirmed.left_out,
            )
        )

    async def refuse(self, request: web.Request) -> web.Response:
        body = await parsed(request, RefuseIn)
        if not await self._grants.refuse(grant_of(request), one_time_secret=body.one_time_secret):
            await self._endings.end(grant_of(request), ErasureCause.WITHDRAWAL)
        return answer(RefusedOut(grant_id=grant_of(request)))

    async def narrow(self, request: web.Request) -> web.Response:
        body = await parsed(request, NarrowIn)
        await self._access.with_secret(grant_of(request), body.grant_secret, SecretKind.GRANT)
        narrowing = Narrowing(body.purposes, body.operations, body.sources, body.recipients, body.expires_at)
        record, offsets = await self._grants.narrow(grant_of(request), narrowing, expected_revision=body.expected_revision)
        return answer(RevisedOut(grant_id=record.grant_id, revision=record.revision, offsets=offsets))

    async def region(self, request: web.Request) -> web.Response:
        body = await parsed(request, RegionIn)
        await self._access.with_secret(grant_of(request), body.grant_secret, SecretKind.GRANT)
        region = FaceRegion(asset_sha256=body.asset_sha256, box=body.box)
        record, offsets = await self._grants.add_region(grant_of(request), region, expected_revision=body.expected_revision)
        return answer(RevisedOut(grant_id=record.grant_id, revision=record.revision, offsets=offsets))

    async def withdraw(self, request: web.Request) -> web.Response:
        body = await parsed(request, SecretIn)
        row, _ = await self._access.with_secret(grant_of(request), body.grant_secret, SecretKind.GRANT)
        return answer(_withdrawn(await self._endings.end(row.grant_id, ErasureCause.WITHDRAWAL, secret=body.grant_secret)))

    async def revoke(self, request: web.Request) -> web.Response:
        authenticated(request, Role.PRIVACY_OFFICER)
        ended = await self._endings.end(grant_of(request), ErasureCause.ORDER)
        return answer(_withdrawn(ended).model_copy(update={"opening": None}))

    async def _sight(self, request: web.Request, row: GrantRow | None) -> Sight:
        """By the secret in the header, by her own session, or as staff. A wrong secret is an error, not another way in."""
        secret = request.headers.get(SECRET_HEADER)
        if secret is not None:
            kind = await self._access.opened_by(grant_of(request), secret)
            if row is None or kind is None:
                raise wrong_secret()
            # Whoever asked for the grant had its one-time secret: once she answered, that tells her answer and nothing else.
            return Sight.STATE if kind is SecretKind.ONE_TIME and row.state is not GrantState.REQUESTED else Sight.HERS
        principal = principal_of(request)
        if row is not None and principal is not None and principal.subject_id == row.subject_id:
            return Sight.HERS
        staff = authenticated(request, Role.OPERATOR, Role.PRIVACY_OFFICER)
        return Sight.OFFICERS if Role.PRIVACY_OFFICER in staff.roles else Sight.STATE

    async def _record(self, grant_id: GrantId, *, is_hers: bool) -> dict[str, object] | None:
        record = await self._grants.readable(grant_id)
        return None if record is None else record.model_dump(mode="json", exclude=None if is_hers else {"salt", "reference"})


def grant_of(request: web.Request) -> GrantId:
    """The grant that the path names."""
    return GrantId(request.match_info["grant_id"])


def subject_of(principal: Principal | None) -> SubjectId | None:
    """Whose session this is; None where it is nobody's, or of staff alone."""
    return principal.subject_id if principal is not None and Role.SUBJECT in principal.roles else None


def _organisation(principal: Principal) -> str | None:
    """Of a producer, whose word on the controller is its own; an operator asks in the name of whom it serves."""
    return None if Role.OPERATOR in principal.roles else principal.org


def _refuse_sharing(request: web.Request, asked: GrantRequest) -> None:
    """A request from a browser that asks for privacy is written by hand or by a page of somebody's own: it is told at once."""
    if asked.recipients and asks_for_privacy(request):
        raise ApiError(
            422,
            "privacy_signal",
            "The browser asks that nothing be shared (Sec-GPC: 1), and the request names recipients.",
            "Leave the recipients out, or switch the signal off for this site.",
        )


def _refuse_staff(request: web.Request) -> None:
    """Her yes cannot be given by anybody else: a request that carries a staff token is refused whatever secret it holds."""
    principal = principal_of(request)
    if principal is not None and principal.roles - {Role.SUBJECT}:
        raise ApiError(
            403,
            "staff_cannot_confirm",
            "Only the subject can say yes, not somebody of staff for her.",
            "Give the one-time secret to the subject and let her confirm without a staff token.",
        )


def _requested(requested: Requested) -> RequestedOut:
    return RequestedOut(
        grant_id=requested.grant_id,
        revision=requested.revision,
        one_time_secret=requested.one_time_secret,
        notice_sha256=requested.notice_sha256,
        confirm_path=f"/confirm/{requested.grant_id}",
    )


def _withdrawn(ended: Ended) -> WithdrawnOut:
    opening = None if ended.opening_salt is None else Opening(grant_id=ended.grant_id, salt=ended.opening_salt)
    return WithdrawnOut(erasure_id=ended.erasure_id, withdrawn_at=ended.ended_at, offsets=ended.offsets, opening=opening)
