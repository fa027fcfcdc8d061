"""`assent replay` over the demonstration's story, beside a running product, and over logs in which something was changed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.events.decisions import DecisionRecord
from assent.events.disclosures import SearchAnswered
from assent.events.envelope import Event, decode, encode
from assent.events.faces import FaceEmbedded
from assent.events.grants import PolicyPublished
from assent.events.images import ImageCleared, ImageLocated, ImageRefused, Stage
from assent.events.payload import EventPayload
from assent.events.record import Record
from assent.events.topics import Topic
from assent.geofence.policy import Policy
from assent.keys.signing_keys import SigningKeys
from assent.stream.local import SqliteEventLog
from assent.stream.present_records import present_records
from demo.site import PORTRAITS, DemoSite
from tests.flow.assent_command import Done, one_line, run
from tests.unit.policy_examples import policy_with, shipped
from tests.unit.test_golden_events import EXAMPLES, record_of
from tests.unit.test_replay import OLD

pytestmark = pytest.mark.timeout(300)
DECIDED = (Topic.IMAGES_REFUSED, Topic.IMAGES_LOCATED, Topic.IMAGES_CLEARED, Topic.FACES_EMBEDDED, Topic.DISCLOSURES)
QUEBEC_FILED = {
    name: {"reference": "f-1", "filed_on": "2026-01-01"} for name in ("cai_process", "cai_database", "privacy_impact_assessment")
}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The data folder of a demonstration that has ended, and its report."""
    data = tmp_path_factory.mktemp("story") / "data"
    done = run("demo", "--exit", "--json", "--data", data)
    assert done.returncode == 0, done.stderr
    return data, json.loads(done.stdout)


@dataclass(frozen=True, slots=True)
class Told:
    """A copy of the story's log and keys, to which records may be added."""

    data: Path

    def events(self) -> list[Event[EventPayload]]:
        """Everything in which a decision stands."""
        return asyncio.run(self._events())

    def add(self, *records: Record) -> None:
        asyncio.run(self._add(records))

    def replay(self, *words: object) -> Done:
        return run("replay", "--data", self.data, *words)

    async def _events(self) -> list[Event[EventPayload]]:
        log = SqliteEventLog(self.data / "log.sqlite3")
        await log.start()
        found = [decode(record) async for record in present_records(log, [topic.value for topic in DECIDED])]
        await log.close()
        return found

    async def _add(self, records: tuple[Record, ...]) -> None:
        log = SqliteEventLog(self.data / "log.sqlite3")
        await log.start()
        await log.append(records)
        await log.close()


@pytest.fixture
def told(story: tuple[Path, dict[str, Any]], tmp_path: Path) -> Told:
    shutil.copy(story[0] / "log.sqlite3", tmp_path / "log.sqlite3")
    shutil.copytree(story[0] / "keys", tmp_path / "keys")
    return Told(tmp_path)


def decisions_in(data: EventPayload) -> int:
    match data:
        case ImageLocated():
            return len(data.findings)
        case ImageCleared():
            return len(data.clearances)
        case _:
            return 1


def test_every_decision_of_the_story_replays(story: tuple[Path, dict[str, Any]], told: Told) -> None:
    """All that stand on the log, those about each of the seventeen pictures among them."""
    events = told.events()
    done = told.replay("--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    total = sum(decisions_in(event.data) for event in events)
    assert (found["replayed"], found["same"], found["different"], found["differences"]) == (total, total, 0, [])
    assert found["not_replayable"] == {"no_record": 0, "no_policy": 0, "not_whole": 0}
    assert found["unreadable"] == 0
    assert found["policies"] == {shipped().version: total}
    assert set(found["stages"]) == {"crawler", "geofence", "consent", "embedder", "indexer", "query"}
    ends = [event.data for event in events if isinstance(event.data, ImageRefused | FaceEmbedded)]
    assert len({end.image_id or end.sighting_id for end in ends}) >= story[1]["images_seen"] == 17


def test_it_says_so_in_words(told: Told) -> None:
    total = sum(decisions_in(event.data) for event in told.events())
    done = told.replay()
    first, *more = done.stdout.splitlines()
    assert first == f"{total} decisions replayed: {total} same verdicts under policy {shipped().version}"
    assert [line.split(" ", 1)[1] for line in more] == [
        "of them rest on what was seen of a site, a picture or a key, which a replay cannot look at again"
    ]
    assert done.stderr == ""


def test_nothing_is_written(told: Told) -> None:
    before = contents(told.data)
    assert told.replay().returncode == 0
    assert contents(told.data) == before
    told.add(record_of(OLD[0]))


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file, but for the two that SQLite keeps beside a file while it is read."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal"))}


