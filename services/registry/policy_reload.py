"""Takes a changed policy file up while the registry runs, by the checks of the start; what it cannot take changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from dataclasses import dataclass

import structlog

from assent.identity.errors import ApiError
from assent.policies.stopping import StopError, stays_closed
from assent.stream.clock import Clock
from assent.telemetry.meter import Metrics
from assent.telemetry.metrics import POLICY_FILE_REFUSED, POLICY_FILE_TAKEN
from services.registry.desk_table import PolicyRow, newest_policy
from services.registry.policy_approvals import PolicyApprovalFileError
from services.registry.policy_desk import PolicyDesk, PolicyVersionTakenError
from services.registry.policy_file import PolicyFileError
from services.registry.policy_files import PolicyFiles, PolicyReading
from services.registry.policy_guard import PolicyGuard
from services.registry.published_policy import PolicyInForce, PublishedPolicy
from services.registry.publisher import LogAwayError
from services.registry.store import RegistryStore
from services.registry.widening import PolicyBaseUnknownError, PolicyNotApprovedError, WideningRule

SETTLED_S = 1.0
"""How long files must have been the same before they are believed: a copy that is half done may be a whole policy, and a narrower one."""
MOST_LOOKS = 10
RESTLESS = "restless"
LOG_SHOWN_WITHIN_S = 5.0
REFUSED_AGAIN_S = 60.0
"""After this a file that was refused is tried again as it is: a clock may have been set, or another policy published."""
UNREADABLE = (PolicyFileError, PolicyApprovalFileError)
NOT_PUBLISHED = (PolicyNotApprovedError, PolicyVersionTakenError, PolicyBaseUnknownError, StopError)
_LOG = structlog.get_logger()


class PolicyFileRefusedError(ApiError):
    """Raised when the policy file cannot be put in force: what was in force before is."""

    def __init__(self, fault: str) -> None:
        super().__init__(409, "policy_file_refused", f"{fault}.", "Once the file is mended it is taken up by itself.")


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The newest policy after the files were read, and whether it was published just now."""

    policy: PolicyRow
    is_new: bool


