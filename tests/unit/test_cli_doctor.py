"""The doctor's findings on good and broken folders; it never ends in a traceback, changes nothing, and prints nothing of a key."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assent.cli.command import ExitCode
from assent.cli.finding import State
from assent.cli.machine_checks import check_packages, check_port, check_program
from assent.cli.main import main
from assent.keys.deployment_keys import DeploymentKeys
from assent.testing.face_pack import embedded_pack_folder
from assent.testing.kafka_broker import free_port


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A whole data folder."""
    folder = tmp_path / "data"
    shutil.copytree(embedded_pack_folder(), folder / "model")
    DeploymentKeys.load_or_create(folder / "keys")
    (folder / "operator.token").touch(mode=0o600)
    return folder


def examined(data: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, str]]]:
    code = main(["doctor", "--data", str(data), "--port", str(free_port()), "--json"])
    findings: list[dict[str, str]] = json.loads(capsys.readouterr().out)
    return code, {finding["check"]: finding for finding in findings}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_good_folder(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(data)
    code, found = examined(data, capsys)
    assert code == ExitCode.DONE
    for check in ("python", "packages", "data", "model", "keys", "token", "port"):
        assert found[check]["state"] in (State.OK, State.WARN), found[check]
    assert "self-test passed" in found["model"]["text"]
    assert {"java", "chromium", "promtool"} <= set(found)
    assert contents(data) == before
    secret = (data / "keys" / "root.secret").read_text().strip()
    assert secret not in json.dumps(found)


def test_a_folder_that_is_not_there_yet_is_no_failure_and_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = examined(tmp_path / "new" / "data", capsys)
    assert (code, found["model"]["state"], found["keys"]["state"]) == (ExitCode.DONE, State.WARN, State.WARN)
    assert "assent models prepare" in found["model"]["text"]
    assert "assent keys create" in found["keys"]["text"]
    assert list(tmp_path.iterdir()) == []


def _truncate_model(data: Path) -> None:
    model = next((data / "model").glob("sface*.onnx"))
    model.write_bytes(model.read_bytes()[:10_000])


def _edit_manifest(data: Path) -> None:
    manifest = data / "model" / "manifest.json"
    document: dict[str, Any] = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(document | {"thresholds": []}))


BROKEN: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "model truncated": ("model", _truncate_model, "truncated or another file"),
    "model missing": ("model", lambda data: next((data / "model").glob("yunet*.onnx")).unlink(), "missing"),
    "manifest is no JSON": ("model", lambda data: (data / "model" / "manifest.json").write_text("{"), "manifest"),
    "manifest edited": ("model", _edit_manifest, "thresholds"),
    "manifest missing": ("model", lambda data: (data / "model" / "manifest.json").unlink(), "assent models prepare"),
    "manifest is a folder": ("model", lambda data: _folder_for(data / "model" / "manifest.json"), "cannot be read"),
    "root secret open to others": ("keys", lambda data: (data / "keys" / "root.secret").chmod(0o644), "chmod 600"),
    "root secret missing": ("keys", lambda data: (data / "keys" / "root.secret").unlink(), "restore it from its backup"),
    "root secret cut": ("keys", lambda data: (data / "keys" / "root.secret").write_text("abcd"), "restore it"),
    "signing key open to others": ("keys", lambda data: (data / "keys" / "token_signing.key").chmod(0o604), "chmod 600"),
    "public key missing": ("keys", lambda data: (data / "keys" / "receipt_signing.pub").unlink(), "openssl pkey -pubout"),
    "public key of another pair": ("keys", lambda data: _copy(data / "keys", "token_signing.pub", "policy_signing.pub"), "same backup"),
    "keys are a file": ("keys", lambda data: _file_for(data / "keys"), "cannot be read"),
    "token open to others": ("token", lambda data: (data / "operator.token").chmod(0o640), "chmod 600"),
    "data is a file": ("data", lambda data: _file_for(data), "not a folder"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_folder_fails_with_the_remedy(name: str, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check, spoil, said = BROKEN[name]
    spoil(data)
    code, found = examined(data, capsys)
    assert code == ExitCode.NO
    assert found[check]["state"] == State.FAIL
    assert said in found[check]["text"]


def test_one_line_per_check(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _truncate_model(data)
    assert main(["doctor", "--data", str(data), "--port", str(free_port())]) == ExitCode.NO
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines} <= {"ok", "warn", "fail"}
    assert [line.split()[1] for line in lines if line.startswith("fail")] == ["model"]


def test_a_package_that_is_missing_or_does_not_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution, found first, whose module raises as a wheel for another machine does."""
    (tmp_path / "qdrant_edge.py").write_text("raise ImportError('wrong machine')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "qdrant_edge", raising=False)
    finding = check_packages()
    assert (finding.state, "qdrant-edge-py cannot be loaded" in finding.text) == (State.FAIL, True)
    monkeypatch.setattr(importlib.metadata.MetadataPathFinder, "find_distributions", lambda *_, **__: iter(()))
    finding = check_packages()
    assert (finding.state, "requirements/runtime.txt" in finding.text) == (State.FAIL, True)


def test_ports_and_programs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert check_port(port).state is State.WARN
    assert check_port(port).state is State.OK
    assert check_program("x", ("no-such-program-here",), "some tests").state is State.WARN
    assert check_program("x", ("no-such-program-here", "sh"), "some tests").state is State.OK


def test_models_check_tells_a_truncated_file_and_prepare_mends_it(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _truncate_model(data)
    pack = str(data / "model")
    assert main(["models", "check", "--pack", pack]) == ExitCode.NO
    assert "truncated" in capsys.readouterr().err
    assert main(["models", "prepare", "--pack", pack]) == ExitCode.DONE
    assert "self-test hold" in capsys.readouterr().out
    assert main(["models", "check", "--pack", pack]) == ExitCode.DONE
    assert "scraped" in capsys.readouterr().out
    assert main(["models", "prepare", "--pack", str(data / "operator.token")]) == ExitCode.USAGE
    assert "name another folder" in capsys.readouterr().err


def test_keys_are_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "keys"
    assert main(["keys", "create", "--folder", str(folder)]) == ExitCode.DONE
    made = contents(folder)
    assert main(["keys", "create", "--folder", str(folder)]) == ExitCode.DONE
    assert contents(folder) == made
    assert (folder / "root.secret").read_text().strip() not in capsys.readouterr().out
    os.unlink(folder / "root.secret")
    assert main(["keys", "create", "--folder", str(folder)]) == ExitCode.NO
    assert "restore it from its backup" in capsys.readouterr().err


def _folder_for(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _file_for(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("a file")


def _copy(folder: Path, source: str, target: str) -> None:
    (folder / target).write_bytes((folder / source).read_bytes())
