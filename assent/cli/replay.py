"""`assent replay`: decisions made again from their events by the code that decides; it reads the log itself and writes nothing."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import heapq
import json
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from assent.cli.command import Command, CommandError, ExitCode
from assent.cli.kafka_arguments import add_kafka_arguments, kafka_security
from assent.cli.photo_files import read_photo
from assent.cli.replay_report import ReplayReport
from assent.cli.whole_number import whole_number
from assent.deciding.policy_shelf import PolicyShelf
from assent.deciding.recorded import DECISION_EVENTS, RecordedDecision, recorded_decisions
from assent.events.envelope import UnreadableEventError, decode
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.ids import ImageId
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.identifiers import ImageIds
from assent.keys.key_files import KeyFileError
from assent.keys.signing_keys import PublicKeys
from assent.stream.event_log import EventLog, LogUnavailableError, UnknownTopicError
from assent.stream.local_onlooker import LocalOnlooker
from assent.stream.present_records import present_records
from assent.telemetry.logging import configure_logging

LOG_FILE = "log.sqlite3"
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
Placed: TypeAlias = "tuple[str, RecordedDecision]"
"""A decision and where its event lies."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", nargs="?", metavar="IMAGE", type=Path, help="only what was decided about this very file")
    parser.add_argument("--since", type=_duration, metavar="TIME", help="only what was decided since, such as 30m, 1h or 7d")
    parser.add_argument(
        "--sample", type=whole_number("number of decisions", least=1), metavar="N", help="only so many of them, chosen by chance"
    )
    parser.add_argument("--seed", type=int, default=0, help="with --sample: the same seed chooses the same decisions (default 0)")
    parser.add_argument("--data", type=Path, default=Path("assent-data"), help="data folder with the embedded log and the keys")
    parser.add_argument("--log", help="the log, when it is not in the data folder: sqlite:FILE, kafka://HOST:PORT or tansu://HOST:PORT")
    parser.add_argument("--keys", type=Path, help="folder with the keys of the deployment (default: keys in the data folder)")
    add_kafka_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def _run(arguments: argparse.Namespace) -> int:
    # Clients log what the one line says already.
    configure_logging("replay", level=logging.CRITICAL)
    keys: Path = arguments.keys or arguments.data / "keys"
    try:
        public = PublicKeys.load(keys)
        image_id = _image_id(arguments.image, keys) if arguments.image is not None else None
        report = asyncio.run(_replayed(arguments, PolicyShelf(public.policy), image_id))
    except KeyFileError as error:
        raise CommandError(f"{keys}: {error}; name the folder with --keys", ExitCode.UNAVAILABLE) from error
    except (LogUnavailableError, UnknownTopicError) as error:
        raise CommandError(str(error), ExitCode.UNAVAILABLE) from error
    if arguments.json:
        print(json.dumps(report.document()))
    else:
        for line in report.lines():
            print(line)
    return ExitCode.DONE if report.replayed and not report.differences else ExitCode.NO


def _image_id(image: Path, keys: Path) -> ImageId:
    """The keyed name of these bytes, which are read and forgotten."""
    return ImageIds(DeploymentKeys.load(keys)).image_id(read_photo(image))


async def _replayed(arguments: argparse.Namespace, shelf: PolicyShelf, image_id: ImageId | None) -> ReplayReport:
    report = ReplayReport()
    since = None if arguments.since is None else datetime.now(UTC) - arguments.since
    async with _source(arguments) as source:
        async with aclosing(source.records([Topic.POLICIES.value])) as records:
            async for record in records:
                shelf.apply(record)
        chosen = _Sample(arguments.sample, arguments.seed)
        async with aclosing(_decisions(source, report)) as decisions:
            async for placed in decisions:
                if _is_asked_for(placed[1], since, image_id):
                    for kept in chosen.of(placed):
                        _take(kept, report, shelf, arguments)
        for kept in chosen.rest():
            _take(kept, report, shelf, arguments)
    return report


