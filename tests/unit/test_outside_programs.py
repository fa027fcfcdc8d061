"""Optional programs: skipped with a reason, or a failure where ASSENT_REQUIRE names them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.outside_programs import ROOT, UnknownProgramError, required, why_missing

SAMPLE = """
import pytest

@pytest.mark.browser
def test_needs_a_browser():
    pass

def test_needs_nothing():
    pass
"""


def run_sample(folder: Path, require: str) -> subprocess.CompletedProcess[str]:
    """A test run of its own on a machine whose PATH holds nothing."""
    (folder / "test_sample.py").write_text(SAMPLE)
    (folder / "nothing").mkdir()
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c", "pyproject.toml"]
    return subprocess.run(
        [*command, "--rootdir", str(folder), str(folder / "test_sample.py")],
        cwd=ROOT,
        env={**os.environ, "PATH": str(folder / "nothing"), "ASSENT_REQUIRE": require},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_missing_is_skipped_with_its_reason(tmp_path: Path) -> None:
    done = run_sample(tmp_path, "")
    assert done.returncode == 0
    assert "1 passed, 1 skipped" in done.stdout
    assert "browser is not on this machine" in done.stdout


def test_what_is_required_and_missing_fails(tmp_path: Path) -> None:
    done = run_sample(tmp_path, "browser")
    assert done.returncode == 1
    assert "ASSENT_REQUIRE names browser" in done.stdout


def test_a_misspelt_requirement_stops_the_run(tmp_path: Path) -> None:
    done = run_sample(tmp_path, "brwoser")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "'brwoser'" in done.stderr


def test_the_list_is_read_with_spaces_and_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_REQUIRE", " kafka, ,browser")
    assert required() == {"kafka", "browser"}
    monkeypatch.setenv("ASSENT_REQUIRE", "java")
    with pytest.raises(UnknownProgramError, match="it may name browser, kafka, promtool"):
        required()


def test_a_program_on_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert why_missing("browser") is not None
    browser = tmp_path / "chromium"
    browser.write_text("")
    browser.chmod(0o755)
    assert why_missing("browser") is None
