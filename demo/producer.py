"""An outside producer as any other team would write it: its own key, its own quarantine, signed events; its word is never consent."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from demo.api import DemoApi, JsonObject, StoryCallError

NAME = "demo-agency"
OFFERS = 5
"""How often an image is handed in anew because its bytes went in between."""


class OutsideProducer:
    """Hands an image in and announces it."""

    def __init__(self, api: DemoApi, *, private_key: str = "", name: str = NAME) -> None:
        self._api = api
        self._name = name
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private_key)) if private_key else Ed25519PrivateKey.generate()
        self._token = ""

    @property
    def token(self) -> str:
        """The bearer token of its requests; empty before it is registered."""
        return self._token

    @property
    def private_key(self) -> str:
        """The raw private key in hexadecimal, to be kept by the producer."""
        return self._key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()).hex()

    async def register(self, operator_token: str) -> None:
        """The operator registers the public key and gives out a token."""
        registry = self._api.addresses.registry
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        await self._api.need(
            "POST", f"{registry}/v1/producers", token=operator_token, json={"producer_id": self._name, "public_key": public}
        )
        wanted = {"name": self._name, "roles": ["producer"], "org": self._name, "producer_id": self._name, "lifetime_s": 3600}
        self._token = (await self._api.need("POST", f"{registry}/v1/tokens", token=operator_token, json=wanted))["token"]

    async def hand_in(self, image: bytes) -> str:
        """PUT the bytes; where they lie."""
        digest = hashlib.sha256(image).hexdigest()
        path = f"{self._api.addresses.registry}/v1/intake/{digest}"
        return str((await self._api.need("PUT", path, token=self._token, data=image))["blob"])

    def signed(self, event_id: str, key: str, value: bytes) -> bytes:
        """The signature over an event."""
        return self._key.sign(_signed(event_id, key, value))

    async def offer(self, image: bytes, *, now: datetime, final_url: str | None = None) -> None:
        """PUT the bytes, then POST the signed event that names them.

        From the start where the bytes have gone in between: the same image was done with meanwhile, or the answer to an event that was
        taken was lost. The same event again does nothing twice.
        """
        for left in reversed(range(OFFERS)):
            try:
                return await self._offer(image, now, final_url)
            except StoryCallError as error:
                if error.code != "no_blob" or not left:
                    raise

    async def _offer(self, image: bytes, now: datetime, final_url: str | None) -> None:
        registry, digest = self._api.addresses.registry, hashlib.sha256(image).hexdigest()
        blob = await self.hand_in(image)
        sighting_id = hashlib.sha256(f"{self._name}/{digest}/{now.isoformat()}".encode()).hexdigest()
        body = json.dumps(_event(self._name, blob, image, digest, sighting_id, now, final_url)).encode()
        headers = {
            "Content-Type": "application/cloudevents+json",
            "assent-signature": base64.b64encode(self.signed(sighting_id, sighting_id, body)).decode(),
        }
        await self._api.need("POST", f"{registry}/v1/events", token=self._token, data=body, headers=headers)


def _event(name: str, blob: str, image: bytes, digest: str, sighting_id: str, now: datetime, final_url: str | None) -> JsonObject:
    sighting = {
        "sighting_id": sighting_id,
        "image_id": digest,
        "producer": name,
        "source_kind": "producer",
        "blob": blob,
        "sha256": digest,
        "size_bytes": len(image),
        "media_type": "image/jpeg",
        "final_url": final_url,
        "fetched_at": now.isoformat(),
    }
    return {
        "specversion": "1.0",
        "id": sighting_id,
        "source": f"/{name}",
        "type": "images.scraped.v1",
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": {"sighting": sighting},
    }


def _signed(event_id: str, key: str, value: bytes) -> bytes:
    """Event id, key and value, each after its length in four bytes, big-endian."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in (event_id.encode(), key.encode(), value))
