"""What a caller is told when a request fails: what, where, what to do; never a traceback, never what is stored about anybody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from uuid_utils.compat import uuid7

from assent.identity.missing_page import asks_for_a_page, missing_page
from assent.stream.event_log import LogUnavailableError
from assent.stream.outcomes import RetryLaterError
from assent.stream.table import TableBrokenError, TableStaleError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_LOG = structlog.get_logger()


class ApiError(Exception):
    """Raised by a handler to answer with `status` and a JSON body of code, message, remedy and request_id."""

    def __init__(self, status: int, code: str, message: str, remedy: str = "", *, details: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.remedy = remedy
        self.details = details or {}


def error_response(error: ApiError, request_id: str) -> web.Response:
    """The JSON answer; 451 names the rule that closed the way (RFC 7725)."""
    body = {
        "code": error.code,
        "message": error.message,
        "remedy": error.remedy,
        "request_id": request_id,
        **error.details,
    }
    headers = {"Cache-Control": "no-store"}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="assent"'
    return web.json_response(body, status=error.status, headers=headers)


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn ApiError and aiohttp's own errors into the one JSON form, anything else into 500 without a word of its cause.

    A browser that opens an address where nothing is gets a page instead.
    """
    request_id = str(uuid7())
    try:
        return await handler(request)
    except ApiError as error:
        return error_response(error, request_id)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        if error.status == 404 and asks_for_a_page(request):
            return missing_page(request)
        return error_response(ApiError(error.status, error.reason.lower().replace(" ", "_"), error.reason), request_id)
    except (RetryLaterError, LogUnavailableError, TableStaleError, TableBrokenError) as error:
        _LOG.warning("request_waits", request_id=request_id, error=type(error).__name__)
        return error_response(
            ApiError(503, "not_ready", "A part that this needs does not answer now.", "Try again in a moment."), request_id
        )
    except Exception as error:  # noqa: BLE001  the last line of defence: the caller gets a number, the log the type
        _LOG.error("request_failed", request_id=request_id, error=type(error).__name__, exc_info=False)
        return error_response(
            ApiError(500, "internal_error", "The request failed here.", "Try again; give the request_id to the operator."),
            request_id,
        )
