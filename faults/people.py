"""People and their grants, over the same interface that anybody uses, through every trouble; a lost answer is asked for, never guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from demo.api import DemoApi, JsonObject
from demo.requests import fixture_grant
from faults.truth import Truth


class LoadError(Exception):
    """Raised when an answer is none that the load can go on with; the message holds it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A grant as its subject holds it. Without `secret` the answer that held it was lost: she cannot end it."""

    grant_id: str
    subject_id: str
    secret: str


class People:
    """Creates subjects, asks for grants, says yes, uploads and withdraws."""

    def __init__(self, api: DemoApi, *, operator_token: str, truth: Truth) -> None:
        self._api = api
        self._operator_token = operator_token
        self._truth = truth
        self.held: list[Held] = []

    @property
    def registry(self) -> str:
        """Base URL."""
        return self._api.addresses.registry

    async def subject(self) -> str:
        """Somebody new."""
        body = {"age_band": "adult", "residences": ["CA-BC"]}
        made = await self._api.need("POST", f"{self.registry}/v1/subjects", token=self._operator_token, json=body)
        return str(made["subject_id"])

    async def grant(self, subject_id: str, *sources: JsonObject, members: tuple[str, ...] = ()) -> Held:
        """Asked for by the operator and confirmed by her."""
        binding: JsonObject = {"mode": "joint", "member_grants": list(members)} if members else {"mode": "single_face"}
        request = fixture_grant(subject_id, list(sources), binding=binding, now=datetime.now(UTC))
        asked = await self._api.need("POST", f"{self.registry}/v1/grants", token=self._operator_token, json=request)
        grant_id = asked["grant_id"]
        answer = {"one_time_secret": asked["one_time_secret"], "notice_sha256": asked["notice_sha256"]}
        # Whoever said yes before shows with an earlier secret that it is she.
        earlier = next((held.secret for held in self.held if held.subject_id == subject_id), None)
        headers = {} if earlier is None else {"Assent-Grant-Secret": earlier}
        confirmed = await self._api.ask("POST", f"{self.registry}/v1/grants/{grant_id}/confirm", json=answer, headers=headers)
        secret = str(confirmed.body.get("grant_secret", ""))
        if not secret:
            # The yes may have been taken and its answer lost with the process; asked again it is refused.
            shown = await self._api.need("GET", f"{self.registry}/v1/grants/{grant_id}", token=self._operator_token)
            if shown["state"] != "given":
                raise LoadError(f"a confirmation was answered {confirmed.status} {confirmed.body}, and the grant is {shown['state']}")
        self._truth.given(grant_id, subject_id, members)
        held = Held(grant_id, subject_id, secret)
        if secret:
            self.held.append(held)
        return held

    async def upload(self, held: Held, picture: bytes) -> bool:
        """Whether the photo was taken; a grant that ended meanwhile takes none."""
        path = f"{self.registry}/v1/grants/{held.grant_id}/images"
        headers = {"Assent-Grant-Secret": held.secret, "Content-Type": "image/jpeg"}
        answer = await self._api.ask("POST", path, data=picture, headers=headers)
        if answer.status < 300:
            return True
        if answer.status in (403, 404, 409, 410):
            return False
        raise LoadError(f"an upload was answered {answer.status} {answer.body}")

    async def withdraw(self, held: Held, *, uptime_s: Callable[[], float]) -> None:
        """End it; returns when that was acknowledged. `uptime_s` is asked at that moment."""
        path = f"{self.registry}/v1/grants/{held.grant_id}/withdraw"
        await self._api.need("POST", path, json={"grant_secret": held.secret})
        self._truth.withdrawn(held.grant_id, uptime_s=uptime_s())

    async def token(self, held: Held) -> str:
        """A session of the subject."""
        path = f"{self.registry}/v1/grants/{held.grant_id}/session"
        return str((await self._api.need("POST", path, json={"grant_secret": held.secret}))["token"])
