"""The deployment's keys survive a restart, differ per use, and are refused when others could have read them."""

from __future__ import annotations

import hashlib
import hmac
import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from assent.ids import ImageId, ProducerId
from assent.keys.cipher import UnsealError
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.identifiers import ImageIds
from assent.keys.key_files import KeyFileError
from assent.keys.signing_keys import PublicKeys, SigningKeys, public_pem
from tests.unit.key_examples import OF_NO_KNOWN_KIND

PRIVATE_FILES = ["root.secret", "receipt_signing.key", "token_signing.key", "policy_signing.key", "grant_signing.key"]


def test_a_restart_reads_the_same_keys(tmp_path: Path) -> None:
    first, again = DeploymentKeys.load_or_create(tmp_path / "keys"), DeploymentKeys.load(tmp_path / "keys")
    assert first.image_id_key == again.image_id_key
    assert again.quarantine_key.open(first.quarantine_key.seal(b"x", aad=b"a"), aad=b"a") == b"x"
    assert public_pem(first.public.receipt) == public_pem(again.public.receipt)
    assert DeploymentKeys.load_or_create(tmp_path / "other").image_id_key != first.image_id_key


def test_each_use_has_a_key_of_its_own(tmp_path: Path) -> None:
    keys = DeploymentKeys.load_or_create(tmp_path)
    assert len({keys.image_id_key, keys.sighting_id_key, keys.suppression_key, keys.subkey("x")}) == 4
    with pytest.raises(UnsealError):
        keys.key_encryption_key.open(keys.quarantine_key.seal(b"x", aad=b""), aad=b"")
    pairs = [keys.producer_signing_key(ProducerId(name)).public_key() for name in ("crawler", "upload", "crawler")]
    assert public_pem(pairs[0]) == public_pem(pairs[2]) != public_pem(pairs[1])
    signing = SigningKeys.load(tmp_path)
    assert len({public_pem(key.public_key()) for key in (signing.receipt, signing.token, signing.policy, signing.grant)}) == 4


def test_the_subkeys_are_hkdf_sha256_of_the_root(tmp_path: Path) -> None:
    DeploymentKeys.load_or_create(tmp_path)
    (tmp_path / "root.secret").write_text("0b" * 32)
    # RFC 5869 by hand: extract with a salt of zeros, expand one block.
    extracted = hmac.new(bytes(32), b"\x0b" * 32, hashlib.sha256).digest()
    expected = hmac.new(extracted, b"assent/v1/image id\x01", hashlib.sha256).digest()
    assert DeploymentKeys.load(tmp_path).image_id_key == expected


def test_private_files_are_for_the_owner_alone(tmp_path: Path) -> None:
    DeploymentKeys.load_or_create(tmp_path / "keys")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    for name in PRIVATE_FILES:
        assert stat.S_IMODE((tmp_path / "keys" / name).stat().st_mode) == 0o600
    assert not list((tmp_path / "keys").glob(".*.new"))


@pytest.mark.parametrize("name", PRIVATE_FILES)
@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620, 0o601])
def test_a_file_open_to_others_is_refused_with_the_remedy(tmp_path: Path, name: str, mode: int) -> None:
    DeploymentKeys.load_or_create(tmp_path)
    (tmp_path / name).chmod(mode)
    with pytest.raises(KeyFileError, match=r"chmod 600"):
        DeploymentKeys.load(tmp_path) if name == "root.secret" else SigningKeys.load(tmp_path)


def test_a_mounted_secret_readable_by_the_group_is_accepted(tmp_path: Path) -> None:
    DeploymentKeys.load_or_create(tmp_path)
    (tmp_path / "root.secret").chmod(0o440)
    DeploymentKeys.load(tmp_path)


def test_a_service_needs_no_private_signing_key(tmp_path: Path) -> None:
    DeploymentKeys.load_or_create(tmp_path)
    for path in tmp_path.glob("*_signing.key"):
        path.unlink()
    DeploymentKeys.load(tmp_path)
    PublicKeys.load(tmp_path)
    with pytest.raises(KeyFileError, match="missing"):
        SigningKeys.load(tmp_path)


def test_a_signing_key_behind_a_password_or_of_no_known_kind_is_refused_with_the_remedy(tmp_path: Path) -> None:
    DeploymentKeys.load_or_create(tmp_path)
    private, public = tmp_path / "token_signing.key", tmp_path / "token_signing.pub"
    behind = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a password"))
    whole = private.read_bytes()
    private.write_bytes(behind)
    with pytest.raises(KeyFileError, match=r"token_signing\.key is not a PEM private key without a password; restore it"):
        SigningKeys.load(tmp_path)
    private.write_bytes(whole)
    public.write_bytes(OF_NO_KNOWN_KIND)
    with pytest.raises(KeyFileError, match=r"token_signing\.pub is not a PEM public key; restore it"):
        PublicKeys.load(tmp_path)