def test_one_picture_alone(told: Told, tmp_path: Path) -> None:
    photo = tmp_path / "1.jpg"
    photo.write_bytes(DemoSite().photos[f"{PORTRAITS}1.jpg"].data)
    found = json.loads(told.replay(photo, "--json").stdout)
    # The indexer turned it away when it came back after the withdrawal.
    assert set(found["stages"]) == {"geofence", "consent", "embedder", "indexer"}
    assert found["replayed"] == found["same"] >= 3
    photo.write_bytes(b"offered to nobody")
    nothing = told.replay(photo)
    assert (nothing.returncode, nothing.stdout) == (1, "0 decisions replayed: 0 same verdicts\n")


def test_a_time_and_a_sample(told: Told) -> None:
    every = json.loads(told.replay("--json").stdout)
    assert json.loads(told.replay("--since", "7d", "--json").stdout) == every
    assert told.replay("--since", "0s").returncode == 1
    some = told.replay("--sample", 7, "--seed", 3, "--json")
    assert (some.returncode, json.loads(some.stdout)["replayed"]) == (0, 7)
    assert told.replay("--sample", 7, "--seed", 3, "--json").stdout == some.stdout
    samples = {json.dumps(json.loads(told.replay("--sample", 7, "--seed", seed, "--json").stdout)["stages"]) for seed in range(4)}
    assert len(samples) > 1
    assert json.loads(told.replay("--sample", 100_000, "--json").stdout) == every


def quebec(told: Told) -> Event[ImageRefused]:
    """The picture that was taken in Quebec, as the geofence refused it."""
    for event in told.events():
        data = event.data
        if isinstance(data, ImageRefused) and data.stage is Stage.GEOFENCE and data.grant_id and "CA-QC" in data.candidates:
            return Event(event.id, event.source, event.time, data)
    raise AssertionError("the story holds no picture of Quebec")


def stood(decision: DecisionRecord | None, standing: str) -> DecisionRecord:
    assert decision is not None
    assert decision.grant is not None
    return decision.model_copy(update={"grant": decision.grant.model_copy(update={"standing": standing})})


