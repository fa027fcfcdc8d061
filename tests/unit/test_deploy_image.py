"""The Dockerfile and the way in from outside, read as text: what starts, as whom, from what, and which path leads where."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tools.deployed_manifests import DOCKERFILE, KUSTOMIZATIONS, ROOT, SERVICES, build

TEXT = (ROOT / DOCKERFILE).read_text()
STAGES = {name: body for name, body in re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", TEXT, re.MULTILINE | re.DOTALL)}
COPIED = [source for line in re.findall(r"^COPY (?!--from)(.+) \S+$", TEXT, re.MULTILINE) for source in line.split()]
ROUTE = re.compile(r'(?:add_(?:get|post|put|delete)\(\s*|Route\(\s*"[A-Z]+",\s*|\b(?:grant|path) = |\bPATH = )f?"(/[^"]*)"')


@pytest.mark.parametrize("name", SERVICES)
def test_a_target_starts_its_service(name: str) -> None:
    assert f'ENTRYPOINT ["python", "-m", "services.{name}"]' in STAGES[name]
    assert re.search(rf"^FROM service AS {name}$", TEXT, re.MULTILINE)
    assert (ROOT / "services" / name / "__main__.py").is_file()


def test_packages_come_by_hash_and_nothing_is_resolved() -> None:
    installs = re.findall(r"pip install (.+?)(?: \\)?$", STAGES["environment"], re.MULTILINE)
    assert [("--no-deps" in line, "--require-hashes" in line or line.endswith(" .")) for line in installs] == [(True, True)] * 3
    assert "PIP_NO_CACHE_DIR=1" in STAGES["environment"]


def test_the_process_is_unprivileged_and_is_asked_by_its_pod_alone() -> None:
    assert "USER 10001:10001" in STAGES["service"]
    assert "USER" not in "".join(STAGES[name] for name in SERVICES)
    assert "HEALTHCHECK" not in TEXT


def test_what_a_service_imports_is_copied_and_nothing_else_can_be() -> None:
    assert {"assent", "services"} <= set(COPIED)
    rules = (ROOT / f"{DOCKERFILE}.dockerignore").read_text().splitlines()
    assert {line.removeprefix("!") for line in rules if line.startswith("!")} == set(COPIED)
    assert "*" in rules
    assert all((ROOT / source).exists() for source in COPIED)


def paths_of(service: str) -> set[str]:
    return {path for file in sorted((ROOT / "services" / service).glob("*.py")) for path in ROUTE.findall(file.read_text())}


def backend(ingress: dict[str, Any], path: str) -> str:
    """The longest prefix wins, element by element."""
    (rule,) = ingress["spec"]["rules"]
    parts = Path(path).parts
    matching = [entry for entry in rule["http"]["paths"] if Path(entry["path"]).parts == parts[: len(Path(entry["path"]).parts)]]
    found: str = max(matching, key=lambda entry: len(Path(entry["path"]).parts))["backend"]["service"]["name"]
    return found


@pytest.mark.parametrize(("service", "least"), [("query", 9), ("registry", 20)])
def test_every_path_leads_to_its_service(service: str, least: int) -> None:
    (ingress,) = (manifest for manifest in build(KUSTOMIZATIONS[1]) if manifest["kind"] == "Ingress")
    paths = paths_of(service)
    assert len(paths) >= least
    assert {path: backend(ingress, path) for path in paths if backend(ingress, path) != service} == {}
