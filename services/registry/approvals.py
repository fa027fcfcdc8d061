"""Images under a folder whose control nobody has shown: they wait for her, and her yes to one is a source that names it alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from assent.consent.asset import Asset
from assent.consent.source_rules import asset_keys, is_control_shown, matching_rule, rule_key
from assent.consent.source_url import SourceUrlError, normalise_image
from assent.events.grants import SourceKindRule, SourceRule
from assent.events.images import SourceKind
from assent.identity.errors import ApiError
from assent.ids import GrantId, SightingId
from assent.keys.waiting_places import WaitingPlaces
from assent.stream.clock import Clock
from services.registry.grant_record import Grant
from services.registry.grant_request import MAX_SOURCES
from services.registry.grants import Grants
from services.registry.publisher import Offsets
from services.registry.store import RegistryStore
from services.registry.waiting_table import WaitingRow, answer_waiting, forget_waiting, insert_waiting, waiting_row, waiting_rows

FOLDERS = frozenset({SourceKindRule.URL_PREFIX})
TURNS = 5


@dataclass(frozen=True, slots=True)
class Waiting:
    """One image that waits: where it is, told to her alone."""

    sighting_id: SightingId
    url: str
    seen_at: datetime


class Approvals:
    """Keeps no byte of an image and fetches none: of what she has not allowed there is an address, sealed under her grant's key."""

    def __init__(self, *, store: RegistryStore, grants: Grants, places: WaitingPlaces, clock: Clock) -> None:
        self._store = store
        self._grants = grants
        self._places = places
        self._clock = clock

    async def note(self, grant_id: GrantId, sighting_id: SightingId, sealed: bytes, *, at: datetime) -> bool:
        """The crawler came across an image that only her approval keeps it from; whether it was not noted before."""
        return await self._store.write(lambda database: insert_waiting(database, grant_id, WaitingRow(sighting_id, sealed, at)))

    async def waiting(self, record: Grant) -> list[Waiting]:
        """What waits under this grant by now. What was proven, approved or narrowed away meanwhile is forgotten."""
        found: list[Waiting] = []
        for row in await self._store.read(lambda database: waiting_rows(database, record.grant_id)):
            url = await self._places.opened(row.sealed, grant_id=record.grant_id, sighting_id=row.sighting_id)
            if url is not None and self._folder_of(record.sources, url) is not None:
                found.append(Waiting(row.sighting_id, url, row.seen_at))
            else:
                await self._forget(record.grant_id, row.sighting_id)
        return found

    async def approve(self, grant_id: GrantId, url: str, *, expected_revision: int | None = None) -> tuple[Grant, Offsets]:
        """Her yes to one image under a folder of her grant: one more source, which names that image and nothing beside it.

        Raises ApiError 422 for what the folders of the grant do not hold: approving adds nothing that she had not named.
        """
        record = await self._grants.live(grant_id, expected_revision)
        try:
            value = normalise_image(url)
        except SourceUrlError as error:
            raise ApiError(422, "bad_address", f"{error}.", "Send the address as it was shown.") from error
        folder = matching_rule([rule for rule in record.sources if rule.kind in FOLDERS], _asset(value))
        if folder is None:
            raise ApiError(422, "source_not_covered", "No folder of this grant holds this image.", "Ask for a grant that names it.")
        approved = SourceRule(kind=SourceKindRule.IMAGE_URL, value=value, only_me=folder.only_me)
        if any((rule.kind, rule.value) == (approved.kind, approved.value) for rule in record.sources):
            return record, {}
        if len(record.sources) >= MAX_SOURCES:
            raise ApiError(422, "too_many_sources", f"A grant names {MAX_SOURCES} sources at most.", "Ask for another grant.")
        return await self._grants.revise(record, {"sources": (*record.sources, approved)})

    async def approve_waiting(self, grant_id: GrantId, sighting_id: SightingId) -> tuple[Grant, Offsets]:
        """Her yes to an image of her list. Raises ApiError 404 when it waits no more."""
        record = await self._grants.live(grant_id)
        image = next((image for image in await self.waiting(record) if image.sighting_id == sighting_id), None)
        if image is None:
            raise _waits_no_more()
        revised = await self.approve(grant_id, image.url)
        await self._store.write(lambda database: answer_waiting(database, grant_id, sighting_id))
        return revised

    async def decline(self, grant_id: GrantId, sighting_id: SightingId) -> None:
        """Not her, or not this one: its address is deleted and she is not asked again. Raises ApiError 404.

        No proof of control opens its folder any more: else the proof would bring in the very picture that she said no to.
        """
        row = await self._store.read(lambda database: waiting_row(database, grant_id, sighting_id))
        if row is None:
            raise _waits_no_more()
        url = await self._places.opened(row.sealed, grant_id=grant_id, sighting_id=sighting_id)
        if url is not None:
            await self._ask_each(grant_id, url)
        await self._store.write(lambda database: answer_waiting(database, grant_id, sighting_id))
        await self._store.scrub()

    async def _ask_each(self, grant_id: GrantId, url: str) -> None:
        """From now on each picture of the folders that hold this one waits for her."""
        keys = frozenset(asset_keys(_asset(url)))
        for turn in range(TURNS):
            record = await self._grants.live(grant_id)
            hers = {rule.value for rule in record.sources if rule.kind in FOLDERS and rule_key(rule) in keys}
            if hers <= set(record.asks_each):
                return
            sources = tuple(rule.model_copy(update={"control_until": None}) if rule.value in hers else rule for rule in record.sources)
            try:
                await self._grants.revise(record, {"asks_each": tuple(sorted({*record.asks_each, *hers})), "sources": sources})
            except ApiError as error:
                # A proof may have changed in between: that is no reason to refuse her no.
                if error.code != "revision_conflict" or turn == TURNS - 1:
                    raise

    def _folder_of(self, sources: Sequence[SourceRule], url: str) -> SourceRule | None:
        """The folder for which the image waits, or None when it does not wait."""
        asset = _asset(url)
        return None if is_control_shown(sources, asset, self._clock.now()) else matching_rule(sources, asset)

    async def _forget(self, grant_id: GrantId, sighting_id: SightingId) -> None:
        await self._store.write(lambda database: forget_waiting(database, grant_id, sighting_id))


def _asset(url: str) -> Asset:
    return Asset(source_kind=SourceKind.WEB_PAGE, final_url=url)


def _waits_no_more() -> ApiError:
    return ApiError(404, "not_waiting", "This image waits no more.", "Look at your page again.")
