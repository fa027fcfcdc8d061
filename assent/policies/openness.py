"""What one entry leaves open, operation by operation and in the four verbs of the orders; it asks the rules, and decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from assent.events.grants import Operation
from assent.geofence.jurisdiction_rules import SERVE_CLIENTS, JurisdictionRules
from assent.ids import RuleId

VERBS: dict[str, tuple[str, ...]] = {
    "offer": (SERVE_CLIENTS,),
    "collect": (Operation.COLLECT.value,),
    "use": (Operation.EMBED.value, Operation.STORE.value, Operation.SEARCH.value),
    "disclose": (Operation.DISCLOSE.value,),
}
"""The verbs of the orders: offering the service, collecting, using, disclosing; each with the operations that it stands for."""


class Openness(StrEnum):
    """How far an operation is open. Only offering the service can be open without a grant; the others need one everywhere."""

    OPEN = "open"
    WITH_GRANT = "with_grant"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class OperationState:
    """One operation in one place at one time. `rules` keep it closed, none where it is not."""

    operation: str
    openness: Openness
    rules: tuple[RuleId, ...] = ()


def operation_states(entries: Iterable[JurisdictionRules], now: datetime) -> tuple[OperationState, ...]:
    """All six operations where every one of these entries counts: what one of them closes is closed."""
    rules = tuple(entries)
    clients = _state(SERVE_CLIENTS, Openness.OPEN, [entry.closed_to_clients_by(now) for entry in rules])
    return (
        clients,
        *(_state(operation.value, Openness.WITH_GRANT, [entry.closed_by(operation, now) for entry in rules]) for operation in Operation),
    )


def by_verb(states: Iterable[OperationState]) -> dict[str, tuple[OperationState, ...]]:
    """The same in the four verbs of the orders."""
    known = {state.operation: state for state in states}
    return {verb: tuple(known[operation] for operation in operations) for verb, operations in VERBS.items()}


def _state(operation: str, best: Openness, closed_by: Iterable[RuleId | None]) -> OperationState:
    rules = tuple(sorted({rule for rule in closed_by if rule is not None}))
    return OperationState(operation, Openness.CLOSED if rules else best, rules)
