"""Where everything lies below one data folder, and the settings of each service for it; nothing lies outside that folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from assent.deployment.service_settings import ServiceSettings
from services.consent.settings import ConsentSettings
from services.crawler.settings import CrawlerSettings
from services.embedder.settings import EmbedderSettings
from services.geofence.settings import GeofenceSettings
from services.indexer.settings import IndexerSettings
from services.query.settings import QuerySettings
from services.registry.settings import RegistrySettings

S = TypeVar("S", bound=ServiceSettings)
OPERATOR_TOKEN_FILE = "operator.token"  # noqa: S105  the name of a file


@dataclass(frozen=True, slots=True)
class EmbeddedLayout:
    """One folder. `common` is what every service is told beside it, `changes` what single ones are, by service name."""

    data: Path
    common: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def model(self) -> Path:
        """The model pack."""
        return self.data / "model"

    @property
    def operator_token(self) -> Path:
        """The file with the first operator token, readable by its owner alone."""
        return self.data / OPERATOR_TOKEN_FILE

    def crawler(self) -> CrawlerSettings:
        return self._settings(CrawlerSettings, "crawler")

    def geofence(self) -> GeofenceSettings:
        return self._settings(GeofenceSettings, "geofence")

    def consent(self) -> ConsentSettings:
        return self._settings(ConsentSettings, "consent")

    def embedder(self) -> EmbedderSettings:
        return self._settings(EmbedderSettings, "embedder")

    def indexer(self) -> IndexerSettings:
        return self._settings(IndexerSettings, "indexer")

    def query(self) -> QuerySettings:
        return self._settings(QuerySettings, "query")

    def registry(self) -> RegistrySettings:
        return self._settings(RegistrySettings, "registry", first_token_file=self.operator_token)

    def _settings(self, kind: type[S], service: str, **own: Any) -> S:
        """What the layout says wins over the environment: two services of one process must never stand on two logs."""
        places: dict[str, Any] = {
            "log_url": f"sqlite:{self.data / 'log.sqlite3'}",
            "vectors_url": f"edge:{self.data / 'vectors'}",
            "blobs_url": f"file:{self.data / 'blobs'}",
            "keys_folder": self.data / "keys",
            "keys_url": f"file:{self.data / 'grant-keys'}",
            "pack_folder": self.model,
            "data_folder": self.data,
        }
        return kind(**{**places, **own, **self.common, **self.changes.get(service, {})})
