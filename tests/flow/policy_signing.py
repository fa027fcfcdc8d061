"""Two people who sign a policy that allows more, with the commands and keys of their own; the registry of a new folder then takes it."""

from __future__ import annotations

from pathlib import Path

from tests.flow.assent_command import Done, run

PEOPLE = ("anna", "ben")


def signers(data: Path) -> Path:
    """Keys of a new deployment in `data`, and two people whose public keys it knows; the folder of their private ones."""
    keys = data / "keys"
    assert run("keys", "create", "--folder", keys).returncode == 0
    own = data.parent / "people"
    known = keys / "policy-signers"
    known.mkdir()
    for name in PEOPLE:
        assert run("policy", "key", name, "--to", own, "--data", data).returncode == 0
        (known / f"{name}.pub").write_bytes((own / f"{name}.pub").read_bytes())
    return own


def sign(policy: Path, data: Path, key: Path, *more: object) -> Done:
    """One person's signature."""
    return run("policy", "sign", policy, "--data", data, "--key", key, "--yes", *more)


def signed_by_two(policy: Path, data: Path) -> None:
    """The approvals of a policy file for a new folder."""
    own = signers(data)
    for name in PEOPLE:
        done = sign(policy, data, own / f"{name}.key")
        assert done.returncode == 0, done.stderr
