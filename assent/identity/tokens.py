"""Signed bearer tokens: the registry signs, everyone else verifies with the public key; no shared secret, no token without an end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError
from uuid_utils.compat import uuid7

from assent.consent.decision import SELF
from assent.identity.principal import Principal, Role
from assent.stream.clock import Clock

ALGORITHM = "EdDSA"
AUDIENCE = "assent"
MAX_LIFETIME_S = 90 * 86_400


class InvalidTokenError(Exception):
    """Raised when a token is not ours, is changed, has ended, or states no caller."""


class UnmintableTokenError(ValueError):
    """Raised when a token is asked for that would say too little. The message says what is missing."""


class TokenSigner:
    """Mints tokens. Holds the private key, so it lives in the registry only."""

    def __init__(self, private_key: Ed25519PrivateKey, *, clock: Clock) -> None:
        self._key = private_key
        self._clock = clock

    def mint(self, principal: Principal, *, lifetime_s: int) -> str:
        """A token for the principal that ends after `lifetime_s` (at most 90 days).

        Raises UnmintableTokenError when a searcher names no organisation, place or purpose.
        """
        if not 0 < lifetime_s <= MAX_LIFETIME_S:
            raise UnmintableTokenError(f"a token lives 1 to {MAX_LIFETIME_S} seconds, {lifetime_s} was asked for")
        if principal.org.strip().lower() == SELF:
            raise UnmintableTokenError(f"{SELF} stands for the subject of each grant and is no organisation")
        if not principal.org.strip():
            raise UnmintableTokenError("a token names the organisation it is for")
        if Role.SEARCHER in principal.roles and not (principal.jurisdictions and principal.purposes):
            raise UnmintableTokenError("a searcher's token names its jurisdictions and its purposes")
        if Role.SUBJECT in principal.roles and principal.subject_id is None:
            raise UnmintableTokenError("a subject's token names its subject")
        now = self._clock.now()
        claims: dict[str, Any] = {
            "aud": AUDIENCE,
            "jti": str(uuid7()),
            "iat": now,
            "exp": now + timedelta(seconds=lifetime_s),
            "principal": principal.model_dump(mode="json"),
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM)


class TokenVerifier:
    """Checks tokens with the public key."""

    def __init__(self, public_key: Ed25519PublicKey, *, clock: Clock) -> None:
        self._key = public_key
        self._clock = clock

    def verify(self, token: str) -> Principal:
        """The caller a token names. Raises InvalidTokenError."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["exp", "iat", "aud"], "verify_exp": False, "verify_iat": False},
            )
            ends = float(claims["exp"])
            principal = Principal.model_validate(claims["principal"])
        except (jwt.PyJWTError, ValidationError, KeyError, TypeError, ValueError) as error:
            raise InvalidTokenError("the token is not one of this deployment") from error
        if self._clock.now().timestamp() >= ends:
            raise InvalidTokenError("the token has ended; ask for a new one")
        return principal
