"""Builds the long-lived clients from settings, in the order in which they must open, and closes them in reverse."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from assent import __version__
from assent.blobs.derivatives import Derivatives
from assent.blobs.object_blob_store import ObjectBlobStore, open_blob_store
from assent.blobs.quarantine import Quarantine
from assent.deciding.gate import Gate
from assent.deciding.tables import DecisionTables
from assent.deployment.gauges import Gauges
from assent.deployment.service_settings import ServiceSettings
from assent.deployment.shared import Need, Shared
from assent.deployment.stores_in_place import local_folder, stores_in_place
from assent.events.topics import all_topics
from assent.faces.manifest import PackManifest, read_manifest
from assent.intake.producers import CRAWLER, UPLOAD, ProducerDirectory
from assent.intake.stage_signatures import StageSignatures
from assent.intake.standings import ProducerStandings
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.grant_keys import GrantKeyring
from assent.keys.identifiers import ImageIds
from assent.stream.clock import Clock, SystemClock
from assent.stream.event_log import EventLog
from assent.stream.kafka_settings import TANSU, KafkaSecurity, KafkaSettings
from assent.stream.local import SqliteEventLog
from assent.telemetry import metrics as declared
from assent.telemetry.meter import Metrics
from assent.telemetry.span_file import SpanFile
from assent.vectors.store import VectorStore, VectorStoreUnavailableError

if TYPE_CHECKING:
    from assent.faces.pack import FacePack

MAKER = "registry"
"""The service that makes the stores of a new home."""
STORE_AWAITED_S = 30.0
STORE_ASKED_EVERY_S = 0.5


class UnknownUrlError(ValueError):
    """Raised when a setting names a kind of log or store that is not known. The message names those that are."""


@asynccontextmanager
async def open_shared(
    settings: ServiceSettings, *, service: str, needs: frozenset[Need], is_single_process: bool = False
) -> AsyncIterator[Shared]:
    """Open what is needed and close it again. Raises the parts' own errors, each of which says what to do."""
    clock = SystemClock()
    metrics = Metrics(CollectorRegistry())
    metrics.set(declared.BUILD_INFO, 1, service=service, version=__version__)
    async with AsyncExitStack() as stack:
        log = open_log(settings.log_url, settings)
        await log.start()
        stack.push_async_callback(log.close)
        await log.ensure_topics(all_topics())
        keys = DeploymentKeys.load_or_create(settings.keys_folder) if is_single_process else DeploymentKeys.load(settings.keys_folder)
        await stores_in_place(settings, makes=is_single_process or service == MAKER)
        pack = _pack(settings) if Need.MODELS in needs else None
        manifest = _manifest(settings, needs, pack)
        if pack is not None:
            metrics.set(declared.MODEL_SELF_TEST_PASSED, 1)
        if manifest is not None:
            metrics.set(declared.MODEL_INFO, 1, pack=manifest.name, digest=manifest.digest)
        vectors = None
        if Need.VECTORS in needs and manifest is not None:
            vectors = open_vectors(settings, manifest)
            await _opened(vectors)
            stack.push_async_callback(vectors.close)
        is_crawlers = StageSignatures(keys).holds
        tables = DecisionTables(log, public=keys.public, clock=clock, is_crawlers=is_crawlers, accepts_fixtures=settings.accepts_fixtures)
        await tables.start()
        stack.push_async_callback(tables.stop)
        gauges = asyncio.create_task(Gauges(tables, metrics).run(), name="gauges")
        stack.callback(gauges.cancel)
        spans = _spans(settings, service, stack)
        shared = _shared(settings, clock, metrics, log, keys, tables)
        yield replace(shared, vector_store=vectors, face_pack=pack, manifest=manifest, is_single_process=is_single_process, spans=spans)


def _spans(settings: ServiceSettings, service: str, stack: AsyncExitStack) -> SpanFile | None:
    if settings.traces_file is None:
        return None
    spans = SpanFile(settings.traces_file, service=service)
    spans.open()
    stack.callback(spans.close)
    return spans


async def _opened(vectors: VectorStore) -> None:
    """Open the store; one that does not answer yet is waited for, because machines that start together start in any order."""
    deadline = time.monotonic() + STORE_AWAITED_S
    while True:
        try:
            return await vectors.open()
        except VectorStoreUnavailableError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(STORE_ASKED_EVERY_S)


