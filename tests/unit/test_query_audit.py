"""The audit of answers finds what must never be, and nothing else."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from assent.ids import GrantId
from assent.telemetry import metrics as declared
from assent.telemetry.meter import Metrics
from services.query.disclosure_audit import DisclosureAudit

G, OTHER = GrantId("g-1"), GrantId("g-2")


def counted(audit: DisclosureAudit, metrics: Metrics) -> float | None:
    return metrics.value(declared.DISCLOSURES_AFTER_WITHDRAWAL)


def audited() -> tuple[DisclosureAudit, Metrics]:
    metrics = Metrics(CollectorRegistry())
    return DisclosureAudit(metrics), metrics


def test_nothing_is_visible_as_nothing() -> None:
    audit, metrics = audited()
    assert counted(audit, metrics) == 0


def test_an_answer_that_had_read_the_withdrawal_and_told_is_found_whichever_is_seen_first() -> None:
    for told_first in (True, False):
        audit, metrics = audited()
        steps = [lambda a=audit: a.told([G], {"withdrawals/3": 8}), lambda a=audit: a.withdrawn(G, 3, 7)]
        for step in steps if told_first else reversed(steps):
            step()
        assert counted(audit, metrics) == 1


def test_an_answer_judged_before_the_withdrawal_was_there_is_lawful() -> None:
    audit, metrics = audited()
    audit.told([G], {"withdrawals/3": 7, "grants/3": 900})
    audit.withdrawn(G, 3, 7)
    audit.told([OTHER], {"withdrawals/3": 9})
    audit.told([], {"withdrawals/3": 9})
    audit.told([G], {"withdrawals/2": 900})
    assert counted(audit, metrics) == 0


def test_a_second_withdrawal_of_a_grant_changes_nothing() -> None:
    audit, metrics = audited()
    audit.withdrawn(G, 3, 7)
    audit.withdrawn(G, 3, 9)
    audit.told([G], {"withdrawals/3": 8})
    assert counted(audit, metrics) == 1