class PolicyReload:
    """Looks every `every_s`, and when it is asked. One look at a time; publishing takes its turn with stops and with the guard."""

    def __init__(
        self,
        *,
        files: PolicyFiles,
        desk: PolicyDesk,
        guard: PolicyGuard,
        in_force: PolicyInForce,
        store: RegistryStore,
        clock: Clock,
        metrics: Metrics,
        every_s: float,
        settled_s: float = SETTLED_S,
    ) -> None:
        self._files = files
        self._desk = desk
        self._guard = guard
        self._in_force = in_force
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._every_s = every_s
        self._settled_s = settled_s
        self._looking = asyncio.Lock()
        self._woken = asyncio.Event()
        self._is_asked = False
        self._is_stopping = False
        self._is_log_away = False
        self._seen: str | None = None
        self._is_refused = False
        self._tried_at = clock.monotonic()

    def begin(self, seen: str, *, fault: str | None) -> None:
        """What the registry started with: `seen` when the files were read, and why they are not in force."""
        if fault is None:
            self._took(seen, self._in_force.current.version)
        else:
            self._refused(seen, _refusal(fault, self._in_force.current.version))

    async def publish(self, policy: PublishedPolicy, *, widening: WideningRule | None = None) -> bool:
        """Put it on the log, at the start as later, once the newest there is known. Raises LogAwayError and what `PolicyDesk.publish`
        raises.
        """
        await self._guard.catch_up(timeout_s=LOG_SHOWN_WITHIN_S)
        return await self._desk.publish(policy.document, version=policy.version, widening=widening)

    async def run(self) -> None:
        """Work until `stop`."""
        while not self._is_stopping:
            self._woken.clear()
            is_asked, self._is_asked = self._is_asked, False
            await self.once(is_asked=is_asked)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._woken.wait()

    def ask(self) -> None:
        """Look now, whether or not anything seems to have changed."""
        self._is_asked = True
        self._woken.set()

    def stop(self) -> None:
        """Leave after the look in hand."""
        self._is_stopping = True
        self._woken.set()

    async def once(self, *, is_asked: bool = False) -> None:
        """Take up what changed. Trouble of the log puts it off, and a file that is refused has been told of."""
        async with self._looking:
            if not is_asked and not await self._is_due():
                return
            try:
                await self._take(is_asked=is_asked)
            except PolicyFileRefusedError:
                return
            except LogAwayError as error:
                if not self._is_log_away:
                    _LOG.warning("policy_waits", error=type(error.__cause__ or error).__name__)
                self._is_log_away = True

    async def reload(self) -> Reloaded:
        """The same for somebody who waits for the answer. Raises PolicyFileRefusedError, LogAwayError."""
        async with self._looking:
            return await self._take(is_asked=True)

    async def _is_due(self) -> bool:
        if await asyncio.to_thread(self._files.seen) != self._seen:
            return True
        return self._is_refused and self._clock.monotonic() - self._tried_at >= REFUSED_AGAIN_S

    async def _take(self, *, is_asked: bool) -> Reloaded:
        seen, found = await self._settled()
        try:
            if not isinstance(found, PolicyReading):
                raise found
            is_new = await self.publish(found.policy, widening=found.widening)
        except (*UNREADABLE, *NOT_PUBLISHED) as error:
            line = _refusal(str(error), (await self._newest()).version)
            self._refused(seen, line, is_told=is_asked or seen != self._seen)
            raise PolicyFileRefusedError(line) from error
        self._in_force.current = found.policy
        newest = await self._newest()
        self._took(seen, newest.version, is_told=is_new or self._is_refused)
        return Reloaded(newest, is_new)

    async def _newest(self) -> PolicyRow:
        """Every registry that runs has published one."""
        newest = await self._store.read(newest_policy)
        if newest is None:
            raise LogAwayError
        return newest

    async def _settled(self) -> tuple[str, PolicyReading | PolicyFileError | PolicyApprovalFileError]:
        """The files once they have stayed the same for a while, with what they said or why they cannot be read."""
        before = await asyncio.to_thread(self._files.seen)
        for _ in range(MOST_LOOKS):
            await asyncio.sleep(self._settled_s)
            found = await asyncio.to_thread(self._read)
            after = await asyncio.to_thread(self._files.seen)
            if before == after:
                return after, found
            before = after
        fault = "the policy file, its approvals or the keys of its signers change all the time; put each in place whole, by renaming it"
        # Not what was seen last: they may rest from now on, and were not tried.
        return RESTLESS, PolicyFileError(fault)

    def _read(self) -> PolicyReading | PolicyFileError | PolicyApprovalFileError:
        try:
            return self._files.read_again()
        except UNREADABLE as error:
            return error

    def _took(self, seen: str, version: str, *, is_told: bool = False) -> None:
        self._note(seen, is_refused=False)
        self._metrics.set(POLICY_FILE_TAKEN, self._clock.now().timestamp())
        if is_told:
            _LOG.info("policy_file_taken", policy_version=version)
            _say(f"the policy file is in force: policy {version}{stays_closed(version)}")

    def _refused(self, seen: str, line: str, *, is_told: bool = True) -> None:
        self._note(seen, is_refused=True)
        if is_told:
            _LOG.error("policy_file_refused")
            _say(line)

    def _note(self, seen: str, *, is_refused: bool) -> None:
        self._seen, self._is_refused = seen, is_refused
        self._tried_at = self._clock.monotonic()
        self._is_log_away = False
        self._metrics.set(POLICY_FILE_REFUSED, float(is_refused))


def _refusal(fault: str, version: str) -> str:
    return f"{fault}; policy {version}, published before, stays in force"


def _say(line: str) -> None:
    """For the operator to read: what is wrong with a file is no field of a log."""
    print(f"registry: {line}", file=sys.stderr, flush=True)
