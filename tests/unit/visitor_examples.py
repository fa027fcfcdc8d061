"""The crawler's visitor over a site that answers in memory: the network alone is left out."""

from __future__ import annotations

from pathlib import Path

from assent.consent.ledger import ConsentLedger
from assent.deciding.gate import Gate
from assent.deciding.suppressions import Suppressions
from assent.events.grants import SourceRule
from assent.fetching.server_places import ServerPlaces
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.identifiers import ImageIds
from assent.testing.fake_clock import FakeClock
from services.crawler.pace import Pace
from services.crawler.site_rules import SiteRulesReader
from services.crawler.visit import Visitor
from tests.lawful_yield.case import Site
from tests.lawful_yield.site import CaseSite
from tests.unit.decision_cases import Held
from tests.unit.grant_examples import NOW, grant
from tests.unit.place_examples import JPEG, areas
from tests.unit.policy_examples import shipped

AGENT = "AssentBot"


def visitor(folder_of_keys: Path, picture: str, *sources: SourceRule) -> Visitor:
    """Under one grant of a resident of British Columbia, who named these sources; the site has this picture alone."""
    ledger, clock, fetcher = ConsentLedger(), FakeClock(NOW), CaseSite(Site(image_url=picture), JPEG)
    ledger.apply_grant(grant(sources=sources))
    return Visitor(
        gate=Gate(Held(ledger, shipped(), Suppressions()), clock),
        identifiers=ImageIds(DeploymentKeys.load_or_create(folder_of_keys)),
        fetcher=fetcher,
        rules=SiteRulesReader(fetcher=fetcher, agent=AGENT, clock=clock, keep_s=600),
        pace=Pace(clock=clock, host_delay_s=0),
        areas=areas(),
        servers=ServerPlaces(places=None, networks=None, clock=clock),
        agent=AGENT,
        max_crawl_delay_s=30,
    )
