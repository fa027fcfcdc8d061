"""Which keys each pod is given and where it may connect, held against what its service opens; never grants more than it opens."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from assent.deployment.service_settings import ServiceSettings
from assent.deployment.shared import Need
from assent.keys.deployment_keys import ROOT_FILE
from assent.keys.signing_keys import SigningPurpose
from tools.deployed_manifests import Manifest, workloads
from tools.deployed_settings import APPS, constructed, environment

SIGNER = "registry"
KEYS = "keys"
PUBLIC_FILES = frozenset(f"{purpose.value}_signing.pub" for purpose in SigningPurpose)
PRIVATE_FILES = frozenset(f"{purpose.value}_signing.key" for purpose in SigningPurpose)
OTHERS_OR_WRITABLE = 0o027
GROUP_READS = 0o040
Reach = tuple[str, int]
"""A namespace and a port in it."""


def access_faults(manifests: list[Manifest]) -> Iterator[str]:
    """One sentence for each key file too many or too few, and for each connection that is closed or needlessly open."""
    for name, workload in workloads(manifests).items():
        if name in APPS:
            yield from (f"{name}: {fault}" for fault in _key_faults(name, workload["spec"]["template"]["spec"]))
            yield from (f"{name}: {fault}" for fault in _egress_faults(name, workload, manifests))


def key_files(pod: Manifest) -> dict[str, int]:
    """Name and mode of every file in the volume of keys."""
    (projected,) = (volume["projected"] for volume in pod["volumes"] if volume["name"] == KEYS)
    sources = [part for source in projected["sources"] for part in source.values()]
    # A source without items mounts whatever is in it: that is told as one file named `*`.
    items = [item for part in sources for item in part.get("items", [{"path": "*"}])]
    return {item["path"]: item.get("mode", projected["defaultMode"]) for item in items}


def _key_faults(name: str, pod: Manifest) -> Iterator[str]:
    files = key_files(pod)
    wanted = {ROOT_FILE} | PUBLIC_FILES | (PRIVATE_FILES if name == SIGNER else frozenset())
    for file in sorted(wanted - files.keys()):
        yield f"the key file {file} is not mounted"
    for file in sorted(files.keys() - wanted):
        yield f"the key file {file} is mounted, and the service does not open it"
    for file, mode in sorted(files.items()):
        if mode & OTHERS_OR_WRITABLE:
            yield f"the key file {file} has mode {mode:04o}, which is refused at start"
        # Kubernetes mounts as root; the pod reads through its group.
        if not mode & GROUP_READS or "fsGroup" not in pod.get("securityContext", {}):
            yield f"the key file {file} has mode {mode:04o}, and the pod cannot read it without the bit of its fsGroup"


def _egress_faults(name: str, workload: Manifest, manifests: list[Manifest]) -> Iterator[str]:
    labels = workload["spec"]["template"]["metadata"]["labels"]
    open_to = {reach for policy in manifests if _selects(policy, labels) for reach in _allowed(policy)}
    needed = _needed(name, constructed(name, environment(workload, manifests)))
    for namespace, port in sorted(needed - open_to):
        yield f"no NetworkPolicy lets it reach {namespace}:{port}"
    stores = {namespace for namespace, _ in needed} | {"kube-system", "object-store"}
    for namespace in sorted({namespace for namespace, _ in open_to} - stores):
        yield f"a NetworkPolicy lets it reach {namespace}, which it does not open"
    if not any(namespace == "object-store" for namespace, _ in open_to):
        yield "no NetworkPolicy lets it reach object-store"


def _needed(name: str, settings: ServiceSettings) -> set[Reach]:
    """The log and, where it is named among the needs, the vector store; the object store's port is the operator's choice."""
    urls = [f"//{server}" for server in settings.log_url.removeprefix("kafka://").split(",")]
    if Need.VECTORS in APPS[name].NEEDS:
        urls.append(settings.vectors_url)
    return {_reach(url) for url in urls}


def _reach(url: str) -> Reach:
    """`SERVICE.NAMESPACE.svc:PORT` as a cluster resolves it."""
    parts = urlsplit(url)
    return (parts.hostname or "").split(".")[1], parts.port or 0


def _selects(policy: Manifest, labels: dict[str, str]) -> bool:
    if policy["kind"] != "NetworkPolicy" or "Egress" not in policy["spec"].get("policyTypes", ()):
        return False
    selector = policy["spec"]["podSelector"]
    expressions = selector.get("matchExpressions", ())
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        rule["operator"] == "In" and labels.get(rule["key"]) in rule["values"] for rule in expressions
    )


def _allowed(policy: Manifest) -> Iterator[Reach]:
    for rule in policy["spec"].get("egress", ()):
        for peer in rule["to"]:
            namespace = peer.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name")
            yield from ((namespace, port["port"]) for port in rule["ports"] if namespace is not None)
