"""The signers whose word on a place is believed: certificates under an operator's anchors, valid at a time; by default there are none."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtensionOID

from assent.geofence.cose_signature import CERTIFICATE_TROUBLE

# What C2PA lets a signer's certificate be for: mail, documents (RFC 9336), and claims of C2PA itself.
_PURPOSES = frozenset({"1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.36", "1.3.6.1.4.1.62558.2.1"})
_UNDERSTOOD = frozenset({ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE})
_HASHES = frozenset({"sha256", "sha384", "sha512"})


class SignersError(ValueError):
    """Raised when a file of anchors holds no certificate that can be used; write PEM certificates into it."""


@dataclass(frozen=True, slots=True)
class Signers:
    """Anchors, and the time at which certificates must be valid. A claimed time of signing is not believed; nothing is asked online."""

    anchors: tuple[x509.Certificate, ...] = ()
    now: datetime | None = None

    @classmethod
    def from_pem(cls, text: bytes) -> Signers:
        """Anchors of a PEM file. Raises SignersError."""
        try:
            return cls(tuple(x509.load_pem_x509_certificates(text)))
        except ValueError as error:
            raise SignersError("no certificates in PEM form; write each between BEGIN CERTIFICATE and END CERTIFICATE") from error

    @property
    def version(self) -> str | None:
        """Names the anchors, for decisions that are replayed; None where there are none."""
        if not self.anchors:
            return None
        held = b"".join(sorted(anchor.public_bytes(serialization.Encoding.DER) for anchor in self.anchors))
        return f"signers-{hashlib.sha256(held).hexdigest()[:12]}"

    def at(self, now: datetime) -> Signers:
        """The same anchors, judged at a time."""
        return Signers(self.anchors, now)

    def trusts(self, chain: Sequence[x509.Certificate]) -> bool:
        """Whether the first certificate may sign, and each is issued by the next, up to an anchor. Without anchors nothing is looked at."""
        if not self.anchors:
            return False
        try:
            return self.now is not None and _may_sign(chain[0]) and self._reach_down_to(chain, self.now)
        except CERTIFICATE_TROUBLE:
            return False

    def _reach_down_to(self, chain: Sequence[x509.Certificate], now: datetime) -> bool:
        for below, certificate in enumerate(chain):
            if not _is_sound(certificate, now) or (below > 0 and not _may_issue(certificate, below)):
                return False
            if any(_is_sound(anchor, now) and _is_under(certificate, anchor, below) for anchor in self.anchors):
                return True
            if below + 1 < len(chain) and not _is_issued_by(certificate, chain[below + 1]):
                return False
        return False


def _is_under(certificate: x509.Certificate, anchor: x509.Certificate, below: int) -> bool:
    """The anchor itself, or issued by it. `below` counts the certificates under this one."""
    return certificate == anchor or (_may_issue(anchor, below + 1) and _is_issued_by(certificate, anchor))


def _is_sound(certificate: x509.Certificate, now: datetime) -> bool:
    unknown = any(one.critical and one.oid not in _UNDERSTOOD for one in certificate.extensions)
    used = certificate.signature_hash_algorithm
    is_valid = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    return is_valid and not unknown and (used is None or used.name in _HASHES)


def _may_sign(certificate: x509.Certificate) -> bool:
    """Raises ExtensionNotFound for a certificate that does not say what it is for."""
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    return usage.digital_signature and any(purpose.dotted_string in _PURPOSES for purpose in purposes)


def _may_issue(certificate: x509.Certificate, below: int) -> bool:
    """An authority whose path may be that long: `below` counts the certificates under it, the signer's own included."""
    try:
        limits = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return limits.ca and usage.key_cert_sign and (limits.path_length is None or below - 1 <= limits.path_length)


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except CERTIFICATE_TROUBLE:
        return False
    return True
