"""Whether a request comes from the subject of a grant: by its secret, or by her own session; staff are somebody else."""

from __future__ import annotations

from aiohttp import web

from assent.identity.auth import authenticated
from assent.identity.principal import Role
from assent.ids import GrantId
from services.registry.access import GrantAccess
from services.registry.grants import Grants
from services.registry.refused import wrong_secret
from services.registry.secret_table import SecretKind


async def only_she(request: web.Request, grant_id: GrantId, secret: str | None, *, access: GrantAccess, grants: Grants) -> None:
    """Raises ApiError 401 or 403 for anybody else. A wrong secret is an error, not another way in."""
    if secret is not None:
        await access.with_secret(grant_id, secret, SecretKind.GRANT)
        return
    principal = authenticated(request, Role.SUBJECT)
    row = await grants.row(grant_id)
    if row is None or row.subject_id != principal.subject_id:
        raise wrong_secret()
