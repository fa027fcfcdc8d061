"""The environment tool: what stands in the way is one line, and nothing is done twice."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools import environment


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in a folder with a space, whose requirement files ask for nothing."""
    root = tmp_path / "with a space"
    (root / "requirements").mkdir(parents=True)
    for kind in ("build", "demo", "dev", "lock"):
        (root / "requirements" / f"{kind}.txt").write_text(f"# {kind}\n")
    (root / "pyproject.toml").write_text("")
    monkeypatch.setattr(environment, "ROOT", str(root))
    monkeypatch.setattr(environment, "VENV", str(root / ".venv"))
    monkeypatch.setattr(environment, "PYTHON", str(root / ".venv" / "bin" / "python"))
    return root


def test_an_old_python_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(environment, "WANTED", (99, 0))
    assert environment.main(["demo"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "make PYTHON=" in line


def test_a_missing_venv_module_is_told_what_to_do(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    assert environment.main(["demo"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "apt-get install python3-venv" in line


def test_it_installs_once_and_again_when_the_pins_change(repository: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert environment.main(["lock"]) == 0
    assert "Installing requirements/lock.txt" in capfd.readouterr().err
    assert environment.main(["lock"]) == 0
    assert capfd.readouterr().err == ""
    (repository / "requirements" / "lock.txt").write_text("# changed\n")
    assert environment.main(["lock"]) == 0
    assert "Installing" in capfd.readouterr().err


def test_pins_without_a_hash_are_refused(repository: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (repository / "requirements" / "lock.txt").write_text("uv==0.1\n")
    assert environment.main(["lock"]) == 1
    said = capfd.readouterr().err
    assert "hash" in said.lower()
    assert said.splitlines()[-1].startswith("assent: pip could not install requirements/lock.txt")


def test_it_reads_on_a_python_older_than_it_asks_for() -> None:
    source = Path(environment.__file__).read_text()
    # No syntax that came after 3.7, or an old Python would show a SyntaxError instead of the one line.
    ast.parse(source, feature_version=(3, 7))


def test_make_names_a_missing_python() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "demo", "PYTHON=no-such-python"],
        cwd=environment.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "no-such-python is not on this machine" in done.stderr
