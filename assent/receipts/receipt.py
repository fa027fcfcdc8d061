"""The receipt as a file to hand out: a leaf, its place in the log, the signed head; never anything that is not signed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import rfc8785
from pydantic import BaseModel, ConfigDict, Field

from assent.ids import GrantId
from assent.receipts.log import ReceiptLog

FORMAT: Literal["assent-receipt/1"] = "assent-receipt/1"


class Opening(BaseModel):
    """For the subject alone: shows that the commitment in the leaf is to her grant. Never in a public receipt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grant_id: GrantId
    salt: str = Field(pattern=r"^[0-9a-f]{64}$")


class Receipt(BaseModel):
    """One receipt. `kind` and `remains` repeat the leaf for the reader; the verifier compares them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["assent-receipt/1"] = FORMAT
    kind: str
    leaf: dict[str, Any]
    index: int = Field(ge=0)
    tree_size: int = Field(ge=1)
    inclusion_path: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...]
    checkpoint: str
    public_key_id: str
    remains: tuple[str, ...]
    opening: Opening | None = None

    def document(self) -> dict[str, Any]:
        """Plain JSON values, without the opening when there is none."""
        return self.model_dump(mode="json", exclude={"opening"} if self.opening is None else None)

    def to_json(self) -> bytes:
        """The file, in canonical JSON."""
        return rfc8785.dumps(self.document())


def issue_receipt(log: ReceiptLog, index: int, *, opening: Opening | None = None) -> Receipt:
    """The receipt for one entry, proven against the log of now. Raises IndexError."""
    leaf, proof = log.leaf(index), log.proof(index)
    return Receipt(
        kind=leaf["kind"],
        leaf=leaf,
        index=index,
        tree_size=proof.tree_size,
        inclusion_path=tuple(node.hex() for node in proof.path),
        checkpoint=proof.checkpoint,
        public_key_id=proof.public_key_id,
        remains=tuple(leaf.get("remains", ())),
        opening=opening,
    )
