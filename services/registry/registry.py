"""The registry made of its parts: the desks behind the routes, the rounds, the recorder; it opens no client of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from assent.blobs.derivatives import Derivatives
from assent.blobs.quarantine import Quarantine
from assent.blobs.store import BlobStore
from assent.faces.image import ImageLimits
from assent.faces.reference import FaceFinder
from assent.fetching.address_guard import Socket
from assent.fetching.txt_records import TxtRecords, name_servers
from assent.identity.tokens import TokenSigner
from assent.intake.producers import ProducerDirectory
from assent.intake.registry_signature import signed_by_registry
from assent.intake.stage_signatures import StageSignatures
from assent.intake.standings import ProducerStandings
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.grant_keys import GrantKeyring
from assent.keys.identifiers import ImageIds
from assent.keys.signing_keys import SigningKeys
from assent.keys.waiting_places import WaitingPlaces
from assent.receipts.checkpoint import CheckpointSigner
from assent.receipts.log import ReceiptLog
from assent.stream.clock import Clock
from assent.stream.event_log import EventLog
from assent.telemetry.meter import Metrics
from services.registry.access import GrantAccess
from services.registry.approval_handlers import ApprovalHandlers
from services.registry.approvals import Approvals
from services.registry.control_handlers import ControlHandlers
from services.registry.control_looks import ControlLooks
from services.registry.control_watch import ControlWatch
from services.registry.controls import Controls
from services.registry.dead_letter_desk import DeadLetterDesk
from services.registry.dead_letter_handlers import DeadLetterHandlers
from services.registry.dead_letter_watch import DeadLetterWatch
from services.registry.endings import Endings
from services.registry.erasures import ErasureDesk
from services.registry.grant_handlers import GrantHandlers
from services.registry.grant_vault import GrantVault
from services.registry.grants import Grants
from services.registry.intake import Intake
from services.registry.openapi import openapi_route
from services.registry.openings import Openings
from services.registry.order_watch import OrderWatch
from services.registry.outcomes import OutcomeRecorder
from services.registry.override_handlers import OverrideHandlers
from services.registry.overrides import Overrides
from services.registry.policy_desk import PolicyDesk
from services.registry.policy_files import PolicyFiles
from services.registry.policy_guard import PolicyGuard
from services.registry.policy_handlers import PolicyHandlers
from services.registry.policy_reload import PolicyReload
from services.registry.policy_stops import PolicyStops
from services.registry.portal import Portal
from services.registry.producer_handlers import ProducerHandlers
from services.registry.producer_watch import ProducerWatch
from services.registry.proof_handlers import ProofHandlers
from services.registry.published_policy import PolicyInForce, PublishedPolicy
from services.registry.publisher import Publisher
from services.registry.quarantine_watch import QuarantineWatch
from services.registry.receipt_desk import ReceiptDesk
from services.registry.reference_handlers import ReferenceHandlers
from services.registry.references import References
from services.registry.renewal_handlers import RenewalHandlers
from services.registry.renewals import Renewals
from services.registry.revision_guard import RevisionGuard
from services.registry.rounds import Rounds
from services.registry.route import Route
from services.registry.schema import FOLDER
from services.registry.secret_hashes import SecretHashes
from services.registry.session_handlers import SessionHandlers
from services.registry.sessions import Sessions
from services.registry.settings import RegistrySettings
from services.registry.staff_handlers import StaffHandlers
from services.registry.store import RegistryStore
from services.registry.suppression_handlers import SuppressionHandlers
from services.registry.suppressions import Suppressions
from services.registry.upload_handlers import UploadHandlers
from services.registry.uploads import Uploads
from services.registry.widening import WideningRule

NAME = "registry"
RECEIPTS = "receipts.sqlite3"


@dataclass(frozen=True, slots=True)
class RegistryParts:
    """What the registry is given. `blobs` holds quarantine and intake, `derivatives` the pictures of faces; `finder` finds faces and
    nothing more.
    """

    data: Path
    clock: Clock
    log: EventLog
    quarantine: Quarantine
    blobs: BlobStore
    derivatives: Derivatives
    keys: DeploymentKeys
    signing: SigningKeys
    grant_keys: GrantKeyring
    producers: ProducerDirectory
    standings: ProducerStandings
    finder: FaceFinder
    metrics: Metrics
    accepts_fixtures: bool
    allowed_sockets: frozenset[Socket] = frozenset()


class Registry:
    """Opened by its constructor, which takes the writer lock; closed by `close`."""

    def __init__(self, settings: RegistrySettings, parts: RegistryParts, policy: PublishedPolicy, widening: WideningRule) -> None:
        self._settings = settings
        self.policy = PolicyInForce(policy)
        self._widening = widening
        self.store = RegistryStore(parts.data / FOLDER)
        signer = CheckpointSigner(settings.origin, parts.signing.receipt)
        self._receipt_log = ReceiptLog(parts.data / FOLDER / RECEIPTS, signer)
        self.receipts = ReceiptDesk(self._receipt_log, signer)
        self._publisher = _publisher(parts)
        self._hashes = SecretHashes(parts.keys.subkey("registry secrets"))
        self._openings = Openings(parts.keys.subkey("registry openings"))
        self._vault = GrantVault(keys=parts.keys, grant_keys=parts.grant_keys)
        self.access = GrantAccess(store=self.store, hashes=self._hashes)
        self.controls = Controls(
            store=self.store,
            receipts=self.receipts,
            clock=parts.clock,
            allowed_sockets=parts.allowed_sockets,
            proof_days=settings.control_proof_days,
            records=TxtRecords(servers=name_servers(settings.name_servers)),
        )
        self.control_looks = ControlLooks(
            store=self.store,
            controls=self.controls,
            clock=parts.clock,
            metrics=parts.metrics,
            every_s=settings.control_look_s,
            proof_days=settings.control_proof_days,
        )
        self.grants = self._built_grants(parts)
        self.overrides = Overrides(grants=self.grants, controls=self.controls)
        self.approvals = Approvals(store=self.store, grants=self.grants, places=WaitingPlaces(parts.grant_keys), clock=parts.clock)
        self.references = References(grants=self.grants, store=self.store, derivatives=parts.derivatives, finder=parts.finder)
        self.endings = self._built_endings(parts)
        self.erasures = ErasureDesk(store=self.store, receipts=self.receipts, metrics=parts.metrics)
        self.recorder = OutcomeRecorder(
            store=self.store, erasures=self.erasures, approvals=self.approvals, policy=self.policy, metrics=parts.metrics
        )
        token_signer = TokenSigner(parts.signing.token, clock=parts.clock)
        self.sessions = Sessions(store=self.store, access=self.access, hashes=self._hashes, signer=token_signer, clock=parts.clock)
        self.renewals = Renewals(grants=self.grants, clock=parts.clock, expires_max_days=self.policy.expires_max_days)
        self.uploads = self._built_uploads(parts)
        self.intake = self._built_intake(parts)
        self.guard = RevisionGuard(
            log=parts.log,
            store=self.store,
            vault=self._vault,
            publisher=self._publisher,
            metrics=parts.metrics,
            public_key=parts.keys.public.grant,
        )
        self._policy_desk = PolicyDesk(
            store=self.store,
            publisher=self._publisher,
            receipts=self.receipts,
            clock=parts.clock,
            signing_key=parts.signing.policy,
            widening=widening,
        )
        self.policy_guard = PolicyGuard(
            log=parts.log,
            store=self.store,
            desk=self._policy_desk,
            public_key=parts.signing.policy.public_key(),
            metrics=parts.metrics,
        )
        self.stops = PolicyStops(store=self.store, desk=self._policy_desk, guard=self.policy_guard, clock=parts.clock)
        self.policy_reload = PolicyReload(
            files=PolicyFiles(settings, deployment=widening.deployment),
            desk=self._policy_desk,
            guard=self.policy_guard,
            in_force=self.policy,
            store=self.store,
            clock=parts.clock,
            metrics=parts.metrics,
            every_s=settings.policy_look_s,
        )
        self.rounds = self._built_rounds(parts)
        self._parts = parts

    async def publish_policy(self) -> bool:
        """Put the policy on the log when it is new; whether it was. Raises what `PolicyReload.publish` raises."""
        return await self.policy_reload.publish(self.policy.current)

    def mount(self, application: web.Application) -> None:
        """Add every route, their description and the pages."""
        routes = self.routes()
        for route in [*routes, openapi_route(routes)]:
            application.router.add_route(route.method, route.path, route.handler)
        self._portal().mount(application)

    def routes(self) -> list[Route]:
        """Every route of the HTTP interface."""
        parts = self._parts
        return [
            *GrantHandlers(grants=self.grants, endings=self.endings, access=self.access, store=self.store).routes(),
            *ControlHandlers(self.controls).routes(),
            *ApprovalHandlers(approvals=self.approvals, grants=self.grants, access=self.access).routes(),
            *ReferenceHandlers(references=self.references, grants=self.grants, access=self.access).routes(),
            *RenewalHandlers(renewals=self.renewals, grants=self.grants, access=self.access).routes(),
            *OverrideHandlers(overrides=self.overrides, access=self.access).routes(),
            *SessionHandlers(sessions=self.sessions).routes(),
            *UploadHandlers(
                uploads=self.uploads, access=self.access, grants=self.grants, max_bytes=self._settings.max_image_bytes
            ).routes(),
            *ProofHandlers(erasures=self.erasures, receipts=self.receipts, store=self.store).routes(),
            *PolicyHandlers(store=self.store, stops=self.stops, reload=self.policy_reload, deployment=self._widening.deployment).routes(),
            *StaffHandlers(
                sessions=self.sessions, intake=self.intake, producers=parts.producers, store=self.store, clock=parts.clock
            ).routes(),
            *ProducerHandlers(directory=parts.producers, standings=parts.standings, store=self.store, clock=parts.clock).routes(),
            *SuppressionHandlers(self._suppressions(), max_bytes=self._settings.max_image_bytes).routes(),
            *DeadLetterHandlers(DeadLetterDesk(log=parts.log, store=self.store, clock=parts.clock, metrics=parts.metrics)).routes(),
        ]

    def _suppressions(self) -> Suppressions:
        return Suppressions(
            identifiers=ImageIds(self._parts.keys),
            publisher=self._publisher,
            receipts=self.receipts,
            clock=self._parts.clock,
            limits=ImageLimits(max_bytes=self._settings.max_image_bytes, max_pixels=self._settings.max_pixels),
        )

    async def close(self) -> None:
        """Close both files and let another registry open them."""
        await self.policy_guard.close()
        await self.store.close()
        self._receipt_log.close()

    def _portal(self) -> Portal:
        return Portal(
            grants=self.grants,
            endings=self.endings,
            erasures=self.erasures,
            access=self.access,
            sessions=self.sessions,
            uploads=self.uploads,
            approvals=self.approvals,
            references=self.references,
            overrides=self.overrides,
            renewals=self.renewals,
            store=self.store,
            clock=self._parts.clock,
            max_bytes=self._settings.max_image_bytes,
            is_secure_cookie=self._settings.is_secure_cookie,
            banner=self._settings.banner,
        )

    def _built_grants(self, parts: RegistryParts) -> Grants:
        return Grants(
            store=self.store,
            vault=self._vault,
            access=self.access,
            hashes=self._hashes,
            openings=self._openings,
            grant_keys=parts.grant_keys,
            publisher=self._publisher,
            receipts=self.receipts,
            controls=self.controls,
            clock=parts.clock,
            expires_max_days=self.policy.expires_max_days,
            age_min=self.policy.age_min,
            rules=self.policy.rules,
            retention=self.policy.retention,
            accepts_fixtures=parts.accepts_fixtures,
        )

    def _built_endings(self, parts: RegistryParts) -> Endings:
        return Endings(
            store=self.store,
            vault=self._vault,
            grant_keys=parts.grant_keys,
            openings=self._openings,
            publisher=self._publisher,
            receipts=self.receipts,
            clock=parts.clock,
            metrics=parts.metrics,
        )

    def _built_uploads(self, parts: RegistryParts) -> Uploads:
        return Uploads(
            grants=self.grants,
            store=self.store,
            quarantine=parts.quarantine,
            finder=parts.finder,
            keys=parts.keys,
            publisher=self._publisher,
            clock=parts.clock,
            limits=ImageLimits(max_bytes=self._settings.max_image_bytes, max_pixels=self._settings.max_pixels),
        )

    def _built_intake(self, parts: RegistryParts) -> Intake:
        return Intake(
            store=self.store,
            quarantine=parts.quarantine,
            producers=parts.producers,
            standings=parts.standings,
            identifiers=ImageIds(parts.keys),
            publisher=self._publisher,
            clock=parts.clock,
            max_bytes=self._settings.max_image_bytes,
        )

    def _built_rounds(self, parts: RegistryParts) -> Rounds:
        watch = QuarantineWatch(
            store=self.store,
            quarantine=parts.quarantine,
            blobs=parts.blobs,
            publisher=self._publisher,
            clock=parts.clock,
            metrics=parts.metrics,
        )
        return Rounds(
            store=self.store,
            grants=self.grants,
            endings=self.endings,
            erasures=self.erasures,
            quarantine=watch,
            producers=ProducerWatch(standings=parts.standings, clock=parts.clock, metrics=parts.metrics),
            dead_letters=DeadLetterWatch(log=parts.log, store=self.store, producers=parts.producers),
            guard=self.guard,
            policy_guard=self.policy_guard,
            stops=self.stops,
            orders=OrderWatch(store=self.store, clock=parts.clock, metrics=parts.metrics),
            control=ControlWatch(store=self.store, grants=self.grants, controls=self.controls, metrics=parts.metrics),
            clock=parts.clock,
            metrics=parts.metrics,
            round_s=self._settings.round_s,
        )


def _publisher(parts: RegistryParts) -> Publisher:
    """What the registry alone may say goes out under its own key; what it tells of an erasure, under its key as a stage."""
    stages = StageSignatures(parts.keys)
    return Publisher(parts.log, signed=lambda record: signed_by_registry(stages.signed(record, NAME), parts.signing.grant))
