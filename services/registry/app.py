"""Wiring of the registry service: its files, its consumer, its rounds, its routes; the only place that opens them."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import ClassVar

import structlog
from aiohttp import web

from assent.deployment.build import open_blobs
from assent.deployment.runner_service import RunnerService
from assent.deployment.shared import Need, Shared
from assent.deployment.start_errors import StartError
from assent.keys.signing_keys import SigningKeys
from assent.receipts.checkpoint import public_key_id
from assent.stream.runner import RunnerSettings
from services.registry.policy_at_start import policy_at_start, published_last
from services.registry.policy_desk import PolicyVersionTakenError
from services.registry.policy_files import PolicyFiles
from services.registry.publisher import LogAwayError
from services.registry.registry import Registry, RegistryParts
from services.registry.schema import FILE, FOLDER
from services.registry.settings import RegistrySettings
from services.registry.trouble import TROUBLE
from services.registry.widening import PolicyNotApprovedError

ROUND_SILENT_AFTER_S = 120.0
POLICY_TRIED_EVERY_S = 0.5
_LOG = structlog.get_logger()


class RegistryApp(RunnerService):
    """Subjects, grants and their ends. Takes the writer lock when it is built and gives it back when it stops."""

    NEEDS: ClassVar[frozenset[Need]] = frozenset({Need.MODELS})

    def __init__(self, settings: RegistrySettings, shared: Shared) -> None:
        parts = RegistryParts(
            data=shared.data,
            clock=shared.clock,
            log=shared.log,
            quarantine=shared.quarantine,
            blobs=open_blobs(settings.blobs_url),
            derivatives=shared.derivatives,
            keys=shared.keys,
            signing=SigningKeys.load(settings.keys_folder),
            grant_keys=shared.grant_keys,
            producers=shared.producers,
            standings=shared.standings,
            finder=shared.pack.detector,
            metrics=shared.metrics,
            accepts_fixtures=shared.accepts_fixtures,
            allowed_sockets=shared.allowed_sockets,
        )
        self._published = shared.data / FOLDER / FILE
        files = PolicyFiles(settings, deployment=public_key_id(shared.keys.public.policy))
        # Before they are read: what is changed from here on is seen by the first look.
        self._policy_seen = files.seen()
        begun = policy_at_start(files, published=self._published)
        self._policy_fault = begun.fault
        self.registry = Registry(settings, parts, begun.policy, begun.widening)
        runner = RunnerSettings(stall_after_s=settings.stall_after_s)
        super().__init__(self.registry.recorder, shared, settings=runner, drain_deadline_s=settings.drain_deadline_s)
        self._settings = settings

    async def start(self) -> None:
        """Publish the policy and the ends that were not yet on the log, hand out the first token, then consume and go round.

        What else is left of an ending needs the key store, which may be away: the rounds begin with it. Raises StartError when the
        log is away for longer than a consumer would wait for it, where the policy of the file is refused and none was published before,
        and where a first token lies there already that this registry does not know.
        """
        await self._check_that_nothing_is_lost()
        await self._publish_policy()
        self.registry.policy_reload.begin(self._policy_seen, fault=self._policy_fault)
        try:
            await self.registry.endings.publish()
        except TROUBLE as error:
            _LOG.warning("ending_waits", error=type(error).__name__)
        await self._hand_out_first_token()
        await super().start()
        self.background.start(self.registry.rounds.run(), name="registry-rounds")
        self.background.start(self.registry.control_looks.run(), name="control-looks")
        self.background.start(self.registry.policy_reload.run(), name="policy-reload")

    async def stop(self) -> None:
        """Leave after the round and the batch in hand."""
        self.registry.rounds.stop()
        self.registry.control_looks.stop()
        self.registry.policy_reload.stop()
        await super().stop()
        await self.registry.close()

    @property
    def is_alive(self) -> bool:
        """Consumer and rounds go on."""
        return super().is_alive and self.registry.rounds.silent_for_s() < ROUND_SILENT_AFTER_S

    def reread(self) -> None:
        """Look at the policy file now, whether or not it seems to have changed."""
        self.registry.policy_reload.ask()

    def mount(self, application: web.Application) -> None:
        """Every route and page of the registry."""
        self.registry.mount(application)

    async def _publish_policy(self) -> None:
        """Nobody decides anything without it, so there is nothing else to do than to wait for the log."""
        deadline = self._shared.clock.monotonic() + self._settings.stall_after_s
        while True:
            try:
                await self.registry.publish_policy()
            except LogAwayError as error:
                if self._shared.clock.monotonic() > deadline:
                    raise StartError(
                        f"the event log did not take the policy for {self._settings.stall_after_s:.3g} s; "
                        "see that what log_url names runs, has room and may be written to, then start again"
                    ) from error
                _LOG.warning("policy_waits", error=type(error.__cause__ or error).__name__)
                await asyncio.sleep(POLICY_TRIED_EVERY_S)
            except (PolicyNotApprovedError, PolicyVersionTakenError) as error:
                last = await asyncio.to_thread(published_last, self._published)
                if last is None or last.document == self.registry.policy.current.document:
                    raise
                self.registry.policy.current = last
                self._policy_fault = self._policy_fault or str(error)
            else:
                return

    async def _check_that_nothing_is_lost(self) -> None:
        """A registry that begins anew beside the token of an earlier one would know none of the grants that are on the log.

        Where its own file knows of an earlier start, nobody looks for the token, which may lie where nobody can look any more.
        """
        token = self._settings.first_token_file
        if token is not None and await self.registry.sessions.is_first_start() and token.exists():
            raise StartError(
                f"{token} is of an earlier start, and the registry's own file knows nothing of it: it is gone, or another one is there. "
                "Bring it back from a copy; or move the whole data folder and this token away, to begin with nothing"
            )

    async def _hand_out_first_token(self) -> None:
        token = await self.registry.sessions.first_operator_token()
        if token is None:
            return
        if self._settings.first_token_file is not None:
            write_private(self._settings.first_token_file, token)
        else:
            print(f"First operator token (shown once, 30 days): {token}", file=sys.stdout, flush=True)


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner can read. Raises FileExistsError rather than overwrite."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
