"""Who may sign a wider policy: the first as they were named, later ones when two signers vouched for them; a file alone makes none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field

from assent.policies.approval import MOST_SIGNATURES, PEOPLE, KeyHex, Signature

_PREFIX = b"assent policy signer v1\n"


class Vouches(BaseModel):
    """The file beside the public key of a newcomer. `deployment` is the only one in which it counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_name: Literal["assent.policy-signer/1"] = Field(default="assent.policy-signer/1", alias="schema")
    public_key: KeyHex
    deployment: str = Field(min_length=1, max_length=100)
    signatures: tuple[Signature, ...] = Field(default=(), max_length=MOST_SIGNATURES)

    def vouched(self, key: Ed25519PrivateKey, *, at: datetime) -> Vouches:
        """The same with the word of the holder of `key`."""
        own = key.public_key().public_bytes_raw().hex()
        signature = Signature(public_key=own, signed_at=at, signature=key.sign(self._statement(own, at)).hex())
        return self.model_copy(update={"signatures": (*self.signatures, signature)})

    def holders(self) -> frozenset[str]:
        """The keys whose signature holds."""
        signed = ((item, self._statement(item.public_key, item.signed_at)) for item in self.signatures)
        return frozenset(item.public_key for item, statement in signed if item.is_over(statement))

    def _statement(self, voucher: str, at: datetime) -> bytes:
        said = {"deployment": self.deployment, "newcomer": self.public_key, "signed_at": at.isoformat(), "voucher": voucher}
        return _PREFIX + rfc8785.dumps(said)


@dataclass(frozen=True, slots=True)
class Signers:
    """`named` have their public key (hex) in the folder; `vouches` lie beside some of them, by public key."""

    named: Mapping[str, str]
    vouches: Mapping[str, Vouches]

    def that_count(self, known: frozenset[str], *, deployment: str) -> dict[str, str]:
        """Those of the named who may sign, by name. `known` are all keys that ever counted here, whether or not they are named now.

        Until two are known everybody named counts: somebody must be first. From then on a newcomer needs the word of two known ones
        who are named still, so that neither a file nor one of them alone brings in another.
        """
        if len(known) < PEOPLE:
            return dict(self.named)
        present = known & frozenset(self.named.values())
        return {name: key for name, key in self.named.items() if key in known or self._is_vouched_for(key, present, deployment)}

    def _is_vouched_for(self, key: str, present: frozenset[str], deployment: str) -> bool:
        vouches = self.vouches.get(key)
        if vouches is None or (vouches.public_key, vouches.deployment) != (key, deployment):
            return False
        return len(vouches.holders() & present) >= PEOPLE
