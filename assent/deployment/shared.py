"""The long-lived clients that the services of one process share; built once, closed once, never looked up globally."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assent.blobs.derivatives import Derivatives
from assent.blobs.quarantine import Quarantine
from assent.deciding.gate import Gate
from assent.deciding.tables import DecisionTables
from assent.faces.pack import FacePack
from assent.intake.producers import ProducerDirectory
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.grant_keys import GrantKeyring
from assent.keys.identifiers import ImageIds
from assent.stream.clock import Clock
from assent.stream.event_log import EventLog
from assent.telemetry.meter import Metrics
from assent.vectors.store import VectorStore


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
    vectors: VectorStore
    quarantine: Quarantine
    derivatives: Derivatives
    keys: DeploymentKeys
    grant_keys: GrantKeyring
    identifiers: ImageIds
    producers: ProducerDirectory
    pack: FacePack
    metrics: Metrics
    accepts_fixtures: bool = False
    allowed_sockets: frozenset[tuple[str, int]] = frozenset()
    is_single_process: bool = False
