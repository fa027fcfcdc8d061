"""What goes wrong for every grant at once, and is waited out; what goes wrong at one of them is that one's alone."""

from __future__ import annotations

import sqlite3

from assent.blobs.store import BlobStoreUnavailableError
from assent.deployment.one_by_one import OneByOne
from assent.identity.errors import ApiError
from assent.stream.event_log import LogUnavailableError, UnknownTopicError
from assent.telemetry.meter import Metrics

TROUBLE = (ApiError, BlobStoreUnavailableError, LogUnavailableError, UnknownTopicError)
"""Every topic was there at the start: a broker that has just come back knows none for a moment."""


def one_by_one(metrics: Metrics) -> OneByOne:
    """For the steps that go through grants. A registry's file that cannot be written is nobody's own, and ends the process."""
    return OneByOne(metrics, everybodys=(*TROUBLE, sqlite3.OperationalError))
