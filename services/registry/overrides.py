"""Content rights that she sets aside for one source, by name; nobody asks her for it, and without a proof of control it counts nothing."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from assent.consent.content_rights import MAY_OVERRIDE
from assent.events.grants import BindingMode, SourceRule
from assent.identity.errors import ApiError
from assent.ids import GrantId
from assent.optouts.signal import ContentRight
from services.registry.controls import Controls
from services.registry.grant_record import Grant
from services.registry.grants import Grants
from services.registry.publisher import Offsets


@dataclass(frozen=True, slots=True)
class Overridable:
    """A source, what she has set aside for it, and whether its control is shown now: where it is not, that counts nothing."""

    value: str
    overrides: tuple[ContentRight, ...]
    is_shown: bool


class Overrides:
    """A request for a grant has no field for this: her yes to a notice is no yes to it, and nothing is ticked before she ticks it."""

    def __init__(self, *, grants: Grants, controls: Controls) -> None:
        self._grants = grants
        self._controls = controls

    async def possible(self, record: Grant) -> list[Overridable]:
        """The sources for which she could set something aside now, or has."""
        hypothetical = [_with(rule, frozenset(ContentRight)) for rule in record.sources if _may(record, rule)]
        proven = {rule.value for rule in await self._shown(record, hypothetical) if rule.control_until is not None}
        rules = [rule for rule in record.sources if _may(record, rule) and (rule.overrides or rule.value in proven)]
        return [Overridable(rule.value, rule.overrides, rule.value in proven) for rule in rules]

    async def set_aside(
        self, grant_id: GrantId, source: str, rights: Set[ContentRight], *, expected_revision: int | None = None
    ) -> tuple[Grant, Offsets]:
        """These rights, and no others, are set aside for that source from now on; none takes all of it back.

        Raises ApiError 422 where nobody has shown control of the source now, or where its kind shows nothing of rights. What is only
        taken back needs no proof.
        """
        record = await self._grants.live(grant_id, expected_revision)
        named = [rule for rule in record.sources if rule.value == source]
        if not named:
            raise ApiError(422, "source_not_named", "The grant names no such source.", "Send the source as the grant shows it.")
        if rights and not any(_may(record, rule) for rule in named):
            raise ApiError(
                422,
                "override_not_possible",
                "What this source says of rights stands: nothing shows who holds them.",
                "Only a folder or an address of a grant of one person can have this.",
            )
        changed = [_with(rule, rights) if rule.value == source and _may(record, rule) else rule for rule in record.sources]
        sources = await self._shown(record, changed)
        is_more = any(not rights <= set(rule.overrides) for rule in named if _may(record, rule))
        if is_more and not any(rule.control_until is not None for rule in sources if rule.value == source):
            raise ApiError(
                422,
                "control_unproven",
                "Nobody has shown control of this source, the proof has ended, or each of its pictures waits for her answer.",
                "The controller shows it with `assent source prove`; a picture that she approved can be named by its own address.",
            )
        return (record, {}) if sources == record.sources else await self._grants.revise(record, {"sources": sources})

    async def _shown(self, record: Grant, rules: list[SourceRule]) -> tuple[SourceRule, ...]:
        return await self._controls.on(rules, record.source_controller, asks_each=record.asks_each)


def _may(record: Grant, rule: SourceRule) -> bool:
    return rule.kind in MAY_OVERRIDE and record.face_binding.mode is not BindingMode.JOINT


def _with(rule: SourceRule, rights: Set[ContentRight]) -> SourceRule:
    return rule.model_copy(update={"overrides": tuple(sorted(rights))})
