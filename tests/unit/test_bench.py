"""The harness measures what it says, and every benchmark runs."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from bench.__main__ import BENCHES, main
from bench.pair import Case, measured


def test_a_ratio_above_one_means_that_ours_is_faster() -> None:
    result = measured(Case("name", "other", 10, "things", ours=lambda: time.sleep(0.002), theirs=lambda: time.sleep(0.02)), rounds=3)
    assert result.ratio is not None
    assert 3 < result.ratio < 12
    assert result.noise[0] <= 1.5
    assert result.per_second < 10 / 0.002


def test_without_another_there_is_no_ratio() -> None:
    assert measured(Case("name", "", 1, "things", ours=lambda: None, theirs=None), rounds=2).ratio is None


@pytest.mark.parametrize("name", list(BENCHES))
def test_every_benchmark_runs(name: str, tmp_path: Path) -> None:
    assert main([name, "--quick", "--json", str(tmp_path / "numbers.json")]) == 0
    assert all(result["per_second"] > 0 for result in json.loads((tmp_path / "numbers.json").read_text()))
