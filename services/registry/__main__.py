"""The registry service as a process of its own."""

from __future__ import annotations

import sys

from assent.deployment.process import run_service
from services.registry.app import RegistryApp
from services.registry.settings import RegistrySettings

if __name__ == "__main__":
    sys.exit(run_service("registry", RegistrySettings, RegistryApp))
