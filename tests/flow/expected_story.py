"""What the story must come to, whatever it runs on."""

from __future__ import annotations

from demo.report import Report

OUTCOMES = {
    "embedded": 9,
    "bystander": 2,
    "closed_place": 1,
    "no_grant": 2,
    "opted_out": 2,
    "unknown_place": 1,
}
"""Eight portraits and the marked face of the composite; the group and somebody else; Montréal; two never fetched; noai and
robots.txt; the producer's picture without grant and place.
"""
RULES = {"QC-3", "X-1", "bystander_possible", "no_grant", "optout_signal", "robots_disallow", "several_faces"}


def check_first_act(report: Report) -> None:
    """Every image has its outcome, and the searches tell what they may."""
    assert report.outcomes == dict(sorted(OUTCOMES.items()))
    assert report.images_seen == sum(OUTCOMES.values())
    assert set(report.refused_by_rule) >= RULES
    assert report.faces_embedded == OUTCOMES["embedded"]
    hers, without_token, strangers = report.searches[:3]
    assert (hers.status, hers.matches) == (200, OUTCOMES["embedded"])
    assert hers.top_score is not None
    assert (without_token.status, without_token.matches) == (401, 0)
    assert (strangers.status, strangers.matches) == (200, 0)


def check_second_act(report: Report) -> None:
    """All is gone, provably, and nothing came back."""
    withdrawal = report.withdrawal
    assert withdrawal is not None
    assert (withdrawal.vectors_before, withdrawal.vectors_after) == (OUTCOMES["embedded"], 0)
    assert (withdrawal.images_before, withdrawal.images_after) == (OUTCOMES["embedded"], 0)
    assert report.receipts_verified == 4
    assert report.searches[-1].matches == 0
    assert report.resurrected == 0
    assert report.vectors_without_live_grant == 0
