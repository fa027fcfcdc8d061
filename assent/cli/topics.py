"""`assent topics`: what a Kafka cluster lacks, what drifted, what is unsafe there; apply creates and sets, and deletes nothing."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING

from assent.cli.command import Command, CommandError, ExitCode
from assent.cli.kafka_arguments import add_kafka_arguments, kafka_security
from assent.events.topics import all_topics
from assent.stream.event_log import LogUnavailableError
from assent.stream.kafka_settings import KafkaSecurity, KafkaSettings
from assent.telemetry.logging import configure_logging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assent.events.topics import TopicSettings
    from assent.stream.kafka_topics import KafkaTopics, TopicFault

TOLD_WITHIN_S = 10.0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("plan", "apply", "check"), help="say what would change, change it, or say whether all is well")
    parser.add_argument("--brokers", default="127.0.0.1:9092", help="HOST:PORT[,HOST:PORT] (default 127.0.0.1:9092)")
    add_kafka_arguments(parser)
    parser.add_argument("--replicas", type=int, help="replicas per topic (default three, or as many as there are brokers)")
    parser.add_argument("--json", action="store_true", help="print what differs as JSON")


def _run(arguments: argparse.Namespace) -> int:
    security = kafka_security(arguments)
    # The client logs what the one line says already.
    configure_logging("topics", level=logging.CRITICAL)
    try:
        return asyncio.run(_at(arguments, security))
    except LogUnavailableError as error:
        raise CommandError(f"{arguments.brokers}: {error}", ExitCode.UNAVAILABLE) from error


async def _at(arguments: argparse.Namespace, security: KafkaSecurity) -> int:
    from assent.stream.kafka_topics import KafkaTopics  # only who talks to a broker loads its client

    topics = KafkaTopics(arguments.brokers, security=security, settings=KafkaSettings(replicas=arguments.replicas))
    await topics.start()
    try:
        wanted = all_topics()
        faults = await topics.faults(wanted)
        if arguments.action == "apply":
            _refuse_unsafe(faults)
            await topics.apply(wanted, faults)
            mended, faults = faults, await _left(topics, wanted)
            _print([fault for fault in mended if fault not in faults], arguments, "done")
        _print(faults, arguments, "would change" if arguments.action == "plan" else "differs")
    finally:
        await topics.close()
    return ExitCode.NO if faults else ExitCode.DONE


async def _left(topics: KafkaTopics, wanted: Mapping[str, TopicSettings]) -> list[TopicFault]:
    """What still differs; a broker tells of what it has just made a moment later."""
    loop = asyncio.get_running_loop()
    until = loop.time() + TOLD_WITHIN_S
    while True:
        faults = await topics.faults(wanted)
        if not faults or loop.time() > until:
            return faults
        await asyncio.sleep(0.2)


def _refuse_unsafe(faults: list[TopicFault]) -> None:
    for fault in faults:
        if not fault.can_be_applied:
            raise CommandError(
                f"{fault.name}: {fault.setting} is {fault.found}, {fault.wanted} is asked for: {fault.why}. Nothing was changed",
                ExitCode.REFUSED,
            )


def _print(faults: list[TopicFault], arguments: argparse.Namespace, word: str) -> None:
    if arguments.json:
        if word != "done":
            print(json.dumps([asdict(fault) for fault in faults], indent=2))
        return
    for fault in faults:
        why = f" ({fault.why})" if fault.why else ""
        print(f"{word}: {fault.name} {fault.setting}: {fault.wanted} is asked for, {fault.found} was found{why}")
    if not faults and word != "done":
        print(f"all {len(all_topics())} topics are as they should be")


TOPICS = Command(
    name="topics",
    help="operator: compare a Kafka cluster's topics with what is asked for, and set them",
    examples=("assent topics plan --brokers kafka:9092", "assent topics apply", "assent topics check --json"),
    add_arguments=_add_arguments,
    run=_run,
)
