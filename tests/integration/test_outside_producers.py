"""Producers from outside over Apache Kafka: what is right is embedded once, what is wrong is a dead letter, and nothing stops."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from confluent_kafka import Producer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.events.topics import PARTITIONS, Topic
from assent.testing.kafka_broker import ApacheKafka
from demo.producer import NAME, OutsideProducer
from tests.contract.kafka_broker import apache_kafka
from tests.integration.foreign_clients import Confluent, ForeignClient, KafkaPython, Kcat, Message
from tests.integration.kafka_house import KafkaHouse, as_json, kafka_house, portraits, structured_event
from tests.integration.raw_batches import GZIP, LZ4, ZSTD, batch, produce, record
from tools.outside_programs import ROOT, find_kafka, find_kcat, required

__all__ = ["apache_kafka"]
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]
STRANGER = Ed25519PrivateKey.generate()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, apache_kafka: ApacheKafka) -> AsyncIterator[KafkaHouse]:
    async with kafka_house(tmp_path_factory.mktemp("house"), apache_kafka) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def producer(house: KafkaHouse) -> OutsideProducer:
    made = OutsideProducer(house.api)
    await made.register(house.token)
    return made


def client_named(name: str, broker: ApacheKafka) -> ForeignClient:
    servers = broker.bootstrap_servers
    if name != "kcat":
        return Confluent(servers) if name == "confluent" else KafkaPython(servers)
    program = find_kcat()
    if program is None and "kafka" not in required():
        pytest.skip("kcat is not on this machine: install it (Debian: apt-get install kcat)")
    assert program is not None, "ASSENT_REQUIRE names kafka, and kcat belongs to it"
    return Kcat(servers, program)


@dataclass(frozen=True, slots=True)
class Case:
    """A message and the cause of its dead letter; None where the broker must not take it, or where it is right."""

    message: Message
    cause: str | None = None


def signed(key: bytes, event_id: str, value: bytes, producer: Any) -> bytes:
    parts = (event_id.encode(), key, value)
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return bytes(producer.sign(framed) if isinstance(producer, Ed25519PrivateKey) else producer.signed(event_id, key.decode(), value))


def structured(event: dict[str, Any], signer: Any, *, key: str | None = None, content: str = "application/cloudevents+json") -> Message:
    return whole(as_json(event), str(event["id"]), signer, key=key, content=content)


def whole(value: bytes, event_id: str, signer: Any, *, key: str | None = None, content: str = "application/cloudevents+json") -> Message:
    placed = (key or event_id).encode()
    headers = (("content-type", content.encode()), ("assent-signature", signed(placed, event_id, value, signer)))
    return Message(placed, value, headers)


def binary(event: dict[str, Any], signer: Any, *, value: bytes | None = None, key: str | None = None) -> Message:
    event_id = str(event["id"])
    placed, body = (key or event_id).encode(), as_json(event["data"]) if value is None else value
    told = [(f"ce_{name}", str(event[name]).encode()) for name in ("specversion", "id", "source", "type", "time")]
    signature = signed(placed, event_id, body, signer)
    return Message(placed, body, (*told, ("content-type", b"application/json"), ("assent-signature", signature)))


def bad_cases(tag: str, image: bytes, producer: OutsideProducer) -> dict[str, Case]:
    """Each has a value of its own, so that its dead letter is known by the digest."""

    def event(name: str, /, **changes: object) -> dict[str, Any]:
        return structured_event(NAME, image, event_id=f"{tag}-{name}", **changes)

    def spoilt(name: str, more: str) -> bytes:
        """The data of an event that is right but for what is written into it by hand."""
        return as_json(event(name)["data"])[:-1] + f', "note": {more}}}'.encode()

    nan, deep, twice = event("nan"), event("deep"), event("twice")
    newer = event("newer") | {"type": "images.scraped.v9"}
    unsigned = structured(event("unsigned"), producer)
    return {
        "malformed": Case(binary(event("malformed"), producer, value=f'{{"{tag}'.encode()), "malformed"),
        "malformed_whole": Case(whole(f'{{"{tag}": '.encode(), f"{tag}-whole", producer), "malformed"),
        "too_long": Case(structured(event("long") | {"extension": tag + "x" * 1_000_000}, producer), "oversize"),
        "over_the_brokers_limit": Case(structured(event("longer") | {"extension": random_text(2_000_000)}, producer)),
        "newer": Case(structured(newer, producer), "unknown_type"),
        "newer_binary": Case(binary(newer | {"id": f"{tag}-newer-2"}, producer, value=as_json(event("newer-2")["data"])), "unknown_type"),
        "wrong_key": Case(structured(event("key"), producer, key="another"), "wrong_key"),
        "unsigned": Case(Message(unsigned.key, unsigned.value, unsigned.headers[:1]), "bad_signature"),
        "foreign_signed": Case(binary(event("foreign"), STRANGER), "bad_signature"),
        "foreign_blob": Case(structured(event("blob", blob=f"intake/another/{'0' * 64}"), producer), "foreign_blob"),
        "unknown_producer": Case(structured(event("nobody", producer="nobody"), producer), "unknown_producer"),
        "no_value": Case(Message(f"{tag}-null".encode(), None), "no_value"),
        "nan": Case(binary(nan, producer, value=spoilt("nan", "NaN")), "malformed"),
        "twice": Case(binary(twice, producer, value=spoilt("twice", '1, "note": 2')), "malformed"),
        "deep": Case(binary(deep, producer, value=spoilt("deep", "[" * 5_000 + "]" * 5_000)), "malformed"),
        "less_deep": Case(structured(event("less") | {"data": {"sighting": {}, "note": nested(40)}}, producer), "malformed"),
        "batched": Case(structured(event("batched"), producer, content="application/cloudevents-batch+json"), "batched"),
        "other_format": Case(structured(event("avro"), producer, content="application/cloudevents+avro"), "unknown_content"),
        "two_ids": Case(contradicting(structured(event("two"), producer)), "bad_attributes"),
    }


def contradicting(message: Message) -> Message:
    return Message(message.key, message.value, (*message.headers, ("ce_id", b"another")))


def nested(depth: int) -> object:
    inner: object = 1
    for _ in range(depth):
        inner = [inner]
    return inner


def random_text(length: int) -> str:
    """No codec makes it small."""
    import random

    return "".join(random.choices("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_", k=length))


@pytest.mark.parametrize("name", ["confluent", "kafka-python", "kcat"])
async def test_every_client_and_codec(name: str, house: KafkaHouse, producer: OutsideProducer) -> None:
    client = client_named(name, house.broker)
    images = portraits(len(client.codecs), first=10 * ("confluent", "kafka-python", "kcat").index(name))
    grant = await house.granted(f"of {name}", images)
    before = Counter((letter.cause, letter.sha256) for letter in await house.dead_letters())
    expected: Counter[tuple[str, str]] = Counter()
    for codec, image in zip(client.codecs, images, strict=True):
        tag = f"{name}-{codec}"
        await producer.hand_in(image)
        event = structured_event(NAME, image, event_id=f"{tag}-right")
        right = structured(event, producer) if codec in ("none", "lz4") else binary(event, producer)
        bad = bad_cases(tag, image, producer)
        taken = await client.publish([right, right, *(case.message for case in bad.values())], codec=codec)
        assert dict(zip(["right", "again", *bad], taken, strict=True)) == {
            **dict.fromkeys(["right", "again", *bad], True),
            "over_the_brokers_limit": False,
        }
        expected.update((case.cause, hashlib.sha256(case.message.value or b"").hexdigest()) for case in bad.values() if case.cause)
    await house.settled()
    got = Counter((letter.cause, letter.sha256) for letter in await house.dead_letters()) - before
    assert got == expected
    assert await house.vectors(grant) == len(images)
    assert len(client.codecs) >= 2, "a client that compresses nothing shows little"


def hostile_batches(tag: str) -> dict[str, tuple[bytes, str]]:
    """What a stranger may hand to a broker, and what becomes of it where the broker takes it."""
    key = tag.encode()
    small = record(0, key, b'{"small": 1}')
    huge = record(0, key, b'{"much": "' + b"a" * 40_000_000 + b'"}')
    many = b"".join(record(index, key, b"") for index in range(60_000))
    return {
        "gzip bomb": (batch(huge, 1, codec=GZIP), "inflates_too_far"),
        "lz4 bomb": (batch(huge, 1, codec=LZ4), "inflates_too_far"),
        "zstd bomb": (batch(huge, 1, codec=ZSTD), "inflates_too_far"),
        "too many": (batch(many, 60_000, codec=ZSTD), "too_many_records"),
        "name that is no text": (batch(record(0, key, b"{}", [(b"\xff\xfe", b"1")]), 1), "damaged_record"),
        "check sum": (batch(small, 1, is_intact=False), "damaged_batch"),
        "old format": (batch(small, 1, magic=1), "old_format"),
        "unknown codec": (batch(small, 1, attributes=7), "unknown_codec"),
        "not what it says": (batch(b"\x00" * 40, 3), "damaged_batch"),
        "broken zstd": (batch(small, 1, attributes=ZSTD), "damaged_batch"),
        "control": (batch(small, 1, attributes=0x20), "marker"),
    }


async def test_no_hostile_batch_stops_a_partition(house: KafkaHouse, producer: OutsideProducer) -> None:
    """Apache Kafka refuses some of them itself; every one that it takes is passed, and what lies behind is read."""
    topic, port = Topic.IMAGES_SCRAPED.value, house.broker.port
    before = Counter(letter.cause for letter in await house.dead_letters())
    expected: Counter[str] = Counter()
    refused = set()
    for name, (data, cause) in hostile_batches("hostile").items():
        for partition in range(PARTITIONS):
            if await asyncio.to_thread(produce, port, topic, partition, data):
                refused.add(name)
            else:
                expected[cause] += 1
    assert refused == {"check sum", "old format", "unknown codec", "not what it says", "broken zstd", "control"}
    await house.settled()
    assert Counter(letter.cause for letter in await house.dead_letters()) - before == expected


async def test_the_good_records_of_a_batch_with_a_bad_one_are_taken(house: KafkaHouse, producer: OutsideProducer) -> None:
    images = portraits(2, first=40)
    grant = await house.granted("beside", images)
    events = [structured(structured_event(NAME, image, event_id=f"beside-{index}"), producer) for index, image in enumerate(images)]
    for image in images:
        await producer.hand_in(image)
    first, last = ([(name.encode(), told) for name, told in event.headers] for event in events)
    records = [
        record(0, events[0].key or b"", events[0].value or b"", first),
        record(1, b"k", b"{}", [(b"\xff", b"")]),
        record(2, events[1].key or b"", events[1].value or b"", last),
    ]
    before = Counter(letter.cause for letter in await house.dead_letters())
    assert await asyncio.to_thread(produce, house.broker.port, Topic.IMAGES_SCRAPED.value, 0, batch(b"".join(records), 3, codec=GZIP)) == 0
    await house.settled()
    assert Counter(letter.cause for letter in await house.dead_letters()) - before == Counter(["damaged_record"])
    assert await house.vectors(grant) == 2


async def test_a_transaction_is_read_and_its_end_is_no_lag(house: KafkaHouse, producer: OutsideProducer) -> None:
    """Its marker takes an offset that holds no record; committed all the same, or the group would look stuck for ever."""
    (image,) = portraits(1, first=50)
    grant = await house.granted("transaction", [image])
    await producer.hand_in(image)
    right = structured(structured_event(NAME, image, event_id="in-a-transaction"), producer)
    await asyncio.to_thread(in_a_transaction, house.broker.bootstrap_servers, right)
    await house.settled()
    assert await house.vectors(grant) == 1


def in_a_transaction(servers: str, message: Message) -> None:
    client = Producer({"bootstrap.servers": servers, "transactional.id": "outside"})
    client.init_transactions(30)
    for does_commit in (True, False):
        client.begin_transaction()
        client.produce("images.scraped", message.value, message.key, headers=list(message.headers))
        assert client.flush(30) == 0
        if does_commit:
            client.commit_transaction(30)
        else:
            client.abort_transaction(30)


async def test_a_flood_of_rubbish_does_not_end_the_geofence(house: KafkaHouse, producer: OutsideProducer) -> None:
    """More in a row than a release of ours that can read nothing would be allowed."""
    (image,) = portraits(1, first=60)
    grant = await house.granted("flood", [image])
    await producer.hand_in(image)
    right = structured(structured_event(NAME, image, event_id="after-the-flood"), producer)
    rubbish = [Message(f"rubbish-{index}".encode(), b"{") for index in range(1_500)]
    taken = await Confluent(house.broker.bootstrap_servers).publish([*rubbish, right], codec="zstd")
    assert all(taken)
    await house.settled()
    assert await house.vectors(grant) == 1


async def test_the_programs_of_the_guide_do_what_it_says(house: KafkaHouse, tmp_path: Path) -> None:
    """Each is run twice, as it stands in the guide: its image is embedded once, and the feed tells it once."""
    environment = guide_environment(house, tmp_path)
    await run_program([*SHELL, "register.sh"], tmp_path, environment)
    environment |= {"TOKEN": (tmp_path / "guide-agency.token").read_text().strip(), "KEY_FILE": str(tmp_path / "guide-agency.key")}
    commands = guide_commands()
    images = portraits(len(commands), first=70)
    grant = await house.granted("guide", images)
    for _ in range(2):
        for (name, command), image in zip(commands.items(), images, strict=True):
            (tmp_path / name).write_bytes(image)
            await run_program([*command, str(tmp_path / name)], tmp_path, environment)
        await house.settled()
    assert await house.vectors(grant) == len(commands)
    rows: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while len(rows) < len(commands):
            rows = json.loads(await run_program([*SHELL, "outcomes.sh"], tmp_path, environment))["outcomes"]
    assert [row["outcome"] for row in rows] == ["embedded"] * len(commands)
    assert {row["image_id"] for row in rows} == {house.world.identifiers.image_id(image) for image in images}


SHELL = ("sh",)
GUIDE = ROOT / "docs" / "producers"


def guide_environment(house: KafkaHouse, folder: Path) -> dict[str, str]:
    """What the guide says to set, and `assent` and kcat on the path."""
    kcat = find_kcat()
    path = [str(Path(sys.executable).parent), *([str(kcat.parent)] if kcat else []), os.environ["PATH"]]
    told = {"REGISTRY": house.registry, "KAFKA": house.broker.bootstrap_servers, "PRODUCER": "guide-agency", "ASSENT_TOKEN": house.token}
    return {**os.environ, **told, "PATH": os.pathsep.join(path), "HOME": str(folder)}


def guide_commands() -> dict[str, list[str]]:
    """How each program is started; one that needs kcat is left out where there is none and none is required."""
    jars = find_kafka()
    found = {
        "confluent": [sys.executable, "confluent.py"],
        "asynchronous": [sys.executable, "asynchronous.py"],
        "java": ["java", "-cp", f"{jars}/*", "Announce.java"],
        "curl": [*SHELL, "curl.sh"],
        "kcat": [*SHELL, "kcat.sh"],
    }
    if find_kcat() is None:
        assert "kafka" not in required(), "ASSENT_REQUIRE names kafka, and kcat belongs to it"
        del found["kcat"]
    return found


async def run_program(command: Sequence[str], folder: Path, environment: dict[str, str]) -> str:
    """Its output. A program of the guide is named by its file."""
    words = [str(GUIDE / word) if (GUIDE / word).is_file() else word for word in command]
    done = await asyncio.to_thread(
        subprocess.run, words, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout
