"""Settings in the manifests: each is a field of its service, all of them are accepted, and each rule about them can fail."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from assent.stream.kafka_settings import KafkaSettings
from tools.deployed_manifests import KUSTOMIZATIONS, SERVICES, build, workloads
from tools.deployed_settings import APPS, FROM_A_SECRET, SETTINGS, constructed, environment, setting_faults

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def base() -> list[Manifest]:
    return build(KUSTOMIZATIONS[0])


def settings(manifests: list[Manifest]) -> Manifest:
    (found,) = (m for m in manifests if m["kind"] == "ConfigMap")
    data: Manifest = found["data"]
    return data


def pod(manifests: list[Manifest], name: str) -> Manifest:
    found: Manifest = workloads(manifests)[name]["spec"]["template"]["spec"]
    return found


def unmounted(manifests: list[Manifest], name: str, volume: str) -> None:
    (container,) = pod(manifests, name)["containers"]
    container["volumeMounts"] = [mount for mount in container["volumeMounts"] if mount["name"] != volume]


@pytest.mark.parametrize("folder", KUSTOMIZATIONS)
def test_what_ships_is_without_fault(folder: str) -> None:
    assert list(setting_faults(build(folder))) == []


def test_every_service_is_checked() -> None:
    assert set(SERVICES) == SETTINGS.keys() == APPS.keys()


def test_a_service_sees_its_variables_and_nothing_of_this_process(base: list[Manifest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_QUERY_MAX_PROBES", "7")
    found = constructed("query", environment(workloads(base)["query"], base))
    assert found.model_fields_set == {
        "log_url",
        "kafka_protocol",
        "kafka_ca_file",
        "kafka_username",
        "kafka_password",
        "blobs_url",
        "keys_url",
        "keys_folder",
        "health_host",
        "health_port",
        "pack_folder",
        "vectors_url",
        "vectors_api_key",
        "http_host",
        "http_port",
    }
    assert os.environ["ASSENT_QUERY_MAX_PROBES"] == "7"


def test_the_environment_comes_back_after_a_refusal() -> None:
    before = dict(os.environ)
    with pytest.raises(ValidationError):
        constructed("query", {"ASSENT_QUERY_HEALTH_PORT": "none"})
    assert dict(os.environ) == before


def test_the_key_of_the_vector_store_comes_from_a_secret(base: list[Manifest]) -> None:
    given = {name: environment(workload, base).get(f"ASSENT_{name.upper()}_VECTORS_API_KEY") for name, workload in workloads(base).items()}
    assert {name: value for name, value in given.items() if value is not None} == {"indexer": FROM_A_SECRET, "query": FROM_A_SECRET}


def test_every_service_has_a_login_of_its_own(base: list[Manifest]) -> None:
    found = [constructed(name, environment(workload, base)) for name, workload in workloads(base).items()]
    assert {settings.kafka_username for settings in found} == {f"assent-{name}" for name in SERVICES}
    refs = [pod(base, name)["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"] for name in SERVICES]
    assert refs == [{"name": "assent-kafka", "key": name} for name in SERVICES]


def test_the_crawler_takes_orders_on_loopback_alone(base: list[Manifest]) -> None:
    assert getattr(constructed("crawler", environment(workloads(base)["crawler"], base)), "http_host", None) == "127.0.0.1"


@pytest.mark.parametrize("name", SERVICES)
def test_the_longest_time_for_a_batch_ends_before_a_rebalance_and_before_the_pod_is_killed(base: list[Manifest], name: str) -> None:
    at = f"ASSENT_{name.upper()}_DRAIN_DEADLINE_S"
    given = environment(workloads(base)[name], base)
    longest = constructed(name, given | {at: "25"}).drain_deadline_s
    assert longest < KafkaSettings().rebalance_timeout_s
    assert 2 * longest < pod(base, name)["terminationGracePeriodSeconds"]
    with pytest.raises(ValidationError, match="drain_deadline_s"):
        constructed(name, given | {at: "25.1"})


BREAKS: dict[str, tuple[Callable[[list[Manifest]], object], str]] = {
    "a misspelt name": (lambda m: settings(m).update(ASSENT_QUERY_HTPP_PORT="1"), "ASSENT_QUERY_HTPP_PORT is read by nobody"),
    "a field of another service": (
        lambda m: settings(m).update(ASSENT_CONSENT_HTTP_PORT="1"),
        "ASSENT_CONSENT_HTTP_PORT is read by nobody",
    ),
    "a value that is refused": (lambda m: settings(m).update(ASSENT_QUERY_MAX_PROBES="0"), "query: its settings are refused: max_probes"),
    "the demonstration": (lambda m: settings(m).update(ASSENT_CONSENT_ACCEPTS_FIXTURES="true"), "consent: its settings are refused"),
    "no broker": (lambda m: settings(m).pop("ASSENT_CONSENT_LOG_URL"), "ASSENT_CONSENT_LOG_URL is kafka://127.0.0.1:9092"),
    "a broker in the open": (lambda m: settings(m).update(ASSENT_CONSENT_KAFKA_PROTOCOL="SASL_PLAINTEXT"), "must not cross the network"),
    "no password": (lambda m: pod(m, "consent")["containers"][0]["env"].clear(), "consent: its settings are refused"),
    "no authority": (lambda m: unmounted(m, "consent", "kafka-ca"), "ASSENT_CONSENT_KAFKA_CA_FILE"),
    "no blobs": (lambda m: settings(m).pop("ASSENT_CONSENT_BLOBS_URL"), "ASSENT_CONSENT_BLOBS_URL is file:"),
    "no key store": (lambda m: settings(m).pop("ASSENT_GEOFENCE_KEYS_URL"), "ASSENT_GEOFENCE_KEYS_URL is file:"),
    "keys among the blobs": (lambda m: settings(m).update(ASSENT_QUERY_KEYS_URL="s3://assent-blobs"), "a store of their own"),
    "keys elsewhere": (lambda m: settings(m).pop("ASSENT_CRAWLER_KEYS_FOLDER"), "ASSENT_CRAWLER_KEYS_FOLDER is assent-data/keys"),
    "probes on loopback": (lambda m: settings(m).pop("ASSENT_CRAWLER_HEALTH_HOST"), "ASSENT_CRAWLER_HEALTH_HOST is 127.0.0.1"),
    "another health port": (lambda m: settings(m).update(ASSENT_CRAWLER_HEALTH_PORT="1"), "ASSENT_CRAWLER_HEALTH_PORT is 1"),
    "search on loopback": (lambda m: settings(m).pop("ASSENT_QUERY_HTTP_HOST"), "ASSENT_QUERY_HTTP_HOST is 127.0.0.1"),
    "another search port": (lambda m: settings(m).pop("ASSENT_QUERY_HTTP_PORT"), "ASSENT_QUERY_HTTP_PORT is 8082"),
    "a crawler open to others": (lambda m: settings(m).update(ASSENT_CRAWLER_HTTP_HOST="0.0.0.0"), "nothing outside may reach it"),
    "no vector store": (lambda m: settings(m).pop("ASSENT_INDEXER_VECTORS_URL"), "ASSENT_INDEXER_VECTORS_URL is http://127.0.0.1:6333"),
    "a vector store without a key": (lambda m: pod(m, "indexer")["containers"][0]["env"].pop(), "ASSENT_INDEXER_VECTORS_API_KEY is None"),
    "no pack for the manifest": (lambda m: settings(m).pop("ASSENT_INDEXER_PACK_FOLDER"), "ASSENT_INDEXER_PACK_FOLDER"),
    "no volume for the pack": (lambda m: unmounted(m, "registry", "model-pack"), "ASSENT_REGISTRY_PACK_FOLDER"),
    "no volume for the keys": (lambda m: unmounted(m, "consent", "keys"), "ASSENT_CONSENT_KEYS_FOLDER"),
    "a policy that is nowhere": (
        lambda m: settings(m).update(ASSENT_REGISTRY_POLICY_FILE="/var/run/assent/policy/policy.yaml"),
        "ASSENT_REGISTRY_POLICY_FILE is /var/run/assent/policy/policy.yaml; the volume policy is not mounted there",
    ),
    "signers who are nowhere": (
        lambda m: settings(m).update(ASSENT_REGISTRY_POLICY_SIGNERS_FOLDER="/var/run/assent/policy-signers"),
        "the volume policy-signers is not mounted there",
    ),
    "state beside its claim": (lambda m: settings(m).pop("ASSENT_REGISTRY_DATA_FOLDER"), "ASSENT_REGISTRY_DATA_FOLDER is assent-data"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_setting_is_named(name: str, base: list[Manifest]) -> None:
    break_it, said = BREAKS[name]
    broken = copy.deepcopy(base)
    break_it(broken)
    faults = list(setting_faults(broken))
    assert [fault for fault in faults if said in fault]
    assert len(faults) <= 2
