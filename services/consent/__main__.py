"""The consent service as a process of its own."""

from __future__ import annotations

import sys

from assent.deployment.process import run_service
from services.consent.app import ConsentApp
from services.consent.settings import ConsentSettings

if __name__ == "__main__":
    sys.exit(run_service("consent", ConsentSettings, ConsentApp))
