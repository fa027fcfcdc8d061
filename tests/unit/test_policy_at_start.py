"""A registry starts with the policy of its file or, where that cannot be used, with the one that it published last."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from services.registry.desk_table import PolicyRow, insert_policy
from services.registry.policy_approvals import PolicyApprovalFileError
from services.registry.policy_at_start import PolicyAtStart, policy_at_start
from services.registry.policy_file import PolicyFileError
from services.registry.policy_files import PolicyFiles
from services.registry.schema import FILE
from services.registry.settings import RegistrySettings
from services.registry.store import RegistryStore
from tests.unit.grant_examples import NOW
from tests.unit.policy_examples import policy_with, shipped, shipped_text

FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no file": (lambda policy: policy.unlink(), "cannot be read"),
    "no YAML": (lambda policy: policy.write_text("version: ["), "line 1"),
    "approvals": (lambda policy: policy.with_name("policy.yaml.approvals.json").write_text("{"), "assent policy sign"),
    "a signer": (lambda policy: (policy.parent / "signers" / "anna.pub").write_text("none"), "is not a PEM public key"),
}


def start(folder: Path, policy: Path | None = None) -> PolicyAtStart:
    named = policy or folder / "policy.yaml"
    settings = RegistrySettings(keys_folder=folder, policy_file=named, policy_signers_folder=folder / "signers")
    return policy_at_start(PolicyFiles(settings, deployment="here"), published=folder / "registry" / FILE)


def prepared(folder: Path) -> Path:
    (folder / "signers").mkdir()
    policy = folder / "policy.yaml"
    policy.write_text(shipped_text(), encoding="utf-8")
    return policy


async def publish(folder: Path, document: str | None) -> None:
    store = RegistryStore(folder / "registry")
    await store.write(lambda database: insert_policy(database, PolicyRow("before.1", "0" * 64, NOW, document)))
    await store.close()


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_was_published_stays_in_force_where_the_file_cannot_be_used(tmp_path: Path, fault: str) -> None:
    policy, (break_it, says) = prepared(tmp_path), FAULTS[fault]
    before = policy_with(AU={"consent": {"expires_max_days": 50}})
    assert (start(tmp_path).fault, start(tmp_path).policy.document) == (None, shipped().canonical_json())
    break_it(policy)
    with pytest.raises((PolicyFileError, PolicyApprovalFileError), match=says):
        start(tmp_path)
    await publish(tmp_path, before.canonical_json())
    begun = start(tmp_path)
    assert says in str(begun.fault)
    assert begun.policy.document == before.canonical_json()
    assert (begun.widening.approvals, dict(begun.widening.signers.named)) == (None, {})


async def test_approvals_that_nobody_can_even_look_for_keep_nobody_from_starting(tmp_path: Path) -> None:
    """A name that has no room for the ending of its approvals: the system says so before any file is opened."""
    prepared(tmp_path)
    long = tmp_path / f"{'p' * 245}.yaml"
    long.write_text(shipped_text(), encoding="utf-8")
    with pytest.raises(PolicyApprovalFileError, match="change its name"):
        start(tmp_path, long)
    await publish(tmp_path, shipped().canonical_json())
    assert "change its name" in str(start(tmp_path, long).fault)


@pytest.mark.parametrize("document", [None, "{}"], ids=["kept by no text", "of another release"])
async def test_a_published_policy_that_cannot_be_read_takes_the_place_of_no_file(tmp_path: Path, document: str | None) -> None:
    prepared(tmp_path).unlink()
    await publish(tmp_path, document)
    with pytest.raises(PolicyFileError, match="cannot be read"):
        start(tmp_path)
