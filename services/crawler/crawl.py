"""A round over the targets of live grants: pages for their links, images for their course; what is refused is never written down."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from assent.blobs.quarantine import Quarantine
from assent.consent.source_rules import ONE_PHOTOGRAPH
from assent.deciding.gate import Gate
from assent.deciding.refusals import Refusal, Refused, refusal_event
from assent.deciding.suppressions import SUPPRESSED
from assent.deciding.tables import DecisionTables
from assent.events.envelope import Event, encode, event_id
from assent.events.grants import GrantSnapshot
from assent.events.images import ImageScraped, Sighting, SourceKind, Stage
from assent.events.payload import EventPayload
from assent.events.topics import Topic
from assent.faces.image import ImageLimits
from assent.faces.image_header import read_header
from assent.fetching.fetcher import Fetched
from assent.ids import SightingId
from assent.intake.producers import CRAWLER
from assent.intake.signature import sign_record
from assent.intake.stage_signatures import StageSignatures
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.grant_keys import GrantKeyring
from assent.keys.identifiers import ImageIds
from assent.keys.waiting_places import WaitingPlaces
from assent.stream.event_log import EventLog
from assent.telemetry.spans import OpenSpan, SpanExporter, SpanKind
from services.crawler.frontier import Frontier, page_asset, targets
from services.crawler.known_addresses import AddressTable, KnownAddresses
from services.crawler.opted_out import OptOutNotes, said_of_page
from services.crawler.page import read_page
from services.crawler.picture import Picture, digest_of, read_picture
from services.crawler.showings import Showings
from services.crawler.visit import BY_NO_PAGE, PAGES, Shown, Stopped, Visited, Visitor, Waiting, seen_of_page


@dataclass(slots=True)
class Round:
    """What a round came to: pages read, images by outcome, image places never asked for."""

    pages: int = 0
    scraped: int = 0
    unchanged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    never_fetched: int = 0


class Crawl:
    """Holds what it scraped before, so that a round does not send unchanged images through again."""

    def __init__(
        self,
        *,
        gate: Gate,
        tables: DecisionTables,
        visitor: Visitor,
        quarantine: Quarantine,
        log: EventLog,
        keys: DeploymentKeys,
        identifiers: ImageIds,
        grant_keys: GrantKeyring,
        known: AddressTable,
        agent: str,
        limits: ImageLimits,
        max_pages: int,
        max_page_bytes: int,
        catch_up_timeout_s: float,
        progressed: Callable[[], None],
        spans: SpanExporter | None = None,
    ) -> None:
        self._gate = gate
        self._tables = tables
        self._visitor = visitor
        self._quarantine = quarantine
        self._log = log
        self._signing_key = keys.producer_signing_key(CRAWLER)
        self._identifiers = identifiers
        self._places = WaitingPlaces(grant_keys)
        self._agent = agent
        self._limits = limits
        self._max_pages = max_pages
        self._max_page_bytes = max_page_bytes
        self._catch_up_timeout_s = catch_up_timeout_s
        self._progressed = progressed
        self._spans = spans
        self._done: dict[str, str] = {}
        signed = StageSignatures(keys).signed
        self._known = KnownAddresses(table=known, gate=gate, log=log, grant_keys=grant_keys, identifiers=identifiers, signed=signed)
        self._notes = OptOutNotes(
            gate=gate,
            tables=tables,
            known=self._known,
            log=log,
            identifiers=identifiers,
            signed=signed,
            catch_up_timeout_s=catch_up_timeout_s,
        )

    async def round(self) -> Round:
        """Visit every target once, and every address again that something came in from. Raises TableStaleError when the grants cannot be
        read to their end.
        """
        await self._tables.catch_up(self._catch_up_timeout_s)
        await self._known.open()
        result = Round()
        live = [grant for grant in self._tables.ledger if self._gate.live(grant.grant_id) is not None]
        prefixes, images = targets(live)
        frontier = Frontier(self._gate, max_pages=self._max_pages)
        frontier.add(prefixes)
        pages: dict[str, Shown] = {}
        showings = Showings()
        while (url := frontier.next()) is not None:
            shown = await self._page(url, frontier, showings, result)
            pages |= {url: shown, shown.url or url: shown}
        # Only now: what the last page says of a picture counts as much as what the first one says.
        pictures = dict.fromkeys((*showings, *images))
        for url in pictures:
            await self._image(url, showings, result)
        for known in self._known.known():
            if known.url not in pictures:
                await self._look_back(known.url, known.page, pages, result)
        return result

    async def _page(self, url: str, frontier: Frontier, showings: Showings, result: Round) -> Shown:
        """Follow the links of a page and note what it shows; what it says of it."""
        visited = await self._visitor.visit(url, max_bytes=self._max_page_bytes, is_page=True)
        self._progressed()
        shown = await self._shown_by(url, visited)
        if visited.answer is None or not _is_page(visited.answer):
            return shown
        page = await asyncio.to_thread(read_page, visited.answer.body, url=visited.url)
        if isinstance(visited, Stopped):
            showings.add_against(page.images, shown)
            return shown
        result.pages += 1
        frontier.add(page.links)
        showings.add(page.images, replace(shown, told=page.evidence))
        return shown

    async def _shown_by(self, url: str, visited: Visited | Stopped) -> Shown:
        if isinstance(visited, Stopped) or not _is_page(visited.answer):
            return Shown(url, optouts=said_of_page(visited.optouts))
        # A page may be megabytes, and so may a picture: reading them must not hold up the loop.
        seen = await asyncio.to_thread(seen_of_page, visited, agent=self._agent, now=self._gate.now)
        return Shown(visited.url, optouts=seen)

    async def _look_back(self, url: str, page: str | None, pages: dict[str, Shown], result: Round) -> None:
        """An address from which something is held and which no page showed in this round, most often because the page says no.

        Only a no is taken from it: nothing comes in, and no earlier no ends, since not everything was asked that may say one.
        """
        self._progressed()
        await self._tables.catch_up(self._catch_up_timeout_s)
        if not self._gate.covering(page_asset(url)) or self._notes.closes_to_all(url):
            return
        if page is not None and page not in pages:
            pages[page] = await self._shown_by(page, await self._visitor.visit(page, max_bytes=self._max_page_bytes, is_page=True))
        shown = BY_NO_PAGE if page is None else pages[page]
        visited = await self._visitor.visit(url, shown=shown, max_bytes=self._limits.max_bytes)
        if isinstance(visited, Visited):
            visited = await self._looked_at(visited, shown)
        if await self._notes.note(url, shown, visited, may_end=False) and isinstance(visited, Stopped):
            await self._refused(url, visited, result)

    async def _image(self, url: str, showings: Showings, result: Round) -> None:
        shown = await asyncio.to_thread(showings.shown, url)
        # An image may be decided without a fetch and come out as it was: that is no standing still either.
        self._progressed()
        span = OpenSpan.under(None, now=self._gate.now)
        await self._tables.catch_up(self._catch_up_timeout_s)
        visited = await self._visitor.visit(url, shown=shown, shown_at=showings.shown, max_bytes=self._limits.max_bytes)
        await self._waits(visited.waiting, result)
        shown = await asyncio.to_thread(showings.shown, *visited.way)
        if isinstance(visited, Visited):
            visited = await self._looked_at(visited, shown)
        await self._notes.note(url, shown, visited)
        await self._notes.note_places(url, visited, self._visitor.places(shown))
        if isinstance(visited, Visited):
            await self._scraped(url, visited, shown, span, result)
            return
        result.never_fetched += 0 if visited.was_asked else 1
        await self._refused(url, visited, result)

    async def _looked_at(self, visited: Visited, shown: Shown) -> Visited | Stopped:
        """What the bytes themselves say, decided in memory."""
        read = await asyncio.to_thread(read_picture, visited.answer.body, max_pixels=self._limits.max_pixels)
        if not isinstance(read, Picture):
            return visited.stopped_by(read)
        looked = self._visitor.with_optouts(visited, shown, read.optouts)
        if isinstance(looked, Visited) and self._gate.is_suppressed(self._identifiers.suppression_key(read.sha256)):
            return looked.stopped_by(SUPPRESSED)
        return looked

    async def _scraped(self, url: str, visited: Visited, shown: Shown, span: OpenSpan, result: Round) -> None:
        data = visited.answer.body
        image_id = await asyncio.to_thread(self._identifiers.image_id, data)
        sighting_id = self._identifiers.sighting_id(final_url=visited.url, image_id=image_id, producer=CRAWLER)
        grants = [finding.grant for finding in visited.opened]
        # A member's reference stands in her own grant, and her joint grants are decided by it too.
        people = [person for grant in grants for person in (grant, *self._tables.ledger.members(grant))]
        optouts = shown.all_optouts(visited.optouts)
        seen = ",".join(f"{one.kind}={one.verdict}" for one in optouts)
        seen += digest_of("\n".join(sorted(f"{one.kind}={one.value}" for one in shown.told)).encode())
        address = self._identifiers.address(url)
        # After a no that was said and taken back it is new: what had come in before is gone.
        decided_by = ",".join(f"{person.grant_id}@{person.revision}" for person in people) + self._gate.policy.version + seen
        decided_by += ",".join(str(self._gate.optouts_changed_at(grant.grant_id, address)) for grant in grants)
        open_to = [grant.grant_id for grant in grants if not self._notes.is_placed(url, grant.grant_id)]
        await self._known.keep(url, shown.url, self._visitor.places(shown), open_to)
        # One picture may be found by way of several addresses, and each has pages of its own.
        sent = f"{sighting_id} {address}"
        if self._done.get(sent) == decided_by:
            result.unchanged += 1
            return
        sighting = Sighting(
            sighting_id=sighting_id,
            image_id=image_id,
            producer=CRAWLER,
            source_kind=SourceKind.WEB_PAGE,
            blob=await self._quarantine.put(sighting_id, data),
            sha256=await asyncio.to_thread(digest_of, data),
            size_bytes=len(data),
            media_type=(await asyncio.to_thread(read_header, data)).media_type.value,
            final_url=visited.url,
            page_url=shown.url,
            asked=None if visited.url == url else address,
            fetched_at=self._gate.now,
            page_evidence=(*shown.told, *visited.server),
            optouts=optouts,
        )
        await self._append(
            Event(
                id=event_id(sighting_id, decided_by, self._gate.now.isoformat()),
                source="/assent/crawler",
                time=self._gate.now,
                data=ImageScraped(sighting=sighting),
                traceparent=span.context.header(),
            )
        )
        self._trace(span)
        self._done[sent] = decided_by
        # A refusal of this address that comes later is told although one was told before.
        self._done.pop(self._identifiers.sighting_id(final_url=url, image_id=None, producer=CRAWLER), None)
        result.scraped += 1

    async def _refused(self, url: str, stopped: Stopped, result: Round) -> None:
        sighting_id = self._identifiers.sighting_id(final_url=url, image_id=None, producer=CRAWLER)
        refusals = stopped.refusals
        held_by = ",".join(f"{refusal.grant_id}@{refusal.revision}" for refusal in refusals)
        decided_by = held_by + self._gate.policy.version + ",".join(stopped.rules)
        if self._done.get(sighting_id) == decided_by:
            result.unchanged += 1
            return
        for refusal in refusals:
            await self._tell(sighting_id, refusal, result)
        self._done[sighting_id] = decided_by

    async def _waits(self, waiting: Waiting, result: Round) -> None:
        """She is asked about a picture that nothing was fetched of: where it is, sealed under her own grant's key, and no more."""
        sighting_id = self._identifiers.sighting_id(final_url=waiting.url, image_id=None, producer=CRAWLER)
        for found in waiting.findings:
            noted, decided_by = f"{sighting_id}/{found.grant.grant_id}", _folders(found.grant)
            if self._done.get(noted) == decided_by:
                result.unchanged += 1
                continue
            sealed = await self._places.sealed(waiting.url, grant_id=found.grant.grant_id, sighting_id=sighting_id)
            if sealed is None:
                continue
            await self._tell(sighting_id, replace(Refusal.of(found), sealed_place=sealed), result)
            self._done[noted] = decided_by

    async def _tell(self, sighting_id: SightingId, refusal: Refusal, result: Round) -> None:
        event = refusal_event(
            Refused(sighting_id, None, CRAWLER),
            refusal,
            stage=Stage.CRAWLER,
            cause_id=event_id(sighting_id, self._gate.now.isoformat()),
            policy_version=self._gate.policy.version,
            datasets=self._visitor.datasets,
            now=self._gate.now,
        )
        result.refused[event.data.outcome] += 1
        await self._append(event)

    def _trace(self, span: OpenSpan) -> None:
        """The first step of the image's trace, once the log has it: when it was asked for, never where."""
        if self._spans is not None:
            name, seconds = Topic.IMAGES_SCRAPED.value, (self._gate.now - span.began_at).total_seconds()
            attributes = {"messaging.system": "kafka", "messaging.operation.type": "send", "messaging.destination.name": name}
            self._spans.export([span.ended(f"crawler {name}", SpanKind.PRODUCER, seconds=seconds, attributes=attributes)])

    async def _append(self, event: Event[EventPayload]) -> None:
        await self._log.append([sign_record(encode(event), self._signing_key)])
        self._progressed()


def _is_page(answer: Fetched) -> bool:
    return answer.status == 200 and (answer.header("Content-Type") or "").lower().startswith(PAGES)


def _folders(grant: GrantSnapshot) -> str:
    """What makes an image wait: while it stays the same she is asked once, however many others she approves meanwhile."""
    return ",".join(f"{rule.value}@{rule.control_until}" for rule in grant.sources if rule.kind not in ONE_PHOTOGRAPH)
