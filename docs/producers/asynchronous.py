"""Hand one image in and announce it on Kafka, with aiokafka, in binary mode: python asynchronous.py IMAGE"""

import asyncio
import hashlib
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from aiokafka import AIOKafkaProducer
from cryptography.hazmat.primitives.serialization import load_pem_private_key

registry, token, producer = os.environ["REGISTRY"], os.environ["TOKEN"], os.environ["PRODUCER"]
private_key = load_pem_private_key(Path(os.environ["KEY_FILE"]).read_bytes(), password=None)


async def hand_in(image: bytes, digest: str) -> dict[str, str]:
    """The bytes, into the producer's own area."""
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}, raise_for_status=True) as session,
        session.put(f"{registry}/v1/intake/{digest}", data=image) as answer,
    ):
        return await answer.json()


async def announce(event_id: str, value: bytes, now: str) -> None:
    """The event in binary mode: its attributes are headers, its data is the value."""
    parts = (event_id.encode(), event_id.encode(), value)
    signature = private_key.sign(b"".join(len(part).to_bytes(4, "big") + part for part in parts))
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_source", f"/{producer}".encode()),
        ("ce_type", b"images.scraped.v1"),
        ("ce_time", now.encode()),
        ("content-type", b"application/json"),
        ("assent-signature", signature),
    ]
    client = AIOKafkaProducer(bootstrap_servers=os.environ["KAFKA"], compression_type=os.environ.get("CODEC", "lz4"), acks="all")
    await client.start()
    try:
        async with asyncio.timeout(30):
            await client.send_and_wait("images.scraped", value, key=event_id.encode(), headers=headers)
    finally:
        await client.stop()


async def main(image: bytes) -> None:
    digest = hashlib.sha256(image).hexdigest()
    handed_in = await hand_in(image, digest)
    now = datetime.now(UTC).isoformat()
    # The same image always has the same id, so sending it again changes nothing.
    event_id = hashlib.sha256(f"{producer}/{digest}".encode()).hexdigest()
    sighting = {
        "sighting_id": event_id,
        "image_id": digest,
        "producer": producer,
        "source_kind": "producer",
        "blob": handed_in["blob"],
        "sha256": digest,
        "size_bytes": len(image),
        "media_type": "image/jpeg",
        "fetched_at": now,
    }
    await announce(event_id, json.dumps({"sighting": sighting}).encode(), now)
    print(handed_in["image_id"])


asyncio.run(main(Path(sys.argv[1]).read_bytes()))
