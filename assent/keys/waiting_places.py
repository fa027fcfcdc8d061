"""Addresses of images that wait for their subject's approval, sealed under the key of her grant; nobody else reads them."""

from __future__ import annotations

from assent.events.topics import Topic
from assent.ids import GrantId, SightingId
from assent.keys.cipher import UnsealError, aad
from assent.keys.grant_keys import GrantKeyring, KeyDestroyedError, KeyNotFoundError

GONE = (KeyDestroyedError, KeyNotFoundError, UnsealError)


class WaitingPlaces:
    """Seals in the crawler and opens in the registry. An address is bound to its grant and its place, so none can be put in another's."""

    def __init__(self, grant_keys: GrantKeyring) -> None:
        self._grant_keys = grant_keys

    async def sealed(self, url: str, *, grant_id: GrantId, sighting_id: SightingId) -> bytes | None:
        """The address for its subject alone, or None when her grant has ended meanwhile."""
        try:
            key = await self._grant_keys.get(grant_id)
        except GONE:
            return None
        # Whoever seals now and then does not hear of every end, and keeps no key.
        self._grant_keys.drop(grant_id)
        return key.seal(url.encode(), aad=_place(grant_id, sighting_id))

    async def opened(self, sealed: bytes, *, grant_id: GrantId, sighting_id: SightingId) -> str | None:
        """The address, or None when it is another's, was changed, or its key is gone."""
        try:
            return (await self._grant_keys.get(grant_id)).open(sealed, aad=_place(grant_id, sighting_id)).decode()
        except (*GONE, UnicodeDecodeError):
            return None


def _place(grant_id: GrantId, sighting_id: SightingId) -> bytes:
    return aad(Topic.IMAGES_REFUSED.value, grant_id, 0, f"place/{sighting_id}")
