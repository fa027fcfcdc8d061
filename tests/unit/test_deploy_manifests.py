"""The manifests: what ships is without fault, and each rule about them can fail."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tools.deployed_manifests import DOCKERFILE, KUSTOMIZATIONS, ROOT, SERVICES, build, image_targets, manifest_faults

Manifest = dict[str, Any]
TARGETS = image_targets((ROOT / DOCKERFILE).read_text())


@pytest.fixture(scope="module")
def base() -> list[Manifest]:
    return build(KUSTOMIZATIONS[0])


def one(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = (m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name)
    return found


def container(manifests: list[Manifest]) -> Manifest:
    found: Manifest = one(manifests, "Deployment", "query")["spec"]["template"]["spec"]["containers"][0]
    return found


def settings(manifests: list[Manifest]) -> Manifest:
    (found,) = (m for m in manifests if m["kind"] == "ConfigMap")
    data: Manifest = found["data"]
    return data


@pytest.mark.parametrize("folder", KUSTOMIZATIONS)
def test_what_ships_is_without_fault(folder: str) -> None:
    assert list(manifest_faults(build(folder), TARGETS)) == []


def test_every_service_has_an_image_target() -> None:
    assert set(SERVICES) <= TARGETS


def test_only_the_crawler_and_over_https_the_registry_reach_the_internet(base: list[Manifest]) -> None:
    open_policies = [m["spec"] for m in base if m["kind"] == "NetworkPolicy" and "0.0.0.0/0" in str(m)]
    reach = {
        spec["podSelector"]["matchLabels"]["app.kubernetes.io/name"]: [port["port"] for port in spec["egress"][0]["ports"]]
        for spec in open_policies
    }
    assert reach == {"crawler": [80, 443], "registry": [443]}
    for spec in open_policies:
        blocked = spec["egress"][0]["to"][0]["ipBlock"]["except"]
        assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"} <= set(blocked)


def test_only_query_and_the_indexer_reach_the_vectors(base: list[Manifest]) -> None:
    policy = one(base, "NetworkPolicy", "vectors")
    assert policy["spec"]["podSelector"]["matchExpressions"][0]["values"] == ["indexer", "query"]


def test_the_namespace_enforces_the_restricted_standard(base: list[Manifest]) -> None:
    labels = one(base, "Namespace", "assent")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


BREAKS: dict[str, tuple[Callable[[list[Manifest]], object], str]] = {
    "a misspelt field": (lambda m: one(m, "Deployment", "query")["spec"].update(replicass=2), "replicass"),
    "a writable root": (lambda m: container(m)["securityContext"].pop("readOnlyRootFilesystem"), "readOnlyRootFilesystem"),
    "a capability": (lambda m: container(m)["securityContext"].update(capabilities={"drop": []}), "capabilities"),
    "no readiness": (lambda m: container(m).pop("readinessProbe"), "readinessProbe"),
    "liveness that asks for readiness": (
        lambda m: container(m)["livenessProbe"]["httpGet"].update(path="/readyz"),
        "livenessProbe does not ask /livez",
    ),
    "a file that never changes in a pod that runs": (
        lambda m: container(m)["volumeMounts"].append({"name": "keys", "mountPath": "/policy.yaml", "subPath": "policy.yaml"}),
        "/policy.yaml is mounted by subPath",
    ),
    "an unknown image": (lambda m: container(m).update(image="assent-other:1"), "has no target"),
    "memory over its request": (lambda m: container(m)["resources"]["limits"].update(memory="9Gi"), "memory limit"),
    "a missing workload": (lambda m: m.remove(one(m, "StatefulSet", "registry")), "registry: no Deployment"),
    "a missing budget": (lambda m: m.remove(one(m, "PodDisruptionBudget", "query")), "has no PodDisruptionBudget"),
    "an open network": (lambda m: m.remove(one(m, "NetworkPolicy", "default-deny")), "denies everything"),
    "a secret in the open": (lambda m: settings(m).update(ASSENT_QUERY_TOKEN="x"), "is a secret"),
    "a key in the open": (lambda m: settings(m).update(ASSENT_QUERY_VECTORS_API_KEY="x"), "is a secret"),
    "a second crawler": (lambda m: one(m, "Deployment", "crawler")["spec"].update(replicas=2), "crawler: more than one"),
    "a crawler that overlaps": (lambda m: one(m, "Deployment", "crawler")["spec"].pop("strategy"), "crawler: more than one"),
    "a second registry": (lambda m: one(m, "StatefulSet", "registry")["spec"].update(replicas=2), "registry: more than one"),
    "a setting of nobody": (lambda m: settings(m).update(ASSENT_LOG_URL="x"), "belongs to no service"),
    "a crawler that may reach private addresses": (
        lambda m: settings(m).update(ASSENT_CRAWLER_ALLOWED_SOCKETS="10.0.0.1:80"),
        "belongs to the demonstration",
    ),
}


def test_scaling_stops_at_the_partitions_and_on_a_declared_metric() -> None:
    example = build(KUSTOMIZATIONS[1])
    scaler = one(example, "HorizontalPodAutoscaler", "embedder")["spec"]
    scaler["maxReplicas"] = 7
    scaler["metrics"][0]["external"]["metric"]["name"] = "assent_lag"
    faults = list(manifest_faults(example, TARGETS))
    assert [fault.split(",")[0] for fault in faults] == ["embedder: scales to 7 pods", "embedder: scales on assent_lag"]


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_manifest_is_named(name: str, base: list[Manifest]) -> None:
    break_it, said = BREAKS[name]
    broken = copy.deepcopy(base)
    break_it(broken)
    assert any(said in fault for fault in manifest_faults(broken, TARGETS))
