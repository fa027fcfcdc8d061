"""Seven services and a vector store, each a process of the operating system, killed, paused, doubled and started again at will."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from assent.blobs.derivatives import Derivatives
from assent.deployment.build import open_blobs, open_log
from assent.faces.prepare import prepare_embedded_pack
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.grant_keys import GrantKeyring
from assent.keys.identifiers import ImageIds
from assent.stream.event_log import EventLog
from assent.testing.kafka_broker import free_port
from assent.vectors.qdrant import QdrantVectorStore
from assent.vectors.store import VectorStore
from demo.api import Addresses, DemoApi

SERVICES = ("registry", "crawler", "geofence", "consent", "embedder", "indexer", "query")
VECTORS = "vectors"
SERVED = ("registry", "query", "crawler")
STARTED_WITHIN_S = 60.0
STOPPED_WITHIN_S = 30.0
PATIENCE_S = 45.0
"""How long the callers try again while a killed process comes back."""


class NotReadyError(AssertionError):
    """Raised when a process ended, or did not say in time that it is ready; the message holds the end of its output."""


class SevenProcesses:
    """`start` begins them all, `kill` is SIGKILL, `stop` is SIGTERM. `service+1` names a second instance of a service.

    `own` are settings of single services beside the usual ones; `environment` is set for every process; `launcher` takes the
    place of `-m services` in front of a service's name. `services` are those that are started unasked.
    """

    def __init__(
        self,
        folder: Path,
        *,
        log_url: str,
        site_ports: tuple[int, ...],
        blobs_url: str | None = None,
        own: Mapping[str, Mapping[str, str]] | None = None,
        environment: Mapping[str, str] | None = None,
        launcher: tuple[str, ...] = (),
        services: tuple[str, ...] = SERVICES,
    ) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._log_url = log_url
        self._site_ports = site_ports
        self._blobs_url = blobs_url or self._url("blobs")
        self._own = {name: {**_OWN.get(name, {}), **(own or {}).get(name, {})} for name in SERVICES}
        self._shared_environment = dict(environment or {})
        self._launcher = launcher
        self._services = services
        self.vectors_url = ""
        self._health: dict[str, int] = {}
        self._http = {name: free_port() for name in SERVED}
        self.vectors_port = free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._stack = AsyncExitStack()
        self._pack = prepare_embedded_pack(self._data / "model", progress=lambda _: None)
        self._keys = DeploymentKeys.load_or_create(self._data / "keys")

    async def start(self) -> None:
        """Every process, and our own clients to look at log and stores."""
        await self.start_processes()
        self._api = await self._stack.enter_async_context(DemoApi(self._addresses(), patience_s=PATIENCE_S))
        self._log = open_log(self._log_url)
        await self._log.start()
        self._stack.push_async_callback(self._log.close)
        self._store = QdrantVectorStore(
            url=f"http://127.0.0.1:{self.vectors_port}", dimensions=self._pack.recogniser.dimensions, model_digest=self._pack.digest
        )
        await self._store.open()
        self._stack.push_async_callback(self._store.close)

    async def start_processes(self) -> None:
        """All that do not run, the vector store first; returns when every one is ready."""
        for name in (VECTORS, *self._services):
            if name not in self._processes:
                self.begin(name)
        for name in (VECTORS, *self._services):
            await self.ready(name)

    @property
    def running(self) -> tuple[str, ...]:
        """Names of the processes that were begun and not ended by us."""
        return tuple(self._processes)

    def ended(self) -> dict[str, int]:
        """Processes that ended by themselves, with their exit codes; Kubernetes would start them anew."""
        return {name: code for name, process in self._processes.items() if (code := process.poll()) is not None}

    def begin(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        """Start one process, with an environment for this start alone; its output goes to a file of its own."""
        environment = {**os.environ, **self._shared_environment, **self._environment(name), **(environment or {})}
        with (self._folder / f"{name}.log").open("ab") as output:
            self._processes[name] = subprocess.Popen(self._command(name), env=environment, cwd=self._folder, stdout=output, stderr=output)

    async def ready(self, name: str) -> None:
        """Wait until it says that it is ready. Raises NotReadyError."""
        port = self.vectors_port if name == VECTORS else self._health[name]
        async with aiohttp.ClientSession() as session:
            try:
                async with asyncio.timeout(STARTED_WITHIN_S):
                    while not await _is_ready(session, port):
                        if self._processes[name].poll() is not None:
                            raise NotReadyError(f"{name} ended: {self.said(name)}")
                        await asyncio.sleep(0.1)
            except TimeoutError:
                raise NotReadyError(f"{name} was not ready in time: {self.said(name)}") from None

    def kill(self, name: str) -> None:
        """SIGKILL."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def pause(self, name: str) -> None:
        """SIGSTOP: its connections stay open, and it does nothing."""
        self._processes[name].send_signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """SIGCONT."""
        self._processes[name].send_signal(signal.SIGCONT)

    async def stop(self, name: str) -> int:
        """SIGTERM to one; its exit code."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(_ended, process)

    async def stop_processes(self) -> dict[str, int]:
        """SIGTERM to all; the exit codes."""
        running, self._processes = self._processes, {}
        for name in running:
            if name != VECTORS:
                running[name].send_signal(signal.SIGTERM)
        codes = {name: await asyncio.to_thread(_ended, process) for name, process in running.items() if name != VECTORS}
        if VECTORS in running:
            running[VECTORS].send_signal(signal.SIGTERM)
            codes[VECTORS] = await asyncio.to_thread(_ended, running[VECTORS])
        return codes

    async def ended_within(self, names: tuple[str, ...], *, within_s: float) -> dict[str, int | None]:
        """The exit codes of processes that are to end by themselves; None for one that did not in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while any(self._processes[name].poll() is None for name in names):  # noqa: ASYNC110  processes tell nobody
                    await asyncio.sleep(0.1)
        return {name: self._processes[name].poll() for name in names}

    async def restart(self) -> None:
        """The world's restart: everything goes down in order and comes up again."""
        codes = await self.stop_processes()
        assert set(codes.values()) == {0}, {name: self.said(name) for name, code in codes.items() if code}
        await self.start_processes()

    async def close(self) -> None:
        """Clients and processes end, whatever happened before."""
        await self._stack.aclose()
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._processes.clear()

    def said(self, name: str) -> str:
        """The end of what a process wrote."""
        return (self._folder / f"{name}.log").read_text(errors="replace")[-3_000:]

    def traces(self, name: str) -> Path:
        """Where a process writes its spans."""
        return self._folder / "traces" / f"{name}.jsonl"

    def health_url(self, name: str) -> str:
        """Where a process tells whether it is ready, and by which policy it decides."""
        return f"http://127.0.0.1:{self._health[name]}"

    @property
    def api(self) -> DemoApi:
        return self._api

    @property
    def log(self) -> EventLog:
        return self._log

    @property
    def store(self) -> VectorStore:
        return self._store

    @property
    def derivatives(self) -> Derivatives:
        blobs, keys = open_blobs(self._blobs_url), open_blobs(self._url("grant-keys"))
        return Derivatives(blobs, GrantKeyring(keys, self._keys.key_encryption_key))

    @property
    def identifiers(self) -> ImageIds:
        return ImageIds(self._keys)

    @property
    def operator_token(self) -> str:
        return (self._data / "operator.token").read_text().strip()

    def bystanders_never_embedded(self) -> None:
        return None

    def _url(self, folder: str) -> str:
        return f"file:{self._data / folder}"

    def _addresses(self) -> Addresses:
        return Addresses(**{name: f"http://127.0.0.1:{port}" for name, port in self._http.items()})

    def _command(self, name: str) -> list[str]:
        if name != VECTORS:
            service = _service(name)
            return [sys.executable, *self._launcher, service] if self._launcher else [sys.executable, "-m", f"services.{service}"]
        data = ["--data", str(self._data / "vectors"), "--pack", str(self._data / "model"), "--port", str(self.vectors_port)]
        return [sys.executable, "-m", "assent.cli.main", "vectors", "serve", *data]

    def _environment(self, name: str) -> dict[str, str]:
        if name == VECTORS:
            return {}
        service = _service(name)
        settings: dict[str, str] = {
            "log_url": self._log_url,
            "vectors_url": self.vectors_url or f"http://127.0.0.1:{self.vectors_port}",
            "blobs_url": self._blobs_url,
            "keys_folder": str(self._data / "keys"),
            "keys_url": self._url("grant-keys"),
            "pack_folder": str(self._data / "model"),
            "data_folder": str(self._data),
            "health_port": str(self._health.setdefault(name, free_port())),
            "traces_file": str(self.traces(name)),
            "is_demo": "true",
            "accepts_fixtures": "true",
            "allowed_sockets": json.dumps([["127.0.0.1", port] for port in self._site_ports]),
            **self._own[service],
        }
        if name in self._http:
            settings["http_port"] = str(self._http[name])
        if name == "registry":
            settings["first_token_file"] = str(self._data / "operator.token")
        return {f"ASSENT_{service.upper()}_{key.upper()}": value for key, value in settings.items()}


def _service(name: str) -> str:
    return name.partition("+")[0]


# The session time-out of ten seconds and the store's of ten, and some: a paused writer cannot write after that.
_OWN = {"crawler": {"host_delay_s": "0"}, "indexer": {"settle_s": "21", "sweep_every_s": "5"}}


async def _is_ready(session: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with session.get(f"http://127.0.0.1:{port}/readyz", timeout=aiohttp.ClientTimeout(total=5)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _ended(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(STOPPED_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
