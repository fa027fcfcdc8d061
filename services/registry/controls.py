"""Proofs that a controller controls the folders its grants name: asked for, shown by the host or its zone, ended; never assumed."""

from __future__ import annotations

import asyncio
import functools
import os
import secrets
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import timedelta

import rfc8785
from uuid_utils.compat import uuid7

from assent.events.grants import SourceRule
from assent.fetching.address_guard import AddressGuard, Socket
from assent.fetching.fetcher import Fetched, Fetcher, FetchFailure, FetchLimits
from assent.fetching.txt_records import TxtAnswer, TxtRecords
from assent.identity.errors import ApiError
from assent.receipts.commitment import commit
from assent.receipts.leaves import Control
from assent.stream.clock import Clock
from services.registry.control_place import (
    MAX_FILE_BYTES,
    ControlPlaceError,
    ControlWay,
    Showing,
    control_line,
    control_place,
    record_name,
    showing,
    showing_in_records,
    with_control,
)
from services.registry.control_table import ControlRow, control_row, control_rows, insert_challenge, set_looked, set_revoked, set_shown
from services.registry.receipt_desk import ReceiptDesk
from services.registry.refused import not_found
from services.registry.store import RegistryStore

USER_AGENT = "AssentControl/1.0"
FETCH_S = 10.0
RENEWED_AFTER = timedelta(days=1)
"""A renewal is a new revision of every grant that rests on the proof, so asking twice in a row does not make one."""
_ANEW = "Ask for a new one; its line is another."
_FILE_SAID = {
    Showing.NO_ANSWER: "The host did not answer with the file.",
    Showing.CLOSED_ADDRESS: "The host has no public address.",
    Showing.MOVED: "The file is somewhere else, and another place's word is not this host's.",
    Showing.NO_FILE: "The host has no such file.",
    Showing.NOT_TEXT: "The host answers with something else than a text file.",
    Showing.OTHER_LINES: "The file does not hold the line.",
}
_RECORD_SAID = {
    Showing.NO_ANSWER: "No name server could say what stands there.",
    Showing.MOVED: "The name is an alias, and another name's word is not this host's.",
    Showing.NO_RECORD: "There is no such record.",
    Showing.OTHER_RECORDS: "No record there is the line.",
    Showing.UNFOUNDED: "The name server knows of no such record, and names no zone that says so.",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What one look came to, by which way; `is_validated` only where a name server was asked."""

    way: ControlWay
    found: Showing
    is_validated: bool | None = None

    def remedy(self, row: ControlRow) -> str:
        """What the controller has to do."""
        if self.way is ControlWay.DNS:
            return f"Set a TXT record {record_name(row.place)} with {control_line(row.token)} and ask again."
        return f"Serve {row.file_url} as text/plain with the line {control_line(row.token)} and ask again."

    @property
    def said(self) -> str:
        """What was found instead."""
        return (_RECORD_SAID if self.way is ControlWay.DNS else _FILE_SAID)[self.found]


class Controls:
    """One look at a time: whoever asks again and again makes nobody else's host busy."""

    def __init__(
        self,
        *,
        store: RegistryStore,
        receipts: ReceiptDesk,
        clock: Clock,
        allowed_sockets: frozenset[Socket],
        proof_days: int,
        records: TxtRecords,
    ) -> None:
        self._store = store
        self._receipts = receipts
        self._clock = clock
        self._allowed_sockets = allowed_sockets
        self._proof_days = proof_days
        self._records = records
        self._looking = asyncio.Lock()

    async def challenge(self, controller: str, url: str) -> ControlRow:
        """What this controller must put on its host; asked again, the same. Raises ApiError 422."""
        try:
            place = control_place(url, allowed_sockets=self._allowed_sockets)
        except ControlPlaceError as error:
            raise ApiError(422, "bad_place", f"{error}.", "Name it like https://site.example/ or https://site.example/photos/.") from error
        row = ControlRow(
            proof_id=str(uuid7()),
            controller=controller,
            place=place.name,
            file_url=place.file_url,
            token=secrets.token_hex(32),
            salt=os.urandom(32),
            created_at=self._clock.now(),
        )
        return await self._store.write(lambda database: insert_challenge(database, row))

    async def check(self, proof_id: str, way: ControlWay | None = None, *, is_routine: bool = False) -> ControlRow:
        """Look, and take the proof, or renew it. Raises ApiError 422 when it is not shown.

        Without a `way`, by the one that showed it last. Only that one's own denial ends a proof that counts: a file that never was there
        says nothing about a record. What does not answer ends nothing.

        A routine look renews when two thirds of the time are over, and a denial ends the proof when the look before was one too: a site
        that is being moved answers 404 for an hour.
        """
        row = await self.one(proof_id)
        if row.revoked_at is not None:
            raise ApiError(409, "control_revoked", "This proof was revoked.", _ANEW)
        look = await self._look(row, way or row.shown_by or ControlWay.FILE)
        now = self._clock.now()
        if row.shown_by in (None, look.way):
            await self._store.write(lambda database: set_looked(database, proof_id, look.found, now=now))
        if look.found is not Showing.SHOWN:
            details: dict[str, object] = {"reason": look.found.value}
            was_denied = row.look_found is not None and row.look_found.is_denial
            if look.found.is_denial and look.way is row.shown_by and row.counts(now) and (was_denied or not is_routine):
                await self.revoke(proof_id)
                # Its line counts for nothing any more: to put that back would help nobody.
                raise ApiError(422, "control_ended", f"{look.said} The proof has ended.", _ANEW, details=details)
            raise ApiError(422, "control_not_shown", look.said, look.remedy(row), details=details)
        ends_at = now + timedelta(days=self._proof_days)
        renewed_after = timedelta(days=self._proof_days) * 2 / 3 if is_routine else RENEWED_AFTER
        if row.ends_at is not None and look.way is row.shown_by and ends_at - row.ends_at < renewed_after:
            return await self.one(proof_id)
        await self._record(row, "control_shown", look)
        shown = functools.partial(set_shown, proof_id=proof_id, now=now, ends_at=ends_at, way=look.way, is_validated=look.is_validated)
        if not await self._store.write(shown):
            raise ApiError(409, "control_revoked", "This proof was revoked meanwhile.", _ANEW)
        return await self.one(proof_id)

    async def revoke(self, proof_id: str) -> ControlRow:
        """The proof counts no more. What was taken under it stays; nothing more is taken without her approval."""
        row = await self.one(proof_id)
        now = self._clock.now()
        if await self._store.write(lambda database: set_revoked(database, proof_id, now=now)):
            await self._record(row, "control_revoked")
        return await self.one(proof_id)

    async def one(self, proof_id: str) -> ControlRow:
        """The proof. Raises ApiError 404."""
        row = await self._store.read(lambda database: control_row(database, proof_id))
        if row is None:
            raise not_found("control proof")
        return row

    async def listed(self, controller: str | None = None) -> list[ControlRow]:
        """Every proof, or those of one controller."""
        return await self._store.read(functools.partial(control_rows, controller=controller))

    async def on(self, sources: Iterable[SourceRule], controller: str | None, *, asks_each: Container[str] = ()) -> tuple[SourceRule, ...]:
        """The sources with what this controller has shown; where its word does not count, or she is asked each time, without."""
        rows = [] if controller is None else await self.listed(controller)
        now = self._clock.now()
        proven = [(row.place, row.ends_at) for row in rows if row.ends_at is not None and row.counts(now)]
        return with_control(sources, proven, asks_each=asks_each)

    async def _look(self, row: ControlRow, way: ControlWay) -> Look:
        """One look. Raises ApiError 422 where the place can have no record."""
        if way is ControlWay.FILE:
            return Look(way, showing(await self._fetch(row.file_url), row.token))
        name = record_name(row.place)
        if name is None:
            raise ApiError(422, "no_record_name", "This host can have no record of its own.", f"Serve the line in {row.file_url} instead.")
        async with self._looking:
            answer = await self._records.at(name)
        return Look(way, showing_in_records(answer, row.token), answer.is_validated if isinstance(answer, TxtAnswer) else None)

    async def _fetch(self, url: str) -> Fetched | FetchFailure:
        limits = FetchLimits(total_s=FETCH_S, max_bytes=MAX_FILE_BYTES)
        fetcher = Fetcher(guard=AddressGuard(self._allowed_sockets), user_agent=USER_AGENT, limits=limits)
        async with self._looking:
            await fetcher.start()
            try:
                return await fetcher.fetch(url)
            finally:
                await fetcher.close()

    async def _record(self, row: ControlRow, action: str, look: Look | None = None) -> None:
        """In the receipt log, where nobody can take it back; who, where and how stand there as a commitment."""
        now = self._clock.now()
        facts: dict[str, str | bool] = {"controller": row.controller, "place": row.place, "token": row.token}
        if look is not None and look.way is ControlWay.DNS:
            facts |= {"way": look.way.value, "is_validated": bool(look.is_validated)}
        digest = commit("control", rfc8785.dumps(facts).decode(), salt=row.salt)
        leaf = Control.model_validate({"action": action, "reference": row.proof_id, "document_sha256": digest, "happened_at": now})
        await self._receipts.control(leaf, once=f"{action}/{row.proof_id}/{now.isoformat()}")
