"""The addresses that something came in from, over restarts: sealed under the key of each grant, and opened for live grants alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from assent.deciding.gate import Gate
from assent.events.addresses import AddressKept
from assent.events.envelope import Event, UnreadableEventError, decode, encode, event_id
from assent.events.record import Record, StoredRecord
from assent.events.topics import Topic
from assent.ids import GrantId, Jurisdiction
from assent.intake.producers import CRAWLER
from assent.keys.cipher import DataKey, UnsealError, aad
from assent.keys.grant_keys import GrantKeyring, KeyDestroyedError, KeyNotFoundError
from assent.keys.identifiers import ImageIds
from assent.stream.event_log import EventLog

MOST_BYTES = 8_000
"""Of an address with its page and its places; what seals them adds a few more."""
_GONE = (KeyDestroyedError, KeyNotFoundError, UnsealError)


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """An address, and the page that showed the picture there; None where her grant names the picture itself.

    `places` are those that pages told whenever the picture came in; None in records of releases that did not keep them.
    """

    url: str
    page: str | None
    places: tuple[Jurisdiction, ...] | None = None


class AddressTable:
    """Fold of `addresses`; one that the crawler did not sign is not taken. `unreadable` counts them, and those that cannot be read."""

    def __init__(self, *, is_crawlers: Callable[[StoredRecord], bool]) -> None:
        self._is_crawlers = is_crawlers
        self.kept: dict[str, AddressKept] = {}
        self.unreadable = 0

    def apply(self, record: StoredRecord) -> None:
        """Take one record; the last of a place counts."""
        try:
            data = decode(record).data if self._is_crawlers(record) else None
        except UnreadableEventError:
            data = None
        if isinstance(data, AddressKept):
            self.kept[data.place] = data
        else:
            self.unreadable += 1


class KnownAddresses:
    """Writes down each address once, and again when another page shows it. Keys of grants do not stay in memory."""

    def __init__(
        self,
        *,
        table: AddressTable,
        gate: Gate,
        log: EventLog,
        grant_keys: GrantKeyring,
        identifiers: ImageIds,
        signed: Callable[[Record, str], Record],
    ) -> None:
        self._table = table
        self._gate = gate
        self._log = log
        self._grant_keys = grant_keys
        self._identifiers = identifiers
        self._signed = signed
        self._opened: dict[str, KnownAddress | None] = {}

    async def keep(self, url: str, page: str | None, places: Iterable[Jurisdiction], grants: Iterable[GrantId]) -> None:
        """Before something from there is sent on under these grants, with the places that pages told. Raises LogUnavailableError and the
        trouble of the key store.
        """
        told, address = frozenset(places), self._identifiers.address(url)
        for grant_id in grants:
            place = self._identifiers.address_under(address, grant_id)
            before = self._opened.get(place)
            known = KnownAddress(url, page, tuple(sorted(told.union(() if before is None else before.places or ()))))
            if before == known:
                continue
            key = await self._key(grant_id)
            if key is None:
                continue
            # Addresses may be written in any letters. One that has no room beside its page is kept without it.
            text = next((text for text in (_text(known), _text(replace(known, page=None))) if len(text) <= MOST_BYTES), None)
            if text is None:
                continue
            sealed = key.seal(text, aad=_bound(grant_id, place))
            kept = AddressKept(place=place, grant_id=grant_id, sealed=sealed, kept_at=self._gate.now)
            event = Event(event_id(place, kept.kept_at.isoformat(), "kept"), "/assent/crawler", kept.kept_at, kept)
            await self._log.append([self._signed(encode(event), CRAWLER)])
            self._opened[place] = known

    async def open(self) -> None:
        """Open what was read since, and forget what is of a grant that ended. What cannot be opened is another's, or its key is gone."""
        ended = [place for place in self._opened if self._is_ended(place)]
        for place in ended:
            del self._opened[place]
        unopened: dict[GrantId, list[AddressKept]] = {}
        for kept in self._table.kept.values():
            if self._gate.live(kept.grant_id) is not None and kept.place not in self._opened:
                unopened.setdefault(kept.grant_id, []).append(kept)
        for grant_id, several in unopened.items():
            key = await self._key(grant_id)
            self._opened |= {kept.place: None if key is None else _opened(kept, key) for kept in several}

    def places(self, url: str, grant_id: GrantId) -> tuple[Jurisdiction, ...] | None:
        """Those that were told when something from there came in under this grant; None where nothing did, or nobody knows any more."""
        known = self._opened.get(self._identifiers.address_under(self._identifiers.address(url), grant_id))
        return None if known is None else known.places

    def known(self) -> list[KnownAddress]:
        """Those of live grants, each address once."""
        found: dict[str, KnownAddress] = {}
        for place, known in self._opened.items():
            held = self._table.kept.get(place)
            if known is not None and held is not None and self._gate.live(held.grant_id) is not None:
                found.setdefault(known.url, known)
        return list(found.values())

    def __len__(self) -> int:
        """How many addresses are in memory."""
        return sum(known is not None for known in self._opened.values())

    def _is_ended(self, place: str) -> bool:
        kept = self._table.kept.get(place)
        return kept is not None and self._gate.live(kept.grant_id) is None

    async def _key(self, grant_id: GrantId) -> DataKey | None:
        try:
            key = await self._grant_keys.get(grant_id)
        except _GONE:
            return None
        # Whoever needs a key now and then does not hear of every end, and keeps none.
        self._grant_keys.drop(grant_id)
        return key


def _text(known: KnownAddress) -> bytes:
    return json.dumps([known.url, known.page, known.places], ensure_ascii=False).encode()


def _opened(kept: AddressKept, key: DataKey) -> KnownAddress | None:
    try:
        url, page, *places = json.loads(key.open(kept.sealed, aad=_bound(kept.grant_id, kept.place)))
    except UnsealError:
        return None
    return KnownAddress(url, page, tuple(Jurisdiction(place) for place in places[0]) if places else None)


def _bound(grant_id: GrantId, place: str) -> bytes:
    return aad(Topic.ADDRESSES.value, grant_id, 0, place)
