"""The crawler service as a process of its own."""

from __future__ import annotations

import sys

from assent.deployment.process import run_service
from services.crawler.app import CrawlerApp
from services.crawler.settings import CrawlerSettings

if __name__ == "__main__":
    sys.exit(run_service("crawler", CrawlerSettings, CrawlerApp))
