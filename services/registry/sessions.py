"""Tokens for callers and sessions for subjects; a subject's comes from her own secret, and the first operator's from the first start."""

from __future__ import annotations

from datetime import datetime, timedelta

from assent.events.grants import Purpose
from assent.identity.principal import Principal, Role
from assent.identity.tokens import TokenSigner
from assent.ids import GrantId
from assent.stream.clock import Clock
from services.registry.access import GrantAccess
from services.registry.desk_table import record_minted, was_any_minted
from services.registry.grant_table import GrantRow, subject_row
from services.registry.secret_hashes import SecretHashes
from services.registry.secret_table import SecretKind, insert_login_code, principal_of_code, take_login_code
from services.registry.store import RegistryStore

SUBJECT_SESSION_S = 3_600
LOGIN_CODE_S = 600
FIRST_TOKEN_S = 30 * 86_400
_CODE = "login_code"


class Sessions:
    """Mints tokens and remembers for whom, never the token."""

    def __init__(self, *, store: RegistryStore, access: GrantAccess, hashes: SecretHashes, signer: TokenSigner, clock: Clock) -> None:
        self._store = store
        self._access = access
        self._hashes = hashes
        self._signer = signer
        self._clock = clock

    async def mint(self, principal: Principal, *, lifetime_s: int) -> str:
        """A token, written down as minted. Raises UnmintableTokenError."""
        token = self._signer.mint(principal, lifetime_s=lifetime_s)
        now = self._clock.now()
        ends = now + timedelta(seconds=lifetime_s)
        await self._store.write(lambda database: record_minted(database, principal, ends_at=ends, now=now))
        return token

    async def is_first_start(self) -> bool:
        """Nobody of staff was ever given a token by what this file knows."""
        return not await self._store.read(was_any_minted)

    async def first_operator_token(self) -> str | None:
        """The operator's token of the very first start, or None when any was minted before."""
        if not await self.is_first_start():
            return None
        operator = Principal(name="first-operator", roles=frozenset({Role.OPERATOR}), org="this deployment")
        return await self.mint(operator, lifetime_s=FIRST_TOKEN_S)

    async def subject_session(self, grant_id: GrantId, secret: str) -> tuple[str, datetime]:
        """A token for one hour, for whoever holds the grant's secret; an ended grant still opens her own page."""
        row, _ = await self._access.with_secret(grant_id, secret, SecretKind.GRANT)
        return await self.session_of(row)

    async def session_of(self, row: GrantRow) -> tuple[str, datetime]:
        """The session of the subject of this grant."""
        subject = await self._store.read(lambda database: subject_row(database, row.subject_id))
        principal = Principal(
            name=row.subject_id,
            roles=frozenset({Role.SUBJECT}),
            org="subject",
            jurisdictions=subject.residences if subject is not None else (),
            purposes=(Purpose.SELF_SEARCH, Purpose.VERIFY),
            subject_id=row.subject_id,
        )
        token = self._signer.mint(principal, lifetime_s=SUBJECT_SESSION_S)
        return token, self._clock.now() + timedelta(seconds=SUBJECT_SESSION_S)

    async def login_code(self, principal: Principal) -> tuple[str, datetime]:
        """A code that signs this caller in once within ten minutes."""
        code = self._hashes.new_secret()
        digest = self._hashes.hash(code, kind=_CODE, owner="")
        now = self._clock.now()
        ends = now + timedelta(seconds=LOGIN_CODE_S)
        await self._store.write(lambda database: insert_login_code(database, digest, principal, now=now, expires_at=ends))
        return code, ends

    async def whom(self, code: str) -> Principal | None:
        """Whom a code would sign in; it may still be used after that."""
        digest = self._hashes.hash(code, kind=_CODE, owner="")
        now = self._clock.now()
        return await self._store.read(lambda database: principal_of_code(database, digest, now=now))

    async def sign_in(self, code: str) -> tuple[Principal, str] | None:
        """Whom a code signs in, with a token for one hour; None for a code that is wrong, used or too old."""
        digest = self._hashes.hash(code, kind=_CODE, owner="")
        now = self._clock.now()
        principal = await self._store.write(lambda database: take_login_code(database, digest, now=now))
        return None if principal is None else (principal, self._signer.mint(principal, lifetime_s=SUBJECT_SESSION_S))
