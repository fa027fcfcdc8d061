"""The long-lived clients that the services of one process share; built once, closed once, never looked up globally."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from assent.blobs.derivatives import Derivatives
from assent.blobs.quarantine import Quarantine
from assent.deciding.gate import Gate
from assent.deciding.tables import DecisionTables
from assent.faces.manifest import PackManifest
from assent.intake.producers import ProducerDirectory
from assent.intake.standings import ProducerStandings
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.grant_keys import GrantKeyring
from assent.keys.identifiers import ImageIds
from assent.stream.clock import Clock
from assent.stream.event_log import EventLog
from assent.telemetry.meter import Metrics
from assent.telemetry.spans import SpanExporter
from assent.vectors.store import VectorStore

if TYPE_CHECKING:
    from assent.faces.pack import FacePack  # only processes that look at faces load what runs the models


class Need(StrEnum):
    """What a service wants opened beside the log, the tables, the blobs and the keys, which every one has.

    `models` are loaded and self-tested; `manifest` is read only, for whoever must know the model and never runs it.
    """

    VECTORS = "vectors"
    MODELS = "models"
    MANIFEST = "manifest"


class NotOpenedError(Exception):
    """Raised when a service uses a part that it did not name among its needs."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Everything a service may be given. `data` is the folder for a service's own files; `is_single_process` says that
    no other process can write, so that an erasure need not wait for one.
    """

    data: Path
    clock: Clock
    log: EventLog
    tables: DecisionTables
    gate: Gate
    quarantine: Quarantine
    derivatives: Derivatives
    keys: DeploymentKeys
    grant_keys: GrantKeyring
    identifiers: ImageIds
    producers: ProducerDirectory
    standings: ProducerStandings
    metrics: Metrics
    vector_store: VectorStore | None = None
    face_pack: FacePack | None = None
    manifest: PackManifest | None = None
    accepts_fixtures: bool = False
    allowed_sockets: frozenset[tuple[str, int]] = frozenset()
    is_single_process: bool = False
    spans: SpanExporter | None = None

    @property
    def vectors(self) -> VectorStore:
        """The open vector store. Raises NotOpenedError."""
        if self.vector_store is None:
            raise NotOpenedError("this service does not name the vector store among its needs")
        return self.vector_store

    @property
    def pack(self) -> FacePack:
        """The loaded models. Raises NotOpenedError."""
        if self.face_pack is None:
            raise NotOpenedError("this service does not name the models among its needs")
        return self.face_pack

    @property
    def model_digest(self) -> str:
        """Which model's vectors are taken. Raises NotOpenedError."""
        if self.manifest is None:
            raise NotOpenedError("this service names neither the models nor their manifest among its needs")
        return self.manifest.digest
