"""How a command speaks to a broker by itself: TLS and login as arguments; the password comes from a file, never from the line."""

from __future__ import annotations

import argparse
from pathlib import Path

from assent.cli.api import read_secret
from assent.cli.command import CommandError
from assent.stream.kafka_settings import KafkaSecurity


def add_kafka_arguments(parser: argparse.ArgumentParser) -> None:
    """Protocol, authority and login."""
    parser.add_argument("--protocol", choices=("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"), default="PLAINTEXT")
    parser.add_argument("--ca-file", type=Path, help="authority of the brokers (PEM)")
    parser.add_argument("--mechanism", choices=("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"), default="SCRAM-SHA-512")
    parser.add_argument("--username", help="login, with SASL")
    parser.add_argument("--password-file", type=Path, help="file with the password of the login")


def kafka_security(arguments: argparse.Namespace) -> KafkaSecurity:
    """What was said of them. Raises CommandError where a login is not whole."""
    if arguments.protocol.startswith("SASL") and (arguments.username is None or arguments.password_file is None):
        raise CommandError(f"--protocol {arguments.protocol} needs --username and --password-file")
    return KafkaSecurity(
        protocol=arguments.protocol,
        ca_file=arguments.ca_file,
        sasl_mechanism=arguments.mechanism,
        username=arguments.username,
        password=None if arguments.password_file is None else read_secret(arguments.password_file, "password"),
    )
