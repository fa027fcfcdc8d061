"""`assent receipt verify` says VALID of what was signed and of nothing else, and needs no network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.cli.command import ExitCode
from assent.cli.main import main
from assent.keys.signing_keys import public_pem
from assent.receipts.log import ReceiptLog
from assent.receipts.receipt import issue_receipt
from tests.unit.test_receipts_verify import GRANT, KEY, SALT, SIGNER, logical, others, physical


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A receipt, the key, and the opening that was kept."""
    monkeypatch.chdir(tmp_path)
    log = ReceiptLog(tmp_path / "log.sqlite3", SIGNER)
    for number, leaf in enumerate([*others(), logical(), physical()]):
        index = log.append(leaf.document(), once=str(number))
    receipt = issue_receipt(log, index)
    log.close()
    (tmp_path / "r.json").write_bytes(receipt.to_json())
    (tmp_path / "k.pem").write_bytes(public_pem(KEY.public_key()))
    (tmp_path / "opening.json").write_text(json.dumps({"grant_id": GRANT, "salt": SALT.hex()}))
    return tmp_path


def verified(*more: str) -> int:
    return main(["receipt", "verify", "r.json", "--key", "k.pem", *more])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("opening", [(), ("opening.json",), (GRANT, SALT.hex())], ids=["none", "file", "words"])
def test_a_receipt_that_holds(opening: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert verified(*(["--opening", *opening] if opening else [])) == ExitCode.DONE
    said = capsys.readouterr().out
    assert said.startswith("VALID: deletion_physical, entry ")
    assert "vectors: 2 before, 0 after (vacuum)" in said
    assert (GRANT in said) == bool(opening)


@pytest.mark.usefixtures("folder")
def test_what_was_proved_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert verified("--json", "--opening", "opening.json") == ExitCode.DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["valid"], told["level"], told["grant_id"]) == (True, "physical", GRANT)


WRONG: list[Any] = [None, True, 3, -1, 10**30, 0.5, "", "x", "\ud800", [], ["x"], {}, {"a": 1}, [[[]]]]


def test_any_other_value_in_any_field_does_not_hold(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = json.loads((folder / "r.json").read_text())
    for name in good:
        for value in WRONG:
            if value == good[name] and type(value) is type(good[name]):
                continue
            (folder / "r.json").write_text(json.dumps({**good, name: value}))
            assert verified() == ExitCode.NO, (name, value)
            assert capsys.readouterr().out.startswith("NOT VALID: ")
    for opening in ({"grant_id": GRANT}, {"grant_id": 3, "salt": SALT.hex()}, {"grant_id": GRANT, "salt": "0" * 64}, {}):
        (folder / "r.json").write_text(json.dumps(good))
        (folder / "opening.json").write_text(json.dumps(opening))
        assert verified("--opening", "opening.json") == ExitCode.NO


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"a": 1, "a": 2}', b"null"], ids=lambda value: repr(value[:8])
)
def test_a_file_that_is_no_receipt(folder: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "r.json").write_bytes(content)
    assert verified("--json") == ExitCode.NO
    assert json.loads(capsys.readouterr().out)["valid"] is False


def test_another_key_and_no_key(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for content in (b"", b"no key", public_pem(Ed25519PrivateKey.generate().public_key())):
        (folder / "k.pem").write_bytes(content)
        assert verified() == ExitCode.NO
    (folder / "k.pem").unlink()
    assert verified() == ExitCode.USAGE
    assert "k.pem cannot be read" in capsys.readouterr().err


def test_an_opening_that_is_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for content in ("", "[]", "{"):
        (folder / "opening.json").write_text(content)
        assert verified("--opening", "opening.json") == ExitCode.USAGE
    assert verified("--opening", "one", "two", "three") == ExitCode.USAGE
    assert "Traceback" not in capsys.readouterr().err