def _is_asked_for(decision: RecordedDecision, since: datetime | None, image_id: ImageId | None) -> bool:
    return (since is None or decision.at >= since) and image_id in (None, decision.image_id)


def _take(placed: Placed, report: ReplayReport, shelf: PolicyShelf, arguments: argparse.Namespace) -> None:
    place, decision = placed
    difference = report.take(place, decision, shelf.of(decision.policy_version))
    if difference is not None and not arguments.json:
        print(difference.line())


async def _decisions(source: _Source, report: ReplayReport) -> AsyncGenerator[Placed, None]:
    async with aclosing(source.records([topic.value for topic in DECISION_EVENTS])) as records:
        async for record in records:
            try:
                event = decode(record)
            except UnreadableEventError:
                report.unreadable += 1
                continue
            for decision in recorded_decisions(event):
                yield f"{record.topic}/{record.partition}/{record.offset}", decision


@dataclass(slots=True)
class _Sample:
    """All of them as they come, or so many as are asked for once all were seen; in whatever order they come, the same ones."""

    size: int | None
    seed: int
    _held: list[tuple[int, int, Placed]] = field(default_factory=list)
    _seen: int = 0

    def of(self, placed: Placed) -> Sequence[Placed]:
        if self.size is None:
            return (placed,)
        self._seen += 1
        # The smallest ranks stay, so they are held by their negative.
        heapq.heappush(self._held, (-self._rank(placed), self._seen, placed))
        if len(self._held) > self.size:
            heapq.heappop(self._held)
        return ()

    def rest(self) -> list[Placed]:
        return [placed for _, _, placed in sorted(self._held, key=lambda held: held[2][0])]

    def _rank(self, placed: Placed) -> int:
        named = f"{self.seed}|{placed[0]}|{placed[1].grant_id}"
        return int.from_bytes(hashlib.sha256(named.encode()).digest()[:8])


class _Source:
    """Either kind of log, read only."""

    def __init__(self, log: EventLog | LocalOnlooker) -> None:
        self._log = log

    def records(self, topics: Sequence[str]) -> AsyncGenerator[StoredRecord, None]:
        if isinstance(self._log, LocalOnlooker):
            return self._log.present_records(topics)
        return present_records(self._log, topics)


@asynccontextmanager
async def _source(arguments: argparse.Namespace) -> AsyncIterator[_Source]:
    url: str = arguments.log or f"sqlite:{arguments.data / LOG_FILE}"
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite":
        onlooker = LocalOnlooker(Path(rest))
        try:
            yield _Source(onlooker)
        finally:
            onlooker.close()
        return
    if scheme not in ("kafka", "tansu"):
        raise CommandError(f"--log {url} is not known; use sqlite:FILE, kafka://HOST:PORT or tansu://HOST:PORT")
    from assent.stream.kafka import APACHE_KAFKA, TANSU_BROKER, KafkaEventLog  # only who talks to a broker loads its client
    from assent.stream.kafka_settings import TANSU, KafkaSettings

    is_tansu = scheme == "tansu"
    log = KafkaEventLog(
        rest.removeprefix("//"),
        security=kafka_security(arguments),
        settings=TANSU if is_tansu else KafkaSettings(),
        capabilities=TANSU_BROKER if is_tansu else APACHE_KAFKA,
    )
    await log.start()
    try:
        yield _Source(log)
    finally:
        await log.close()


def _duration(text: str) -> timedelta:
    matched = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if matched is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it like 30m, 1h or 7d")
    return timedelta(seconds=int(matched[1]) * _UNITS[matched[2]])


REPLAY = Command(
    name="replay",
    help="make decisions again from their events, and see that they come out the same",
    examples=(
        "assent replay",
        "assent replay photo.jpg",
        "assent replay --since 1h --json",
        "assent replay --sample 50 --seed 7 --log kafka://kafka:9092 --keys /etc/assent/keys",
    ),
    add_arguments=_add_arguments,
    run=_run,
)
