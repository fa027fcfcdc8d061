"""What the crawler asks before it fetches a picture: where it lies and where its page is published; the network alone is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.consent.ledger import ConsentLedger
from assent.deciding.gate import Gate
from assent.deciding.suppressions import Suppressions
from assent.fetching.server_places import ServerPlaces
from assent.keys.deployment_keys import DeploymentKeys
from assent.keys.identifiers import ImageIds
from assent.testing.fake_clock import FakeClock
from services.crawler.pace import Pace
from services.crawler.site_rules import SiteRulesReader
from services.crawler.visit import Shown, Stopped, Visited, Visitor
from tests.lawful_yield.case import Site
from tests.lawful_yield.site import CaseSite
from tests.unit.decision_cases import Held
from tests.unit.grant_examples import NOW, folder, grant
from tests.unit.place_examples import JPEG, areas
from tests.unit.policy_examples import shipped

PICTURE = "https://cdn.example.com/9f/1.jpg"
AGENT = "AssentBot"


def visitor(folder_of_keys: Path) -> Visitor:
    """Under one grant of a resident of British Columbia, who named the folder of a content network."""
    ledger, clock, fetcher = ConsentLedger(), FakeClock(NOW), CaseSite(Site(image_url=PICTURE), JPEG)
    ledger.apply_grant(grant(sources=(folder("https://cdn.example.com/9f/"),)))
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


@pytest.mark.parametrize(
    ("page", "place", "rule"),
    [
        pytest.param("https://www.ville.montreal.qc.ca/ada/", "CA-QC", "QC-3", id="province"),
        pytest.param("https://blog.example.fr/ada/", "FR", "EU-10", id="country"),
    ],
)
async def test_a_picture_whose_page_is_published_in_a_closed_place_is_not_asked_for(
    tmp_path: Path, page: str, place: str, rule: str
) -> None:
    stopped = await visitor(tmp_path).visit(PICTURE, shown=Shown(page), max_bytes=1_000_000)
    assert isinstance(stopped, Stopped)
    assert not stopped.was_asked
    assert rule in stopped.rules
    assert [place in refusal.candidates for refusal in stopped.refusals] == [True]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(None, id="no-page"),
        pytest.param("https://ada.example.com/montreal/", id="words-beside-her-residence"),
        pytest.param("https://ada.example.ca/", id="her-own-country"),
    ],
)
async def test_a_page_that_adds_no_closed_place_leaves_the_picture_to_be_fetched(tmp_path: Path, page: str | None) -> None:
    assert isinstance(await visitor(tmp_path).visit(PICTURE, shown=Shown(page), max_bytes=1_000_000), Visited)
