"""What she is told of who was told: only her own searches are hers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assent.events.grants import Purpose
from assent.ids import FaceId, SubjectId
from services.registry.outcome_table import DisclosureRow
from services.registry.portal_lines import told_in

HER = SubjectId("subject-1")


@pytest.mark.parametrize(
    ("caller", "purpose", "is_herself"),
    [
        (HER, Purpose.SELF_SEARCH, True),
        (HER, Purpose.VERIFY, True),
        (HER, Purpose.GALLERY_SEARCH, False),  # a token may bear any name, her pseudonym too
        ("museum", Purpose.GALLERY_SEARCH, False),
        ("museum", Purpose.SELF_SEARCH, False),
    ],
)
def test_who_looked_is_told_by_what_was_asked_and_not_by_a_name_alone(caller: str, purpose: Purpose, is_herself: bool) -> None:
    row = DisclosureRow("query", FaceId("face"), caller, purpose.value, datetime(2026, 3, 2, tzinfo=UTC))
    assert [line.is_herself for line in told_in([row], HER)] == [is_herself]
