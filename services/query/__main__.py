"""The query service as a process of its own."""

from __future__ import annotations

import sys

from assent.deployment.process import run_service
from services.query.app import QueryApp
from services.query.settings import QuerySettings

if __name__ == "__main__":
    sys.exit(run_service("query", QuerySettings, QueryApp))
