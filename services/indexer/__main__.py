"""The indexer service as a process of its own."""

from __future__ import annotations

import sys

from assent.deployment.process import run_service
from services.indexer.app import IndexerApp
from services.indexer.settings import IndexerSettings

if __name__ == "__main__":
    sys.exit(run_service("indexer", IndexerSettings, IndexerApp))
