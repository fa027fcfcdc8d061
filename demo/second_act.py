"""The second act: she withdraws, everything goes, and then every road is tried on which something could come back."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime

from assent.events.record import Record, StoredRecord
from assent.ids import GrantId
from assent.receipts.verify import read_public_key, read_receipt, verify_receipt
from demo import photos
from demo.course import CourseReader, StoryStalledError
from demo.first_act import PROBE, Stage
from demo.producer import OutsideProducer
from demo.report import Withdrawal
from demo.separate_reader import vectors_without_live_grant
from demo.settled import settled
from demo.site import PORTRAITS

ERASED_WITHIN_S = 90.0


async def second_act(stage: Stage, reader: CourseReader) -> None:
    """Play it. The world is restarted on the way."""
    stage.say("\nShe withdraws:")
    vectors, images = await _held(stage)
    undisclosable_ms = await _withdraw(stage)
    await _receipts(stage)
    left_vectors, left_images = await _held(stage)
    stage.report.withdrawal = Withdrawal(round(undisclosable_ms, 1), vectors, left_vectors, images, left_images)
    stage.say(f"  {vectors} vectors and {images} pictures before, {left_vectors} and {left_images} after")
    replay = list(reader.course.records)
    await reader.stop()
    await _every_road(stage, replay)
    await _count(stage)


async def _held(stage: Stage) -> tuple[int, int]:
    """Vectors and pictures under her grants."""
    world, grants = stage.world, [GrantId(grant_id) for grant_id in stage.subject.grant_ids]
    vectors = [len(await world.store.ids_of_grant(grant)) for grant in grants]
    images = [len(await world.derivatives.list_grant(grant)) for grant in grants]
    return sum(vectors), sum(images)


async def _withdraw(stage: Stage) -> float:
    """End every grant; milliseconds from the last acknowledgement to the first answer that tells nothing."""
    subject, probe = stage.subject, photos.portrait(PROBE)
    token = await subject.token()
    for held in stage.state.grants.values():
        stage.state.erasures[held.grant_id] = await subject.withdraw(held)
    acknowledged = time.monotonic()
    while (await stage.world.api.search(probe, token=token)).body.get("candidates"):
        if time.monotonic() - acknowledged > ERASED_WITHIN_S:
            raise StoryStalledError("a search still told of her after the withdrawal was acknowledged")
    undisclosable_ms = (time.monotonic() - acknowledged) * 1000
    await stage.search("she again, after her withdrawal", probe, token=token)
    stage.state.write(stage.folder)
    return undisclosable_ms


async def _receipts(stage: Stage) -> None:
    """Wait for both receipts of every erasure and verify each with the public key alone."""
    api = stage.world.api
    pem = (await api.need("GET", f"{api.addresses.registry}/v1/keys/receipts"))["public_key_pem"]
    key = read_public_key(pem.encode())
    for erasure_id in stage.state.erasures.values():
        erasure = await _physically_erased(stage, erasure_id)
        for receipt_id in erasure:
            receipt = await api.need("GET", f"{api.addresses.registry}/v1/receipts/{receipt_id}")
            verify_receipt(read_receipt(_text(receipt)), key)
            stage.report.receipts_verified += 1
            stage.say(f"  receipt {receipt_id}: verified with the public key alone")


async def _physically_erased(stage: Stage, erasure_id: str) -> list[str]:
    api, erasure = stage.world.api, {"waiting_for": "everything"}
    try:
        async with asyncio.timeout(ERASED_WITHIN_S):
            while True:
                erasure = await api.need("GET", f"{api.addresses.registry}/v1/erasures/{erasure_id}")
                if erasure["status"] == "physically_erased":
                    return list(erasure["receipts"])
                await asyncio.sleep(0.2)
    except TimeoutError as error:
        waits = json.dumps(erasure["waiting_for"])
        raise StoryStalledError(f"an erasure was not complete within {ERASED_WITHIN_S:.0f} s; it waits for {waits}") from error


async def _every_road(stage: Stage, replay: list[StoredRecord]) -> None:
    """A new crawl, the producer, old records again, a restart, and a new crawl."""
    stage.say("\nEvery road back is tried:")
    world = stage.world
    await _crawl(stage, "a new crawl of the site")
    producer = OutsideProducer(world.api, private_key=stage.state.producer_key)
    await producer.register(world.operator_token)
    picture = next(photo for path, photo in stage.site.photos.items() if path.startswith(PORTRAITS))
    await producer.offer(picture.data, now=datetime.now(UTC), final_url=f"{stage.site.origin}{picture.path}")
    stage.say("  the outside producer offers a picture of her")
    await world.log.append([Record(item.topic, item.key, item.value, item.headers) for item in replay])
    stage.say(f"  {len(replay)} old records (images.cleared, faces.embedded) are put on the log again")
    await settled(world.log)
    await world.restart()
    stage.say("  everything is stopped and started again")
    await _crawl(stage, "a last crawl")
    await settled(stage.world.log)


async def _crawl(stage: Stage, what: str) -> None:
    api = stage.world.api
    done = await api.need("POST", f"{api.addresses.crawler}/v1/crawls", token=stage.world.operator_token)
    stage.say(f"  {what}: {done['scraped']} images taken")


async def _count(stage: Stage) -> None:
    report, world = stage.report, stage.world
    token = await stage.subject.token()
    found = await stage.search("she, after all that", photos.portrait(PROBE), token=token)
    vectors, images = await _held(stage)
    report.resurrected = vectors + images + len(found.body.get("candidates", []))
    report.vectors_without_live_grant = await vectors_without_live_grant(world.log, world.store)
    stage.say(f"\nCame back: {report.resurrected}. Vectors without a live grant: {report.vectors_without_live_grant}.")


def _text(receipt: dict[str, object]) -> bytes:
    return json.dumps(receipt).encode()
