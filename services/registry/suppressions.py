"""Somebody's word that a picture must not come back, with or without a grant; the picture is named and not kept."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass

from assent.consent.asset import safe_url
from assent.events.grants import SuppressionAdded
from assent.faces.image import ImageLimits, decode
from assent.faces.image_refusal import ImageRefusedError
from assent.faces.perceptual_hash import perceptual_hash
from assent.identity.errors import ApiError
from assent.keys.identifiers import ImageIds
from assent.receipts.leaves import Control
from assent.stream.clock import Clock
from services.registry.publisher import Offsets, Publisher, registry_event
from services.registry.receipt_desk import ReceiptDesk


@dataclass(frozen=True, slots=True)
class Suppressed:
    """It is on the log at these offsets. `finds_copies`: smaller and recompressed copies are refused too."""

    suppression_key: str
    finds_copies: bool
    offsets: Offsets


class Suppressions:
    """Adds to the list; nothing is taken off it. Neither a template nor anybody's name is needed (X-8)."""

    def __init__(self, *, identifiers: ImageIds, publisher: Publisher, receipts: ReceiptDesk, clock: Clock, limits: ImageLimits) -> None:
        self._identifiers = identifiers
        self._publisher = publisher
        self._receipts = receipts
        self._clock = clock
        self._limits = limits

    async def add_image(self, data: bytes) -> Suppressed:
        """These bytes, and what looks like them where they can be decoded. Raises ApiError 422 for no bytes at all."""
        if not data:
            raise ApiError(422, "no_picture", "No picture came with the request.", "Send the picture's bytes as the body.")
        return await self._add(
            SuppressionAdded(
                suppression_key=self._identifiers.suppression_key(hashlib.sha256(data).hexdigest()),
                added_at=self._clock.now(),
                image_id=self._identifiers.image_id(data),
                perceptual_hash=await self._hash(data),
            )
        )

    async def add_url(self, url: str) -> Suppressed:
        """Whatever lies at this address. Raises ApiError 422 for an address that no crawler would take."""
        final_url = safe_url(url)
        if final_url is None:
            raise ApiError(422, "bad_url", "This is no http or https address of one place.", "Send the whole address of the picture.")
        return await self._add(
            SuppressionAdded(suppression_key=self._identifiers.url_suppression_key(final_url), added_at=self._clock.now())
        )

    async def _add(self, added: SuppressionAdded) -> Suppressed:
        key = added.suppression_key
        offsets = await self._publisher.publish([registry_event(added, key, time=added.added_at)])
        # A word of the operator's that a regulator may ask for; the key names the picture to nobody outside.
        leaf = Control(action="suppressed", reference=key[:16], happened_at=added.added_at)
        await self._receipts.control(leaf, once=f"suppressed/{key}")
        return Suppressed(key, added.perceptual_hash is not None, offsets)

    async def _hash(self, data: bytes) -> str | None:
        try:
            image = await asyncio.to_thread(decode, data, limits=self._limits)
        except ImageRefusedError:
            return None
        return self._identifiers.masked_hash(await asyncio.to_thread(perceptual_hash, image.rgb))