def _pack(settings: ServiceSettings) -> FacePack:
    from assent.faces.pack import load_pack  # only processes that look at faces load what runs the models

    return load_pack(settings.pack_folder)


def _manifest(settings: ServiceSettings, needs: frozenset[Need], pack: FacePack | None) -> PackManifest | None:
    """Of the loaded pack, or read alone; a vector store takes vectors of one model and must know which."""
    if pack is not None:
        return pack.manifest
    return read_manifest(settings.pack_folder) if needs & {Need.MANIFEST, Need.VECTORS} else None


def open_log(url: str, settings: ServiceSettings | None = None) -> EventLog:
    """The log that a URL names, spoken to as the settings say: `sqlite:FILE`, `kafka://HOST:PORT[,HOST:PORT]` or `tansu://HOST:PORT`."""
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite":
        return SqliteEventLog(Path(rest))
    if scheme in ("kafka", "tansu"):
        from assent.stream.kafka import APACHE_KAFKA, TANSU_BROKER, KafkaEventLog  # only processes that talk to a broker load its client

        return KafkaEventLog(
            rest.removeprefix("//"),
            security=_kafka_security(settings) if settings is not None else KafkaSecurity(),
            settings=TANSU if scheme == "tansu" else KafkaSettings(),
            capabilities=TANSU_BROKER if scheme == "tansu" else APACHE_KAFKA,
        )
    raise UnknownUrlError(f"log_url is {scheme}:..., which is not known; use sqlite:FILE, kafka://HOST:PORT or tansu://HOST:PORT")


def _kafka_security(settings: ServiceSettings) -> KafkaSecurity:
    password = settings.kafka_password.get_secret_value() if settings.kafka_password is not None else None
    return KafkaSecurity(
        protocol=settings.kafka_protocol,
        ca_file=settings.kafka_ca_file,
        certificate_file=settings.kafka_certificate_file,
        key_file=settings.kafka_key_file,
        sasl_mechanism=settings.kafka_sasl_mechanism,
        username=settings.kafka_username,
        password=password,
    )


def open_vectors(settings: ServiceSettings, manifest: PackManifest) -> VectorStore:
    """The store that `vectors_url` names: `edge:FOLDER` or Qdrant's address."""
    url, dimensions = settings.vectors_url, manifest.recogniser.dimensions
    if url.startswith("edge:"):
        from assent.vectors.edge import EdgeVectorStore  # only processes that open this store load it

        return EdgeVectorStore(Path(url.removeprefix("edge:")), dimensions=dimensions, model_digest=manifest.digest)
    if url.startswith(("http://", "https://")):
        from assent.vectors.qdrant import QdrantVectorStore  # only processes that talk to Qdrant load its client

        key = settings.vectors_api_key.get_secret_value() if settings.vectors_api_key else None
        return QdrantVectorStore(url=url, api_key=key, dimensions=dimensions, model_digest=manifest.digest)
    raise UnknownUrlError("vectors_url is neither edge:FOLDER nor http://HOST:PORT")


def open_blobs(url: str, *, durable: bool = False) -> ObjectBlobStore:
    """The blob store of a URL; `file:FOLDER` may be relative to where the process was started."""
    folder = local_folder(url)
    return open_blob_store(url if folder is None else folder.as_uri(), durable=durable)


def _shared(
    settings: ServiceSettings, clock: Clock, metrics: Metrics, log: EventLog, keys: DeploymentKeys, tables: DecisionTables
) -> Shared:
    blobs = open_blobs(settings.blobs_url)
    key_store = open_blobs(settings.keys_url, durable=True)
    grant_keys = GrantKeyring(key_store, keys.key_encryption_key)
    inner = {producer: keys.producer_signing_key(producer).public_key() for producer in (CRAWLER, UPLOAD)}
    return Shared(
        data=settings.data_folder,
        clock=clock,
        log=log,
        tables=tables,
        gate=Gate(tables.fold, clock, ImageIds(keys)),
        quarantine=Quarantine(blobs, keys.quarantine_key),
        derivatives=Derivatives(blobs, grant_keys),
        keys=keys,
        grant_keys=grant_keys,
        identifiers=ImageIds(keys),
        producers=ProducerDirectory(key_store, inner),
        standings=ProducerStandings(blobs),
        metrics=metrics,
        accepts_fixtures=settings.accepts_fixtures,
        allowed_sockets=frozenset(settings.allowed_sockets),
    )
