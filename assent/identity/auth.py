"""The caller of a request, from the Authorization header or the session cookie; none is served without one unless a handler says so."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from assent.identity.errors import ApiError
from assent.identity.principal import Principal, Role
from assent.identity.tokens import InvalidTokenError, TokenVerifier

SESSION_COOKIE = "assent_session"
VERIFIER: web.AppKey[TokenVerifier] = web.AppKey("verifier", TokenVerifier)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def authenticated(request: web.Request, *roles: Role) -> Principal:
    """The caller, who must hold one of `roles` (any role when none is named).

    Raises ApiError 401 without a valid token, 403 with the wrong role or from a foreign page.
    """
    principal = principal_of(request)
    if principal is None:
        raise ApiError(401, "unauthenticated", "This needs a token.", "Send it as Authorization: Bearer, or sign in.")
    if roles and not principal.roles & frozenset(roles):
        held = ", ".join(sorted(principal.roles))
        needed = " or ".join(sorted(roles))
        raise ApiError(403, "forbidden", f"The role {held} may not do this.", f"Use a token with the role {needed}.")
    return principal


def principal_of(request: web.Request) -> Principal | None:
    """The caller, or None without a token. Raises ApiError for a token that does not hold."""
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise ApiError(401, "unauthenticated", "Only bearer tokens are known.", "Send Authorization: Bearer TOKEN.")
        return _verified(request, token.strip())
    cookie = request.cookies.get(SESSION_COOKIE)
    if not cookie:
        return None
    if request.method not in _SAFE_METHODS:
        _require_same_origin(request)
    return _verified(request, cookie)


def set_session(response: web.StreamResponse, token: str, *, lifetime_s: int, is_secure: bool) -> None:
    """Put the token into a cookie that scripts cannot read and other sites cannot send."""
    response.set_cookie(SESSION_COOKIE, token, max_age=lifetime_s, httponly=True, samesite="Strict", secure=is_secure, path="/")


def _verified(request: web.Request, token: str) -> Principal:
    try:
        return request.config_dict[VERIFIER].verify(token)
    except InvalidTokenError as error:
        raise ApiError(401, "unauthenticated", str(error), "Sign in again or ask for a new token.") from error


def refuse_foreign_page(request: web.Request) -> None:
    """For a form that needs no session yet: a browser says which page sends it, and only programs say nothing. Raises ApiError 403."""
    if request.headers.get("Origin") is not None:
        _require_same_origin(request)


def _require_same_origin(request: web.Request) -> None:
    """A cookie-borne change must come from a page of ours: the browser's own Origin says so."""
    if _host_of(request.headers.get("Origin", "")) != request.host:
        raise ApiError(403, "foreign_origin", "This change did not come from a page of this site.", "Use the page itself.")


def _host_of(origin: str) -> str | None:
    """Nothing that cannot be read is a page of ours."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None
