"""The subcommands that need nothing but a running service, a file or this package."""

from __future__ import annotations

from assent.cli.add import ADD
from assent.cli.command import Command
from assent.cli.crawl import CRAWL
from assent.cli.dlq import DLQ
from assent.cli.doctor import DOCTOR
from assent.cli.explain import EXPLAIN
from assent.cli.grant import GRANT
from assent.cli.keys import KEYS
from assent.cli.models import MODELS
from assent.cli.producer import PRODUCER
from assent.cli.receipt import RECEIPT
from assent.cli.replay import REPLAY
from assent.cli.search import SEARCH, VERIFY
from assent.cli.source import SOURCE
from assent.cli.staff import LOGIN_CODE, TOKEN
from assent.cli.suppress import SUPPRESS
from assent.cli.topics import TOPICS
from assent.cli.vectors import VECTORS

BUILT_IN: tuple[Command, ...] = (
    CRAWL,
    ADD,
    GRANT,
    SEARCH,
    VERIFY,
    EXPLAIN,
    REPLAY,
    DOCTOR,
    RECEIPT,
    MODELS,
    KEYS,
    TOKEN,
    LOGIN_CODE,
    PRODUCER,
    SUPPRESS,
    SOURCE,
    DLQ,
    VECTORS,
    TOPICS,
)
