"""The policy that a registry starts with: that of its file or, where the file cannot be used, the one that it published last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assent.geofence.policy import Policy, PolicyError
from services.registry.policy_approvals import PolicyApprovalFileError
from services.registry.policy_file import PolicyFileError
from services.registry.policy_files import PolicyFiles
from services.registry.policy_shelf import PolicyShelfError, published_in
from services.registry.published_policy import PublishedPolicy
from services.registry.widening import WideningRule


@dataclass(frozen=True, slots=True)
class PolicyAtStart:
    """`fault` says why the file is not what the registry starts with; None where it is."""

    policy: PublishedPolicy
    widening: WideningRule
    fault: str | None = None


def policy_at_start(files: PolicyFiles, *, published: Path) -> PolicyAtStart:
    """What the files say, else what lies in `published`, the registry's own file.

    Whoever wants to withdraw must not wait for a policy file to be mended. Raises PolicyFileError or PolicyApprovalFileError where
    nothing was published yet.
    """
    try:
        reading = files.read()
    except (PolicyFileError, PolicyApprovalFileError) as error:
        last = published_last(published)
        if last is None:
            raise
        return PolicyAtStart(last, files.rule_of_nobody(), str(error))
    return PolicyAtStart(reading.policy, reading.widening)


def published_last(file: Path) -> PublishedPolicy | None:
    """What the registry of this file published last; None where there is none that this release can read."""
    try:
        row = published_in(file)
        return None if row is None or row.document is None else PublishedPolicy.of(Policy.from_canonical_json(row.document))
    except (PolicyShelfError, PolicyError):
        return None
