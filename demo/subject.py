"""The person of the story as the registry knows her: a pseudonym, her grants and their secrets; nobody says yes in her place."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from demo.api import DemoApi, JsonObject
from demo.requests import RESIDENCE, fixture_grant
from demo.site import ALBUM, PORTRAITS, DemoSite
from demo.state import DemoState, HeldGrant

PORTRAITS_GRANT = "portraits"
ALBUM_GRANT = "album"


class Subject:
    """Makes what is missing, and finds what an earlier start has left."""

    def __init__(self, api: DemoApi, state: DemoState) -> None:
        self._api = api
        self._state = state

    @property
    def grant_ids(self) -> list[str]:
        """Her grants in the story."""
        return [held.grant_id for held in self._state.grants.values()]

    @property
    def subject_id(self) -> str:
        """Her pseudonym."""
        return self._state.subject_id

    def held(self) -> list[HeldGrant]:
        """Her grants with their secrets."""
        return list(self._state.grants.values())

    def shown(self) -> dict[str, str]:
        """The header that shows that it is she who answers; empty where she holds no grant yet."""
        held = next(iter(self._state.grants.values()), None)
        return {} if held is None else {"Assent-Grant-Secret": held.secret}

    async def create(self, operator_token: str) -> None:
        """A pseudonym, unless she has one."""
        if self._state.subject_id:
            return
        body = {"age_band": "adult", "residences": [RESIDENCE]}
        made = await self._api.need("POST", f"{self._registry}/v1/subjects", token=operator_token, json=body)
        self._state.subject_id = made["subject_id"]

    async def grant(self, name: str, request: JsonObject, operator_token: str) -> None:
        """The operator asks; she answers with her one-time secret and the digest of the notice she was shown.

        To a further grant she says yes with the secret of an earlier one.
        """
        asked = await self._api.need("POST", f"{self._registry}/v1/grants", token=operator_token, json=request)
        answer = {"one_time_secret": asked["one_time_secret"], "notice_sha256": asked["notice_sha256"]}
        path = f"{self._registry}/v1/grants/{asked['grant_id']}/confirm"
        given = await self._api.need("POST", path, json=answer, headers=self.shown())
        self._state.grants[name] = HeldGrant(grant_id=given["grant_id"], secret=given["grant_secret"])

    async def are_live(self, names: Sequence[str]) -> bool:
        """Whether all of these grants were given and have not ended."""
        for name in names:
            held = self._state.grants.get(name)
            if held is None:
                return False
            path = f"{self._registry}/v1/grants/{held.grant_id}"
            shown = await self._api.ask("GET", path, headers={"Assent-Grant-Secret": held.secret})
            if shown.body.get("state") not in ("given", "renewed"):
                return False
        return True

    async def token(self) -> str:
        """A session of one hour from one of her secrets; it opens her own things, also after her grants have ended."""
        held = next(iter(self._state.grants.values()))
        path = f"{self._registry}/v1/grants/{held.grant_id}/session"
        return str((await self._api.need("POST", path, json={"grant_secret": held.secret}))["token"])

    async def withdraw(self, held: HeldGrant) -> str:
        """End one grant; the id of the erasure."""
        path = f"{self._registry}/v1/grants/{held.grant_id}/withdraw"
        return str((await self._api.need("POST", path, json={"grant_secret": held.secret}))["erasure_id"])

    @property
    def _registry(self) -> str:
        return self._api.addresses.registry


def portraits_request(subject_id: str, site: DemoSite, now: datetime) -> JsonObject:
    """Her page of portraits, with the statement that nobody else's face appears there."""
    sources = [{"kind": "url_prefix", "value": f"{site.origin}{PORTRAITS}", "only_me": True}]
    return fixture_grant(subject_id, sources, binding={"mode": "single_face"}, now=now)


def album_request(subject_id: str, site: DemoSite, now: datetime) -> JsonObject:
    """An album in which others appear: only the face that she marked in one picture."""
    x, y, width, height = site.composite.region
    region = {
        "asset_sha256": hashlib.sha256(site.composite.data).hexdigest(),
        "box": {"x": x, "y": y, "width": width, "height": height},
    }
    sources = [{"kind": "url_prefix", "value": f"{site.origin}{ALBUM}", "only_me": False}]
    return fixture_grant(subject_id, sources, binding={"mode": "region", "regions": [region]}, now=now)