def test_a_lost_root_secret_is_not_replaced_silently(tmp_path: Path) -> None:
    DeploymentKeys.load_or_create(tmp_path)
    (tmp_path / "root.secret").unlink()
    with pytest.raises(KeyFileError, match="restore it"):
        DeploymentKeys.load_or_create(tmp_path)
    assert not (tmp_path / "root.secret").exists()


def test_a_start_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    DeploymentKeys.load_or_create(tmp_path)
    public = (tmp_path / "token_signing.pub").read_bytes()
    (tmp_path / "token_signing.pub").unlink()
    (tmp_path / ".policy_signing.key.new").write_text("half")
    for path in tmp_path.glob("policy_signing.*"):
        path.unlink()
    DeploymentKeys.load_or_create(tmp_path)
    SigningKeys.load(tmp_path)
    assert (tmp_path / "token_signing.pub").read_bytes() == public


def test_a_folder_from_before_a_pair_was_needed_says_how_to_make_it_and_gets_it(tmp_path: Path) -> None:
    DeploymentKeys.load_or_create(tmp_path)
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir() if not path.name.startswith("grant_")}
    for path in tmp_path.glob("grant_signing.*"):
        path.unlink()
    with pytest.raises(KeyFileError, match=r"grant_signing\.pub is missing.*assent keys create"):
        DeploymentKeys.load(tmp_path)
    keys = DeploymentKeys.load_or_create(tmp_path)
    assert public_pem(SigningKeys.load(tmp_path).grant.public_key()) == public_pem(keys.public.grant)
    assert kept.items() <= {path.name: path.read_bytes() for path in tmp_path.iterdir()}.items()


def test_halves_of_two_pairs_are_refused(tmp_path: Path) -> None:
    DeploymentKeys.load_or_create(tmp_path)
    (tmp_path / "receipt_signing.pub").write_bytes((tmp_path / "token_signing.pub").read_bytes())
    with pytest.raises(KeyFileError, match="not the public half"):
        SigningKeys.load(tmp_path)


@pytest.mark.parametrize("content", ["", "zz", "00" * 16, "00" * 33])
def test_a_malformed_root_secret_is_refused(tmp_path: Path, content: str) -> None:
    DeploymentKeys.load_or_create(tmp_path)
    (tmp_path / "root.secret").write_text(content)
    with pytest.raises(KeyFileError, match=r"root\.secret"):
        DeploymentKeys.load(tmp_path)


def test_first_starts_at_the_same_time_agree(tmp_path: Path) -> None:
    found: list[tuple[bytes, bytes]] = []

    def start() -> None:
        keys = DeploymentKeys.load_or_create(tmp_path / "keys")
        found.append((keys.image_id_key, public_pem(keys.public.receipt)))

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_the_secret_is_not_in_the_text_form(tmp_path: Path) -> None:
    keys = DeploymentKeys.load_or_create(tmp_path)
    secret = (tmp_path / "root.secret").read_text().strip()
    assert secret not in repr(keys)
    assert repr(bytes.fromhex(secret)) not in repr(keys)


def test_ids_are_keyed_and_tell_their_parts_apart(tmp_path: Path) -> None:
    ids = ImageIds(DeploymentKeys.load_or_create(tmp_path / "a"))
    foreign = ImageIds(DeploymentKeys.load_or_create(tmp_path / "b"))
    image, crawler = ids.image_id(b"bytes"), ProducerId("crawler")
    assert image == ids.image_id(b"bytes") != foreign.image_id(b"bytes")
    sightings = {
        ids.sighting_id(final_url="https://a.example/x", image_id=image, producer=crawler),
        ids.sighting_id(final_url="https://a.example/y", image_id=image, producer=crawler),
        ids.sighting_id(final_url="https://a.example/x", image_id=None, producer=crawler),
        ids.sighting_id(final_url=None, image_id=image, producer=crawler),
        ids.sighting_id(final_url="https://a.example/x", image_id=image, producer=ProducerId("upload")),
        # The same letters cut at another place.
        ids.sighting_id(final_url="ab", image_id=ImageId("c"), producer=crawler),
        ids.sighting_id(final_url="a", image_id=ImageId("bc"), producer=crawler),
        ids.sighting_id(final_url="a\x01b", image_id=ImageId("c"), producer=crawler),
        ids.sighting_id(final_url="a", image_id=ImageId("b\x01c"), producer=crawler),
        ids.sighting_id(final_url="", image_id=image, producer=crawler),
    }
    assert len(sightings) == 10
    with pytest.raises(ValueError, match="final URL or an image id"):
        ids.sighting_id(final_url=None, image_id=None, producer=crawler)
    assert ids.suppression_key("ab" * 32) == ids.suppression_key("AB" * 32) != foreign.suppression_key("ab" * 32)
