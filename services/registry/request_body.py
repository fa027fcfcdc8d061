"""Bodies of requests as models; a fault is answered with the field and, where a rule of law stands behind it, the rule."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from assent.identity.errors import ApiError
from services.registry.intake import chunks_of, read_capped

M = TypeVar("M", bound=BaseModel)
MAX_JSON_BYTES = 4 * 1024 * 1024

_RULES: tuple[tuple[str, str, str], ...] = (
    ("legal", "form", "CA-2"),
    ("legal", "basis", "CA-3"),
    ("purposes", "code", "CA-4"),
    ("sources", "kind", "AIA-2"),
    ("sources", "include_subdomains", "AIA-2"),
    ("validity", "expires_at", "QC-7"),
    ("withdrawal", "requires_photo", "EU-2"),
    ("retention", "on_withdrawal", "EU-5"),
    ("geographic_scope", "", "X-1"),
    ("legal", "jurisdiction", "X-1"),
    ("validity", "", "QC-7"),
)
"""A field, one inside it, and the rule that its fault breaks; the first that fits."""


async def parsed(request: web.Request, model: type[M]) -> M:
    """The body as this model. Raises ApiError 413 or 422."""
    body = await read_capped(chunks_of(request), max_bytes=MAX_JSON_BYTES, length=request.content_length)
    return parsed_bytes(body, model)


def parsed_bytes(body: bytes, model: type[M]) -> M:
    """The same for bytes. The message names fields, never their values."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        faults = [(tuple(str(part) for part in item["loc"]), item["msg"]) for item in error.errors(include_url=False)]
        where = "; ".join(f"{'.'.join(loc) or 'body'}: {message}" for loc, message in faults[:5])
        raise ApiError(422, _rule(faults[0][0]), where, "Correct the named fields.") from None


def _rule(loc: tuple[str, ...]) -> str:
    for outer, inner, rule in _RULES:
        if outer in loc and (not inner or inner in loc):
            return rule
    return "invalid"
