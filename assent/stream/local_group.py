"""Consumer groups of the embedded log: range assignment, so that topics of one partition count have one owner per key."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assent.events.record import StoredRecord
from assent.stream.event_log import OnRevoked, TopicPartition

if TYPE_CHECKING:
    from assent.stream.local import SqliteEventLog


class LocalGroup:
    """The members of one group in this process, and who owns what."""

    def __init__(self) -> None:
        self._members: dict[str, LocalSubscription] = {}
        self._changing = asyncio.Lock()

    async def join(self, member: LocalSubscription) -> None:
        """Add a member and share the partitions anew. Raises ValueError when the name is taken."""
        async with self._changing:
            if member.name in self._members:
                raise ValueError(f"the group already has a member {member.name}; give each member its own name")
            self._members[member.name] = member
            await self._assign()

    async def leave(self, member: LocalSubscription) -> None:
        """Remove a member and share the partitions anew."""
        async with self._changing:
            if self._members.get(member.name) is member:
                del self._members[member.name]
                member.drop(member.assignment())
                await self._assign()

    async def _assign(self) -> None:
        """Everyone lets go of what moves before anyone gets it."""
        wanted = {name: self._share(name) for name in self._members}
        for name, member in self._members.items():
            await member.let_go(member.assignment() - wanted[name])
        for name, member in self._members.items():
            await member.take(wanted[name])

    def _share(self, name: str) -> frozenset[TopicPartition]:
        owned: set[TopicPartition] = set()
        for topic, count in self._members[name].topics.items():
            names = sorted(other for other, member in self._members.items() if topic in member.topics)
            each, more = divmod(count, len(names))
            rank = names.index(name)
            start = rank * each + min(rank, more)
            owned.update(TopicPartition(topic, part) for part in range(start, start + each + (1 if rank < more else 0)))
        return frozenset(owned)


@dataclass(slots=True, eq=False)
class _Cursor:
    """One ownership of one partition; a partition that went and came back has another one."""

    next: int


class LocalSubscription:
    """One member. Its positions live here; its commits in the file."""

    def __init__(
        self,
        log: SqliteEventLog,
        group: LocalGroup,
        *,
        group_name: str,
        member: str,
        topics: Mapping[str, int],
        on_revoked: OnRevoked,
    ) -> None:
        self._log = log
        self._group = group
        self._group_name = group_name
        self.name = member
        self.topics = dict(topics)
        self._on_revoked = on_revoked
        self._cursors: dict[TopicPartition, _Cursor] = {}
        self._paused: set[TopicPartition] = set()
        self._first = 0

    async def poll(self, *, max_records: int, timeout_s: float) -> list[StoredRecord]:
        """The next records of what is ours and not paused."""
        since = self._log.version
        found = await self._read(max_records)
        if not found:
            await self._log.wait_for_growth(since, timeout_s)
            found = await self._read(max_records)
        return found

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> frozenset[TopicPartition]:
        moved = frozenset(offsets.keys() - self._cursors.keys())
        ours = {partition: offset for partition, offset in offsets.items() if partition not in moved}
        if ours:
            await self._log.commit(self._group_name, ours)
        return moved

    def seek(self, partition: TopicPartition, offset: int) -> None:
        if partition in self._cursors:
            self._cursors[partition].next = offset

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        self._paused.update(self._cursors.keys() & partitions)

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        self._paused.difference_update(partitions)

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._cursors)

    async def close(self) -> None:
        await self._group.leave(self)
        await self._log.wake()

    async def let_go(self, partitions: frozenset[TopicPartition]) -> None:
        """Tell the owner first, so that it finishes or abandons; only then does the partition move."""
        if partitions:
            await self._on_revoked(partitions)
            self.drop(partitions)

    def drop(self, partitions: frozenset[TopicPartition]) -> None:
        """Own these no longer."""
        for partition in partitions:
            self._cursors.pop(partition, None)
            self._paused.discard(partition)

    async def take(self, partitions: frozenset[TopicPartition]) -> None:
        """Start new partitions where the group committed."""
        new = partitions - self._cursors.keys()
        if new:
            committed = await self._log.committed(self._group_name, {partition.topic for partition in new})
            self._cursors.update({partition: _Cursor(committed[partition]) for partition in new})

    async def _read(self, max_records: int) -> list[StoredRecord]:
        """Begins with another partition each time, so that a busy one starves nobody.

        Positions move when all is read, together with what is given out: a caller who gives up in between loses nothing.
        """
        found: list[tuple[TopicPartition, _Cursor, int, list[StoredRecord]]] = []
        ends = self._log.ends(self.topics)
        behind = sorted(at for at, cursor in self._cursors.items() if at not in self._paused and cursor.next < ends[at])
        self._first += 1
        left = max_records
        for index in range(len(behind)):
            at = behind[(index + self._first) % len(behind)]
            cursor = self._cursors.get(at)
            if cursor is None or left <= 0:
                continue
            start = cursor.next
            records = await self._log.read(at, start, max_records=left)
            found.append((at, cursor, start, records))
            left -= len(records)
        given: list[StoredRecord] = []
        for at, cursor, start, records in found:
            if self._cursors.get(at) is cursor and cursor.next == start:
                cursor.next = records[-1].offset + 1 if records else ends[at]
                given += records
        return given
