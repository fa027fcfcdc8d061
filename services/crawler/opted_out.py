"""What a visit tells that matters for what is held already: an express no, which only a whole visit ends, and places told later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from assent.consent.asset import Asset
from assent.consent.content_rights import optout_rules, set_aside
from assent.deciding.gate import Gate
from assent.deciding.opted_out import OptedOut
from assent.deciding.tables import DecisionTables
from assent.events.envelope import Event, encode, event_id
from assent.events.grants import GrantSnapshot
from assent.events.optout_changes import OptOutChanged
from assent.events.optouts import SeenOptOut
from assent.events.record import Record
from assent.ids import GrantId, Jurisdiction
from assent.intake.producers import CRAWLER
from assent.keys.identifiers import ImageIds
from assent.optouts.signal import SignalKind, SignalVerdict
from assent.stream.event_log import EventLog
from services.crawler.frontier import page_asset
from services.crawler.known_addresses import KnownAddresses
from services.crawler.visit import Shown, Stopped, Visited


class OptOutNotes:
    """Puts on the log what changed at an address, and waits until its own tables know it."""

    def __init__(
        self,
        *,
        gate: Gate,
        tables: DecisionTables,
        known: KnownAddresses,
        log: EventLog,
        identifiers: ImageIds,
        signed: Callable[[Record, str], Record],
        catch_up_timeout_s: float,
    ) -> None:
        self._gate = gate
        self._tables = tables
        self._known = known
        self._log = log
        self._identifiers = identifiers
        self._signed = signed
        self._catch_up_timeout_s = catch_up_timeout_s

    async def note(self, asked: str, shown: Shown, seen: Visited | Stopped, *, may_end: bool = True) -> bool:
        """Whether an express no was seen. What was not asked, not answered or not readable tells nothing either way.

        `may_end`: everything was asked that could say no, the page that shows the picture too.
        """
        address = self._identifiers.address(asked)
        denials = any(expressly_denied(shown.all_optouts(seen.optouts)))
        if denials:
            is_whole = may_end and isinstance(seen, Visited)
            await self._append(list(self._closing(asked, shown, seen, is_whole=is_whole)))
        elif self._optouts.is_closed(address):
            ends = may_end and isinstance(seen, Visited)
            await self._append([self._change(address, is_closed=False)] if ends else list(self._bare(asked, shown)))
        return denials

    async def note_places(self, asked: str, seen: Visited | Stopped, told: frozenset[Jurisdiction]) -> None:
        """Under each grant, whether pages tell of a place now that none told when the picture came in, and in which that grant opens less.

        What is closed since by another policy was told before. Of what did not come in there is nothing to close.
        """
        address, changes = self._identifiers.address(asked), []
        for grant_id in self._covering(asked, page_asset(seen.url)):
            known = self._known.places(asked, grant_id)
            if known is None:
                continue
            closes = bool(self._gate.closing_rules(grant_id, told.difference(known)))
            place = self._identifiers.placed_under(address, grant_id)
            if closes != self._optouts.is_closed(place):
                changes.append(self._change(place, is_closed=closes))
        await self._append(changes)

    def is_placed(self, asked: str, grant_id: GrantId) -> bool:
        """A place that was told later closes this address under this grant."""
        return self._optouts.is_closed(self._identifiers.placed_under(self._identifiers.address(asked), grant_id))

    def closes_to_all(self, asked: str) -> bool:
        """A no stands there and no grant has set it aside, or its place closes it under every grant: there is nothing to ask for as long as
        no page shows the picture.
        """
        address = self._identifiers.address(asked)
        covering = [grant.grant_id for grant in self._gate.covering(page_asset(asked))]
        if all(self.is_placed(asked, grant_id) for grant_id in covering):
            return True
        under = (self._identifiers.address_under(address, grant_id) for grant_id in covering)
        return self._optouts.is_closed(address) and not any(self._optouts.is_aside(place) for place in under)

    @property
    def _optouts(self) -> OptedOut:
        return self._tables.fold.optouts

    def _closing(self, asked: str, shown: Shown, seen: Visited | Stopped, *, is_whole: bool) -> Iterator[OptOutChanged]:
        """Which grants set all of it aside, on each page that shows it, before the no itself: else what is theirs would be closed for a
        moment.

        Where a no stands already, only a visit that `is_whole` tells that nothing else is said there.
        """
        address, last = self._identifiers.address(asked), page_asset(seen.url)._replace(page_url=shown.url)
        said = [(last, seen.optouts), *((last._replace(page_url=other.url), other.optouts) for other in shown.others)]
        covering = self._covering(asked, last)
        if not covering:
            return
        for grant in covering.values():
            place = self._identifiers.address_under(address, grant.grant_id)
            is_aside = not any(
                any(optout_rules(expressly_denied(optouts), set_aside(grant, asset, self._gate.now))) for asset, optouts in said
            )
            if is_aside and not is_whole and self._optouts.is_closed(address):
                continue
            if is_aside != self._optouts.is_aside(place):
                yield self._change(place, is_closed=not is_aside)
        if not self._optouts.is_closed(address):
            yield self._change(address, is_closed=True)

    def _covering(self, asked: str, last: Asset) -> dict[GrantId, GrantSnapshot]:
        """By the address that was asked, and by where it ended."""
        return {grant.grant_id: grant for asset in (page_asset(asked), last) for grant in self._gate.covering(asset)}

    def _bare(self, asked: str, shown: Shown) -> Iterator[OptOutChanged]:
        """A no stands, and these grants set nothing aside there any more, whatever it was.

        A proof that ended keeps the crawler from asking there again.
        """
        address, asset = self._identifiers.address(asked), page_asset(asked)._replace(page_url=shown.url)
        for grant in self._gate.covering(asset):
            place = self._identifiers.address_under(address, grant.grant_id)
            if self._optouts.is_aside(place) and not any(set_aside(grant, asset, self._gate.now)):
                yield self._change(place, is_closed=True)

    def _change(self, place: str, *, is_closed: bool) -> OptOutChanged:
        """Newer than the last word of this place, also where the clock was put back: else it would not count."""
        last = self._optouts.changed_at(place)
        seen_at = self._gate.now if last is None else max(self._gate.now, last + timedelta(microseconds=1))
        return OptOutChanged(place=place, is_closed=is_closed, seen_at=seen_at)

    async def _append(self, changes: list[OptOutChanged]) -> None:
        """Raises LogUnavailableError and TableStaleError: the round ends, and the next one sees it again."""
        for change in changes:
            event = Event(
                id=event_id(change.place, str(change.is_closed), change.seen_at.isoformat()),
                source="/assent/crawler",
                time=change.seen_at,
                data=change,
            )
            await self._log.append([self._signed(encode(event), CRAWLER)])
        if changes:
            await self._tables.catch_up(self._catch_up_timeout_s)


def expressly_denied(seen: tuple[SeenOptOut, ...]) -> Iterator[SeenOptOut]:
    """Those that say no to the use of what lies there. A wall keeps us out today and says nothing of that."""
    return (one for one in seen if one.verdict is SignalVerdict.DENY and one.kind is not SignalKind.ACCESS)


def said_of_page(seen: tuple[SeenOptOut, ...]) -> tuple[SeenOptOut, ...]:
    """What a page that may not be read says of the pictures that it shows. That it may not be fetched, by a rule or for a wall, is said of
    the page alone.
    """
    of_page_alone = (SignalKind.ROBOTS_TXT, SignalKind.ACCESS)
    return tuple(one.model_copy(update={"of_page": True}) for one in seen if one.kind not in of_page_alone)
