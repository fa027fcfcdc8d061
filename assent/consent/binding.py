"""Which face of an image a grant means, told from the grant alone; no face is ever compared to find out."""

from __future__ import annotations

from dataclasses import dataclass

from assent.consent.asset import Asset
from assent.consent.source_rules import ONE_PHOTOGRAPH, matching_rule
from assent.events.faces import FaceBox
from assent.events.grants import BindingMode, GrantSnapshot
from assent.ids import RuleId

BYSTANDER_POSSIBLE = RuleId("bystander_possible")
BYSTANDER_PRESENT = RuleId("bystander_present")
REGION_NOT_FOUND = RuleId("region_not_found")
SOURCE_NOT_COVERED = RuleId("source_not_covered")
NOT_SUPPORTED = RuleId("not_supported")
NO_FACE = RuleId("no_face")
SEVERAL_FACES = RuleId("several_faces")


@dataclass(frozen=True, slots=True)
class SingleFace:
    """The photograph holds one face and it is hers."""


@dataclass(frozen=True, slots=True)
class MarkedFaces:
    """The faces in these boxes, relative to the upright image; nobody else."""

    boxes: tuple[FaceBox, ...]


@dataclass(frozen=True, slots=True)
class JointFaces:
    """Everyone in the photo has granted: at most as many faces as members."""

    members: int


@dataclass(frozen=True, slots=True)
class Unbound:
    """The grant does not say which face: refused under `rule`."""

    rule: RuleId


Binding = SingleFace | MarkedFaces | JointFaces | Unbound


def bind(grant: GrantSnapshot, asset: Asset) -> Binding:
    """Which faces of the asset the grant means."""
    rule = matching_rule(grant.sources, asset)
    mode = grant.binding.mode
    if rule is None:
        return Unbound(SOURCE_NOT_COVERED)
    if mode is BindingMode.REFERENCE_MATCH:
        return Unbound(NOT_SUPPORTED)
    if mode is BindingMode.JOINT:
        if not rule.only_me and rule.kind not in ONE_PHOTOGRAPH:
            # A folder holds photos of others too, and their number of faces says nothing about who they are.
            return Unbound(BYSTANDER_POSSIBLE)
        return JointFaces(members=len(grant.binding.member_grants))
    boxes = tuple(region.box for region in grant.binding.regions if region.asset_sha256 == asset.sha256)
    if boxes:
        return MarkedFaces(boxes)
    if rule.only_me or (rule.kind in ONE_PHOTOGRAPH and mode is BindingMode.SINGLE_FACE):
        return SingleFace()
    return Unbound(REGION_NOT_FOUND if rule.kind in ONE_PHOTOGRAPH else BYSTANDER_POSSIBLE)


def faces_rule(binding: Binding, face_count: int, *, drops_image_with_bystanders: bool) -> RuleId | None:
    """The rule that refuses this number of detected faces under the binding, or None (X-3)."""
    if isinstance(binding, Unbound):
        return binding.rule
    if face_count == 0:
        return NO_FACE
    if isinstance(binding, SingleFace):
        return SEVERAL_FACES if face_count > 1 else None
    if isinstance(binding, JointFaces):
        return BYSTANDER_PRESENT if face_count > binding.members else None
    if drops_image_with_bystanders and face_count > len(binding.boxes):
        return BYSTANDER_PRESENT
    return None
