"""A short list of cities and words for places, each with every jurisdiction it may mean; a hint that may close and never opens."""

from __future__ import annotations

import re

from assent.geofence.country_names import folded
from assent.ids import Jurisdiction

# Homonyms name all their places: whoever reads London may mean the one in Ontario.
_CITIES = (
    "calgary CA-AB; edmonton CA-AB; lethbridge CA-AB; red deer CA-AB; medicine hat CA-AB; fort mcmurray CA-AB; banff CA-AB GB; "
    "vancouver CA-BC US-WA; north vancouver CA-BC; west vancouver CA-BC; burnaby CA-BC; surrey CA-BC GB; richmond CA-BC US-VA US-CA GB; "
    "kelowna CA-BC; kamloops CA-BC; nanaimo CA-BC; victoria CA-BC AU-VIC; prince george CA-BC; whistler CA-BC; abbotsford CA-BC; "
    "montreal CA-QC; quebec city CA-QC; ville de quebec CA-QC; quebec CA-QC; gatineau CA-QC; laval CA-QC FR; sherbrooke CA-QC; "
    "trois rivieres CA-QC; levis CA-QC; longueuil CA-QC; saguenay CA-QC; rimouski CA-QC; toronto CA-ON; ottawa CA-ON; "
    "mississauga CA-ON; hamilton CA-ON NZ GB US-OH; london GB CA-ON; windsor CA-ON GB; kingston CA-ON JM US-NY; winnipeg CA-MB; "
    "regina CA-SK; saskatoon CA-SK; halifax CA-NS GB; moncton CA-NB; fredericton CA-NB; saint john CA-NB; st johns CA-NL; "
    "charlottetown CA-PE; whitehorse CA-YT; yellowknife CA-NT; iqaluit CA-NU; "
    "chicago US-IL; rockford US-IL; naperville US-IL; evanston US-IL US-WY; joliet US-IL; peoria US-IL US-AZ; champaign US-IL; "
    "urbana US-IL US-OH; springfield US-IL US-MO US-MA US-OH US-OR; aurora US-IL US-CO CA-ON; east st louis US-IL; houston US-TX; "
    "dallas US-TX; san antonio US-TX; new york city US-NY; los angeles US-CA; san francisco US-CA; san diego US-CA; seattle US-WA; "
    "sydney AU-NSW CA-NS; newcastle AU-NSW GB; wollongong AU-NSW; melbourne AU-VIC US-FL; geelong AU-VIC; brisbane AU-QLD; "
    "cairns AU-QLD; gold coast AU-QLD; perth AU-WA GB; adelaide AU-SA; hobart AU-TAS; launceston AU-TAS GB; darwin AU-NT; canberra AU-ACT; "
    "edinburgh GB; glasgow GB; manchester GB US-NH; birmingham GB US-AL; liverpool GB AU-NSW; leeds GB; bristol GB US-CT; cardiff GB; "
    "belfast GB; paris FR US-TX CA-ON; lyon FR; marseille FR; berlin DE; munich DE; munchen DE; hamburg DE; koln DE; cologne DE; "
    "frankfurt DE; vienna AT US-VA; wien AT; madrid ES; barcelona ES; rome IT US-GA US-NY; roma IT; milan IT; milano IT; dublin IE US-OH; "
    "amsterdam NL; rotterdam NL; brussels BE; bruxelles BE; lisbon PT; lisboa PT; warsaw PL; warszawa PL; prague CZ; praha CZ; "
    "stockholm SE; copenhagen DK; kobenhavn DK; helsinki FI; oslo NO; athens GR US-GA US-OH; budapest HU; bucharest RO; sofia BG; zagreb HR"
)
_REGIONS = (
    "alberta CA-AB; british columbia CA-BC; colombie britannique CA-BC; manitoba CA-MB; new brunswick CA-NB US-NJ; "
    "nouveau brunswick CA-NB; newfoundland CA-NL; terre neuve CA-NL; nova scotia CA-NS; nouvelle ecosse CA-NS; nunavut CA-NU; "
    "ontario CA-ON US-CA; prince edward island CA-PE; saskatchewan CA-SK; yukon CA-YT; illinois US-IL; texas US-TX; "
    "new york US-NY; new south wales AU-NSW; queensland AU-QLD; tasmania AU-TAS; south australia AU-SA; western australia AU-WA; "
    "canada CA; australia AU; united kingdom GB; england GB; scotland GB; france FR; germany DE; deutschland DE; italy IT; spain ES"
)
_URL_CODES = "qc CA-QC; bc CA-BC"
_LONGEST = 3
_WORD = re.compile(r"[^\W_]+")


def _table(text: str) -> dict[str, frozenset[Jurisdiction]]:
    table: dict[str, frozenset[Jurisdiction]] = {}
    for entry in text.split("; "):
        words = entry.split()
        codes = [word for word in words if word.isupper()]
        name = " ".join(words[: len(words) - len(codes)])
        table[name] = frozenset(Jurisdiction(code) for code in codes)
    return table


_CITY_TABLE = _table(_CITIES)
_URL_TABLE = _CITY_TABLE | _table(_REGIONS) | _table(_URL_CODES)
# Host names and paths write the words of a name together.
_URL_TABLE = _URL_TABLE | {name.replace(" ", ""): places for name, places in _URL_TABLE.items()}


def places_of_city(name: str) -> frozenset[Jurisdiction]:
    """Every place that a city's name may mean; empty for a city that is not in the list."""
    return _CITY_TABLE.get(folded(name), frozenset())


def places_in_words(text: str) -> frozenset[Jurisdiction]:
    """Every place that a word, or up to three in a row, of a host, a path or a caption may mean."""
    return frozenset(place for run in words_for_places(text) for place in _URL_TABLE[run])


def words_for_places(text: str) -> tuple[str, ...]:
    """Those words themselves, folded, each once: all of a text that is needed to find its places again."""
    words = _WORD.findall(folded(text))
    runs = (" ".join(words[start : start + length]) for start in range(len(words)) for length in range(1, _LONGEST + 1))
    return tuple(dict.fromkeys(run for run in runs if run in _URL_TABLE))
