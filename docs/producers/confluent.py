"""Hand one image in and announce it on Kafka, with confluent-kafka: python confluent.py IMAGE"""

import hashlib
import json
import os
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from confluent_kafka import Producer
from cryptography.hazmat.primitives.serialization import load_pem_private_key

registry, token, producer = os.environ["REGISTRY"], os.environ["TOKEN"], os.environ["PRODUCER"]
private_key = load_pem_private_key(Path(os.environ["KEY_FILE"]).read_bytes(), password=None)
image = Path(sys.argv[1]).read_bytes()
digest = hashlib.sha256(image).hexdigest()

# 1. The bytes, into the producer's own area.
put = urllib.request.Request(
    f"{registry}/v1/intake/{digest}",
    data=image,
    method="PUT",
    headers={"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"},
)
with urllib.request.urlopen(put, timeout=60) as answer:
    handed_in = json.load(answer)

# 2. The event: the same image always has the same id, so sending it again changes nothing.
now = datetime.now(UTC).isoformat()
event_id = hashlib.sha256(f"{producer}/{digest}".encode()).hexdigest()
value = json.dumps(
    {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/{producer}",
        "type": "images.scraped.v1",
        "time": now,
        "datacontenttype": "application/json",
        "data": {
            "sighting": {
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
        },
    }
).encode()

# 3. The signature: over id, key and value, each after its length in four bytes, big-endian.
parts = (event_id.encode(), event_id.encode(), value)
signature = private_key.sign(b"".join(len(part).to_bytes(4, "big") + part for part in parts))

# 4. Onto the log, keyed by the sighting's id.
refused: list[object] = []
client = Producer(
    {
        "bootstrap.servers": os.environ["KAFKA"],
        "partitioner": "murmur2_random",
        "compression.type": os.environ.get("CODEC", "zstd"),
        "acks": "all",
    }
)
client.produce(
    "images.scraped",
    key=event_id.encode(),
    value=value,
    headers=[("content-type", b"application/cloudevents+json; charset=utf-8"), ("assent-signature", signature)],
    on_delivery=lambda error, _: refused.append(error) if error else None,
)
if client.flush(30) or refused:
    sys.exit(f"not delivered: {refused or 'no answer in 30 s'}")
print(handed_in["image_id"])
