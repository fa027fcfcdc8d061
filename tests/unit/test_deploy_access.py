"""Keys and connections of each pod: what its service opens and no more, and each rule about them can fail."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.key_files import KeyFileError
from assent.keys.signing_keys import SigningKeys
from tools.deployed_access import PRIVATE_FILES, access_faults, key_files
from tools.deployed_manifests import KUSTOMIZATIONS, SERVICES, build, workloads

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def base() -> list[Manifest]:
    return build(KUSTOMIZATIONS[0])


def pod(manifests: list[Manifest], name: str) -> Manifest:
    found: Manifest = workloads(manifests)[name]["spec"]["template"]["spec"]
    return found


def keys_volume(manifests: list[Manifest], name: str) -> Manifest:
    (found,) = (volume["projected"] for volume in pod(manifests, name)["volumes"] if volume["name"] == "keys")
    volume: Manifest = found
    return volume


def policy(manifests: list[Manifest], name: str) -> Manifest:
    (found,) = (m for m in manifests if m["kind"] == "NetworkPolicy" and m["metadata"]["name"] == name)
    spec: Manifest = found["spec"]
    return spec


def mounted(files: dict[str, int], made: Path, folder: Path) -> Path:
    """The files of one volume as a pod sees them: links into a hidden folder, with the mode of the volume."""
    hidden = folder / "..data"
    hidden.mkdir(parents=True)
    for name, mode in files.items():
        (hidden / name).write_bytes((made / name).read_bytes())
        (hidden / name).chmod(mode)
        (folder / name).symlink_to(Path("..data") / name)
    return folder


@pytest.mark.parametrize("folder", KUSTOMIZATIONS)
def test_what_ships_is_without_fault(folder: str) -> None:
    assert list(access_faults(build(folder))) == []


@pytest.mark.parametrize("name", SERVICES)
def test_the_code_takes_the_keys_as_they_are_mounted(name: str, base: list[Manifest], tmp_path: Path) -> None:
    DeploymentKeys.load_or_create(tmp_path / "made")
    folder = mounted(key_files(pod(base, name)), tmp_path / "made", tmp_path / "mounted")
    assert DeploymentKeys.load(folder).image_id_key == DeploymentKeys.load(tmp_path / "made").image_id_key
    if name == "registry":
        SigningKeys.load(folder)
    else:
        with pytest.raises(KeyFileError, match="missing"):
            SigningKeys.load(folder)


def test_only_the_registry_can_sign(base: list[Manifest]) -> None:
    assert {name for name in SERVICES if PRIVATE_FILES & key_files(pod(base, name)).keys()} == {"registry"}


BREAKS: dict[str, tuple[Callable[[list[Manifest]], object], str]] = {
    "a signing key too many": (
        lambda m: keys_volume(m, "query").update(sources=keys_volume(m, "registry")["sources"]),
        "query: the key file policy_signing.key is mounted",
    ),
    "a whole secret": (lambda m: keys_volume(m, "query")["sources"][0]["secret"].pop("items"), "query: the key file * is mounted"),
    "no root secret": (lambda m: keys_volume(m, "query")["sources"].pop(0), "query: the key file root.secret is not mounted"),
    "a registry that cannot sign": (lambda m: keys_volume(m, "registry")["sources"].pop(), "receipt_signing.key is not mounted"),
    "keys open to others": (lambda m: keys_volume(m, "consent").update(defaultMode=0o444), "has mode 0444, which is refused"),
    "keys for root alone": (lambda m: keys_volume(m, "consent").update(defaultMode=0o400), "cannot read it"),
    "no group": (lambda m: pod(m, "consent")["securityContext"].pop("fsGroup"), "cannot read it"),
    "consent without blobs": (
        lambda m: policy(m, "blobs-and-keys").update(podSelector={"matchLabels": {"app.kubernetes.io/name": "crawler"}}),
        "consent: no NetworkPolicy lets it reach object-store",
    ),
    "another port of the broker": (
        lambda m: policy(m, "names-and-log")["egress"][1]["ports"][0].update(port=9092),
        "consent: no NetworkPolicy lets it reach kafka:9093",
    ),
    "vectors for everyone": (lambda m: policy(m, "vectors").update(podSelector={}), "consent: a NetworkPolicy lets it reach qdrant"),
    "no vectors": (lambda m: policy(m, "vectors")["egress"].clear(), "query: no NetworkPolicy lets it reach qdrant:6333"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_access_is_named(name: str, base: list[Manifest]) -> None:
    break_it, said = BREAKS[name]
    broken = copy.deepcopy(base)
    break_it(broken)
    assert [fault for fault in access_faults(broken) if said in fault]
