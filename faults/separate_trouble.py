"""The faults, in an order that a seed fixes: kills all the time, and beside them one longer trouble after the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from random import Random

from aiokafka.errors import KafkaError

from assent.testing.kafka_broker import Broker
from assent.testing.loopback_s3 import LoopbackS3
from faults.processes import SERVICES, VECTORS, NotReadyError, SevenProcesses
from faults.proxy import Proxy
from faults.replay import TOPICS, replay
from faults.uptime import Uptime

BROKER, BLOBS = "broker", "blobs"
CONSUMERS = ("geofence", "consent", "embedder", "indexer")
PAUSED_S = 12.0
"""Longer than a consumer's session: its partitions move, and it wakes up believing that it still owns them."""
BROKER_PAUSED_S = 14.0
PARTITIONS = 6
STARTS = 20


class SeparateTrouble:
    """`run` makes trouble until it is time; afterwards everything runs again and nothing is slow."""

    def __init__(
        self,
        *,
        seed: int,
        world: SevenProcesses,
        broker: Broker,
        store: Proxy,
        blobs: LoopbackS3,
        uptime: Uptime,
        kill_every_s: float,
        say: Callable[[str], None],
    ) -> None:
        self._chance = Random(f"{seed}/trouble")  # noqa: S311  trouble that can be repeated, no secret
        self._world = world
        self._broker = broker
        self._store = store
        self._blobs = blobs
        self._uptime = uptime
        self._kill_every_s = kill_every_s
        self._say = say
        self._busy: set[str] = set()
        self.done: Counter[str] = Counter()
        self.exits: Counter[str] = Counter()
        self.all_killed_once = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        """Kills and longer troubles side by side."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._kills(stopping))
            tasks.create_task(self._troubles(stopping))
            tasks.create_task(self._starts_what_ended(stopping))

    async def _kills(self, stopping: asyncio.Event) -> None:
        """Every process once in a random order, then again in another."""
        while True:
            for name in self._chance.sample((*SERVICES, VECTORS), len(SERVICES) + 1):
                await self._pause(self._chance.uniform(0.5, 1.5) * self._kill_every_s, stopping)
                if stopping.is_set():
                    return
                while name in self._busy and not stopping.is_set():  # noqa: ASYNC110  paused, or just being started again
                    await asyncio.sleep(0.2)
                await self._kill(name)
            self.all_killed_once.set()

    async def _kill(self, name: str) -> None:
        with self._alone(name), self._uptime.without(name):
            self._say(f"SIGKILL {name}")
            self._world.kill(name)
            await asyncio.sleep(self._chance.uniform(0, 1))
            await self._up(name)
            self.done[f"SIGKILL {name}"] += 1

    async def _troubles(self, stopping: asyncio.Event) -> None:
        kinds: list[Callable[[], Awaitable[None]]] = [lambda name=name: self._paused(name) for name in (*SERVICES, VECTORS)]  # type: ignore[misc]
        kinds += [lambda name=name: self._joined(name) for name in CONSUMERS]  # type: ignore[misc]
        kinds += [self._replayed, self._replayed, self._broker_paused, self._broker_killed, self._store_slow, self._store_broken]
        kinds += [self._blobs_slow, self._blobs_broken]
        while not stopping.is_set():
            for kind in self._chance.sample(kinds, len(kinds)):
                if stopping.is_set():
                    return
                await kind()
                await self._pause(self._chance.uniform(1, 3), stopping)

    async def _paused(self, name: str) -> None:
        if name in self._busy:
            return
        with self._alone(name), self._uptime.without(name):
            self._say(f"SIGSTOP {name} for {PAUSED_S:.0f} s")
            self._world.pause(name)
            await asyncio.sleep(PAUSED_S)
            self._world.resume(name)
            self.done[f"SIGSTOP {name}"] += 1

    async def _joined(self, name: str) -> None:
        """A second member for a while; it leaves in order or is killed."""
        second = f"{name}+1"
        self._say(f"a second {name} joins")
        await self._up(second)
        await asyncio.sleep(self._chance.uniform(2, 8))
        if self._chance.random() < 0.5:
            self._world.kill(second)
        else:
            code = await self._world.stop(second)
            if code:
                self.exits[f"{second} on SIGTERM: {code}"] += 1
        self.done[f"joined and left {name}"] += 1

    async def _replayed(self) -> None:
        topic = self._chance.choice(TOPICS)
        try:
            count = await replay(self._broker.bootstrap_servers, topic, self._chance, partitions=PARTITIONS)
        except KafkaError:
            return
        self._say(f"{count} records of {topic} written again")
        self.done["records replayed"] += count

    async def _broker_paused(self) -> None:
        with self._uptime.without(BROKER):
            self._say(f"SIGSTOP broker for {BROKER_PAUSED_S:.0f} s")
            self._broker.pause()
            await asyncio.sleep(BROKER_PAUSED_S)
            self._broker.resume()
            self.done["SIGSTOP broker"] += 1

    async def _broker_killed(self) -> None:
        with self._uptime.without(BROKER):
            self._say("SIGKILL broker, started again on its data")
            await asyncio.to_thread(self._broker.kill)
            await asyncio.to_thread(self._broker.start)
            self.done["SIGKILL broker"] += 1

    async def _store_slow(self) -> None:
        self._say("the store is slow")
        with self._uptime.without(VECTORS), self._store.slow(0.5):
            await asyncio.sleep(8)
        self.done["store slow"] += 1

    async def _store_broken(self) -> None:
        self._say("the store cuts every connection")
        with self._uptime.without(VECTORS), self._store.broken():
            await asyncio.sleep(8)
        self.done["store cut off"] += 1

    async def _blobs_slow(self) -> None:
        self._say("the blob store is slow")
        with self._uptime.without(BLOBS), self._blobs.slow(0.5):
            await asyncio.sleep(8)
        self.done["blobs slow"] += 1

    async def _blobs_broken(self) -> None:
        self._say("the blob store answers 503")
        with self._uptime.without(BLOBS), self._blobs.down():
            await asyncio.sleep(8)
        self.done["blobs failing"] += 1

    async def _starts_what_ended(self, stopping: asyncio.Event) -> None:
        """A process that ends by itself is started anew, as Kubernetes would; it is counted with its exit code."""
        while not stopping.is_set():
            await self.start_what_ended()
            await self._pause(1.0, stopping)

    async def start_what_ended(self) -> None:
        """Once over all processes."""
        for name, code in self._world.ended().items():
            if name not in self._busy and "+" not in name:
                with self._alone(name), self._uptime.without(name):
                    self._say(f"{name} ended by itself with code {code}")
                    self.exits[f"{name}: {code}"] += 1
                    await self._up(name)

    async def _up(self, name: str) -> None:
        """Begin it, again when it ends by itself meanwhile: a start while the broker is away gives up with one line."""
        for _ in range(STARTS):
            self._world.begin(name)
            try:
                return await self._world.ready(name)
            except NotReadyError:
                code = self._world.ended().get(name)
                self.exits[f"{name} at its start: {code}"] += 1
                if code is None:
                    self._world.kill(name)
        raise NotReadyError(f"{name} did not become ready in {STARTS} starts: {self._world.said(name)}")

    @contextlib.contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """One trouble at a time for one process."""
        self._busy.add(name)
        try:
            yield
        finally:
            self._busy.discard(name)

    @staticmethod
    async def _pause(seconds: float, stopping: asyncio.Event) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stopping.wait()
