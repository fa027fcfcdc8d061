"""The deployment's own keys, all derived from one root secret; never writes a derived key anywhere."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from assent.ids import ProducerId
from assent.keys.cipher import KEY_BYTES, DataKey
from assent.keys.key_files import KeyFileError, creating_in, read_private_file, write_new_file
from assent.keys.signing_keys import PublicKeys, SigningPurpose, create_missing_pairs

ROOT_FILE = "root.secret"


@dataclass(frozen=True, slots=True)
class DeploymentKeys:
    """What every service holds: the root secret's subkeys and the public halves. Private signing keys: `SigningKeys`."""

    _root: bytes = field(repr=False)
    public: PublicKeys

    @classmethod
    def load(cls, folder: Path) -> DeploymentKeys:
        """Read what was mounted or created before. Raises KeyFileError; creates nothing."""
        text = read_private_file(folder / ROOT_FILE)
        try:
            root = bytes.fromhex(text.decode("ascii").strip())
        except ValueError as error:
            raise KeyFileError(f"{ROOT_FILE} is not hexadecimal; restore it from its backup") from error
        if len(root) != KEY_BYTES:
            raise KeyFileError(f"{ROOT_FILE} holds {len(root)} bytes, not {KEY_BYTES}; restore it from its backup")
        return cls(root, PublicKeys.load(folder))

    @classmethod
    def load_or_create(cls, folder: Path) -> DeploymentKeys:
        """The same, creating root secret and signing pairs on the very first start in an empty folder.

        A folder with signing keys and no root secret raises KeyFileError: with a new root, every grant key would be lost
        and every image would get another id, silently.
        """
        with creating_in(folder):
            if not (folder / ROOT_FILE).exists():
                _create_root(folder)
            create_missing_pairs(folder)
        return cls.load(folder)

    @property
    def image_id_key(self) -> bytes:
        """HMAC key of image ids."""
        return self.subkey("image id")

    @property
    def sighting_id_key(self) -> bytes:
        """HMAC key of sighting ids."""
        return self.subkey("sighting id")

    @property
    def suppression_key(self) -> bytes:
        """HMAC key of suppressions."""
        return self.subkey("suppression")

    @property
    def quarantine_key(self) -> DataKey:
        """Seals originals in quarantine and intake."""
        return DataKey(self.subkey("quarantine"))

    @property
    def key_encryption_key(self) -> DataKey:
        """Wraps the data key of each grant (KEK)."""
        return DataKey(self.subkey("key encryption"))

    def producer_signing_key(self, producer: ProducerId) -> Ed25519PrivateKey:
        """The pair with which an inner producer (`crawler`, `upload`) signs its events."""
        return Ed25519PrivateKey.from_private_bytes(self.subkey(f"producer signing/{producer}"))

    def stage_key(self, stage: str) -> bytes:
        """HMAC key with which a stage of the pipeline (`geofence`, `consent`, `embedder`) signs what it hands on."""
        return self.subkey(f"stage/{stage}")

    def subkey(self, name: str) -> bytes:
        """32 bytes of HKDF-SHA256 (RFC 5869) for one named use; the same name always gives the same bytes."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"assent/v1/" + name.encode()).derive(self._root)


def _create_root(folder: Path) -> None:
    left = [purpose.value for purpose in SigningPurpose if (folder / f"{purpose.value}_signing.key").exists()]
    if left:
        raise KeyFileError(
            f"{ROOT_FILE} is missing although signing keys are there ({', '.join(left)}); restore it from its backup. "
            "Without it every sealed image and vector is lost; to start afresh, use an empty folder"
        )
    write_new_file(folder / ROOT_FILE, os.urandom(KEY_BYTES).hex().encode() + b"\n", mode=0o600)
