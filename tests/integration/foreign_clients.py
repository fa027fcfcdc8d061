"""Clients of Kafka that are not ours, behind one verb: librdkafka by confluent-kafka and by kcat, and kafka-python."""

from __future__ import annotations

import asyncio
import base64
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from subprocess import run
from typing import Any, Protocol

from confluent_kafka import KafkaException, Producer
from kafka import KafkaProducer, codec
from kafka.errors import KafkaError

TOPIC = "images.scraped"
TIMEOUT_S = 30
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


@dataclass(frozen=True, slots=True)
class Message:
    """One record as it is handed to a client."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class ForeignClient(Protocol):
    """Somebody else's producer."""

    @property
    def codecs(self) -> tuple[str, ...]:
        """What it can compress with here."""
        ...

    async def publish(self, messages: Sequence[Message], *, codec: str) -> list[bool]:
        """Send all of them; which were taken by the broker."""
        ...


class Confluent:
    """confluent-kafka, the Python side of librdkafka."""

    codecs: tuple[str, ...] = CODECS

    def __init__(self, servers: str) -> None:
        self._servers = servers

    async def publish(self, messages: Sequence[Message], *, codec: str) -> list[bool]:
        return await asyncio.to_thread(self._publish, messages, codec)

    def _publish(self, messages: Sequence[Message], codec: str) -> list[bool]:
        # The client's own limit is lifted, so that it is the broker's that refuses.
        producer = Producer({"bootstrap.servers": self._servers, "compression.type": codec, "message.max.bytes": 4_000_000, "retries": 0})
        taken = [False] * len(messages)

        def told(index: int) -> Any:
            def delivered(error: object, _: object) -> None:
                taken[index] = error is None

            return delivered

        for index, message in enumerate(messages):
            try:
                producer.produce(TOPIC, message.value, message.key, headers=list(message.headers), on_delivery=told(index))
            except KafkaException:
                continue
        assert producer.flush(TIMEOUT_S) == 0
        return taken


class KafkaPython:
    """kafka-python, which is written in Python alone."""

    def __init__(self, servers: str) -> None:
        self._servers = servers
        has = {"none": True, "gzip": True, "snappy": codec.has_snappy(), "lz4": codec.has_lz4(), "zstd": codec.has_zstd()}
        self.codecs = tuple(name for name in CODECS if has[name])

    async def publish(self, messages: Sequence[Message], *, codec: str) -> list[bool]:
        return await asyncio.to_thread(self._publish, messages, None if codec == "none" else codec)

    def _publish(self, messages: Sequence[Message], compression: str | None) -> list[bool]:
        producer = KafkaProducer(
            bootstrap_servers=self._servers, compression_type=compression, max_request_size=4_000_000, enable_idempotence=False, retries=0
        )
        try:
            sent = [producer.send(TOPIC, value=item.value, key=item.key, headers=list(item.headers)) for item in messages]
            producer.flush(TIMEOUT_S)
            return [_landed(future) for future in sent]
        finally:
            producer.close(TIMEOUT_S)


def _landed(future: Any) -> bool:
    try:
        future.get(TIMEOUT_S)
    except KafkaError:
        return False
    return True


class Kcat:
    """kcat, one process a message; its headers are text."""

    codecs: tuple[str, ...] = CODECS

    def __init__(self, servers: str, program: Path) -> None:
        self._servers = servers
        self._program = program

    async def publish(self, messages: Sequence[Message], *, codec: str) -> list[bool]:
        with ThreadPoolExecutor(2) as pool, tempfile.TemporaryDirectory() as folder:
            loop = asyncio.get_running_loop()
            jobs = [
                loop.run_in_executor(pool, self._publish, message, codec, Path(folder) / str(index))
                for index, message in enumerate(messages)
            ]
            return await asyncio.gather(*jobs)

    def _publish(self, message: Message, codec: str, file: Path) -> bool:
        file.write_bytes(message.value or b"")
        key = (message.key or b"").decode()
        command = [str(self._program), "-P", "-b", self._servers, "-t", TOPIC, "-z", codec, "-X", "message.max.bytes=4000000"]
        command += ["-X", "retries=0"]
        for name, value in message.headers:
            command += ["-H", f"{name}={_text(value)}"]
        # A null is written on a line: a key, what ends it, and nothing.
        rest = ["-Z", "-K", "|"] if message.value is None else ["-k", key, str(file)]
        done = run([*command, *rest], input=f"{key}|\n".encode(), capture_output=True, timeout=TIMEOUT_S, check=False)
        return done.returncode == 0


def _text(value: bytes) -> str:
    """As it is, or in base64 where that is no text."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
