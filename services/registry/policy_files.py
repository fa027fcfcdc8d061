"""The files that a policy comes from, read together: the policy, its approvals, the keys of those who may sign; it judges none of them."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from assent.policies.signers import Signers
from services.registry.policy_approvals import SIGNERS, approvals_path, read_approvals, read_signers, vouches_path
from services.registry.policy_file import MAX_BYTES, PolicyFileError, read_policy
from services.registry.published_policy import PublishedPolicy
from services.registry.settings import RegistrySettings
from services.registry.widening import WideningRule


@dataclass(frozen=True, slots=True)
class PolicyReading:
    """What the files said: a policy, and the rule under which it may allow more."""

    policy: PublishedPolicy
    widening: WideningRule


class PolicyFiles:
    """`deployment` is the id of the key that signs the policy."""

    def __init__(self, settings: RegistrySettings, *, deployment: str) -> None:
        self._policy = settings.policy_file
        self._signers = settings.policy_signers_folder or settings.keys_folder / SIGNERS
        self._max_age = timedelta(days=settings.policy_approval_days)
        self._deployment = deployment

    def read(self) -> PolicyReading:
        """All of them. Raises PolicyFileError or PolicyApprovalFileError."""
        policy = read_policy(self._policy)
        approvals = read_approvals(self._policy)
        return PolicyReading(policy, WideningRule(read_signers(self._signers), approvals, self._deployment, self._max_age, _shipped()))

    def read_again(self) -> PolicyReading:
        """The same while the registry runs. Raises PolicyFileError also for a pipe: the one of the start is over, and another would be
        waited for.
        """
        if self._policy is not None and _kind(self._policy) not in (None, stat.S_IFREG):
            raise PolicyFileError(f"{self._policy} is no file that can be read again; name a readable YAML file")
        return self.read()

    def rule_of_nobody(self) -> WideningRule:
        """The rule under which nobody may sign: for a policy that comes from no file."""
        return WideningRule(Signers({}, {}), None, self._deployment, self._max_age, _shipped())

    def seen(self) -> str:
        """A digest of what lies there now, names and contents; what cannot be read is told by its error. It is another whenever `read`
        could say something else, a link that was turned to another folder included.
        """
        found = hashlib.sha256()
        for path in self._paths():
            found.update(f"{path}\0".encode(errors="surrogateescape"))
            found.update(_contents(path))
        return found.hexdigest()

    def _paths(self) -> Iterator[Path]:
        if self._policy is not None:
            yield self._policy
            yield approvals_path(self._policy)
        yield self._signers
        try:
            public = sorted(self._signers.glob("*.pub"))
        except OSError:
            return
        for path in public:
            yield path
            yield vouches_path(path)


def _shipped() -> str:
    return read_policy(None).document


def _contents(path: Path) -> bytes:
    """The digest of a file as far as it would be read, of the kind of anything else, or of the error. Nothing here waits for a pipe."""
    if (kind := _kind(path)) not in (None, stat.S_IFREG):
        return hashlib.sha256(f"kind {kind}".encode()).digest()
    try:
        with path.open("rb") as file:
            return hashlib.sha256(b"file " + file.read(MAX_BYTES + 1)).digest()
    except OSError as error:
        return hashlib.sha256(f"error {error.errno}".encode()).digest()


def _kind(path: Path) -> int | None:
    """None for what cannot be looked at: reading it says why."""
    try:
        return stat.S_IFMT(path.stat().st_mode)
    except OSError:
        return None
