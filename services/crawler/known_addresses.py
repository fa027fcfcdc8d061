"""The addresses that something came in from, over restarts: sealed under the key of each grant, and opened for live grants alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

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

_GONE = (KeyDestroyedError, KeyNotFoundError, UnsealError)


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """An address, and the page that showed the picture there; None where her grant names the picture itself. `places` are those by which
    the picture came in under one grant, and `policy` the version that they were found under; None in records of releases that did not
    keep them.
    """

    url: str
    page: str | None
    places: tuple[Jurisdiction, ...] | None = None
    policy: str | None = None


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

    async def keep(self, url: str, page: str | None, grants: Mapping[GrantId, tuple[Jurisdiction, ...]]) -> None:
        """Before something from there is sent on under these grants, by the places that were told. Raises LogUnavailableError and the
        trouble of the key store.
        """
        address, policy = self._identifiers.address(url), self._gate.policy.version
        for grant_id, places in grants.items():
            known, place = KnownAddress(url, page, places, policy), self._identifiers.address_under(address, grant_id)
            if self._opened.get(place) == known:
                continue
            key = await self._key(grant_id)
            if key is None:
                continue
            sealed = key.seal(json.dumps([url, page, places, policy]).encode(), aad=_bound(grant_id, place))
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
        """Those by which what came in from there under this grant came in; None where nothing did, or under another policy, by which the
        same evidence may have stood for other places.
        """
        known = self._opened.get(self._identifiers.address_under(self._identifiers.address(url), grant_id))
        return known.places if known is not None and known.policy == self._gate.policy.version else None

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


def _opened(kept: AddressKept, key: DataKey) -> KnownAddress | None:
    try:
        url, page, *found = json.loads(key.open(kept.sealed, aad=_bound(kept.grant_id, kept.place)))
    except UnsealError:
        return None
    if not found:
        return KnownAddress(url, page)
    places, policy = found
    return KnownAddress(url, page, tuple(Jurisdiction(place) for place in places), policy)


def _bound(grant_id: GrantId, place: str) -> bytes:
    return aad(Topic.ADDRESSES.value, grant_id, 0, place)
