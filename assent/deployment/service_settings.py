"""What every service is told through its environment; unsafe combinations are refused at start."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings


class ServiceSettings(BaseSettings):
    """Common settings; each service adds its own under its own prefix `ASSENT_<SERVICE>_`."""

    log_url: str = Field(default="kafka://127.0.0.1:9092", description="the log: kafka://HOST:PORT, tansu://HOST:PORT or sqlite:FILE")
    kafka_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="how the brokers are spoken to; SSL and SASL_SSL encrypt"
    )
    kafka_ca_file: Path | None = Field(default=None, description="certificate authority of the brokers, PEM; the machine's own when unset")
    kafka_certificate_file: Path | None = Field(default=None, description="our certificate for mutual TLS, PEM")
    kafka_key_file: Path | None = Field(default=None, description="the key of that certificate, PEM")
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="how the login is proved, with SASL"
    )
    kafka_username: str | None = Field(default=None, description="login, with SASL")
    kafka_password: SecretStr | None = Field(default=None, description="password of the login, with SASL")
    vectors_url: str = Field(default="http://127.0.0.1:6333", description="Qdrant, or edge:FOLDER inside this process")
    vectors_api_key: SecretStr | None = Field(default=None, description="API key of the vector store")
    blobs_url: str = Field(default="file:assent-data/blobs", description="originals and pictures: file:FOLDER or s3://BUCKET/PREFIX")
    keys_folder: Path = Field(default=Path("assent-data/keys"), description="root secret and public keys")
    keys_url: str = Field(default="file:assent-data/grant-keys", description="wrapped keys of grants, in a store without versions")
    pack_folder: Path = Field(default=Path("assent-data/model"), description="the model pack")
    data_folder: Path = Field(default=Path("assent-data"), description="files of this service")
    health_host: str = Field(default="127.0.0.1", description="address of /livez, /readyz and /metrics")
    health_port: int = Field(default=0, ge=0, le=65535, description="port of /livez, /readyz and /metrics; 0 takes a free one")
    log_level: str = Field(default="INFO", description="least level that is logged")
    traces_file: Path | None = Field(default=None, description="file for spans, a line of OTLP JSON each batch; none when unset")
    drain_deadline_s: float = Field(default=10.0, gt=0, le=25, description="seconds to finish a batch at the end and in a rebalance")
    catch_up_timeout_s: float = Field(default=5.0, gt=0, le=60, description="seconds to prove that the tables are fresh")
    stall_after_s: float = Field(default=120.0, gt=0, description="seconds without the log before the process ends")
    accepts_fixtures: bool = Field(default=False, description="take grants whose evidence is a fixture: the demonstration alone")
    allowed_sockets: tuple[tuple[str, int], ...] = Field(default=(), description="exact exceptions of the crawler: the demonstration alone")
    is_demo: bool = Field(default=False, description="set by the demonstration and the tests, never by an operator")

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        if self.kafka_protocol.startswith("SASL") and (self.kafka_username is None or self.kafka_password is None):
            raise ValueError("kafka_protocol with SASL needs kafka_username and kafka_password; set both")
        if (self.kafka_certificate_file is None) != (self.kafka_key_file is None):
            raise ValueError("kafka_certificate_file and kafka_key_file go together; set both or none")
        return self

    @model_validator(mode="after")
    def _only_the_demo(self) -> Self:
        if not self.is_demo and (self.accepts_fixtures or self.allowed_sockets):
            raise ValueError("accepts_fixtures and allowed_sockets belong to the demonstration; unset both")
        return self