CHANGES: dict[str, tuple[Callable[[ImageRefused], dict[str, Any]], str]] = {
    "a candidate removed": (lambda data: {"candidates": tuple(c for c in data.candidates if c != "CA-QC")}, "places"),
    "a rule removed": (lambda data: {"rules": ("X-1",)}, "recorded X-1, again"),
    "evidence removed": (lambda data: {"evidence": tuple(row for row in data.evidence if "CA-QC" not in row.jurisdictions)}, "places"),
    "a grant that stood otherwise": (lambda data: {"decision": stood(data.decision, "expired")}, "the grant expired, again live"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_record_that_was_changed_is_seen(name: str, told: Told) -> None:
    change, said = CHANGES[name]
    event = quebec(told)
    told.add(encode(replace(event, id="changed", data=event.data.model_copy(update=change(event.data)))))
    done = told.replay()
    assert done.returncode == 1
    line, summary, *_ = done.stdout.splitlines()
    assert line.startswith("differs: images.refused/")
    assert f"geofence, policy {shipped().version}, grant {event.data.grant_id}: recorded " in line
    assert said in line
    assert "same verdicts, 1 different under policy" in summary
    (difference,) = json.loads(told.replay("--json").stdout)["differences"]
    assert difference["event_id"] == "changed"


def published(policy: Policy, key: Ed25519PrivateKey) -> Record:
    document = policy.canonical_json()
    sha256 = hashlib.sha256(document.encode()).hexdigest()
    now = datetime.now(UTC)
    data = PolicyPublished(
        version=policy.version, document=document, sha256=sha256, signature=key.sign(sha256.encode()), key_id="k", published_at=now
    )
    return encode(Event(sha256, "/assent/registry", now, data))


def version(name: str, **entries: Any) -> Policy:
    return policy_with(**entries).model_copy(update={"version": name})


def test_a_decision_is_judged_by_the_policy_of_its_version(told: Told) -> None:
    """Quebec was opened since: what was decided before stays as it was, and what is said to be decided under it is a difference."""
    key = SigningKeys.load(told.data / "keys").policy
    told.add(published(version("2", CA_QC={"filings": QUEBEC_FILED}), key))
    before = json.loads(told.replay("--json").stdout)
    assert before["different"] == 0
    event = quebec(told)
    told.add(encode(replace(event, id="later", data=event.data.model_copy(update={"policy_version": "2"}))))
    done = told.replay()
    assert done.returncode == 1
    assert "policy 2," in done.stdout
    assert "again yes" in done.stdout
    assert f"under policies 2 (1), {shipped().version} ({before['same']})" in done.stdout


@pytest.mark.parametrize("how", ["unknown", "not signed", "two contents"])
def test_a_policy_that_cannot_be_told_is_named_and_never_counted_as_the_same(how: str, told: Told) -> None:
    key = SigningKeys.load(told.data / "keys").policy
    if how == "not signed":
        told.add(published(version("2"), Ed25519PrivateKey.generate()))
    if how == "two contents":
        told.add(published(version("2"), key), published(version("2", CA_BC={"bystanders": "drop_image"}), key))
    event = quebec(told)
    before = json.loads(told.replay("--json").stdout)
    told.add(encode(replace(event, id="later", data=event.data.model_copy(update={"policy_version": "2"}))))
    done = told.replay()
    assert done.returncode == 0
    assert f"{before['same']} decisions replayed: {before['same']} same verdicts" in done.stdout
    assert "1 decision cannot be replayed: their policy document is not on the log" in done.stdout


def test_events_of_older_releases_are_told_apart(told: Told) -> None:
    count = sum(decisions_in(decode(record_of(path)).data) for path in OLD)
    told.add(*[record_of(path) for path in OLD])
    done = told.replay()
    assert done.returncode == 0
    assert f"{count} decisions cannot be replayed: written by a release that did not record what it read" in done.stdout


def test_what_is_no_event_is_left_out_and_counted(told: Told) -> None:
    told.add(Record(Topic.IMAGES_REFUSED.value, b"k", b"{}"))
    done = told.replay()
    assert done.returncode == 0
    assert "1 records on these topics are no events and were left out" in done.stdout


def test_a_search_that_was_turned_away_replays_too(told: Told) -> None:
    told.add(*[record_of(path) for path in EXAMPLES if path.parent.name == SearchAnswered.type])
    found = json.loads(told.replay("--json").stdout)
    # Their policy never was on this log.
    assert found["not_replayable"]["no_policy"] == 2


TROUBLE: dict[str, tuple[tuple[str, ...], int, str]] = {
    "no log": (("--data", "nowhere", "--keys", "keys"), 3, "there is no log at nowhere/log.sqlite3"),
    "no keys": (("--data", "nowhere"), 3, "nowhere/keys: receipt_signing.pub is missing"),
    "another kind of log": (("--data", ".", "--log", "redis://h:1"), 2, "use sqlite:FILE, kafka://HOST:PORT or tansu://HOST:PORT"),
    "no time": (("--since", "noon"), 2, "write it like 30m, 1h or 7d"),
    "no number": (("--sample", "0"), 2, "0 is no number of decisions"),
    "a word for a number": (("--sample", "many"), 2, "many is no number of decisions"),
    "no picture": (("gone.jpg", "--data", "."), 2, "gone.jpg cannot be read"),
    "nobody there": (("--data", ".", "--log", "kafka://127.0.0.1:1"), 3, "Kafka"),
    "half a login": (("--data", ".", "--log", "kafka://127.0.0.1:1", "--protocol", "SASL_SSL"), 2, "needs --username and --password-file"),
    "no log of ours": (("--data", ".", "--log", "sqlite:other.db"), 3, "other.db has form 0"),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_is_one_line(name: str, told: Told) -> None:
    words, code, said = TROUBLE[name]
    (told.data / "other.db").write_bytes(b"")
    done = run("replay", *words, cwd=told.data)
    assert done.returncode == code, done.stderr
    assert said in one_line(done)
