"""The harness measures what it says, and every benchmark runs."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from bench import many_grants
from bench.__main__ import BENCHES, main
from bench.pair import Case, Took, measured


def test_a_ratio_above_one_means_that_ours_is_faster() -> None:
    (result,) = measured([Case("name", "other", 10, "things", ours=lambda: time.sleep(0.002), theirs=lambda: time.sleep(0.02))], rounds=3)
    assert result.ratio is not None
    assert 3 < result.ratio < 12
    assert result.noise[0] <= 1.5
    assert result.per_second < 10 / 0.002


def test_without_another_there_is_no_ratio() -> None:
    (result,) = measured([Case("name", "", 1, "things", ours=lambda: None, theirs=None)], rounds=2)
    assert result.ratio is None


def test_several_others_share_the_rounds_of_ours() -> None:
    calls: list[str] = []

    def ours() -> None:
        calls.append("ours")

    def other(name: str) -> Case:
        return Case(name, name, 1, "things", ours=ours, theirs=lambda: calls.append(name))

    assert [result.name for result in measured([other("a"), other("b")], rounds=1)] == ["a", "b"]
    assert calls == ["ours", "a", "b", "ours"] * 2


def test_work_that_times_itself_is_believed() -> None:
    def ours() -> Took:
        time.sleep(0.02)
        return Took(0.001)

    (result,) = measured([Case("name", "other", 1, "things", ours=ours, theirs=lambda: Took(0.004))], rounds=1)
    assert result.ratio == 4.0
    assert result.theirs_per_second == 250.0


@pytest.mark.parametrize("name", list(BENCHES))
def test_every_benchmark_runs(name: str, tmp_path: Path) -> None:
    assert main([name, "--quick", "--json", str(tmp_path / "numbers.json")]) == 0
    assert all(result["per_second"] > 0 for result in json.loads((tmp_path / "numbers.json").read_text()))


def test_many_grants_are_loaded_by_both_and_told_with_their_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert many_grants.main(["2000"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told[1:]] == ["ledger", "bare dict", "ledger to bare dict"]
    assert told[0].startswith("2000 grants, ")
    with pytest.raises(SystemExit):
        many_grants.main(["0"])
