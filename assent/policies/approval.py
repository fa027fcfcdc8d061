"""Who signed a wider policy, and whether that counts: two people, for these very contents, lately, once; a doubt never counts as a yes."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

PEOPLE = 2
"""How many must sign what allows more."""
AHEAD = timedelta(minutes=10)
"""How far the clocks of two people may lie apart."""
MOST_SIGNATURES = 16
_NEARLY_A_MINUTE = timedelta(minutes=1) - timedelta(microseconds=1)
"""A time that is told without its seconds, and not to be early, is told as the next whole minute."""
_PREFIX = b"assent policy approval v1\n"

Sha256Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
KeyHex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
SignatureHex = Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class ApprovalError(ValueError):
    """Raised when a wider policy is not approved. The message says what is missing and what to do."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Signature(_Part):
    """One person's: her public key, when she signed by her clock, and the signature over both and what was proposed."""

    public_key: KeyHex
    signed_at: AwareDatetime
    signature: SignatureHex

    def is_over(self, statement: bytes) -> bool:
        """Whether the holder of the key signed exactly this."""
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key))
            key.verify(bytes.fromhex(self.signature), statement)
        except (InvalidSignature, ValueError):
            return False
        return True


class Approvals(_Part):
    """The file that travels with a policy file. `base_sha256` is the policy that it was compared with when it was signed."""

    schema_name: Literal["assent.policy-approval/1"] = Field(default="assent.policy-approval/1", alias="schema")
    version: str = Field(min_length=1, max_length=60)
    policy_sha256: Sha256Hex
    base_sha256: Sha256Hex
    deployment: str = Field(min_length=1, max_length=100)
    signatures: tuple[Signature, ...] = Field(default=(), max_length=MOST_SIGNATURES)

    @property
    def proposed(self) -> Proposed:
        """What its signatures are over."""
        return Proposed(self.version, self.policy_sha256, self.base_sha256, self.deployment)


@dataclass(frozen=True, slots=True)
class Proposed:
    """One change of one deployment: from the policy `base_sha256` to `policy_sha256`."""

    version: str
    policy_sha256: str
    base_sha256: str
    deployment: str

    def statement(self, public_key: str, signed_at: datetime) -> bytes:
        """What one person signs."""
        said = {
            "base_sha256": self.base_sha256,
            "deployment": self.deployment,
            "policy_sha256": self.policy_sha256,
            "public_key": public_key,
            "signed_at": signed_at.isoformat(),
            "version": self.version,
        }
        return _PREFIX + rfc8785.dumps(said)

    def signed(self, key: Ed25519PrivateKey, *, at: datetime) -> Signature:
        """The signature of the holder of `key`."""
        public_key = key.public_key().public_bytes_raw().hex()
        return Signature(public_key=public_key, signed_at=at, signature=key.sign(self.statement(public_key, at)).hex())


@dataclass(frozen=True, slots=True)
class Approval:
    """A signature that counts, and whose it is."""

    signer: str
    signature: Signature


def approved(
    proposed: Proposed,
    approvals: Approvals | None,
    *,
    signers: Mapping[str, str],
    used: Set[str],
    since: datetime | None,
    now: datetime,
    max_age: timedelta,
) -> tuple[Approval, ...]:
    """The approvals of two or more people, with every signature of theirs that counts: all of them are used up. Raises ApprovalError.

    `signers` maps each person who may sign to her public key in hex; `used` holds the signatures that opened something before. `since` is
    when this very policy was published last, None where it never was: what was signed for that, by a clock ahead, counts no more.
    """
    if approvals is None:
        raise ApprovalError(f"it takes the signatures of {PEOPLE} people, and there is none; see assent policy sign")
    _check_subject(proposed, approvals)
    names = {key: name for name, key in signers.items()}
    found: dict[str, Approval] = {}
    doubts: list[str] = []
    for signature in approvals.signatures:
        name = names.get(signature.public_key)
        if name is None:
            who = f"the key {signature.public_key[:12]}"
            doubts.append(f"{who} belongs to none of the signers, or to one for whom two others have not vouched")
        elif (doubt := _doubt(proposed, signature, name, used=used, since=since, now=now, max_age=max_age)) is not None:
            doubts.append(doubt)
        else:
            found[signature.signature] = Approval(name, signature)
    people = {approval.signer for approval in found.values()}
    if len(people) < PEOPLE:
        raise ApprovalError(
            f"it takes the signatures of {PEOPLE} people, and those of {', '.join(sorted(people)) or 'nobody'} count"
            + "".join(f"; {doubt}" for doubt in doubts)
            + "; see assent policy sign"
        )
    return tuple(sorted(found.values(), key=lambda approval: approval.signer))


def _check_subject(proposed: Proposed, approvals: Approvals) -> None:
    """Each of these would be an approval of something else."""
    if approvals.proposed.policy_sha256 != proposed.policy_sha256 or approvals.version != proposed.version:
        raise ApprovalError(
            f"the approvals are for policy {approvals.version} with digest {approvals.policy_sha256[:12]}, and this one is "
            f"{proposed.version} with {proposed.policy_sha256[:12]}: the file was changed after it was signed; sign it again"
        )
    if approvals.base_sha256 != proposed.base_sha256:
        raise ApprovalError(
            f"the approvals were signed when {approvals.base_sha256[:12]} was the newest policy, and now it is "
            f"{proposed.base_sha256[:12]}; look at the difference again and sign it again"
        )
    if approvals.deployment != proposed.deployment:
        raise ApprovalError(
            f"the approvals are for the deployment {approvals.deployment}, and this is {proposed.deployment}; sign it for this"
        )


def _doubt(
    proposed: Proposed, signature: Signature, who: str, *, used: Set[str], since: datetime | None, now: datetime, max_age: timedelta
) -> str | None:
    """Why this signature of a signer does not count, or None."""
    if not signature.is_over(proposed.statement(signature.public_key, signature.signed_at)):
        return f"the signature of {who} does not hold"
    if signature.signature in used:
        return f"that of {who} was used before, and counts once"
    if since is not None and signature.signed_at < since + AHEAD:
        return (
            f"that of {who} is of {_minute(signature.signed_at)}, and this very policy was published at {_minute(since)}; "
            f"sign it again, not before {_minute(since + AHEAD + _NEARLY_A_MINUTE)}"
        )
    if signature.signed_at > now + AHEAD:
        return f"that of {who} is of {_minute(signature.signed_at)}, which is yet to come; set the clocks"
    if signature.signed_at < now - max_age:
        return f"that of {who} is of {signature.signed_at:%Y-%m-%d}, more than {max_age.days} days ago"
    return None


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M %Z}"
