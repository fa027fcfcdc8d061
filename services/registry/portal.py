"""The subject's pages: answer a request, see what is held and who saw it, send a photo, withdraw; plain forms, no script needed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from assent.deployment.sent_form import posted
from assent.events.erasures import ErasureCause
from assent.events.faces import FaceBox
from assent.events.grants import BindingMode, GrantState, SourceKindRule
from assent.identity.auth import SESSION_COOKIE, authenticated, principal_of, refuse_foreign_page, set_session
from assent.identity.errors import ApiError
from assent.identity.principal import Role
from assent.identity.privacy_signal import asks_for_privacy
from assent.ids import FaceId, GrantId, SightingId, SubjectId
from assent.optouts.signal import ContentRight
from assent.stream.clock import Clock
from services.registry.access import NOBODY, Asker, GrantAccess
from services.registry.approvals import Approvals
from services.registry.device_yes import DeviceYes
from services.registry.endings import Endings
from services.registry.erasure_table import erasure_of
from services.registry.erasures import ErasureDesk
from services.registry.given_grant import is_for_others_alone
from services.registry.grant_handlers import grant_of, subject_of
from services.registry.grant_table import GrantRow, grants_of, joints_of
from services.registry.grants import Grants
from services.registry.outcome_table import disclosures_of, outcomes_after
from services.registry.overrides import Overrides
from services.registry.portal_lines import counted, told_in
from services.registry.portal_pages import PortalPages, static_file
from services.registry.proof_handlers import erasure_view
from services.registry.references import References
from services.registry.refused import bad_device_signature, wrong_secret
from services.registry.renewals import Renewals
from services.registry.secret_table import SecretKind
from services.registry.sessions import SUBJECT_SESSION_S, Sessions
from services.registry.store import RegistryStore
from services.registry.upload_handlers import read_photo
from services.registry.uploads import MarkYourFaceError, Uploads

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MAX_OUTCOMES = 200


class Portal:
    """Each page calls the very commands that the HTTP interface calls."""

    def __init__(
        self,
        *,
        grants: Grants,
        endings: Endings,
        erasures: ErasureDesk,
        access: GrantAccess,
        sessions: Sessions,
        uploads: Uploads,
        approvals: Approvals,
        references: References,
        overrides: Overrides,
        renewals: Renewals,
        store: RegistryStore,
        clock: Clock,
        max_bytes: int,
        is_secure_cookie: bool,
        banner: str = "",
    ) -> None:
        self._grants = grants
        self._endings = endings
        self._erasures = erasures
        self._access = access
        self._sessions = sessions
        self._uploads = uploads
        self._approvals = approvals
        self._references = references
        self._overrides = overrides
        self._renewals = renewals
        self._store = store
        self._clock = clock
        self._max_bytes = max_bytes
        self._is_secure_cookie = is_secure_cookie
        self._pages = PortalPages(banner=banner)

    def mount(self, application: web.Application) -> None:
        """Add the pages."""
        router = application.router
        router.add_get("/login", self._page(self.login))
        router.add_post("/login", self._page(self.sign_in))
        router.add_get("/logout", self.logout)
        router.add_get("/confirm/{grant_id}", self._page(self.confirm))
        router.add_post("/confirm/{grant_id}", self._page(self.notice))
        router.add_post("/confirm/{grant_id}/yes", self._page(self.say_yes))
        router.add_post("/confirm/{grant_id}/no", self._page(self.say_no))
        router.add_get("/me", self._page(self.me))
        router.add_post("/me/grants/{grant_id}/withdraw", self._page(self.withdraw))
        router.add_get("/me/grants/{grant_id}/renewal", self._page(self.renewal))
        router.add_post("/me/grants/{grant_id}/renewal", self._page(self.renew))
        router.add_post("/me/grants/{grant_id}/approve", self._page(self.approve))
        router.add_post("/me/grants/{grant_id}/decline", self._page(self.decline))
        router.add_post("/me/grants/{grant_id}/reference", self._page(self.confirm_reference))
        router.add_post("/me/grants/{grant_id}/reference/take-back", self._page(self.take_back_reference))
        router.add_post("/me/grants/{grant_id}/overrides", self._page(self.override))
        router.add_post("/me/grants/{grant_id}/images", self._page(self.upload))
        router.add_post("/me/grants/{grant_id}/face", self._page(self.choose_face))
        router.add_get("/portal/{name}", static_file)

    async def login(self, request: web.Request) -> web.StreamResponse:
        code = request.query.get("code")
        if code is None:
            return self._pages.page(request, "login", grant_id="")
        principal = await self._sessions.whom(code)
        if principal is None:
            return self._wrong_code(request)
        # Opening a link signs nobody in: whoever sent it could else make her somebody else, and her next photo that one's.
        return self._pages.page(request, "enter", code=code, name=principal.name)

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        # Else a foreign page could sign a visitor in as somebody else, and her next photo would come under that grant.
        refuse_foreign_page(request)
        form = await posted(request)
        if "code" in form:
            return await self._enter(request, str(form["code"]))
        grant_id, secret = GrantId(str(form.get("grant_id", "")).strip()), str(form.get("grant_secret", "")).strip()
        token, _ = await self._sessions.subject_session(grant_id, secret)
        return self._signed_in("/me", token)

    async def logout(self, request: web.Request) -> web.StreamResponse:
        response = web.Response(status=303, headers={"Location": "/login", "Cache-Control": "no-store"})
        response.del_cookie(SESSION_COOKIE, path="/")
        return response

    async def confirm(self, request: web.Request) -> web.StreamResponse:
        secret = request.query.get("secret")
        if secret is None:
            return self._pages.page(request, "confirm", grant_id=grant_of(request))
        return await self._notice(request, secret)

    async def notice(self, request: web.Request) -> web.StreamResponse:
        return await self._notice(request, await _field(request, "one_time_secret"))

    async def say_yes(self, request: web.Request) -> web.StreamResponse:
        # It ends with a session: a foreign page could send somebody else's yes, and make its visitor that person.
        refuse_foreign_page(request)
        _refuse_staff(request)
        confirmed = await self._grants.confirm(
            grant_of(request),
            one_time_secret=await _field(request, "one_time_secret"),
            notice_sha256=await _field(request, "notice_sha256"),
            device=await _device(request),
            asks_for_privacy=asks_for_privacy(request),
            asker=_asker(request),
        )
        token, _ = await self._sessions.subject_session(confirmed.grant_id, confirmed.grant_secret)
        page = self._pages.page(
            request, "given", grant_id=confirmed.grant_id, grant_secret=confirmed.grant_secret, left_out=confirmed.left_out
        )
        set_session(page, token, lifetime_s=SUBJECT_SESSION_S, is_secure=self._is_secure_cookie)
        return page

    async def say_no(self, request: web.Request) -> web.StreamResponse:
        refuse_foreign_page(request)
        if not await self._grants.refuse(grant_of(request), one_time_secret=await _field(request, "one_time_secret")):
            await self._endings.end(grant_of(request), ErasureCause.WITHDRAWAL)
        return self._pages.page(request, "refused")

    async def me(self, request: web.Request) -> web.StreamResponse:
        subject_id = _subject(request)
        rows = await self._store.read(lambda database: grants_of(database, subject_id))
        rights = [right.value for right in ContentRight]
        now = self._clock.now()
        return self._pages.page(request, "me", grants=[await self._view(row) for row in rows], rights=rights, now=now)

    async def withdraw(self, request: web.Request) -> web.StreamResponse:
        row = await self._own(request)
        ended = await self._endings.end(row.grant_id, ErasureCause.WITHDRAWAL)
        return self._pages.page(request, "withdrawn", ended=ended)

    async def renewal(self, request: web.Request) -> web.StreamResponse:
        row = await self._own(request)
        offer = await self._renewals.offer(row.grant_id, asks_for_privacy=asks_for_privacy(request))
        left_out = bool(offer.terms.recipients_left_out) and asks_for_privacy(request)
        return self._pages.page(request, "renewal", grant_id=row.grant_id, offer=offer, is_private=left_out)

    async def renew(self, request: web.Request) -> web.StreamResponse:
        refuse_foreign_page(request)
        row = await self._own(request)
        await self._renewals.renew(
            row.grant_id,
            begins_at=_moment(await _field(request, "begins_at")),
            notice_sha256=await _field(request, "notice_sha256"),
            expected_revision=_number(await _field(request, "revision")),
            device=await _device(request),
            asks_for_privacy=asks_for_privacy(request),
        )
        return _to_her_page()

    async def approve(self, request: web.Request) -> web.StreamResponse:
        row = await self._own(request)
        await self._approvals.approve_waiting(row.grant_id, SightingId(await _field(request, "sighting_id")))
        return _to_her_page()

    async def decline(self, request: web.Request) -> web.StreamResponse:
        row = await self._own(request)
        await self._approvals.decline(row.grant_id, SightingId(await _field(request, "sighting_id")))
        return _to_her_page()

    async def confirm_reference(self, request: web.Request) -> web.StreamResponse:
        row = await self._own(request)
        await self._references.confirm(row.grant_id, FaceId(await _field(request, "face_id")))
        return _to_her_page()

    async def take_back_reference(self, request: web.Request) -> web.StreamResponse:
        row = await self._own(request)
        await self._references.take_back(row.grant_id)
        return _to_her_page()

    async def override(self, request: web.Request) -> web.StreamResponse:
        row, source = await self._own(request), await _field(request, "source")
        await self._overrides.set_aside(row.grant_id, source, await _rights(request))
        return _to_her_page()

    async def upload(self, request: web.Request) -> web.StreamResponse:
        row = await self._own(request)
        sent = await read_photo(request, max_bytes=self._max_bytes, allow=_hers_already)
        return await self._take(request, row, sent.image, sent.box)

    async def choose_face(self, request: web.Request) -> web.StreamResponse:
        """The photo comes back from her browser with the face she chose; the registry kept nothing of it meanwhile."""
        row = await self._own(request)
        try:
            image = base64.b64decode(await _field(request, "image_base64"), validate=True)
            box = FaceBox.model_validate_json(await _field(request, "box"))
        except (binascii.Error, ValidationError) as error:
            raise ApiError(422, "invalid", "The form was changed on its way.", "Send the photo again.") from error
        return await self._take(request, row, image, box)

    async def _take(self, request: web.Request, row: GrantRow, image: bytes, box: FaceBox | None) -> web.StreamResponse:
        try:
            await self._uploads.take(row.grant_id, image, box=box)
        except MarkYourFaceError as error:
            return self._pages.page(
                request,
                "choose_face",
                status=422,
                grant_id=row.grant_id,
                faces=[(face, face.model_dump_json()) for face in error.boxes],
                image_base64=base64.b64encode(image).decode(),
            )
        return self._pages.page(request, "sent")

    async def _notice(self, request: web.Request, secret: str) -> web.StreamResponse:
        row, is_used = await self._access.with_secret(grant_of(request), secret, SecretKind.ONE_TIME)
        if is_used or row.state is not GrantState.REQUESTED:
            raise ApiError(409, "already_answered", "This request was answered before.", "Sign in with the grant's own secret.")
        record = await self._grants.record(row.grant_id)
        is_private = asks_for_privacy(request) and bool(record.recipients)
        is_empty = is_private and is_for_others_alone(record)
        is_unknown = await self._access.needs_her(row) and not await self._access.is_she(row.subject_id, _asker(request))
        values = {"is_private": is_private, "is_empty": is_empty, "is_unknown": is_unknown}
        return self._pages.page(request, "notice", record=record, one_time_secret=secret, **values)

    async def _view(self, row: GrantRow) -> dict[str, Any]:
        """One grant as her page shows it."""
        grant_id = row.grant_id
        record = await self._grants.readable(grant_id)
        erasure = await self._store.read(lambda database: erasure_of(database, grant_id))
        status = None if erasure is None else await self._erasures.status(erasure.erasure_id)
        return {
            "row": row,
            "record": record,
            "takes_uploads": row.is_live and record is not None and any(rule.kind is SourceKindRule.UPLOAD for rule in record.sources),
            "overridable": await self._overrides.possible(record) if row.is_live and record is not None else [],
            "waiting": await self._approvals.waiting(record) if row.is_live and record is not None else [],
            "faces": await self._references.faces(grant_id),
            "is_due": row.is_live and record is not None and self._renewals.is_due(record),
            "is_joint": row.mode is BindingMode.JOINT,
            "joints": await self._joints(grant_id),
            "is_reference_gone": row.is_live and record is not None and await self._references.is_gone(record),
            "disclosures": told_in(await self._store.read(lambda database: disclosures_of(database, grant_id)), row.subject_id),
            "outcomes": counted(
                await self._store.read(
                    lambda database: outcomes_after(database, producer=None, grant_id=grant_id, after=0, limit=MAX_OUTCOMES)
                )
            ),
            "erasure": None if status is None else erasure_view(*status),
        }

    async def _joints(self, member: GrantId) -> list[dict[str, Any]]:
        """The grants for pictures of several people that rest on this one, whoever of them holds it."""
        rows = await self._store.read(lambda database: joints_of(database, member))
        return [{"row": row, "record": await self._grants.readable(row.grant_id)} for row in rows]

    async def _own(self, request: web.Request) -> GrantRow:
        """Her own grant, by her session; a change asked for by a foreign page is refused there."""
        subject_id = _subject(request)
        row = await self._grants.row(grant_of(request))
        if row is None or row.subject_id != subject_id:
            raise wrong_secret()
        return row

    async def _enter(self, request: web.Request, code: str) -> web.StreamResponse:
        found = await self._sessions.sign_in(code)
        if found is None:
            return self._wrong_code(request)
        principal, token = found
        return self._signed_in("/me" if Role.SUBJECT in principal.roles else "/", token)

    def _wrong_code(self, request: web.Request) -> web.StreamResponse:
        return self._pages.page(request, "login", status=403, grant_id="", is_code_wrong=True)

    def _signed_in(self, location: str, token: str) -> web.StreamResponse:
        response = web.Response(status=303, headers={"Location": location, "Cache-Control": "no-store"})
        set_session(response, token, lifetime_s=SUBJECT_SESSION_S, is_secure=self._is_secure_cookie)
        return response

    def _page(self, handler: Handler) -> Handler:
        """Failures as a page in her language; without a session she is asked to sign in."""

        async def shown(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except ApiError as error:
                if error.status == 401 and request.method == "GET":
                    return web.Response(status=303, headers={"Location": "/login", "Cache-Control": "no-store"})
                return self._pages.failed(request, error)

        return shown


async def _device(request: web.Request) -> DeviceYes | None:
    """What her browser signed, or None where it has no scripts or keeps no keys."""
    form = await posted(request)
    told = {name: form.get(f"device_{field}", "") for name, field in (("public_key", "key"), ("signature", "signature"))}
    if not any(told.values()):
        return None
    try:
        return DeviceYes.model_validate(told)
    except ValidationError as error:
        raise bad_device_signature() from error


def _to_her_page() -> web.Response:
    return web.Response(status=303, headers={"Location": "/me", "Cache-Control": "no-store"})


async def _field(request: web.Request, name: str) -> str:
    value = (await posted(request)).get(name)
    if not isinstance(value, str) or not value:
        raise ApiError(422, "invalid", f"The form lacks {name}.", "Fill it in and send it again.")
    return value.strip()


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _changed_form()
    return moment


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise _changed_form()
    return int(text)


def _changed_form() -> ApiError:
    return ApiError(422, "invalid", "The form was changed on its way.", "Look at your page again.")


async def _rights(request: web.Request) -> frozenset[ContentRight]:
    """What she ticked; nothing ticked takes all of it back."""
    form = await posted(request)
    try:
        return frozenset(ContentRight(str(value)) for value in form.getall("right", []))
    except ValueError as error:
        raise ApiError(422, "invalid", "The form names something that cannot be set aside.", "Look at your page again.") from error


async def _hers_already(secret: str | None) -> None:
    """Her session was looked at before; a page sends no secret."""


def _asker(request: web.Request) -> Asker:
    """By her session alone; one that has ended, or a form of a foreign page, shows nobody."""
    try:
        return Asker(signed_in_as=subject_of(principal_of(request)))
    except ApiError:
        return NOBODY


def _refuse_staff(request: web.Request) -> None:
    """As the interface does; the visitor of a demonstration is staff and subject at once, and may answer for herself."""
    try:
        principal = principal_of(request)
    except ApiError as error:
        if error.status == 401:
            return  # A session that has ended is nobody's, and does not stand in her way.
        raise
    if principal is not None and Role.SUBJECT not in principal.roles:
        raise ApiError(403, "staff_cannot_confirm", "Only the subject can say yes.", "Sign out, and let her answer.")


def _subject(request: web.Request) -> SubjectId:
    principal = authenticated(request, Role.SUBJECT)
    if principal.subject_id is None:
        raise ApiError(403, "forbidden", "The session names no subject.", "Sign in with your grant's secret.")
    return principal.subject_id
