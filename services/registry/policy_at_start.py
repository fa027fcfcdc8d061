"""The policy that a registry starts with: that of its file or, where the file cannot be used, the one that it published last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from assent.geofence.policy import Policy, PolicyError
from assent.policies.signers import Signers
from services.registry.policy_approvals import SIGNERS, PolicyApprovalFileError, read_approvals, read_signers
from services.registry.policy_file import PolicyFileError, read_policy
from services.registry.policy_shelf import PolicyShelfError, published_in
from services.registry.published_policy import PublishedPolicy
from services.registry.settings import RegistrySettings
from services.registry.widening import WideningRule


@dataclass(frozen=True, slots=True)
class PolicyAtStart:
    """`fault` says why the file is not what the registry starts with; None where it is."""

    policy: PublishedPolicy
    widening: WideningRule
    fault: str | None = None


def policy_at_start(settings: RegistrySettings, *, published: Path, deployment: str) -> PolicyAtStart:
    """What the file says, else what lies in `published`, the registry's own file.

    Whoever wants to withdraw must not wait for a policy file to be mended. Raises PolicyFileError or PolicyApprovalFileError where
    nothing was published yet.
    """
    max_age = timedelta(days=settings.policy_approval_days)
    shipped = read_policy(None).document
    try:
        policy = read_policy(settings.policy_file)
        approvals = read_approvals(settings.policy_file)
        signers = read_signers(settings.policy_signers_folder or settings.keys_folder / SIGNERS)
    except (PolicyFileError, PolicyApprovalFileError) as error:
        last = published_last(published)
        if last is None:
            raise
        return PolicyAtStart(last, WideningRule(Signers({}, {}), None, deployment, max_age, shipped), str(error))
    return PolicyAtStart(policy, WideningRule(signers, approvals, deployment, max_age, shipped))


def published_last(file: Path) -> PublishedPolicy | None:
    """What the registry of this file published last; None where there is none that this release can read."""
    try:
        row = published_in(file)
        return None if row is None or row.document is None else PublishedPolicy.of(Policy.from_canonical_json(row.document))
    except (PolicyShelfError, PolicyError):
        return None
