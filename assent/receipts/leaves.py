"""What the receipt log records, one frozen model per kind; never a subject, grant, URL, vector or hash of one in clear."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, model_validator

from assent.ids import ErasureId, Jurisdiction, QueryId
from assent.keys.cipher import KeyFingerprint
from assent.receipts.commitment import Commitment


def _rfc3339(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[AwareDatetime, PlainSerializer(_rfc3339, return_type=str, when_used="json")]
Committed = Annotated[Commitment, Field(pattern=r"^[0-9a-f]{64}$")]
Sha256Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,80}$")]
Sentence = Annotated[str, Field(min_length=1, max_length=300)]
Remains = Annotated[tuple[Sentence, ...], Field(max_length=32)]


class Leaf(BaseModel):
    """One record; `document()` is what is hashed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def document(self) -> dict[str, Any]:
        """Plain JSON values; times in UTC with milliseconds."""
        return self.model_dump(mode="json")


class StoreCount(Leaf):
    """One store of an erasure: what it held of the grant before and holds after, and by which method it went."""

    store: Token
    count_before: int = Field(ge=0, lt=2**53)
    count_after: int = Field(ge=0, lt=2**53)
    method: Token


class GrantEvent(Leaf):
    """A grant changed state. `prev_sha256` is the digest of the canonical leaf of its revision before."""

    kind: Literal["grant_event"] = "grant_event"
    grant: Committed
    revision: int = Field(ge=1, lt=2**53)
    state: Token
    prev_sha256: Sha256Hex | None = None
    notice_sha256: Sha256Hex | None = None
    evidence_sha256: Sha256Hex | None = None
    happened_at: Time


class Disclosure(Leaf):
    """A search was answered or refused."""

    kind: Literal["disclosure"] = "disclosure"
    query_id: QueryId
    caller: Committed
    caller_jurisdictions: tuple[Jurisdiction, ...]
    purpose: Token
    basis: Token
    outcome: Token
    points: Committed
    count: int = Field(ge=0, lt=2**53)
    scores_bucket: Token | None = None
    policy_sha256: Sha256Hex
    answered_at: Time


class Deletion(Leaf):
    """What both levels of an erasure say. A store that still holds something is not erased, so it cannot be signed."""

    erasure_id: ErasureId
    cause: Token
    grant: Committed
    stores: tuple[StoreCount, ...] = Field(min_length=1, max_length=64)
    remains: Remains = ()
    requested_at: Time
    reached_at: Time

    @model_validator(mode="after")
    def _everything_went(self) -> Self:
        held = [store.store for store in self.stores if store.count_after]
        if held:
            raise ValueError(f"these stores still hold something: {', '.join(held)}; sign after the erasure is complete")
        if len({store.store for store in self.stores}) != len(self.stores):
            raise ValueError("a store is named twice; give one count per store")
        if self.reached_at < self.requested_at:
            raise ValueError("the erasure was reached before it was requested; check the clocks")
        return self


class DeletionLogical(Deletion):
    """No read path returns anything of the grant. `queries_sha256` digests the read-backs that were made."""

    kind: Literal["deletion_logical"] = "deletion_logical"
    points: Committed
    queries_sha256: Sha256Hex


class DeletionPhysical(Deletion):
    """The bytes are gone, or the key that sealed them is (`key_fingerprint`). `bounds` tells how far logs were covered."""

    kind: Literal["deletion_physical"] = "deletion_physical"
    key_fingerprint: KeyFingerprint | None
    bounds: dict[Token, int] = Field(default_factory=dict, max_length=256)
    derived_artefacts: tuple[Token, ...] = ()


class Control(Leaf):
    """An act of the operator: policy loaded or rejected, kill switch, filing, key rotation, order received, control of a source shown
    or revoked. `document_sha256` is then a commitment: which controller and which place is told by whoever holds its salt.
    """

    kind: Literal["control"] = "control"
    action: Literal[
        "policy_loaded",
        "policy_rejected",
        "kill_switch",
        "filing",
        "key_rotation",
        "order_received",
        "suppressed",
        "control_shown",
        "control_revoked",
    ]
    reference: Token
    document_sha256: Sha256Hex | None = None
    happened_at: Time
