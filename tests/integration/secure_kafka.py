"""Apache Kafka that asks for TLS and a login, with certificates made for one test; nobody else trusts them."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from assent.testing.kafka_broker import HOST, ApacheKafka

USER, PASSWORD = "assent", "a long password of one test"


class SecureKafka(ApacheKafka):
    """SASL over TLS on the client's port; the controller's port stays as it is."""

    def __init__(self, jars: Path, folder: Path) -> None:
        super().__init__(jars)
        self.ca_file = folder / "ca.pem"
        keystore = folder / "broker.pem"
        _certificates(self.ca_file, keystore)
        plain = self._properties.read_text()
        clients = f"{HOST}:{self.port}"
        self._properties.write_text(
            plain.replace(f"PLAINTEXT://{clients}", f"SASL_SSL://{clients}")
            + f"""
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_SSL
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  username="{USER}" password="{PASSWORD}" user_{USER}="{PASSWORD}";
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={self.ca_file}
"""
        )


def _certificates(ca_file: Path, keystore: Path) -> None:
    """An authority, and a certificate of the broker for 127.0.0.1 that it signed."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority, broker = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("test authority", "broker"))
    ca = _certificate(authority, authority, ca_key, ca_key, is_authority=True)
    signed = _certificate(broker, authority, key, ca_key, is_authority=False)
    ca_file.write_bytes(ca.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    keystore.write_bytes(private + signed.public_bytes(Encoding.PEM) + ca.public_bytes(Encoding.PEM))


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
    )
    return builder.sign(signer, SHA256())
