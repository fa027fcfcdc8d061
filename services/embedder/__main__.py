"""The embedder service as a process of its own."""

from __future__ import annotations

import sys

from assent.deployment.process import run_service
from services.embedder.app import EmbedderApp
from services.embedder.settings import EmbedderSettings

if __name__ == "__main__":
    sys.exit(run_service("embedder", EmbedderSettings, EmbedderApp))
