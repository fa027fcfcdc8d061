"""HTTP for pictures that must not come back: staff enters what somebody asked for; no name and no reason is taken."""

from __future__ import annotations

from aiohttp import web

from assent.identity.auth import authenticated
from assent.identity.principal import Role
from services.registry.api_models import SuppressedOut, UrlIn
from services.registry.request_body import parsed
from services.registry.route import Route, answer
from services.registry.suppressions import Suppressed, Suppressions
from services.registry.upload_handlers import read_photo

STAFF = (Role.OPERATOR, Role.PRIVACY_OFFICER)


class SuppressionHandlers:
    """Two routes, for a picture and for an address."""

    def __init__(self, suppressions: Suppressions, *, max_bytes: int) -> None:
        self._suppressions = suppressions
        self._max_bytes = max_bytes

    def routes(self) -> list[Route]:
        """The routes of this area."""
        image, url = "/v1/suppressions/images", "/v1/suppressions/urls"
        return [
            Route(
                "POST",
                image,
                self.image,
                "This picture never again.",
                STAFF,
                None,
                SuppressedOut,
                takes_bytes=("image/*", "multipart/form-data"),
                status=201,
            ),
            Route("POST", url, self.url, "Nothing from this address again.", STAFF, UrlIn, SuppressedOut, status=201),
        ]

    async def image(self, request: web.Request) -> web.Response:
        authenticated(request, *STAFF)
        sent = await read_photo(request, max_bytes=self._max_bytes, allow=_nothing_more)
        return _told(await self._suppressions.add_image(sent.image))

    async def url(self, request: web.Request) -> web.Response:
        authenticated(request, *STAFF)
        return _told(await self._suppressions.add_url((await parsed(request, UrlIn)).url))


async def _nothing_more(secret: str | None) -> None:
    """Whoever may ask was known before; a secret of a grant changes nothing here."""


def _told(added: Suppressed) -> web.Response:
    told = SuppressedOut(suppression_key=added.suppression_key, finds_copies=added.finds_copies, offsets=added.offsets)
    return answer(told, status=201)
