"""Adding oneself: a real grant for one's own uploads, behind the notice and one's own yes; without that yes the photo is not even read."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from demo.first_act import Stage
from demo.requests import own_grant
from demo.state import HeldGrant

GRANT = "own"


async def add_own_photo(stage: Stage, path: Path, *, residence: str, birth_year: int) -> None:
    """Ask on the terminal, or say where to answer in the browser. The photo goes through the same gates as every other."""
    api, token = stage.world.api, stage.world.operator_token
    registry = api.addresses.registry
    adult = {"age_band": "adult", "residences": [residence]}
    subject_id = (await api.need("POST", f"{registry}/v1/subjects", token=token, json=adult))["subject_id"]
    request = own_grant(
        subject_id, [{"kind": "upload"}], binding={"mode": "single_face"}, now=datetime.now(UTC), residence=residence, birth_year=birth_year
    )
    asked = await api.need("POST", f"{registry}/v1/grants", token=token, json=request)
    grant, secret = asked["grant_id"], asked["one_time_secret"]
    if not sys.stdin.isatty():
        stage.say(f"\nYour own photo: read the notice and answer at {registry}/confirm/{grant}?secret={secret}")
        stage.say("Then send the photo on your page. It has not been read.")
        return
    shown = await api.need("GET", f"{registry}/v1/grants/{grant}", headers={"Assent-Grant-Secret": secret})
    stage.say("\n" + str((shown.get("record") or {}).get("notice", {}).get("text", "")))
    if not await _says_yes():
        await api.need("POST", f"{registry}/v1/grants/{grant}/refuse", json={"one_time_secret": secret})
        stage.say("You said no. Nothing was read, and what was asked for is deleted.")
        return
    answer = {"one_time_secret": secret, "notice_sha256": asked["notice_sha256"]}
    given = await api.need("POST", f"{registry}/v1/grants/{grant}/confirm", json=answer)
    stage.state.grants[GRANT] = HeldGrant(grant_id=given["grant_id"], secret=given["grant_secret"])
    stage.state.write(stage.folder)
    await _upload(stage, path)


async def _says_yes() -> bool:
    question = "Are you the person in the photo, of full age where you live, and do you agree? Type yes or no: "
    return (await asyncio.to_thread(input, question)).strip().lower() == "yes"


async def _upload(stage: Stage, path: Path) -> None:
    held, registry = stage.state.grants[GRANT], stage.world.api.addresses.registry
    headers = {"Assent-Grant-Secret": held.secret, "Content-Type": "application/octet-stream"}
    sent = await stage.world.api.ask(
        "POST", f"{registry}/v1/grants/{held.grant_id}/images", data=await asyncio.to_thread(path.read_bytes), headers=headers
    )
    if sent.status < 400:
        stage.say(f"Your photo was taken. Sign in at {registry}/login with grant {held.grant_id}")
        stage.say(f"and the secret in {stage.folder / 'demo.json'} to see it, search with it, or withdraw.")
    else:
        stage.say(f"Your photo was not taken: {sent.body.get('message', '')} {sent.body.get('remedy', '')}")
