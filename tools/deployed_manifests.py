"""The Kubernetes manifests as a cluster would get them, and what is wrong with them; never a cluster."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

from assent.events.topics import PARTITIONS
from assent.telemetry import metrics

ROOT = Path(__file__).resolve().parent.parent
KUSTOMIZATIONS = ("deploy/kubernetes/base", "deploy/kubernetes/overlays/example")
DOCKERFILE = Path("deploy/images/Dockerfile")
KUBERNETES_VERSION = "1.37"
WORKLOADS = frozenset({"Deployment", "StatefulSet"})
SERVICES = ("crawler", "geofence", "consent", "embedder", "indexer", "query", "registry")
# The rounds of a crawler are not divided among processes; of registries, and of erasers, one works at a time.
ALONE = frozenset({"crawler", "indexer", "registry"})

Manifest = dict[str, Any]


class BuildError(RuntimeError):
    """Raised when kustomize cannot build a folder."""


def build(folder: str, root: Path = ROOT) -> list[Manifest]:
    """What `kubectl kustomize` makes of the folder."""
    kubectl = Path(sys.executable).parent / "kubectl"
    done = subprocess.run([kubectl, "kustomize", folder], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{folder}: {done.stderr.strip()}")
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def workloads(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The Deployments and StatefulSets by name."""
    return {manifest["metadata"]["name"]: manifest for manifest in manifests if manifest["kind"] in WORKLOADS}


def manifest_faults(manifests: list[Manifest], image_targets: set[str]) -> Iterator[str]:
    """One sentence for each thing that a cluster, or we ourselves, would refuse."""
    for manifest in manifests:
        yield from _schema_faults(manifest)
    found = workloads(manifests)
    for name in SERVICES:
        if name not in found:
            yield f"{name}: no Deployment or StatefulSet"
    for name, workload in found.items():
        yield from (f"{name}: {fault}" for fault in _workload_faults(name, workload, manifests, image_targets))
    if not any(_denies_by_default(manifest) for manifest in manifests):
        yield "no NetworkPolicy denies everything by default"
    for manifest in manifests:
        if manifest["kind"] == "ConfigMap":
            yield from _setting_faults(manifest)
        if manifest["kind"] == "HorizontalPodAutoscaler":
            yield from _scaling_faults(manifest)


def image_targets(dockerfile: str) -> set[str]:
    """Names of the build stages."""
    return set(re.findall(r"^FROM\s+\S+\s+AS\s+(\S+)", dockerfile, re.MULTILINE | re.IGNORECASE))


def _schema_faults(manifest: Manifest) -> Iterator[str]:
    name = f"{manifest.get('kind')}/{manifest.get('metadata', {}).get('name')}"
    try:
        kubernetes_validate.validate(manifest, KUBERNETES_VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{name}: {error.message} at {'.'.join(map(str, error.path)) or 'the top'}"
    except kubernetes_validate.SchemaNotFoundError:
        yield f"{name}: Kubernetes {KUBERNETES_VERSION} has no {manifest.get('apiVersion')} {manifest.get('kind')}"


def _workload_faults(name: str, workload: Manifest, manifests: list[Manifest], targets: set[str]) -> Iterator[str]:
    template = workload["spec"]["template"]
    pod = template["spec"]
    if template["metadata"].get("annotations", {}).get("prometheus.io/scrape") != "true":
        yield "is not scraped"
    if pod.get("automountServiceAccountToken") is not False:
        yield "mounts a service account token"
    if pod.get("securityContext", {}).get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "has no seccomp profile"
    for kind in ("Service", "ServiceAccount", "PodDisruptionBudget"):
        if not any(m["kind"] == kind and m["metadata"]["name"] == name for m in manifests):
            yield f"has no {kind}"
    if name in ALONE and not _is_alone(workload):
        yield "more than one may run at a time"
    for container in pod["containers"]:
        yield from _container_faults(container, targets)


def _is_alone(workload: Manifest) -> bool:
    """One replica, which has ended before the next one starts."""
    spec = workload["spec"]
    replaces = workload["kind"] == "StatefulSet" or spec.get("strategy", {}).get("type") == "Recreate"
    return bool(spec["replicas"] == 1 and replaces)


def _container_faults(container: Manifest, targets: set[str]) -> Iterator[str]:
    image = container["image"].split(":")[0].rsplit("/", 1)[-1].removeprefix("assent-")
    if image not in targets:
        yield f"image {container['image']} has no target in {DOCKERFILE}"
    context = container.get("securityContext", {})
    wanted = {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "runAsNonRoot": True}
    yield from (f"{key} is not {value}" for key, value in wanted.items() if context.get(key) is not value)
    if context.get("capabilities", {}).get("drop") != ["ALL"]:
        yield "does not drop all capabilities"
    for probe, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        if container.get(probe, {}).get("httpGet", {}).get("path") != path:
            yield f"{probe} does not ask {path}"
    for mount in container.get("volumeMounts", ()):
        if "subPath" in mount or "subPathExpr" in mount:
            yield f"{mount['mountPath']} is mounted by subPath, so that what changes there reaches no pod that runs"
    limits, requests = (container.get("resources", {}).get(part, {}) for part in ("limits", "requests"))
    if not limits.get("memory") or limits["memory"] != requests.get("memory"):
        yield "its memory limit is not its memory request"


def _denies_by_default(manifest: Manifest) -> bool:
    spec = manifest.get("spec", {})
    return (
        manifest["kind"] == "NetworkPolicy"
        and spec.get("podSelector") == {}
        and set(spec.get("policyTypes", ())) == {"Ingress", "Egress"}
        and "ingress" not in spec
        and "egress" not in spec
    )


def _setting_faults(manifest: Manifest) -> Iterator[str]:
    prefixes = tuple(f"ASSENT_{name.upper()}_" for name in SERVICES)
    for key in manifest.get("data", {}):
        if not key.startswith(prefixes):
            yield f"setting {key} belongs to no service"
        if re.search(r"(SECRET|PASSWORD|TOKEN|API_KEY)$", key):
            yield f"setting {key} is a secret and stands in a ConfigMap"
        if key.endswith(("_ALLOWED_SOCKETS", "_ACCEPTS_FIXTURES", "_IS_DEMO")):
            yield f"setting {key} belongs to the demonstration"


def _scaling_faults(manifest: Manifest) -> Iterator[str]:
    spec = manifest["spec"]
    name = spec["scaleTargetRef"]["name"]
    if spec["maxReplicas"] > PARTITIONS:
        yield f"{name}: scales to {spec['maxReplicas']} pods, and its topic has {PARTITIONS} partitions"
    for metric in spec["metrics"]:
        series = metric.get("external", {}).get("metric", {}).get("name", "")
        if series and series not in metrics.series_names():
            yield f"{name}: scales on {series}, which no metric is called"
