"""HTTP for erasures and receipts: public by id, because nothing in them says anything about a person."""

from __future__ import annotations

from aiohttp import web

from assent.ids import ErasureId
from assent.receipts.checkpoint import public_key_id
from assent.receipts.verify import read_public_key
from services.registry.api_models import ErasureOut, ReceiptKeyOut, StoreProgress
from services.registry.data_map import STORES
from services.registry.erasure_table import ErasureRow, ProgressRow, ReceiptRow, receipt_row
from services.registry.erasures import LEVELS, ErasureDesk
from services.registry.receipt_desk import ReceiptDesk
from services.registry.refused import not_found
from services.registry.route import Route, answer
from services.registry.store import RegistryStore


class ProofHandlers:
    """What anybody may check."""

    def __init__(self, *, erasures: ErasureDesk, receipts: ReceiptDesk, store: RegistryStore) -> None:
        self._erasures = erasures
        self._receipts = receipts
        self._store = store

    def routes(self) -> list[Route]:
        """The routes of this area."""
        return [
            Route("GET", "/v1/erasures/{erasure_id}", self.erasure, "Where an erasure stands.", (), None, ErasureOut),
            Route("GET", "/v1/receipts/{receipt_id}", self.receipt, "A signed receipt, to be checked offline."),
            Route("GET", "/v1/keys/receipts", self.key, "The key that receipts are checked with.", (), None, ReceiptKeyOut),
        ]

    async def erasure(self, request: web.Request) -> web.Response:
        status = await self._erasures.status(ErasureId(request.match_info["erasure_id"]))
        if status is None:
            raise not_found("erasure")
        return answer(erasure_view(*status))

    async def receipt(self, request: web.Request) -> web.Response:
        row = await self._store.read(lambda database: receipt_row(database, request.match_info["receipt_id"]))
        if row is None:
            raise not_found("receipt")
        return web.Response(body=row.document, content_type="application/json")

    async def key(self, request: web.Request) -> web.Response:
        pem = self._receipts.public_key_pem()
        return answer(
            ReceiptKeyOut(
                public_key_id=public_key_id(read_public_key(pem)),
                public_key_pem=pem.decode(),
                checkpoint=await self._receipts.checkpoint(),
            )
        )


def erasure_view(erasure: ErasureRow, progress: list[ProgressRow], receipts: list[ReceiptRow]) -> ErasureOut:
    """Received, effective, logically erased, physically erased, with what each step still waits for."""
    reached = {level: {row.store for row in progress if row.level is level} for level in LEVELS}
    kinds = {receipt.kind for receipt in receipts}
    status = "received" if erasure.offsets is None else "effective"
    if "deletion_logical" in kinds:
        status = "logically_erased"
    if "deletion_physical" in kinds:
        status = "physically_erased"
    return ErasureOut(
        erasure_id=erasure.erasure_id,
        cause=erasure.cause.value,
        status=status,
        requested_at=erasure.requested_at,
        progress=tuple(
            StoreProgress(
                store=row.store,
                level=row.level.value,
                count_before=row.count_before,
                count_after=row.count_after,
                method=row.method,
                remains=row.remains,
                reached_at=row.reached_at,
            )
            for row in progress
        ),
        waiting_for={level.value: tuple(sorted(STORES - reached[level])) for level in LEVELS},
        receipts=tuple(receipt.receipt_id for receipt in receipts),
    )
