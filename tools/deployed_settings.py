"""What each pod is told through its environment, held against the settings of its service and its own ports and mounts; never a service."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePath
from urllib.parse import urlsplit

from pydantic import ValidationError

from assent.deployment.service_app import ServiceApp
from assent.deployment.service_settings import ServiceSettings
from assent.deployment.shared import Need
from assent.deployment.start_errors import start_error_line
from services.consent.app import ConsentApp
from services.consent.settings import ConsentSettings
from services.crawler.app import CrawlerApp
from services.crawler.settings import CrawlerSettings
from services.embedder.app import EmbedderApp
from services.embedder.settings import EmbedderSettings
from services.geofence.app import GeofenceApp
from services.geofence.settings import GeofenceSettings
from services.indexer.app import IndexerApp
from services.indexer.settings import IndexerSettings
from services.query.app import QueryApp
from services.query.settings import QuerySettings
from services.registry.app import RegistryApp
from services.registry.settings import RegistrySettings
from tools.deployed_manifests import Manifest, workloads

SETTINGS: dict[str, type[ServiceSettings]] = {
    "crawler": CrawlerSettings,
    "geofence": GeofenceSettings,
    "consent": ConsentSettings,
    "embedder": EmbedderSettings,
    "indexer": IndexerSettings,
    "query": QuerySettings,
    "registry": RegistrySettings,
}
APPS: dict[str, type[ServiceApp]] = {
    "crawler": CrawlerApp,
    "geofence": GeofenceApp,
    "consent": ConsentApp,
    "embedder": EmbedderApp,
    "indexer": IndexerApp,
    "query": QueryApp,
    "registry": RegistryApp,
}
EVERYWHERE = "0.0.0.0"
FROM_A_SECRET = "given by the operator"  # noqa: S105 - stands for a value that these files must not hold


def setting_faults(manifests: list[Manifest]) -> Iterator[str]:
    """One sentence for each variable that no setting reads, each value that is refused, and each default that a pod cannot use."""
    for name, workload in workloads(manifests).items():
        if name in SETTINGS:
            yield from (f"{name}: {fault}" for fault in _faults(name, workload, manifests))


def environment(workload: Manifest, manifests: list[Manifest]) -> dict[str, str]:
    """Every variable that these files give to the container; a value from a secret is a placeholder."""
    maps = {m["metadata"]["name"]: m.get("data", {}) for m in manifests if m["kind"] == "ConfigMap"}
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        found.update(maps.get(source.get("configMapRef", {}).get("name"), {}))
    for variable in container.get("env", ()):
        found[variable["name"]] = variable.get("value", FROM_A_SECRET)
    return found


def constructed(name: str, variables: Mapping[str, str]) -> ServiceSettings:
    """The settings of a service that sees these variables and no others. Raises ValidationError."""
    with _only(variables):
        return SETTINGS[name]()


def _faults(name: str, workload: Manifest, manifests: list[Manifest]) -> Iterator[str]:
    variables, settings_type = environment(workload, manifests), SETTINGS[name]
    prefix = str(settings_type.model_config["env_prefix"])
    for key in variables:
        if key.startswith(prefix) and key.removeprefix(prefix).lower() not in settings_type.model_fields:
            yield f"{key} is read by nobody; {settings_type.__name__} has no such field"
    try:
        settings = constructed(name, variables)
    except ValidationError as error:
        yield f"its settings are refused: {start_error_line(error)}"
        return
    needs = APPS[name].NEEDS
    for field, why in (*_address_faults(settings, workload), *_url_faults(settings, needs), *_folder_faults(settings, needs, workload)):
        yield f"{prefix}{field.upper()} is {getattr(settings, field, 'unset')}; {why}"


def _address_faults(settings: ServiceSettings, workload: Manifest) -> Iterator[tuple[str, str]]:
    """Where it listens, against the ports that its container names."""
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container.get("ports", ())}
    if settings.health_host != EVERYWHERE:
        yield "health_host", "probes come from outside the pod"
    if settings.health_port != ports.get("health"):
        yield "health_port", "the port named health is another"
    is_served, host = "http" in ports, getattr(settings, "http_host", None)
    if is_served and getattr(settings, "http_port", None) != ports["http"]:
        yield "http_port", "the port named http is another"
    if is_served != (host == EVERYWHERE):
        yield "http_host", "the container " + ("names a port http" if is_served else "names no port http, so nothing outside may reach it")


def _url_faults(settings: ServiceSettings, needs: frozenset[Need]) -> Iterator[tuple[str, str]]:
    """What it opens elsewhere; every default names a place on one machine, which a pod does not have."""
    if not settings.log_url.startswith("kafka://") or _is_loopback(settings.log_url):
        yield "log_url", "a pod needs the address of the brokers"
    if not settings.kafka_protocol.endswith("SSL"):
        yield "kafka_protocol", "evidence and vectors must not cross the network in the open"
    for field in ("blobs_url", "keys_url"):
        if not getattr(settings, field).startswith("s3://"):
            yield field, "pods share an object store and no folder"
    if settings.blobs_url == settings.keys_url:
        yield "keys_url", "wrapped keys need a store of their own"
    if Need.VECTORS not in needs:
        return
    if not settings.vectors_url.startswith(("http://", "https://")) or _is_loopback(settings.vectors_url):
        yield "vectors_url", "a pod needs the address of the vector store"
    if settings.vectors_api_key is None:
        yield "vectors_api_key", "the vector store must ask for a key"


def _folder_faults(settings: ServiceSettings, needs: frozenset[Need], workload: Manifest) -> Iterator[tuple[str, str]]:
    """What it reads and writes itself, against what is mounted: everything else in the container is read-only or forgotten."""
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    mounts = {mount["name"]: mount for mount in container.get("volumeMounts", ())}
    if not _is_mounted(settings.keys_folder, mounts.get("keys"), read_only=True):
        yield "keys_folder", "the volume keys is not mounted there read-only"
    if settings.kafka_ca_file is not None and not _is_mounted(settings.kafka_ca_file, mounts.get("kafka-ca"), read_only=True):
        yield "kafka_ca_file", "the volume kafka-ca is not mounted there read-only"
    if needs & {Need.MODELS, Need.MANIFEST} and not _is_mounted(settings.pack_folder, mounts.get("model-pack"), read_only=True):
        yield "pack_folder", "the volume model-pack is not mounted there read-only"
    for field, volume in (("policy_file", "policy"), ("policy_signers_folder", "policy-signers")):
        where = getattr(settings, field, None)
        if where is not None and not _is_mounted(where, mounts.get(volume), read_only=True):
            yield field, f"the volume {volume} is not mounted there read-only"
    for claim in workload["spec"].get("volumeClaimTemplates", ()):
        if not _is_mounted(settings.data_folder, mounts.get(claim["metadata"]["name"]), read_only=False):
            yield "data_folder", f"the claim {claim['metadata']['name']} is not mounted there"


def _is_mounted(folder: PurePath, mount: Manifest | None, *, read_only: bool) -> bool:
    return mount is not None and mount.get("readOnly", False) is read_only and folder.is_relative_to(mount["mountPath"])


def _is_loopback(url: str) -> bool:
    return any(host in urlsplit(url).netloc for host in ("127.0.0.1", "localhost"))


@contextmanager
def _only(variables: Mapping[str, str]) -> Iterator[None]:
    """The environment of this process replaced for a moment: settings read it and nothing else."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
