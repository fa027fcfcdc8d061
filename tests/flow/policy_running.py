"""A registry's desk, guard, stops and looks beside real policy files, as after a start; for tests of files that change meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from prometheus_client import CollectorRegistry

from assent.events.envelope import decode
from assent.events.grants import PolicyPublished
from assent.events.record import StoredRecord
from assent.events.topics import Topic
from assent.geofence.policy import Policy
from assent.ids import Jurisdiction
from assent.policies.approval import Approvals
from assent.policies.written_policy import written_policy
from assent.stream.event_log import TopicPartition
from assent.telemetry.meter import Metrics
from services.registry.policy_approvals import approvals_path
from services.registry.policy_files import PolicyFiles
from services.registry.policy_guard import PolicyGuard
from services.registry.policy_reload import PolicyReload
from services.registry.policy_stops import PolicyStops
from services.registry.published_policy import PolicyInForce, PublishedPolicy
from services.registry.settings import RegistrySettings
from tests.flow.test_policy_publishing import HERE, PEOPLE, SHIPPED, Desk, guard_of

POLICY = "policy.yaml"


def text_of(what: Policy) -> str:
    return yaml.safe_dump(written_policy(what), sort_keys=False)


@dataclass(slots=True)
class Running:
    """A registry's desk, guard and stops beside the files that it looks at."""

    house: Desk
    folder: Path
    guard: PolicyGuard
    stops: PolicyStops
    reload: PolicyReload
    in_force: PolicyInForce
    metrics: Metrics
    said: Callable[[], str] = field(default=lambda: "")

    @property
    def file(self) -> Path:
        return self.folder / POLICY

    def put(self, what: Policy | str, approvals: Approvals | None = None) -> None:
        """As an editor does: beside it, and then over it."""
        self._over(self.file, what if isinstance(what, str) else text_of(what))
        if approvals is not None:
            self._over(approvals_path(self.file), approvals.model_dump_json(by_alias=True))

    def _over(self, path: Path, text: str) -> None:
        new = path.with_name(f"{path.name}.new")
        new.write_text(text, encoding="utf-8")
        new.replace(path)

    async def newest(self) -> str:
        """The version that deciders read last."""
        return (await self.house.on_the_log())[-1]

    async def opens(self, *places: Jurisdiction) -> list[bool]:
        records: list[StoredRecord] = await self.house.log.read(TopicPartition(Topic.POLICIES.value, 0), 0, max_records=100)
        published = decode(records[-1]).data
        assert isinstance(published, PolicyPublished)
        found = Policy.from_canonical_json(published.document)
        return [bool(found.rules_for(place).opens) for place in places]

    def is_refused(self) -> bool:
        return self.metrics.registry.get_sample_value("assent_policy_file_refused") == 1.0

    def taken_at(self) -> float | None:
        return self.metrics.registry.get_sample_value("assent_policy_file_taken_timestamp_seconds")


def name_signers(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        public = PEOPLE[name].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{name}.pub").write_bytes(public)


async def running_in(house: Desk, folder: Path, *, settled_s: float = 0.005) -> Running:
    """As after a start with the shipped policy in a file."""
    (folder / POLICY).write_text(text_of(SHIPPED), encoding="utf-8")
    name_signers(folder / "signers", "anna", "ben")
    settings = RegistrySettings(keys_folder=folder, policy_file=folder / POLICY, policy_signers_folder=folder / "signers")
    metrics, in_force = Metrics(CollectorRegistry()), PolicyInForce(PublishedPolicy.of(SHIPPED))
    guard, files = guard_of(house, metrics), PolicyFiles(settings, deployment=HERE)
    reload = PolicyReload(
        files=files,
        desk=house.desk,
        guard=guard,
        in_force=in_force,
        store=house.store,
        clock=house.clock,
        metrics=metrics,
        every_s=0.02,
        settled_s=settled_s,
    )
    seen = files.seen()
    await reload.publish(in_force.current, widening=files.read().widening)
    reload.begin(seen, fault=None)
    stops = PolicyStops(store=house.store, desk=house.desk, guard=guard, clock=house.clock)
    return Running(house, folder, guard, stops, reload, in_force, metrics)


async def running_again(running: Running) -> Running:
    """A guard that has not read the log yet, as after a start."""
    guard = guard_of(running.house, running.metrics)
    files = PolicyFiles(
        RegistrySettings(keys_folder=running.folder, policy_file=running.file, policy_signers_folder=running.folder / "signers"),
        deployment=HERE,
    )
    reload = PolicyReload(
        files=files,
        desk=running.house.desk,
        guard=guard,
        in_force=running.in_force,
        store=running.house.store,
        clock=running.house.clock,
        metrics=running.metrics,
        every_s=0.02,
        settled_s=0.005,
    )
    reload.begin(files.seen(), fault=None)
    return Running(running.house, running.folder, guard, running.stops, reload, running.in_force, running.metrics, running.said)
