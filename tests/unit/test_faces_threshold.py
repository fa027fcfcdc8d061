"""The threshold of searches: the model's own at the rate asked for, or a stricter one."""

from __future__ import annotations

import pytest

from assent.faces.chosen_threshold import NoThresholdError, chosen_threshold
from assent.faces.embedded_pack import embedded_manifest

MANIFEST = embedded_manifest(detector_sha256="0" * 64, recogniser_sha256="1" * 64)


def test_the_measured_threshold_at_the_rate() -> None:
    found = chosen_threshold(MANIFEST, false_match_rate=1e-3, cosine=None)
    assert (found.cosine, found.false_match_rate) == (0.445, 1e-3)
    assert chosen_threshold(MANIFEST, false_match_rate=1e-2, cosine=None).cosine == 0.353


def test_a_stricter_one_keeps_the_best_measured_rate_as_its_bound() -> None:
    found = chosen_threshold(MANIFEST, false_match_rate=1e-2, cosine=0.6)
    assert (found.cosine, found.false_match_rate) == (0.6, 1e-3)
    between = chosen_threshold(MANIFEST, false_match_rate=1e-2, cosine=0.4)
    assert (between.cosine, between.false_match_rate) == (0.4, 1e-2)


def test_a_looser_one_is_refused() -> None:
    with pytest.raises(NoThresholdError, match=r"looser than 0\.445"):
        chosen_threshold(MANIFEST, false_match_rate=1e-3, cosine=0.3)


def test_a_rate_that_nobody_measured_is_refused() -> None:
    with pytest.raises(NoThresholdError, match="1e-09 or lower"):
        chosen_threshold(MANIFEST, false_match_rate=1e-9, cosine=None)
